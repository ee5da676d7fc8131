//! Runs put on record: what was known is read, settled with what the run says, and committed. Nobody else writes to the
//! ledger in between.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    super::{
        definition::{Check, Severity},
        exception::{Exception, ExceptionStatus},
        result::{CheckResult, ExceptedFinding, Verdict},
    },
    excepting::{Matches, match_exceptions},
    fields::Misfit,
    finding::{Finding, Status, finding_id},
    gone::{close, gone},
    known::{Known, LedgerMemory, read_exceptions, read_findings},
    outbox::{News, NoOutbox, Outbox},
    run::{CheckState, RunRecord, Trigger},
    settle::{ChangeKind, FindingChange, Previous, Settled, Settling, settle, settle_exceptions},
    standing::standings,
    unknown::UnknownVerdict,
};
use crate::{
    graph::Graph,
    model::{Asset, CHECK_RUN_TYPE, CHECK_TYPE, Time, UNKNOWN_VERDICT_TYPE},
    query::Engine,
    store::{LedgerCommit, LedgerTurn, Store, StoreError},
};

/// No commit holds more assets than this: a record has a limit.
const MOST_PUTS: usize = 100_000;

/// Why something could not be put on record.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds was not written by this program, or by another version.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// What a run was of.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The checks, in the order of their results.
    pub checks: &'a [Check],
    /// Every check there is: what is on record of any other is closed. Nothing where that is not to be done, since these
    /// may not be all.
    pub all: Option<&'a [Check]>,
    /// What they were judged with.
    pub engine: &'a Engine,
    /// What they were judged over.
    pub graph: &'a Graph,
    /// When.
    pub now: Time,
    /// Why.
    pub trigger: Trigger,
}

/// A run, settled and not on record yet.
#[derive(Clone, Debug, Default)]
pub struct SettledRun {
    /// The results, in which what is accepted no longer counts and every finding says since when it is open.
    pub results: Vec<CheckResult>,
    /// The runs, in the order of the results; then those of checks that are gone.
    pub runs: Vec<RunRecord>,
    /// What became of findings, in the order of the results, then of ids.
    pub changes: Vec<FindingChange>,
    /// What was known and no longer is.
    pub unknown: Vec<UnknownVerdict>,
    pub(super) puts: Vec<Asset>,
    pub(super) removes: Vec<(String, String)>,
    /// What it makes of what was known, in the order of the results.
    next: Vec<(CheckState, Settled)>,
}

/// What came of putting something on record.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The results, in which what is accepted no longer counts and every finding says since when it is open.
    pub results: Vec<CheckResult>,
    /// The runs, in the order of the results; then those of checks that are gone.
    pub runs: Vec<RunRecord>,
    /// What became of findings.
    pub changes: Vec<FindingChange>,
    /// What was known and no longer is.
    pub unknown: Vec<UnknownVerdict>,
    /// The last commit it took; nothing where nothing had to be written.
    pub sequence: Option<u64>,
}

/// Settles the results of a run with what was known, without writing anything: what is accepted no longer counts.
#[must_use]
pub fn settle_run<R: Borrow<CheckResult>>(known: &Known, results: &[R], run: Run<'_>) -> SettledRun {
    let nothing = Previous::default();
    let mut all = SettledRun::default();
    for (check, result) in run.checks.iter().zip(results) {
        let result: &CheckResult = result.borrow();
        let previous = known.checks.get(&check.id).unwrap_or(&nothing);
        let matches = match_exceptions(check, &known.exceptions, run.engine, run.graph, run.now);
        let settling = Settling {
            check_id: &check.id,
            severity: check.severity,
            exceptions: &known.exceptions,
            matches: &matches,
            now: run.now,
        };
        let standings = standings(check, result, run.graph, previous.findings.values(), run.now);
        let settled = settle(previous, standings.as_ref(), settling);
        let result = excepted(result, previous, &settled);
        let record = run_record(&result, run, previous, &settled);
        let state = CheckState::after(previous.state.as_ref(), &record);
        all.puts.push(state.to_asset(check, &result));
        all.puts.push(record.to_asset());
        all.take(previous, &settled);
        all.next.push((state, settled));
        all.results.push(result);
        all.runs.push(record);
    }
    all
}

