//! Rebuilds after changes, in the background: any number of changes during one rebuild cause one more.

use std::sync::Arc;

use tokio::sync::Notify;

/// Asks for a rebuild; cheap, and callable from any thread.
#[derive(Clone, Debug, Default)]
pub struct Rebuild(Arc<Notify>);

impl Rebuild {
    /// Something changed. Requests during a running rebuild become one.
    pub fn request(&self) {
        self.0.notify_one();
    }

    /// Waits until something has changed.
    async fn requested(&self) {
        self.0.notified().await;
    }
}

/// Runs `job` on a thread that may block, once for each burst of requests, until the task is dropped. A job that
/// panics is logged and leaves what was there.
pub async fn rebuild_loop<Job>(rebuild: Rebuild, job: Job)
where
    Job: Fn() + Send + Sync + 'static,
{
    let job = Arc::new(job);
    loop {
        rebuild.requested().await;
        let job = Arc::clone(&job);
        if let Err(error) = tokio::task::spawn_blocking(move || job()).await {
            tracing::error!(%error, "a rebuild panicked; the graph before it stays");
        }
    }
}
