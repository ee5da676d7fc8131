//! The thread on which a collection commits, one slice after another.
//!
//! A commit of a long list takes a hundred megabytes while it lasts, and what it replaces in the index is freed later, by
//! whichever thread uses the index then. Memory that another thread frees is the taker's to use again: on a pool's thread,
//! which may have nothing more to do, it would lie idle until the thread ends, for each thread that ever committed.

use std::fmt;

use tokio::{
    sync::{mpsc, oneshot},
    task,
};

type Job = Box<dyn FnOnce() + Send>;

/// A thread that does what it is given, in that order. It ends when this is dropped, after the job it is at.
pub(crate) struct OneThread {
    jobs: mpsc::UnboundedSender<Job>,
}

impl fmt::Debug for OneThread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OneThread").finish_non_exhaustive()
    }
}

impl OneThread {
    /// Starts the thread, one of the runtime's own: a runtime that is shut down waits for its job.
    pub(crate) fn start() -> Self {
        let (jobs, mut given) = mpsc::unbounded_channel::<Job>();
        task::spawn_blocking(move || {
            while let Some(job) = given.blocking_recv() {
                job();
            }
        });
        Self { jobs }
    }

    /// Does `work` and returns what it came to; nothing where it, or a job before it, has panicked. Work for which nobody
    /// waits any more is not begun.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, outcome) = oneshot::channel();
        let job = move || {
            if !done.is_closed() {
                let _ = done.send(work());
            }
        };
        self.jobs.send(Box::new(job)).ok()?;
        outcome.await.ok()
    }
}
