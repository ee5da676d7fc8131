//! What is known of a message on its way: a function of what came of the latest attempt says when the next one is.

use std::time::Duration;

use crate::model::Time;

/// The waits between attempts. After the last one a message is given up.
const WAITS: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
];
/// A receiver that asks for more than this is not waited for any longer.
const LONGEST_ASKED: Duration = Duration::from_secs(6 * 3600);

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent.
    Pending,
    /// An attempt has begun: whether it arrived is not known until its end.
    Sending,
    /// The receiver has it.
    Delivered,
    /// It is sent no more.
    GivenUp,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sending, Self::Delivered, Self::GivenUp];

    /// The form the store and GraphQL use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Sending => "SENDING",
            Self::Delivered => "DELIVERED",
            Self::GivenUp => "GIVEN_UP",
        }
    }
}

/// One message for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What the receiver knows it by, the same at every attempt.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// The run it tells of.
    pub run: String,
    /// When it came up.
    pub created: Time,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts have begun.
    pub attempts: u32,
    /// When the next one is.
    pub next: Option<Time>,
    /// What came of the latest, without secrets.
    pub note: Option<String>,
    /// The message; nothing once it is delivered or given up.
    pub body: Option<String>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver took it.
    Taken,
    /// It may work later.
    Failed {
        /// Why, without secrets.
        why: String,
        /// How long the receiver asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It will never work.
    Refused {
        /// Why, without secrets.
        why: String,
    },
    /// The process ended within it.
    Lost {
        /// Whether the receiver can tell that it has the message already.
        is_told_apart: bool,
    },
}

/// Whether a message is to be sent now.
#[must_use]
pub fn is_due(delivery: &Delivery, now: Time) -> bool {
    delivery.state == DeliveryState::Pending && delivery.next.is_none_or(|next| next <= now)
}

impl Delivery {
    /// A message that came up.
    #[must_use]
    pub fn new(id: String, channel: &str, run: &str, now: Time, body: String) -> Self {
        Self {
            id,
            channel: channel.to_owned(),
            run: run.to_owned(),
            created: now,
            state: DeliveryState::Pending,
            attempts: 0,
            next: None,
            note: None,
            body: Some(body),
        }
    }

    /// The state that an attempt begins with.
    #[must_use]
    pub fn sending(&self) -> Self {
        Self { state: DeliveryState::Sending, attempts: self.attempts + 1, next: None, ..self.clone() }
    }
}

/// The state after an attempt.
#[must_use]
pub fn after(delivery: &Delivery, attempt: &Attempt, now: Time) -> Delivery {
    let ended = |state: DeliveryState, note: Option<String>| Delivery {
        state,
        note,
        next: None,
        body: None,
        ..delivery.clone()
    };
    match attempt {
        Attempt::Taken => ended(DeliveryState::Delivered, None),
        Attempt::Refused { why } => ended(DeliveryState::GivenUp, Some(why.clone())),
        Attempt::Lost { is_told_apart: false } => {
            let note =
                "the process ended while it was sent, and the receiver could not tell a second one from it";
            ended(DeliveryState::GivenUp, Some(note.to_owned()))
        }
        Attempt::Lost { is_told_apart: true } => {
            waiting(delivery, now, "the process ended while it was sent", None)
        }
        Attempt::Failed { why, retry_after } => waiting(delivery, now, why, *retry_after),
    }
}

fn waiting(delivery: &Delivery, now: Time, why: &str, asked: Option<Duration>) -> Delivery {
    let begun = usize::try_from(delivery.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS.get(begun).filter(|_| asked.is_none_or(|asked| asked <= LONGEST_ASKED));
    let next = wait.and_then(|wait| {
        let wait = asked.map_or(*wait, |asked| asked.max(*wait));
        Time::from_millis(now.millis().checked_add(i64::try_from(wait.as_millis()).ok()?)?)
    });
    match next {
        Some(next) => Delivery {
            state: DeliveryState::Pending,
            next: Some(next),
            note: Some(why.to_owned()),
            ..delivery.clone()
        },
        None => Delivery {
            state: DeliveryState::GivenUp,
            next: None,
            note: Some(format!("given up after {} attempts: {why}", delivery.attempts)),
            body: None,
            ..delivery.clone()
        },
    }
}
