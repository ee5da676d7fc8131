//! Verdicts of a server: checks are judged over the newest graph, remembered as long as nothing they rest on changes, and
//! what they say goes on record, to subscribers and to whom it is to be told.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::super::graph_holder::{GraphHolder, Present};
use super::{notifier::Notifier, publisher::Publisher};
use crate::{
    check::{
        Check, CheckResult, Exception, ExceptionStatus, RememberedVerdicts,
        ledger::{
            CheckState, Known, LedgerError, LedgerMemory, Recorded, Run, SettledRun, Trigger, gone,
            read_exceptions, read_states, record_exceptions, record_run_from, settle_run,
        },
    },
    model::{Clock, Time},
    query::Engine,
    schedule::Rebuild,
    store::Store,
};

/// Judges, one run at a time.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) engine: Arc<Engine>,
    pub(crate) checks: Vec<Check>,
    pub(crate) store: Arc<Store>,
    pub(crate) graph: Arc<GraphHolder>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rebuild: Rebuild,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) remembered: Mutex<Remembered>,
}

/// What a judge remembers from one run to the next.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// What was judged, as long as nothing that it rests on changes.
    verdicts: RememberedVerdicts,
    /// What is on record, as long as nobody else writes there.
    ledger: LedgerMemory,
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotJudged {
    /// There is no graph yet.
    #[error("the inventory is still being read")]
    NoGraph,
    /// What was known can't be read, or what is known now not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Judge {
    /// Judges checks, whether anything changed or not. Blocking.
    pub(crate) fn run(&self, ids: &BTreeSet<&str>, trigger: Trigger) -> Result<Recorded, NotJudged> {
        let present = self.graph.get().ok_or(NotJudged::NoGraph)?;
        let now = self.clock.now();
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { verdicts, ledger } = &mut *remembered;
        let chosen: Vec<Check> =
            self.checks.iter().filter(|check| ids.contains(check.id.as_str())).cloned().collect();
        let results = verdicts.evaluate_some(&chosen, &self.engine, &present.graph, now);
        self.record(ledger, (&chosen, &results), &present, now, trigger)
    }

    /// Judges the checks whose verdict may have changed: what they rest on did, or it has become too old. Nothing where
    /// there is none, and no exception has ended. Blocking.
    pub(crate) fn run_changed(&self, trigger: Trigger) -> Result<Option<Recorded>, NotJudged> {
        let present = self.graph.get().ok_or(NotJudged::NoGraph)?;
        let now = self.clock.now();
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { verdicts, ledger } = &mut *remembered;
        let changed = verdicts.evaluate_changed(&self.checks, &self.engine, &present.graph, now);
        if changed.is_empty() {
            return self.let_go(&present, now);
        }
        let (chosen, results): (Vec<Check>, Vec<Arc<CheckResult>>) = changed
            .into_iter()
            .filter_map(|(place, result)| Some((self.checks.get(place)?.clone(), result)))
            .unzip();
        self.record(ledger, (&chosen, &results), &present, now, trigger).map(Some)
    }

    /// Judges everything that an earlier process has not judged as it is now. Blocking.
    pub(crate) fn run_first(&self) -> Result<Option<Recorded>, NotJudged> {
        let present = self.graph.get().ok_or(NotJudged::NoGraph)?;
        let now = self.clock.now();
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { verdicts, ledger } = &mut *remembered;
        let judged = verdicts.evaluate_changed(&self.checks, &self.engine, &present.graph, now);
        let (checks, results): (Vec<Check>, Vec<Arc<CheckResult>>) = judged
            .into_iter()
            .filter_map(|(place, result)| Some((self.checks.get(place)?.clone(), result)))
            .unzip();
        let known = Known::read(&self.store, checks.iter().map(|check| check.id.as_str()))?;
        let plain: Vec<&CheckResult> = results.iter().map(Arc::as_ref).collect();
        let settled = settle_run(&known, &plain, self.run_of(&checks, &present, now, Trigger::Collection));
        let (chosen, results): (Vec<Check>, Vec<Arc<CheckResult>>) = checks
            .into_iter()
            .zip(results)
            .filter(|(check, _)| {
                let state = known.checks.get(&check.id).and_then(|previous| previous.state.as_ref());
                state.is_none_or(|state| is_news(check, state, &settled, &present))
            })
            .unzip();
        if chosen.is_empty() && !self.has_gone()? {
            return self.let_go(&present, now);
        }
        self.record(ledger, (&chosen, &results), &present, now, Trigger::Collection).map(Some)
    }

    /// Puts exceptions on record. Blocking.
    pub(crate) fn accept(&self, exceptions: &[Exception]) -> Result<Recorded, NotJudged> {
        let present = self.graph.get().ok_or(NotJudged::NoGraph)?;
        let now = self.clock.now();
        let run = self.run_of(&self.checks, &present, now, Trigger::Request);
        let mut letters = self.notifier.letters(&self.checks, now);
        let recorded = record_exceptions(&self.store, exceptions, run, &mut letters)?;
        self.tell(&recorded, now);
        Ok(recorded)
    }

    /// Lets exceptions that have ended let go of what they accepted.
    fn let_go(&self, present: &Present, now: Time) -> Result<Option<Recorded>, NotJudged> {
        let ended = |exception: &Exception| {
            exception.status == ExceptionStatus::Active && exception.status_at(now) != ExceptionStatus::Active
        };
        if !read_exceptions(&self.store)?.iter().any(ended) {
            return Ok(None);
        }
        let run = self.run_of(&self.checks, present, now, Trigger::Schedule);
        let mut letters = self.notifier.letters(&self.checks, now);
        let recorded = record_exceptions(&self.store, &[], run, &mut letters)?;
        self.tell(&recorded, now);
        Ok(Some(recorded))
    }

    /// Every check there is; nothing where the server is to judge nothing.
    fn all(&self) -> Option<&[Check]> {
        (!self.checks.is_empty()).then_some(&self.checks)
    }

    /// Whether a check is on record that is gone, and not on record as that.
    fn has_gone(&self) -> Result<bool, LedgerError> {
        let states = read_states(&self.store)?;
        let judged = states.iter().filter(|state| state.gone_at.is_none());
        let ids = judged.map(|state| state.check_id.as_str());
        Ok(self.all().is_some_and(|all| !gone(ids, all).is_empty()))
    }

    fn run_of<'a>(
        &'a self,
        checks: &'a [Check],
        present: &'a Present,
        now: Time,
        trigger: Trigger,
    ) -> Run<'a> {
        Run { checks, all: self.all(), engine: &self.engine, graph: &present.graph, now, trigger }
    }

    fn record(
        &self,
        ledger: &mut LedgerMemory,
        (checks, results): (&[Check], &[Arc<CheckResult>]),
        present: &Present,
        now: Time,
        trigger: Trigger,
    ) -> Result<Recorded, NotJudged> {
        let results: Vec<&CheckResult> = results.iter().map(Arc::as_ref).collect();
        let run = self.run_of(checks, present, now, trigger);
        let mut letters = self.notifier.letters(&self.checks, now);
        let recorded = record_run_from(&self.store, ledger, &results, run, &mut letters)?;
        self.tell(&recorded, now);
        Ok(recorded)
    }

    /// Tells subscribers, once the graph shows it. What goes to channels is on its way already.
    fn tell(&self, recorded: &Recorded, now: Time) {
        self.publisher.take(recorded, now);
        self.rebuild.request();
    }
}

/// Whether a run would say something that the last one did not, or rests on what was collected since.
fn is_news(check: &Check, state: &CheckState, settled: &SettledRun, present: &Present) -> bool {
    let is_newer = || {
        present.graph.slices().is_some_and(|slices| {
            let mut attempts = check.touches.iter().filter_map(|of| slices.last_attempted(of));
            attempts.any(|at| at > state.last_run_at)
        })
    };
    settled.runs.iter().any(|run| run.check_id == check.id && run.is_change())
        || settled.changes.iter().any(|change| change.finding.check_id == check.id)
        || settled.unknown.iter().any(|unknown| unknown.check_id == check.id)
        || is_newer()
}
