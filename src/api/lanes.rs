//! The threads that connections are served on. Each has a runtime of its own, and a connection stays where it began:
//! what it waits for wakes its own thread and no other, and what it reads again is in that processor's cache.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::{JoinSet, spawn_blocking},
};

/// How long what runs beside the connections (a query that takes long) is waited for at the end.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// All threads.
#[derive(Debug)]
pub(super) struct Lanes(Vec<Lane>);

/// One thread. It ends when this is dropped.
#[derive(Debug)]
struct Lane {
    runtime: Handle,
    /// How many connections are on it.
    open: Arc<AtomicUsize>,
    /// Nothing where it is the runtime of the caller.
    thread: Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

/// A connection's place on a thread.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lanes {
    /// So many threads; where the system gives none, connections are served by the caller's runtime.
    pub(super) fn new(threads: usize) -> Self {
        let mut lanes: Vec<Lane> = Vec::new();
        for number in 0..threads {
            match Lane::of_its_own(number) {
                Ok(lane) => lanes.push(lane),
                Err(error) => {
                    tracing::warn!(%error, threads = number, "fewer threads serve connections than processors");
                    break;
                }
            }
        }
        if lanes.is_empty() {
            lanes.push(Lane { runtime: Handle::current(), open: Arc::default(), thread: None });
        }
        Self(lanes)
    }

    /// Begins a connection on the thread that has fewest.
    pub(super) fn spawn<F>(&self, connections: &mut JoinSet<()>, connection: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(lane) = self.0.iter().min_by_key(|lane| lane.open.load(Ordering::Relaxed)) else { return };
        lane.open.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&lane.open));
        let placed = async move {
            let _until_closed = place;
            connection.await;
        };
        connections.spawn_on(placed, &lane.runtime);
    }

    /// Ends the threads, and waits for them.
    pub(super) async fn end(self) {
        let threads: Vec<_> = self.0.into_iter().filter_map(|lane| lane.thread).collect();
        let ended = spawn_blocking(|| {
            let threads: Vec<_> = threads.into_iter().map(|(_, thread)| thread).collect();
            threads.into_iter().all(|thread| thread.join().is_ok())
        });
        if !ended.await.is_ok_and(|ended| ended) {
            tracing::error!("a thread that served connections panicked");
        }
    }
}

impl Lane {
    fn of_its_own(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (told, is_told) = oneshot::channel();
        let thread = thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
            // An error means that nobody is left to tell it, which is an end as well.
            runtime.block_on(is_told).ok();
            runtime.shutdown_timeout(LAST_MOMENT);
        })?;
        Ok(Self { runtime: handle, open: Arc::default(), thread: Some((told, thread)) })
    }
}
