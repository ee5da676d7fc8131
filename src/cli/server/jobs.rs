//! The jobs of a server: which there are, and how each is run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot};

use super::{
    super::{
        commands::collect::{Quietly, collect_quietly},
        config::{Config, REQUESTED},
        failure::chain,
        output::Output,
    },
    judge::Judge,
};
use crate::{
    check::{Check, ledger::Trigger},
    collect::{AccountOptions, CollectOptions},
    model::{Clock, Zone},
    query::Collection,
    schedule::{
        Ended, Job, JobName, JobOutcome, JobState, Perform, Rebuild, Running, Schedule, When, keep_jobs,
        next_run,
    },
    store::Store,
};

/// How long a graph may take to show what was collected before it is judged all the same.
const LONGEST_BUILD: Duration = Duration::from_secs(600);

/// The jobs that a configuration and the checks make, with what each collection collects.
pub(crate) fn planned(
    config: &Config,
    checks: &[Check],
    collect_every: Option<Duration>,
) -> (Vec<Job>, BTreeMap<String, Collection>) {
    let section = &config.schedule;
    let zone = section.time_zone.clone().unwrap_or_else(Zone::utc);
    let put_off = |when: When| match when {
        When::Cron { cron, .. } => When::Cron { cron: Box::new(cron.or_in(&zone)), jitter: section.jitter },
        every @ When::Every(_) => every,
    };
    let mut what = BTreeMap::new();
    let mut jobs = Vec::new();
    if let Some(interval) = collect_every {
        let name = "all".to_owned();
        jobs.push(Job { name: JobName::Collection(name.clone()), when: When::Every(interval) });
        what.insert(name, Collection::default());
    }
    // The command line goes before the file.
    let configured = section.collections.iter().filter(|collection| !what.contains_key(&collection.name));
    for collection in configured.collect::<Vec<_>>() {
        let name = JobName::Collection(collection.name.clone());
        jobs.push(Job { name, when: put_off(collection.when.clone()) });
        what.insert(collection.name.clone(), collection.what.clone());
    }
    for check in checks {
        if let Some(cron) = check.schedule.as_ref().or(section.checks.as_ref()) {
            let when = put_off(When::Cron { cron: Box::new(cron.clone()), jitter: Duration::ZERO });
            jobs.push(Job { name: JobName::Check(check.id.clone()), when });
        }
    }
    (jobs, what)
}

/// Runs jobs.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) keeper: JobKeeper,
    pub(crate) output: Arc<Output>,
    pub(crate) judge: Arc<Judge>,
    /// The options of a collection for which nothing else is said.
    pub(crate) options: CollectOptions,
    /// What each collection collects, that somebody asked for included.
    pub(crate) what: Mutex<BTreeMap<String, Collection>>,
}

/// Keeps what is known of jobs.
#[derive(Clone, Debug)]
pub(crate) struct JobKeeper {
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) rebuild: Rebuild,
}

impl JobKeeper {
    /// Keeps states, each with when its job runs next. Gives the number of the commit. Blocking.
    pub(crate) fn keep(&self, states: Vec<(JobName, JobState)>) -> Result<Option<u64>, String> {
        let now = self.clock.now();
        let with_next = states.into_iter().map(|(name, state)| {
            let job = self.schedule.jobs().iter().find(|job| job.name == name);
            let next = job.and_then(|job| next_run(now, job, &state));
            (name, state, next)
        });
        let kept = keep_jobs(&self.store, now, with_next).map_err(|error| chain(&error))?;
        if kept.is_some() {
            self.rebuild.request();
        }
        Ok(kept)
    }
}

impl Jobs {
    /// What the collection collects that somebody asks for next.
    pub(crate) fn ask_for(&self, collection: Collection) {
        self.what.lock().unwrap_or_else(PoisonError::into_inner).insert(REQUESTED.to_owned(), collection);
    }

    fn options_of(&self, name: &str) -> CollectOptions {
        let what =
            self.what.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default();
        chosen(&self.options, what)
    }
}

