//! Where a large answer goes while it is still being written: a few pieces ahead of the client and no further. Whoever
//! waits for a slow client works on nothing, and gives up its place among the running queries meanwhile.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::{
    runtime::Handle,
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TrySendError},
    },
    task::JoinHandle,
    time::timeout,
};

use super::{Answered, Status, answer::StopOnDrop};

/// So many pieces of an answer lie between the query and the client.
const PIECES_AHEAD: usize = 4;

/// Takes the pieces of an answer.
pub struct Outlet {
    pieces: mpsc::Sender<Vec<u8>>,
    /// The place among the running queries; nothing while the client is waited for.
    place: Option<OwnedSemaphorePermit>,
    places: Arc<Semaphore>,
    /// How long a client may take nothing.
    patience: Duration,
    waited: Waited,
    runtime: Handle,
}

/// How long a query has waited for its client, in all.
#[derive(Clone, Debug, Default)]
pub struct Waited(Arc<AtomicU64>);

impl Waited {
    /// The time so far.
    #[must_use]
    pub fn so_far(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outlet").field("waited", &self.waited).finish_non_exhaustive()
    }
}

impl Outlet {
    /// An outlet and its other end. Called on a thread of the runtime.
    pub(super) fn new(
        place: OwnedSemaphorePermit,
        places: Arc<Semaphore>,
        patience: Duration,
    ) -> (Self, mpsc::Receiver<Vec<u8>>) {
        let (pieces, taken) = mpsc::channel(PIECES_AHEAD);
        let (waited, runtime) = (Waited::default(), Handle::current());
        (Self { pieces, place: Some(place), places, patience, waited, runtime }, taken)
    }

    /// Hands on a piece, once there is room for it. False where nobody takes it: the client has gone, or took nothing
    /// for too long.
    pub fn send(&mut self, piece: Vec<u8>) -> bool {
        let piece = match self.pieces.try_send(piece) {
            Ok(()) => return true,
            Err(TrySendError::Closed(_)) => return false,
            Err(TrySendError::Full(piece)) => piece,
        };
        self.place = None;
        let begun = Instant::now();
        let is_taken = self.runtime.block_on(async {
            let is_taken =
                timeout(self.patience, self.pieces.send(piece)).await.is_ok_and(|sent| sent.is_ok());
            if is_taken {
                self.place = Arc::clone(&self.places).acquire_owned().await.ok();
            }
            is_taken
        });
        let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.0.fetch_add(waited, Ordering::Relaxed);
        is_taken
    }

    /// How long it has waited for the client: not the query's time.
    #[must_use]
    pub fn waited(&self) -> Waited {
        self.waited.clone()
    }
}

/// The rest of an answer whose first piece is there.
pub(super) struct Rest {
    pub(super) first: Vec<u8>,
    pub(super) pieces: mpsc::Receiver<Vec<u8>>,
    pub(super) running: JoinHandle<Answered>,
    /// Dropped with the body: then nobody waits for the rest.
    pub(super) stop: StopOnDrop,
}

impl Rest {
    /// The answer as a body. Where it breaks off, so does the connection: without the end of the body, no client can
    /// take it for a whole answer.
    pub(super) fn into_body(self) -> Body {
        let Self { first, pieces, running, stop } = self;
        let begun = (Some(first), pieces, Some(running), stop);
        Body::from_stream(stream::try_unfold(begun, async |(first, mut pieces, running, stop)| {
            if let Some(first) = first {
                return Ok(Some((Bytes::from(first), (None, pieces, running, stop))));
            }
            if let Some(piece) = pieces.recv().await {
                return Ok(Some((Bytes::from(piece), (None, pieces, running, stop))));
            }
            let Some(running) = running else { return Ok(None) };
            match running.await {
                Ok(Answered { body, status: Status::Ran }) => {
                    Ok(Some((Bytes::from(body), (None, pieces, None, stop))))
                }
                Ok(_) => Err(io::Error::other("a limit ended the query within its answer")),
                Err(error) => {
                    tracing::error!(%error, "a query panicked; the process goes on");
                    Err(io::Error::other("the query failed within its answer"))
                }
            }
        }))
    }
}
