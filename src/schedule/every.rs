//! The thin loop behind `--collect-every`.

use std::{future::Future, sync::Arc, time::Duration};

use crate::model::{Clock, Time};

/// The longest sleep before the clock is asked again, so that a clock set forward is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Runs `job` whenever it is due, one at a time, until the task is dropped. A run that takes longer than the interval
/// is followed at once by the next, never overlapped. A clock that was set back leaves at most one interval to wait.
pub async fn run_every<Job, Run>(interval: Duration, clock: Arc<dyn Clock>, mut job: Job)
where
    Job: FnMut() -> Run,
    Run: Future<Output = ()>,
{
    let mut last: Option<Time> = None;
    loop {
        let now = clock.now();
        let passed = last.map_or(interval, |started| now.since(started));
        if passed >= interval {
            last = Some(now);
            job().await;
        } else {
            tokio::time::sleep(interval.saturating_sub(passed).min(LONGEST_SLEEP)).await;
        }
    }
}
