//! What was known before a run: read from a store or a graph, and remembered by a process that runs checks again and
//! again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    super::{definition::Check, exception::Exception},
    fields::Misfit,
    finding::{Finding, finding_id},
    record::LedgerError,
    run::{CheckState, RunRecord},
    settle::{Previous, Settled},
    unknown::UnknownVerdict,
};
use crate::{
    graph::Graph,
    model::{Asset, CHECK_RUN_TYPE, CHECK_TYPE, EXCEPTION_TYPE, FINDING_TYPE, Time, UNKNOWN_VERDICT_TYPE},
    store::{LedgerTurn, Store},
};

/// So many runs of a check are kept in the present; older ones are in the past of the store.
const RUNS_KEPT: usize = 100;

/// The types of what is known before a run.
const KNOWN_TYPES: [&str; 5] =
    [CHECK_TYPE, CHECK_RUN_TYPE, EXCEPTION_TYPE, FINDING_TYPE, UNKNOWN_VERDICT_TYPE];

/// What was known before a run.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By check.
    pub checks: BTreeMap<String, Previous>,
    /// Every exception, by id.
    pub exceptions: Vec<Exception>,
}

/// What is known, kept from one run to the next by a process that runs many: it is read again only where somebody else
/// has written to the ledger.
#[derive(Clone, Debug, Default)]
pub struct LedgerMemory {
    known: Known,
    /// The ids of the runs of each check that are in the present, the oldest first.
    runs: BTreeMap<String, VecDeque<String>>,
    /// The ids of the checks that are on record and not as gone.
    judged: BTreeSet<String>,
    /// Of the ledger; nothing before it was first read.
    generation: Option<u64>,
}

impl Known {
    /// Reads what is known of some checks.
    ///
    /// # Errors
    /// Where the store can't be read, or holds what makes no sense.
    pub fn read<'c>(store: &Store, checks: impl IntoIterator<Item = &'c str>) -> Result<Self, LedgerError> {
        let mut known = Self { checks: BTreeMap::new(), exceptions: read_exceptions(store)? };
        for check_id in checks {
            known.checks.insert(check_id.to_owned(), read_previous(store, check_id)?);
        }
        Ok(known)
    }
}

impl Known {
    /// What a graph shows of it, for one who only reads; nothing where the schema doesn't have the types.
    ///
    /// # Errors
    /// Where the graph holds what makes no sense.
    pub fn of_graph<'c>(
        graph: &Graph,
        checks: impl IntoIterator<Item = &'c str>,
    ) -> Result<Option<Self>, Misfit> {
        let (Some(exceptions), Some(states), Some(findings), Some(unknown)) = (
            assets_of_graph(graph, EXCEPTION_TYPE),
            assets_of_graph(graph, CHECK_TYPE),
            assets_of_graph(graph, FINDING_TYPE),
            assets_of_graph(graph, UNKNOWN_VERDICT_TYPE),
        ) else {
            return Ok(None);
        };
        let exceptions = exceptions.map(|asset| Exception::from_asset(&asset)).collect::<Result<_, _>>()?;
        let mut known = Self { checks: BTreeMap::new(), exceptions };
        known.checks.extend(checks.into_iter().map(|id| (id.to_owned(), Previous::default())));
        for asset in states {
            if let Some(previous) = known.checks.get_mut(&asset.id) {
                previous.state = Some(CheckState::from_asset(&asset)?);
            }
        }
        for asset in findings {
            let finding = Finding::from_asset(&asset)?;
            if let Some(previous) = known.checks.get_mut(&finding.check_id) {
                previous.findings.insert(finding.id.clone(), finding);
            }
        }
        for asset in unknown {
            let unknown = UnknownVerdict::from_asset(&asset)?;
            if let Some(previous) = known.checks.get_mut(&unknown.check_id) {
                previous.unknown.insert(unknown.id.clone(), unknown);
            }
        }
        Ok(Some(known))
    }
}

/// The assets of a type, by id; nothing where the schema doesn't have it.
fn assets_of_graph<'g>(graph: &'g Graph, typename: &str) -> Option<impl Iterator<Item = Asset> + use<'g>> {
    let (of, _) = graph.catalog().find(typename)?;
    let (_, table) = graph.table_of(of)?;
    let read = move |row: u32| {
        let mut json = Vec::new();
        graph.write_asset(of, row, &mut json);
        Asset::from_json(serde_json::from_slice(&json).ok()?).ok()
    };
    Some(table.all_in_id_order().filter_map(read))
}

impl LedgerMemory {
    /// What is known of some checks, as of the turn: what is not remembered is read.
    pub(super) fn catch_up(
        &mut self,
        store: &Store,
        checks: &[Check],
        turn: &LedgerTurn<'_>,
    ) -> Result<&Known, LedgerError> {
        let generation = turn.generation(&KNOWN_TYPES);
        if self.generation != Some(generation) {
            let known = Known { checks: BTreeMap::new(), exceptions: read_exceptions(store)? };
            let states = read_states(store)?.into_iter().filter(|state| state.gone_at.is_none());
            let judged = states.map(|state| state.check_id).collect();
            *self = Self { known, runs: BTreeMap::new(), judged, generation: Some(generation) };
        }
        for check in checks {
            if !self.known.checks.contains_key(&check.id) {
                let runs = read_runs(store, &check.id)?;
                self.known.checks.insert(check.id.clone(), read_previous(store, &check.id)?);
                self.runs.insert(check.id.clone(), runs);
            }
        }
        Ok(&self.known)
    }

