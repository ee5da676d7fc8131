//! What a run may cost, and how it stops.

use std::{fmt, time::Duration};

use crate::model::Time;

/// Bounds on one run. `stop` is asked every few thousand steps.
#[derive(Clone, Copy)]
pub struct RunLimits<'a> {
    /// The most assets in the whole answer, nested ones included.
    pub max_rows: u64,
    /// The most bytes of JSON.
    pub max_bytes: u64,
    /// The most work (about: rows looked at, edges followed, rows written) before the run is given up as too long for
    /// where it runs.
    pub max_work: u64,
    /// Says when to stop, because the time is up or nobody waits any more.
    pub stop: &'a (dyn Fn() -> Option<Stop> + Sync),
}

impl fmt::Debug for RunLimits<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RunLimits")
            .field("max_rows", &self.max_rows)
            .field("max_bytes", &self.max_bytes)
            .field("max_work", &self.max_work)
            .finish_non_exhaustive()
    }
}

impl RunLimits<'static> {
    /// No limits.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { max_rows: u64::MAX, max_bytes: u64::MAX, max_work: u64::MAX, stop: &|| None }
    }
}

impl RunLimits<'_> {
    pub(super) fn check_bytes(&self, bytes: usize) -> Result<(), RunError> {
        let (limit, actual) = (self.max_bytes, bytes as u64);
        if actual > limit { Err(RunError::TooManyBytes { limit, actual }) } else { Ok(()) }
    }

    /// Whether a run may cost what it likes: a verdict has to come to an end, and no one waits for it.
    pub(super) fn are_none(&self) -> bool {
        self.max_rows == u64::MAX && self.max_bytes == u64::MAX
    }

    pub(super) fn check_stop(&self) -> Result<(), RunError> {
        match (self.stop)() {
            None => Ok(()),
            Some(Stop::Cancelled) => Err(RunError::Cancelled),
            Some(Stop::OutOfTime { limit, elapsed }) => Err(RunError::OutOfTime {
                limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
                elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }
}

/// Why a run is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nobody waits for the answer any more.
    Cancelled,
    /// The time is up.
    OutOfTime {
        /// The time there was.
        limit: Duration,
        /// The time it took so far.
        elapsed: Duration,
    },
}

/// Why a run ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// More assets than allowed.
    #[error(
        "the answer has at least {actual} assets, more than the limit of {limit}: add a filter or a `limit`"
    )]
    TooManyRows {
        /// The limit.
        limit: u64,
        /// How many there are at least.
        actual: u64,
    },
    /// More bytes than allowed.
    #[error(
        "the answer has at least {actual} bytes, more than the limit of {limit}: ask for fewer fields or assets"
    )]
    TooManyBytes {
        /// The limit.
        limit: u64,
        /// How many there are at least.
        actual: u64,
    },
    /// The time is up.
    #[error("the query ran for {elapsed_ms} ms, more than the limit of {limit_ms} ms: narrow its filter")]
    OutOfTime {
        /// The limit, in milliseconds.
        limit_ms: u64,
        /// How long it ran, in milliseconds.
        elapsed_ms: u64,
    },
    /// A pattern that can't be read piece by piece over a text that is too long to be read at once.
    #[error(
        "the pattern `{pattern}` would take too long over a text of {bytes} bytes: write `(?-u:\\b)` for `\\b`, or a smaller pattern"
    )]
    PatternTooCostly {
        /// As written.
        pattern: String,
        /// Bytes of the text.
        bytes: usize,
    },
    /// More work than was to be done here.
    #[error("the query looks at more than {limit} rows and edges: give it more room, or narrow its filter")]
    TooMuchWork {
        /// The limit.
        limit: u64,
    },
    /// A root field asks for a moment whose graph was not handed in.
    #[error("the inventory {} is not at hand: leave `asOf` out, or ask a store", match moment {
        Some(moment) => format!("of {moment}"),
        None => "of now".to_owned(),
    })]
    NoMoment {
        /// The moment; nothing for the present.
        moment: Option<Time>,
    },
    /// Nobody waits for the answer.
    #[error("the query was cancelled")]
    Cancelled,
}
