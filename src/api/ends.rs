//! What ends a connection beside its client: the stop of the server, and a request whose head takes too long. Both are
//! waited for by one task beside the connection, so that a request costs no timer and no look at either.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::task::AtomicWaker;
use hyper::rt::{Sleep, Timer};

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server stops: what runs may finish.
    Stop,
    /// The head of a request did not come in time.
    SlowHead,
}

/// Shared by a connection and whoever watches it.
#[derive(Clone, Debug)]
pub(super) struct Ends(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    begun: Instant,
    /// Until when the head of the next request must be there, in microseconds since it began; 0 while none is waited for.
    head_until: AtomicU64,
    /// The ends that were told, a bit each.
    told: AtomicU8,
    connection: AtomicWaker,
}

const STOP: u8 = 1;
const SLOW_HEAD: u8 = 2;

impl Ends {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            begun: Instant::now(),
            head_until: AtomicU64::new(0),
            told: AtomicU8::new(0),
            connection: AtomicWaker::new(),
        }))
    }

    /// What the connection was told, if anything yet; it is woken when it is.
    pub(super) fn poll_told(&self, context: &Context<'_>) -> Option<End> {
        self.0.connection.register(context.waker());
        let told = self.0.told.load(Ordering::Acquire);
        if told & SLOW_HEAD != 0 {
            if self.is_overdue() {
                return Some(End::SlowHead);
            }
            // The head came while it was told.
            self.0.told.fetch_and(!SLOW_HEAD, Ordering::AcqRel);
        }
        (told & STOP != 0).then_some(End::Stop)
    }

    /// Tells the connection.
    pub(super) fn tell(&self, end: End) {
        let end = if end == End::Stop { STOP } else { SLOW_HEAD };
        self.0.told.fetch_or(end, Ordering::AcqRel);
        self.0.connection.wake();
    }

    /// Until when the head of a request is waited for, if one is.
    fn head_until(&self) -> Option<Instant> {
        match self.0.head_until.load(Ordering::Relaxed) {
            0 => None,
            until => Some(self.0.begun + Duration::from_micros(until)),
        }
    }

    fn is_overdue(&self) -> bool {
        self.head_until().is_some_and(|until| until <= Instant::now())
    }

    /// Comes to an end once a head has been waited for too long. `limit` is how long each may take.
    pub(super) async fn slow_head(&self, limit: Duration) {
        while !self.is_overdue() {
            // What is waited for only from now on may take the whole limit.
            let until = self.head_until().unwrap_or_else(|| Instant::now() + limit);
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

/// The timer of a connection that waits for heads alone: it sets no alarm, it only says until when is waited.
impl Timer for Ends {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let until = deadline.saturating_duration_since(self.0.begun).as_micros();
        self.0.head_until.store(u64::try_from(until).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        Box::pin(HeadWait(Arc::clone(&self.0)))
    }
}

/// The wait for one head. It never ends by itself: see [`Ends::slow_head`].
struct HeadWait(Arc<Shared>);

impl Future for HeadWait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Sleep for HeadWait {}

impl Drop for HeadWait {
    fn drop(&mut self) {
        self.0.head_until.store(0, Ordering::Relaxed);
    }
}
