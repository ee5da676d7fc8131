//! Which jobs are due: a function of the clock and of what ran before, nothing else.

use std::{collections::BTreeMap, time::Duration};

use super::job::{Job, JobName, JobOutcome, JobState, When};
use crate::model::Time;

/// What is known of every job.
pub type Known = BTreeMap<JobName, JobState>;

/// A run of the future by more than this is the sign of a clock that was set back; by less, of one that was put right.
const CLOCK_SLACK: Duration = Duration::from_secs(600);

/// So many missed moments are counted, no more.
pub const MOST_MISSED: u64 = 1000;

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is to run.
    Due {
        /// The latest moment that it is due at.
        planned: Time,
        /// Moments before that one which had no run.
        missed: u64,
        /// Whether the run of this moment was interrupted and is made up for.
        is_again: bool,
    },
    /// It runs next at this moment.
    Waits {
        /// Put off by the job's share of jitter.
        until: Time,
    },
    /// It is running: its next run waits for the end of this one.
    Runs {
        /// Since when.
        since: Time,
    },
    /// Its moment never comes any more.
    Never,
}

/// A run to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Of which job.
    pub name: JobName,
    /// The moment it is due at.
    pub planned: Time,
    /// Moments before that one which had no run.
    pub missed: u64,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Runs to begin: a collection, or else checks, those that were due first before the others.
    pub start: Vec<Start>,
    /// Jobs that are due and wait for a collection to end: one runs at a time, and while it does nothing is judged.
    pub held: Vec<(JobName, JobName)>,
    /// Jobs whose past lies in the future: the clock was set back. What they did counts as done now.
    pub rebased: Vec<JobName>,
    /// When to look again; nothing where only an end of a run changes anything.
    pub next: Option<Time>,
}

/// Decides what is due. A job that is not `known` yet has no past.
#[must_use]
pub fn due(now: Time, jobs: &[Job], known: &Known) -> Decision {
    let mut decision = Decision::default();
    let collects = |name: &JobName| matches!(name, JobName::Collection(_));
    let mut collecting =
        known.iter().find(|(name, state)| collects(name) && state.is_running()).map(|(name, _)| name.clone());
    let mut starts = Vec::new();
    for job in jobs {
        let fresh = JobState::known(now, &job.when);
        let state = known.get(&job.name).unwrap_or(&fresh);
        if is_ahead(now, state) {
            decision.rebased.push(job.name.clone());
        }
        match standing(now, job, state) {
            Standing::Due { planned, missed, .. } => {
                starts.push(Start { name: job.name.clone(), planned, missed });
            }
            Standing::Waits { until } => decision.next = decision.next.into_iter().chain([until]).min(),
            Standing::Runs { .. } | Standing::Never => {}
        }
    }
    // A collection goes first: judging what it is about to bring, or half of it, says little.
    starts.sort_by(|one: &Start, other: &Start| {
        (!collects(&one.name), one.planned, &one.name).cmp(&(
            !collects(&other.name),
            other.planned,
            &other.name,
        ))
    });
    for start in starts {
        match &collecting {
            Some(other) => decision.held.push((start.name, other.clone())),
            None => {
                if collects(&start.name) {
                    collecting = Some(start.name.clone());
                }
                decision.start.push(start);
            }
        }
    }
    decision
}

/// Where one job stands.
#[must_use]
pub fn standing(now: Time, job: &Job, state: &JobState) -> Standing {
    if let Some(since) = state.started.filter(|_| state.is_running()) {
        return Standing::Runs { since };
    }
    let base = if is_ahead(now, state) { now } else { base(state) };
    // Once: a run that ends the process would otherwise do so for ever.
    if state.outcome == Some(JobOutcome::Interrupted)
        && state.attempts < 2
        && let Some(planned) = state.planned.filter(|planned| *planned >= state.since)
    {
        return Standing::Due { planned, missed: 0, is_again: true };
    }
    match &job.when {
        When::Every(_) if state.planned.is_none() => {
            Standing::Due { planned: now, missed: 0, is_again: false }
        }
        When::Every(interval) => {
            let passed = now.since(base);
            if passed >= *interval {
                let missed = (passed.as_millis() / interval.as_millis().max(1)).saturating_sub(1);
                let missed = u64::try_from(missed).unwrap_or(MOST_MISSED).min(MOST_MISSED);
                Standing::Due { planned: now, missed, is_again: false }
            } else {
                later(base, *interval).map_or(Standing::Never, |until| Standing::Waits { until })
            }
        }
        When::Cron { cron, jitter } => {
            let fires = |moment: Time| put_off(job, moment, cron.after(moment), *jitter);
            let Some(first) = cron.after(base) else { return Standing::Never };
            let until = fires(first);
            if until > now {
                return Standing::Waits { until };
            }
            let mut latest = cron.at_or_before(now).unwrap_or(first);
            if fires(latest) > now {
                latest = cron.before(latest).unwrap_or(first);
            }
            // A fixed moment in the second half of a repeated hour is none.
            let planned = latest.max(first);
            let moments = std::iter::successors(Some(first), |moment| cron.after(*moment));
            let missed = moments.take_while(|moment| *moment < planned).take(1000).count() as u64;
            Standing::Due { planned, missed, is_again: false }
        }
    }
}

/// When a job runs next, if nothing is in its way: also for one that runs or is due.
#[must_use]
pub fn next_run(now: Time, job: &Job, state: &JobState) -> Option<Time> {
    match standing(now, job, state) {
        Standing::Due { .. } => Some(now),
        Standing::Waits { until } => Some(until),
        Standing::Never => None,
        Standing::Runs { .. } => match &job.when {
            When::Every(interval) => later(base(state), *interval),
            When::Cron { cron, jitter } => {
                let moment = cron.after(now)?;
                Some(put_off(job, moment, cron.after(moment), *jitter))
            }
        },
    }
}

/// What a job waits on: its latest run, or when it became known.
fn base(state: &JobState) -> Time {
    state.planned.map_or(state.since, |planned| planned.max(state.since))
}

/// Whether the clock was set back behind a job's past.
fn is_ahead(now: Time, state: &JobState) -> bool {
    base(state).since(now) > CLOCK_SLACK
}

/// A state whose past lies in the future, brought back to the present.
#[must_use]
pub fn rebased(now: Time, state: &JobState) -> JobState {
    JobState {
        since: state.since.min(now),
        planned: state.planned.map(|planned| planned.min(now)),
        ..state.clone()
    }
}

/// A moment put off by the job's share of jitter: always the same for one job, and never up to the moment after it.
fn put_off(job: &Job, moment: Time, following: Option<Time>, jitter: Duration) -> Time {
    let room = following.map_or(jitter, |following| jitter.min(following.since(moment) / 2));
    let most = u64::try_from(room.as_millis()).unwrap_or(u64::MAX);
    let share = match most {
        0 => 0,
        most => share_of(&job.name.to_string()) % most,
    };
    later(moment, Duration::from_millis(share)).unwrap_or(moment)
}

/// A number of a name's own, the same on every machine (FNV-1a).
fn share_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn later(time: Time, span: Duration) -> Option<Time> {
    Time::from_millis(time.millis().checked_add(i64::try_from(span.as_millis()).ok()?)?)
}
