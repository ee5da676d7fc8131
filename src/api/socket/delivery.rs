//! What is on its way to one subscriber: a few messages and no more. Whoever is told never waits for whoever listens.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{
    Notify,
    mpsc::{self, error::TrySendError},
};

/// One message for a subscription, named by its number within the connection: ids are used again.
pub(super) type Told = (u64, String);

/// The way to one subscriber. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Delivery {
    number: u64,
    outbox: mpsc::Sender<Told>,
    is_over: Arc<AtomicBool>,
    slow: Arc<Notify>,
}

impl Delivery {
    pub(super) fn new(number: u64, outbox: mpsc::Sender<Told>, slow: Arc<Notify>) -> Self {
        Self { number, outbox, is_over: Arc::default(), slow }
    }

    /// Hands on a GraphQL response. False where nobody listens any more: the client completed the subscription, has
    /// gone, or is too slow, which ends its connection.
    pub fn send(&self, response: String) -> bool {
        if self.is_over() {
            return false;
        }
        match self.outbox.try_send((self.number, response)) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(_)) => {
                self.end();
                self.slow.notify_one();
                false
            }
        }
    }

    /// Whether nobody listens any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.outbox.is_closed()
    }

    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