/// The result, in which findings that are accepted no longer count and each says since when it is open.
fn excepted(result: &CheckResult, previous: &Previous, settled: &Settled) -> CheckResult {
    let now: BTreeMap<&str, &Finding> =
        settled.findings.iter().map(|finding| (finding.id.as_str(), finding)).collect();
    let mut result = result.clone();
    let mut open = Vec::new();
    for mut failing in std::mem::take(&mut result.findings) {
        let id = finding_id(&result.id, Some(&failing.asset.id));
        let finding = now.get(id.as_str()).copied().or_else(|| previous.findings.get(&id));
        failing.since = finding.map(Finding::since);
        match finding.filter(|finding| finding.status == Status::Excepted) {
            Some(finding) => result.excepted.push(ExceptedFinding {
                finding: failing,
                exception_id: finding.exception_id.clone().unwrap_or_default(),
            }),
            None => open.push(failing),
        }
    }
    result.findings = open;
    let accepted = result.excepted.len() as u64;
    result.counts.fail = result.counts.fail.saturating_sub(accepted);
    result.counts.excepted += accepted;
    let by_assets = Verdict::of(result.counts, !result.unknown_coverage.is_empty());
    let whole = finding_id(&result.id, None);
    let whole = now.get(whole.as_str()).copied().or_else(|| previous.findings.get(&whole));
    match result.figure.as_mut().filter(|_| result.verdict == Verdict::Fail) {
        Some(figure) => {
            let accepting = whole.filter(|finding| finding.status == Status::Excepted);
            figure.accepted_by = accepting.and_then(|finding| finding.exception_id.clone());
            result.verdict = match (&figure.accepted_by, by_assets) {
                // What no asset fails is not accepted with those that do.
                (None, _) => Verdict::Fail,
                (Some(_), Verdict::NotApplicable) => Verdict::Pass,
                (Some(_), by_assets) => by_assets,
            };
        }
        None if accepted > 0 => result.verdict = by_assets,
        None => {}
    }
    result
}

fn run_record(result: &CheckResult, run: Run<'_>, previous: &Previous, settled: &Settled) -> RunRecord {
    let mut record = RunRecord::new(result, run.trigger, previous.state.as_ref(), run.now);
    for change in &settled.changes {
        match change.kind {
            ChangeKind::Opened => record.opened += 1,
            ChangeKind::Reopened => record.reopened += 1,
            ChangeKind::Resolved => record.resolved += 1,
            _ => {}
        }
    }
    record
}

impl SettledRun {
    fn take(&mut self, previous: &Previous, settled: &Settled) {
        let Settled { findings, unknown, known, changes } = settled;
        self.puts.extend(findings.iter().map(Finding::to_asset));
        self.puts.extend(unknown.iter().map(UnknownVerdict::to_asset));
        self.removes.extend(known.iter().map(|id| (UNKNOWN_VERDICT_TYPE.to_owned(), id.clone())));
        let is_new = |unknown: &&UnknownVerdict| !previous.unknown.contains_key(&unknown.id);
        self.unknown.extend(unknown.iter().filter(is_new).cloned());
        self.changes.extend(changes.iter().cloned());
    }
}

/// Puts a run on record: settles its results with what is known, and commits what follows. Blocking. Readers see all
/// of it or nothing, unless it is more than a record can hold.
///
/// # Errors
/// Where the store can't be read or written, or holds what makes no sense. Nothing is on record then.
pub fn record_run<R: Borrow<CheckResult>>(
    store: &Store,
    results: &[R],
    run: Run<'_>,
) -> Result<Recorded, LedgerError> {
    record_run_from(store, &mut LedgerMemory::default(), results, run, &mut NoOutbox)
}

/// The same for a process that runs checks again and again, and tells others of it: what is remembered isn't read, and
/// the messages are in the record of what they tell.
///
/// # Errors
/// As [`record_run`].
pub fn record_run_from<R: Borrow<CheckResult>>(
    store: &Store,
    memory: &mut LedgerMemory,
    results: &[R],
    run: Run<'_>,
    outbox: &mut dyn Outbox,
) -> Result<Recorded, LedgerError> {
    let mut turn = store.begin_ledger();
    let known = memory.catch_up(store, run.checks, &turn)?;
    let mut settled = settle_run(known, results, run);
    let (puts, let_go) = let_go(store, known, run)?;
    settled.puts.extend(puts);
    settled.changes.extend(let_go.iter().flat_map(|settled| settled.changes.iter().cloned()));
    settled.removes.extend(settled.runs.iter().flat_map(|record| memory.old_runs(&record.check_id)));
    if let Some(all) = run.all {
        let ids: Vec<String> = gone(memory.judged(), all).into_iter().map(str::to_owned).collect();
        close(store, &ids, memory.known(), run, &mut settled)?;
    }
    let SettledRun { results, runs, changes, unknown, puts, removes, next } = settled;
    let news = News { changes: changes.iter().collect(), unknown: unknown.iter().collect() };
    let sequence = commit(&mut turn, (run.now, puts, removes), news, outbox)?;
    memory.take(&turn, (next, let_go), &runs, run.now);
    Ok(Recorded { results, runs, changes, unknown, sequence })
}

