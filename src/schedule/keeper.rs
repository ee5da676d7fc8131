//! The jobs of a process and what is known of them: who may begin now, what began, how it ended. Nothing waits here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{
    due::{Decision, Known, Start, due, rebased},
    job::{Job, JobName, JobOutcome, JobState, When},
};
use crate::model::{Clock, Time};

/// Another job is in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{running}` is running since {since}: wait for its end, nothing else is collected or judged meanwhile"
)]
pub struct Busy {
    /// What is running.
    pub running: JobName,
    /// Since when.
    pub since: Time,
}

/// The jobs of a process. Shared between the loop and whoever asks for a run.
#[derive(Debug)]
pub struct Schedule {
    jobs: Vec<Job>,
    known: Mutex<Known>,
    /// Runs that somebody asked for, begun and waiting for the loop.
    asked_for: Mutex<Vec<(JobName, JobState)>>,
    clock: Arc<dyn Clock>,
    changed: Notify,
}

impl Schedule {
    /// Jobs with what an earlier process left of them. Jobs that are known and no longer there keep their past.
    #[must_use]
    pub fn new(jobs: Vec<Job>, mut known: Known, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        for state in known.values_mut().filter(|state| state.is_running()) {
            *state = state.ended(now, JobOutcome::Interrupted, "the process ended within it");
        }
        for job in &jobs {
            let state = known
                .get(&job.name)
                .map_or_else(|| JobState::known(now, &job.when), |state| state.taken_over(now, &job.when));
            known.insert(job.name.clone(), state);
        }
        Self { jobs, known: Mutex::new(known), asked_for: Mutex::default(), clock, changed: Notify::new() }
    }

    /// The jobs.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// What is known of every job now.
    #[must_use]
    pub fn known(&self) -> Known {
        self.lock().clone()
    }

    /// What is due now. What it says is to begin, has begun as far as this knows.
    #[must_use]
    pub fn take_due(&self) -> (Decision, Vec<(JobName, JobState)>) {
        let now = self.clock.now();
        let mut known = self.lock();
        let decision = due(now, &self.jobs, &known);
        for name in &decision.rebased {
            if let Some(state) = known.get_mut(name) {
                tracing::warn!(
                    "the clock was set back behind the latest run of {name}: it counts as done now"
                );
                *state = rebased(now, state);
            }
        }
        let begun = decision.start.iter().filter_map(|start| {
            let state = known.get(&start.name)?.begun(now, start.planned, start.missed);
            known.insert(start.name.clone(), state.clone());
            Some((start.name.clone(), state))
        });
        let begun = begun.collect();
        (decision, begun)
    }

    /// Begins a run that somebody asked for, due or not.
    ///
    /// # Errors
    /// Where it runs already, or a collection does.
    pub fn begin(&self, name: &JobName) -> Result<JobState, Busy> {
        let now = self.clock.now();
        let mut known = self.lock();
        let in_the_way = |other: &JobName, state: &JobState| {
            let collects = |name: &JobName| matches!(name, JobName::Collection(_));
            state.is_running() && (other == name || collects(other))
        };
        if let Some((running, state)) = known.iter().find(|(other, state)| in_the_way(other, state)) {
            return Err(Busy { running: running.clone(), since: state.started.unwrap_or(now) });
        }
        let state = known.get(name).map_or_else(
            || JobState {
                schedule: "on request".to_owned(),
                ..JobState::known(now, &When::Every(std::time::Duration::ZERO))
            },
            Clone::clone,
        );
        let begun = state.begun(now, now, 0);
        known.insert(name.clone(), begun.clone());
        Ok(begun)
    }

    /// Hands a run that has begun to the loop.
    pub fn hand_over(&self, name: JobName, state: JobState) {
        self.asked_for.lock().unwrap_or_else(PoisonError::into_inner).push((name, state));
        self.changed.notify_one();
    }

    /// The runs that were handed over.
    pub(super) fn take_asked_for(&self) -> Vec<(JobName, JobState)> {
        std::mem::take(&mut *self.asked_for.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A run has ended.
    pub fn end(&self, name: &JobName, outcome: JobOutcome, note: impl Into<String>) -> Option<JobState> {
        let mut known = self.lock();
        let ended = known.get(name)?.ended(self.clock.now(), outcome, note);
        known.insert(name.clone(), ended.clone());
        drop(known);
        self.changed.notify_one();
        Some(ended)
    }

    /// Completes when a run has ended.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether a collection runs, or is about to.
    #[must_use]
    pub fn is_collecting(&self) -> bool {
        let collects = |start: &Start| matches!(start.name, JobName::Collection(_));
        if due(self.clock.now(), &self.jobs, &self.lock()).start.iter().any(collects) {
            return true;
        }
        self.lock().iter().any(|(name, state)| matches!(name, JobName::Collection(_)) && state.is_running())
    }

    /// The present moment of its clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