/// The options of a collection of a part of what there is to collect.
pub(crate) fn chosen(options: &CollectOptions, what: Collection) -> CollectOptions {
    let mut options = options.clone();
    let Collection { accounts, regions, only } = what;
    if !accounts.is_empty() {
        let known = |id: &String| options.accounts.iter().find(|account| account.account_id == *id).cloned();
        let named = |account_id: String| {
            known(&account_id).unwrap_or_else(|| AccountOptions { account_id, ..AccountOptions::default() })
        };
        let named: Vec<AccountOptions> = accounts.into_iter().map(named).collect();
        options.accounts = named;
        options.organization = None;
    }
    if !regions.is_empty() {
        options.accounts.iter_mut().for_each(|account| account.regions.clear());
        options.regions = regions.into_iter().collect();
    }
    if !only.is_empty() {
        options.only = only.into_iter().collect();
    }
    options
}

impl Perform for Jobs {
    fn keep(&self, states: Vec<(JobName, JobState)>) -> Running<Result<(), String>> {
        let keeper = self.keeper.clone();
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || keeper.keep(states)).await {
                Ok(kept) => kept.map(drop),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    fn perform(&self, jobs: Vec<JobName>) -> Running<Vec<Ended>> {
        let (collections, checks): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|name| matches!(name, JobName::Collection(_)));
        let judge = Arc::clone(&self.judge);
        if let Some(name) = collections.first() {
            let options = self.options_of(name.own());
            let (store, clock) = (Arc::clone(&self.keeper.store), Arc::clone(&self.keeper.clock));
            let output = Arc::clone(&self.output);
            return Box::pin(async move {
                let ended = collected(options, store, clock, judge).await;
                output.note(&ended.note);
                vec![ended]
            });
        }
        Box::pin(async move {
            let names = checks.clone();
            let judging = tokio::task::spawn_blocking(move || {
                let ids: BTreeSet<&str> = checks.iter().map(JobName::own).collect();
                judge.run(&ids, Trigger::Schedule)
            });
            let failed = |note: &str| Ended { outcome: JobOutcome::Failed, note: note.to_owned() };
            let recorded = match judging.await {
                Ok(Ok(recorded)) => recorded,
                Ok(Err(error)) => return vec![failed(&chain(&error)); names.len()],
                Err(error) => {
                    tracing::error!(%error, "judging panicked; the process goes on");
                    return vec![failed("an internal error, which is logged"); names.len()];
                }
            };
            let ended = |name: &JobName| match recorded.runs.iter().find(|run| run.check_id == name.own()) {
                Some(run) => Ended { outcome: JobOutcome::Done, note: run.verdict.to_string() },
                None => failed("there is no such check"),
            };
            names.iter().map(ended).collect()
        })
    }
}

async fn collected(
    options: CollectOptions,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    judge: Arc<Judge>,
) -> Ended {
    let rebuild = judge.rebuild.clone();
    let kept = Arc::clone(&store);
    // Dropped with this future, which is what a stop does: then the collection ends as well.
    let (is_wanted, is_unwanted) = oneshot::channel::<()>();
    // On a thread of its own: making assets of what arrives takes the processor, and others answer queries.
    let collecting = tokio::task::spawn_blocking(move || {
        Handle::current().block_on(async move {
            tokio::select! {
                quietly = collect_quietly(options, kept, clock, move || rebuild.request()) => quietly,
                _ = is_unwanted => Quietly { note: "stopped".to_owned(), is_failure: true },
            }
        })
    });
    let quietly = collecting.await;
    drop(is_wanted);
    let Quietly { note, is_failure } = quietly.unwrap_or_else(|error| {
        tracing::error!(%error, "a collection panicked; the process goes on");
        Quietly { note: "an internal error, which is logged".to_owned(), is_failure: true }
    });
    let judging = tokio::task::spawn_blocking(move || {
        judge.rebuild.request();
        if judge.graph.wait_for(store.sequence(), LONGEST_BUILD).is_none() {
            tracing::warn!("the graph does not show all that was collected yet: what it shows is judged");
        }
        judge.run_changed(Trigger::Collection)
    });
    let outcome = if is_failure { JobOutcome::Failed } else { JobOutcome::Done };
    match judging.await {
        Ok(Ok(_)) => Ended { outcome, note },
        Ok(Err(error)) => {
            Ended { outcome: JobOutcome::Failed, note: format!("{note}; not judged: {}", chain(&error)) }
        }
        Err(error) => {
            tracing::error!(%error, "judging panicked; the process goes on");
            Ended {
                outcome: JobOutcome::Failed,
                note: format!("{note}; not judged: an internal error, which is logged"),
            }
        }
    }
}