/// Where an exception is over since it was last looked at: the exception, and what it lets go of in checks that did
/// not run.
fn let_go(store: &Store, known: &Known, run: Run<'_>) -> Result<(Vec<Asset>, Vec<Settled>), LedgerError> {
    let over: BTreeMap<&str, ExceptionStatus> = known
        .exceptions
        .iter()
        .filter(|exception| exception.status_at(run.now) != exception.status)
        .map(|exception| (exception.id.as_str(), exception.status_at(run.now)))
        .collect();
    if over.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut puts: Vec<Asset> = known
        .exceptions
        .iter()
        .filter(|exception| over.contains_key(exception.id.as_str()))
        .map(|exception| exception.as_of(run.now).to_asset())
        .collect();
    let ran: BTreeSet<&str> = run.checks.iter().map(|check| check.id.as_str()).collect();
    let is_let_go = |finding: &Finding| {
        let exception = finding.exception_id.as_deref();
        !ran.contains(finding.check_id.as_str()) && exception.is_some_and(|id| over.contains_key(id))
    };
    let findings: Vec<Finding> = read_findings(store)?.into_iter().filter(is_let_go).collect();
    let settled = settle_by_exceptions(&findings, &known.exceptions, &[], run);
    puts.extend(settled.iter().flat_map(|settled| &settled.findings).map(Finding::to_asset));
    Ok((puts, settled))
}

/// Settles findings of any checks against exceptions; the filters of exceptions are evaluated for `checks` alone.
fn settle_by_exceptions(
    findings: &[Finding],
    exceptions: &[Exception],
    checks: &[Check],
    run: Run<'_>,
) -> Vec<Settled> {
    let mut by_check: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_check.entry(&finding.check_id).or_default().push(finding);
    }
    let settled = by_check.into_iter().map(|(check_id, findings)| {
        let check = checks.iter().find(|check| check.id == check_id);
        let matches = check.map_or_else(Matches::default, |check| {
            match_exceptions(check, exceptions, run.engine, run.graph, run.now)
        });
        // Not used: exceptions change no severity.
        let severity = findings.first().map_or(Severity::Low, |finding| finding.severity);
        let settling = Settling { check_id, severity, exceptions, matches: &matches, now: run.now };
        settle_exceptions(findings, settling)
    });
    settled.collect()
}

/// Puts exceptions on record, new ones and those that were taken back, and what follows for the findings that are
/// known, with the messages that tell of it. The checks of the run are all there are; none of them is run.
///
/// # Errors
/// Where the store can't be read or written, or holds what makes no sense. Nothing is on record then.
pub fn record_exceptions(
    store: &Store,
    made: &[Exception],
    run: Run<'_>,
    outbox: &mut dyn Outbox,
) -> Result<Recorded, LedgerError> {
    let mut turn = store.begin_ledger();
    let mut exceptions: BTreeMap<String, Exception> =
        read_exceptions(store)?.into_iter().map(|exception| (exception.id.clone(), exception)).collect();
    exceptions.extend(made.iter().map(|exception| (exception.id.clone(), exception.clone())));
    let exceptions: Vec<Exception> = exceptions.into_values().collect();
    let findings = read_findings(store)?;
    let settled = settle_by_exceptions(&findings, &exceptions, run.checks, run);
    let puts = settled.iter().flat_map(|settled| &settled.findings).map(Finding::to_asset);
    // Others that are over by now are written down with them, since they let go as well.
    let exceptions = exceptions.iter().map(|exception| exception.as_of(run.now).to_asset());
    let puts: Vec<Asset> = exceptions.chain(puts).collect();
    let changes: Vec<FindingChange> = settled.into_iter().flat_map(|settled| settled.changes).collect();
    let news = News { changes: changes.iter().collect(), unknown: Vec::new() };
    let sequence = commit(&mut turn, (run.now, puts, Vec::new()), news, outbox)?;
    Ok(Recorded { changes, sequence, ..Recorded::default() })
}

/// What is put and removed at a moment.
type Written = (Time, Vec<Asset>, Vec<(String, String)>);

/// Commits in one record, or in several where it is too much for one: then the checks and runs come last, so that what
/// a crash leaves undone is done by the next run. Each record holds the messages of what it changes itself.
fn commit(
    turn: &mut LedgerTurn<'_>,
    (at, mut puts, removes): Written,
    mut news: News<'_>,
    outbox: &mut dyn Outbox,
) -> Result<Option<u64>, StoreError> {
    puts.sort_by_key(|asset| asset.typename == CHECK_TYPE || asset.typename == CHECK_RUN_TYPE);
    let mut sequence = None;
    while puts.len() > MOST_PUTS {
        let rest = puts.split_off(MOST_PUTS);
        let part = LedgerCommit { at, puts: std::mem::replace(&mut puts, rest), removes: Vec::new() };
        let of_part = news.split_off(&part.puts);
        sequence = commit_part(turn, &part, &of_part, outbox)?.or(sequence);
    }
    Ok(commit_part(turn, &LedgerCommit { at, puts, removes }, &news, outbox)?.or(sequence))
}

fn commit_part(
    turn: &mut LedgerTurn<'_>,
    part: &LedgerCommit,
    news: &News<'_>,
    outbox: &mut dyn Outbox,
) -> Result<Option<u64>, StoreError> {
    let report = turn.commit_with(part, &mut |sequence| outbox.messages(sequence, news))?;
    if report.sequence.is_some() {
        outbox.confirm();
    }
    Ok(report.sequence)
}
