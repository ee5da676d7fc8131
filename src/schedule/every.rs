//! The thin loop behind `--collect-every`.

use std::{future::Future, sync::Arc, time::Duration};

use super::{Due, RunState, due};
use crate::model::Clock;

/// The longest sleep before the clock is asked again, so that a clock set forward is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Runs `job` whenever it is due, one at a time, until the task is dropped. A run that takes longer than the interval
/// is followed at once by the next, never overlapped.
pub async fn run_every<Job, Run>(interval: Duration, clock: Arc<dyn Clock>, mut job: Job)
where
    Job: FnMut() -> Run,
    Run: Future<Output = ()>,
{
    let mut state = RunState::default();
    loop {
        let now = clock.now();
        match due(now, state, interval) {
            Due::Now => {
                state.last_started = Some(now);
                job().await;
            }
            Due::In(rest) => tokio::time::sleep(rest.min(LONGEST_SLEEP)).await,
        }
    }
}
