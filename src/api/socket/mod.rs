//! Subscriptions, over WebSocket: who may connect (`upgrade`), the protocol as a pure state machine (`protocol`), one
//! connection (`session`), and what is on its way to it (`delivery`).

mod delivery;
mod protocol;
mod session;
mod upgrade;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

pub use delivery::Delivery;
pub use protocol::{Close, CloseCode, Effect, Incoming, PROTOCOL, Protocol};
pub(super) use upgrade::{is_upgrade, upgrade};

/// The bounds of WebSocket connections.
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// How many are open at once.
    pub connections: usize,
    /// How many subscriptions are active on one.
    pub subscriptions: usize,
    /// How long `connection_init` may take to come.
    pub init_time: Duration,
    /// How long a client may take nothing that is sent to it.
    pub send_time: Duration,
    /// How many messages lie ready for one client; one more and it is too slow.
    pub messages_ahead: usize,
    /// How often a client is asked whether it is still there.
    pub ping_time: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            subscriptions: 32,
            init_time: Duration::from_secs(10),
            send_time: Duration::from_secs(30),
            messages_ahead: 1024,
            ping_time: Duration::from_secs(30),
        }
    }
}

/// The WebSocket connections of a server.
#[derive(Clone, Debug)]
pub struct Sockets {
    limits: SocketLimits,
    /// Origins that may connect beside the server's own, as browsers write them.
    origins: Arc<[String]>,
    open: Arc<Semaphore>,
    stopping: Arc<watch::Sender<bool>>,
}

impl Sockets {
    /// None yet, with bounds, and open to pages of these origins beside those of the server itself.
    #[must_use]
    pub fn new(limits: SocketLimits, origins: Vec<String>) -> Self {
        let open = Arc::new(Semaphore::new(limits.connections));
        Self { limits, origins: origins.into(), open, stopping: Arc::new(watch::Sender::new(false)) }
    }

    /// Closes every connection, and waits for their ends a while.
    pub async fn close_all(&self) {
        self.stopping.send_replace(true);
        let all = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        let closed = timeout(Duration::from_secs(2), self.open.acquire_many(all)).await;
        if closed.is_err() {
            tracing::debug!("some WebSocket connections had not closed at the stop");
        }
    }
}

impl Default for Sockets {
    fn default() -> Self {
        Self::new(SocketLimits::default(), Vec::new())
    }
}
