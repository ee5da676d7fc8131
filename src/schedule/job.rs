//! What is repeated, when, and what is known of its past.

use std::{fmt, str::FromStr, time::Duration};

use crate::model::{Cron, Time};

/// A job by its kind and its own name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobName {
    /// A collection, by the name it has in the configuration.
    Collection(String),
    /// A check, by its id.
    Check(String),
}

impl JobName {
    /// `collection` or `check`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Collection(_) => "collection",
            Self::Check(_) => "check",
        }
    }

    /// The name within its kind.
    #[must_use]
    pub fn own(&self) -> &str {
        match self {
            Self::Collection(name) | Self::Check(name) => name,
        }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind(), self.own())
    }
}

/// Text that names no job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no job: write it as in collection/nightly or check/aws-vpc-flow-logs-enabled")]
pub struct UnknownJob(pub String);

impl FromStr for JobName {
    type Err = UnknownJob;

    fn from_str(text: &str) -> Result<Self, UnknownJob> {
        match text.split_once('/') {
            Some(("collection", name)) if !name.is_empty() => Ok(Self::Collection(name.to_owned())),
            Some(("check", name)) if !name.is_empty() => Ok(Self::Check(name.to_owned())),
            _ => Err(UnknownJob(text.to_owned())),
        }
    }
}

/// When a job recurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At the moments of a cron expression, each put off by the job's share of `jitter`.
    Cron {
        /// The moments.
        cron: Box<Cron>,
        /// The most that one is put off.
        jitter: Duration,
    },
    /// At once, and then so long after each beginning.
    Every(Duration),
}

impl fmt::Display for When {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron { cron, .. } => cron.fmt(formatter),
            Self::Every(interval) => write!(formatter, "every {}", crate::model::MaxAge(*interval)),
        }
    }
}

/// Something that is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub name: JobName,
    /// When it recurs.
    pub when: When,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It did what it is for.
    Done,
    /// It could not.
    Failed,
    /// The process ended within it.
    Interrupted,
}

impl JobOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Interrupted];

    /// The form the store and GraphQL use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

/// What is known of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// When it was first known with the `schedule` it has: nothing before that was missed.
    pub since: Time,
    /// Its schedule, as text: another one makes it another job.
    pub schedule: String,
    /// The moment that the latest run was due at; for an interval, when that run began.
    pub planned: Option<Time>,
    /// When the latest run began.
    pub started: Option<Time>,
    /// When it ended; nothing while it runs.
    pub finished: Option<Time>,
    /// How it ended.
    pub outcome: Option<JobOutcome>,
    /// What came of it, or why it failed.
    pub note: Option<String>,
    /// How many moments passed without a run of their own before it: the process was not there, or busy.
    pub missed: u64,
    /// How often the run of this moment was begun.
    pub attempts: u32,
}

impl JobState {
    /// A job that becomes known.
    #[must_use]
    pub fn known(now: Time, when: &When) -> Self {
        Self {
            since: now,
            schedule: when.to_string(),
            planned: None,
            started: None,
            finished: None,
            outcome: None,
            note: None,
            missed: 0,
            attempts: 0,
        }
    }

    /// Whether a run has begun and not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.outcome.is_none()
    }

    /// The state that a run begins with.
    #[must_use]
    pub fn begun(&self, now: Time, planned: Time, missed: u64) -> Self {
        let is_again = self.planned == Some(planned) && self.outcome == Some(JobOutcome::Interrupted);
        Self {
            planned: Some(planned),
            started: Some(now),
            finished: None,
            outcome: None,
            note: None,
            missed,
            attempts: if is_again { self.attempts + 1 } else { 1 },
            ..self.clone()
        }
    }

    /// The state that a run ends with.
    #[must_use]
    pub fn ended(&self, now: Time, outcome: JobOutcome, note: impl Into<String>) -> Self {
        Self { finished: Some(now), outcome: Some(outcome), note: Some(note.into()), ..self.clone() }
    }

    /// What a process makes of a state that an earlier one left: what ran then was interrupted, and of a job with
    /// another schedule only the latest run is still of interest.
    #[must_use]
    pub fn taken_over(&self, now: Time, when: &When) -> Self {
        let mut state = self.clone();
        if state.is_running() {
            state = state.ended(now, JobOutcome::Interrupted, "the process ended within it");
        }
        let schedule = when.to_string();
        if state.schedule != schedule {
            state = Self { since: now, schedule, ..state };
        }
        state
    }
}
