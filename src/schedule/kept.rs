//! What is known of jobs, in the store: one asset for each, so that a restart forgets nothing and anybody can ask.

use std::path::Path;

use serde_json::Value;

use super::{
    due::Known,
    job::{JobName, JobOutcome, JobState},
};
use crate::{
    model::{Asset, SCHEDULED_JOB_TYPE, Time},
    store::{LedgerCommit, Store, StoreError, read_held_ledger},
};

/// Reads what is known of every job. What makes no sense (another version wrote it) is left out, and logged: such a job
/// begins anew.
///
/// # Errors
/// Where the store can't be read.
pub fn read_jobs(store: &Store) -> Result<Known, StoreError> {
    let mut known = Known::new();
    store.read_ledger(SCHEDULED_JOB_TYPE, "", &mut |asset| take(&mut known, &asset))?;
    Ok(known)
}

/// The same of a store that another process holds: what it says of running jobs is so.
///
/// # Errors
/// Where there is no store, or its journal can't be read.
pub fn read_held_jobs(dir: &Path) -> Result<Known, StoreError> {
    let mut known = Known::new();
    read_held_ledger(dir, SCHEDULED_JOB_TYPE)?.iter().for_each(|asset| take(&mut known, asset));
    Ok(known)
}

fn take(known: &mut Known, asset: &Asset) {
    match read(asset) {
        Some((name, state)) => {
            known.insert(name, state);
        }
        None => tracing::warn!("what is kept of the job `{}` makes no sense: it begins anew", asset.id),
    }
}

/// Keeps what is known of jobs, each with when it runs next. Blocking: returns when the disk has confirmed it. Gives the
/// number of the commit, unless all was as it is.
///
/// # Errors
/// Where the store can't be written.
pub fn keep_jobs(
    store: &Store,
    now: Time,
    jobs: impl IntoIterator<Item = (JobName, JobState, Option<Time>)>,
) -> Result<Option<u64>, StoreError> {
    let puts: Vec<Asset> = jobs.into_iter().map(|(name, state, next)| asset(&name, &state, next)).collect();
    if puts.is_empty() {
        return Ok(None);
    }
    Ok(store.begin_ledger().commit(&LedgerCommit { at: now, puts, removes: Vec::new() })?.sequence)
}

fn asset(name: &JobName, state: &JobState, next: Option<Time>) -> Asset {
    let moment = |time: Option<Time>| time.map_or(Value::Null, |time| time.to_string().into());
    let check = match name {
        JobName::Check(id) => Some(id.as_str()),
        JobName::Collection(_) => None,
    };
    Asset::new(SCHEDULED_JOB_TYPE, name.to_string())
        .with("kind", name.kind().to_ascii_uppercase())
        .with("name", name.own())
        .with("checkId", check)
        .with("schedule", &*state.schedule)
        .with("knownSince", moment(Some(state.since)))
        .with("plannedAt", moment(state.planned))
        .with("startedAt", moment(state.started))
        .with("finishedAt", moment(state.finished))
        .with("outcome", state.outcome.map(JobOutcome::as_str))
        .with("note", state.note.clone())
        .with("missedCount", state.missed)
        .with("attempts", state.attempts)
        .with("nextAt", moment(next))
}

fn read(asset: &Asset) -> Option<(JobName, JobState)> {
    // Absent is fine, senseless is not.
    let moment = |field: &str| match asset.text(field) {
        None => Some(None),
        Some(text) => text.parse::<Time>().ok().map(Some),
    };
    let count = |field: &str| asset.fields.get(field).and_then(Value::as_u64);
    let outcome = match asset.text("outcome") {
        None => None,
        Some(text) => Some(JobOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == text)?),
    };
    let state = JobState {
        since: moment("knownSince")??,
        schedule: asset.text("schedule")?.to_owned(),
        planned: moment("plannedAt")?,
        started: moment("startedAt")?,
        finished: moment("finishedAt")?,
        outcome,
        note: asset.text("note").map(str::to_owned),
        missed: count("missedCount")?,
        attempts: u32::try_from(count("attempts")?).ok()?,
    };
    Some((asset.id.parse().ok()?, state))
}
