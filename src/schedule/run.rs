//! The thin loop: asks what is due, hands it on, sleeps until the next moment or the end of a run.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::{JobName, JobOutcome, JobState, Schedule};

/// The longest sleep before the clock is asked again, so that a clock that was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The shortest, so that a moment that does not come never makes the loop spin.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);

/// How a run ended, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: JobOutcome,
    /// In a line.
    pub note: String,
}

/// A future that other threads may finish.
pub type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Does what is due. What it keeps survives the process; a run whose beginning can't be kept does not begin.
pub trait Perform: Send + Sync + fmt::Debug + 'static {
    /// Keeps what is known of jobs.
    fn keep(&self, states: Vec<(JobName, JobState)>) -> Running<Result<(), String>>;

    /// Runs jobs that were due together, and says how each ended, in their order.
    fn perform(&self, jobs: Vec<JobName>) -> Running<Vec<Ended>>;
}

/// Runs what is due until the task is dropped. Checks that are due together run together.
pub async fn run_schedule(schedule: Arc<Schedule>, performer: Arc<dyn Perform>) {
    let mut running = JoinSet::new();
    let known = schedule.known();
    let first =
        schedule.jobs().iter().filter_map(|job| Some((job.name.clone(), known.get(&job.name)?.clone())));
    // So that what is missed from now on is known to be, whatever becomes of this process.
    if let Err(reason) = performer.keep(first.collect()).await {
        tracing::error!("the state of the jobs could not be kept: {reason}");
    }
    loop {
        while running.try_join_next().is_some() {}
        let (decision, begun) = schedule.take_due();
        let (collections, checks): (Vec<_>, Vec<_>) =
            begun.into_iter().partition(|(name, _)| matches!(name, JobName::Collection(_)));
        let alone = collections.into_iter().chain(schedule.take_asked_for()).map(|one| vec![one]);
        for group in alone.chain([checks]) {
            if !group.is_empty() {
                running.spawn(run_begun(Arc::clone(&schedule), Arc::clone(&performer), group));
            }
        }
        let sleep = decision.next.map_or(LONGEST_SLEEP, |next| next.since(schedule.now()));
        tokio::select! {
            () = tokio::time::sleep(sleep.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)) => {}
            () = schedule.changed() => {}
        }
    }
}

/// Runs what has begun: keeps that it has, does it, keeps how it ended.
pub async fn run_begun(
    schedule: Arc<Schedule>,
    performer: Arc<dyn Perform>,
    begun: Vec<(JobName, JobState)>,
) -> Vec<Ended> {
    let names: Vec<JobName> = begun.iter().map(|(name, _)| name.clone()).collect();
    // A check that did not come to its end is due again anyway.
    let kept = begun.into_iter().filter(|(name, _)| matches!(name, JobName::Collection(_))).collect();
    let ended = match performer.keep(kept).await {
        Ok(()) => {
            // A task of its own: a panic in it is the end of this run and of no other.
            let mut alone = JoinSet::new();
            alone.spawn(performer.perform(names.clone()));
            match alone.join_next().await {
                Some(Ok(ended)) => ended,
                Some(Err(error)) => {
                    tracing::error!(%error, "a job panicked; the others go on");
                    all(&names, "it failed because of an internal error, which is logged")
                }
                None => Vec::new(),
            }
        }
        Err(reason) => all(&names, &format!("its beginning could not be kept: {reason}")),
    };
    let states = names.iter().zip(&ended).filter_map(|(name, ended)| {
        Some((name.clone(), schedule.end(name, ended.outcome, ended.note.clone())?))
    });
    if let Err(reason) = performer.keep(states.collect()).await {
        tracing::error!("the end of a job could not be kept: {reason}");
    }
    ended
}

fn all(names: &[JobName], note: &str) -> Vec<Ended> {
    names.iter().map(|_| Ended { outcome: JobOutcome::Failed, note: note.to_owned() }).collect()
}
