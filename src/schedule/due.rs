//! Whether a repeated job is due: a function of the clock and of what ran before, nothing else.

use std::time::Duration;

use crate::model::Time;

/// What is known of a repeated job's past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunState {
    /// When the latest run began.
    pub last_started: Option<Time>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Run.
    Now,
    /// Nothing for this long.
    In(Duration),
}

/// Whether a job that runs every `interval` is due. A job that never ran is. A clock that was set back leaves at
/// most one interval to wait, never the whole jump.
#[must_use]
pub fn due(now: Time, state: RunState, interval: Duration) -> Due {
    let Some(started) = state.last_started else { return Due::Now };
    let passed = now.since(started);
    if passed >= interval { Due::Now } else { Due::In(interval.saturating_sub(passed)) }
}