    /// What is known, as of the latest [`LedgerMemory::catch_up`].
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// The ids of the checks that are on record and not as gone.
    pub(super) fn judged(&self) -> impl Iterator<Item = &str> {
        self.judged.iter().map(String::as_str)
    }

    /// The runs of a check that are too many once there is one more.
    pub(super) fn old_runs(&self, check_id: &str) -> Vec<(String, String)> {
        let Some(runs) = self.runs.get(check_id) else { return Vec::new() };
        let too_many = (runs.len() + 1).saturating_sub(RUNS_KEPT);
        runs.iter().take(too_many).map(|id| (CHECK_RUN_TYPE.to_owned(), id.clone())).collect()
    }

    /// Takes in what a run made of it, which is on record.
    pub(super) fn take(
        &mut self,
        turn: &LedgerTurn<'_>,
        (next, let_go): (Vec<(CheckState, Settled)>, Vec<Settled>),
        records: &[RunRecord],
        now: Time,
    ) {
        for (state, settled) in next {
            self.judged.insert(state.check_id.clone());
            let previous = self.known.checks.entry(state.check_id.clone()).or_default();
            previous.state = Some(state);
            previous.take(settled);
        }
        for settled in let_go {
            let of =
                settled.findings.first().and_then(|finding| self.known.checks.get_mut(&finding.check_id));
            if let Some(previous) = of {
                previous.take(settled);
            }
        }
        for record in records {
            if record.is_of_gone {
                self.judged.remove(&record.check_id);
                self.known.checks.remove(&record.check_id);
                self.runs.remove(&record.check_id);
                continue;
            }
            let runs = self.runs.entry(record.check_id.clone()).or_default();
            // Of the same moment there is one.
            runs.retain(|id| *id != record.id);
            runs.push_back(record.id.clone());
            let too_many = runs.len().saturating_sub(RUNS_KEPT);
            runs.drain(..too_many);
        }
        for exception in &mut self.known.exceptions {
            *exception = exception.as_of(now);
        }
        self.generation = Some(turn.generation(&KNOWN_TYPES));
    }
}

/// The ids of the runs of a check, the oldest first.
fn read_runs(store: &Store, check_id: &str) -> Result<VecDeque<String>, LedgerError> {
    let mut ids = VecDeque::new();
    // The ids of runs end with their time, so they are in the order of time.
    store.read_ledger(CHECK_RUN_TYPE, &format!("{check_id}@"), &mut |asset| ids.push_back(asset.id))?;
    Ok(ids)
}

pub(super) fn read_previous(store: &Store, check_id: &str) -> Result<Previous, LedgerError> {
    let state = store.find_ledger(CHECK_TYPE, check_id)?;
    let state = state.as_ref().map(CheckState::from_asset).transpose()?;
    let findings = read_of(store, FINDING_TYPE, check_id, Finding::from_asset)?;
    let unknown = read_of(store, UNKNOWN_VERDICT_TYPE, check_id, UnknownVerdict::from_asset)?;
    Ok(Previous {
        state,
        findings: findings.into_iter().map(|finding| (finding.id.clone(), finding)).collect(),
        unknown: unknown.into_iter().map(|unknown| (unknown.id.clone(), unknown)).collect(),
    })
}

/// What is kept of a check: of it as a whole, and of its assets.
fn read_of<T>(
    store: &Store,
    typename: &str,
    check_id: &str,
    read: impl Fn(&Asset) -> Result<T, Misfit>,
) -> Result<Vec<T>, LedgerError> {
    let mut found = Vec::new();
    let whole = store.find_ledger(typename, &finding_id(check_id, None))?;
    found.extend(whole.as_ref().map(&read));
    store.read_ledger(typename, &finding_id(check_id, Some("")), &mut |asset| found.push(read(&asset)))?;
    Ok(found.into_iter().collect::<Result<_, _>>()?)
}

/// Every exception, by id.
///
/// # Errors
/// Where the store can't be read, or holds what makes no sense.
pub fn read_exceptions(store: &Store) -> Result<Vec<Exception>, LedgerError> {
    let mut found = Vec::new();
    store.read_ledger(EXCEPTION_TYPE, "", &mut |asset| found.push(Exception::from_asset(&asset)))?;
    Ok(found.into_iter().collect::<Result<_, _>>()?)
}

/// Every finding there ever was, by id.
///
/// # Errors
/// Where the store can't be read, or holds what makes no sense.
pub fn read_findings(store: &Store) -> Result<Vec<Finding>, LedgerError> {
    let mut found = Vec::new();
    store.read_ledger(FINDING_TYPE, "", &mut |asset| found.push(Finding::from_asset(&asset)))?;
    Ok(found.into_iter().collect::<Result<_, _>>()?)
}

/// What the last run of each check said, by id.
///
/// # Errors
/// Where the store can't be read, or holds what makes no sense.
pub fn read_states(store: &Store) -> Result<Vec<CheckState>, LedgerError> {
    let mut found = Vec::new();
    store.read_ledger(CHECK_TYPE, "", &mut |asset| found.push(CheckState::from_asset(&asset)))?;
    Ok(found.into_iter().collect::<Result<_, _>>()?)
}
