//! What a run makes of what was known: a pure function of the two and the moment. It gives only what changes.
//!
//! | was | fails | not known, or not seen | passes, gone, not covered |
//! |---|---|---|---|
//! | nothing | opens, or is excepted at once | nothing | nothing |
//! | open, excepted | stays; follows its exceptions | stays, unknown; an exception that is over lets go | is resolved |
//! | resolved | opens again, or is excepted | nothing | nothing |

use std::collections::BTreeMap;

use super::{
    super::{
        definition::Severity,
        exception::{Exception, ExceptionStatus, Scope},
        result::AssetName,
    },
    excepting::Matches,
    finding::{AssetVerdict, Finding, SeenSlice, Status},
    run::CheckState,
    standing::Standing,
    unknown::UnknownVerdict,
};
use crate::model::Time;

/// What was known of a check before a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Previous {
    /// What the run before said; nothing for the first.
    pub state: Option<CheckState>,
    /// Every finding there ever was, by id.
    pub findings: BTreeMap<String, Finding>,
    /// What was not known, by id.
    pub unknown: BTreeMap<String, UnknownVerdict>,
}

impl Previous {
    /// Takes in what a run made of it.
    pub fn take(&mut self, settled: Settled) {
        self.findings.extend(settled.findings.into_iter().map(|finding| (finding.id.clone(), finding)));
        self.unknown.extend(settled.unknown.into_iter().map(|unknown| (unknown.id.clone(), unknown)));
        for id in &settled.known {
            self.unknown.remove(id);
        }
    }
}

/// The check that ran, when, and what is accepted of it.
#[derive(Clone, Copy, Debug)]
pub struct Settling<'a> {
    /// The check.
    pub check_id: &'a str,
    /// How bad its findings are.
    pub severity: Severity,
    /// Every exception, those that are over too.
    pub exceptions: &'a [Exception],
    /// What the filters of those that hold are true of.
    pub matches: &'a Matches,
    /// When it ran.
    pub now: Time,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It opened for the first time.
    Opened,
    /// It was resolved and fails again.
    Reopened,
    /// It no longer fails, or is gone.
    Resolved,
    /// An exception accepts it now.
    Excepted,
    /// The exception that accepted it has expired: it is open again.
    ExceptionExpired,
    /// The exception that accepted it was taken back: it is open again.
    ExceptionRevoked,
    /// The exception that accepted it is no longer about it: it is open again.
    ExceptionLeft,
    /// Nobody can say any more whether it still fails.
    BecameUnknown,
    /// It was not known, and certainly fails after all.
    SeenAgain,
    /// Its check is gone: it is closed, and whether it still fails is not known.
    CheckGone,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Opened,
        Self::Reopened,
        Self::Resolved,
        Self::Excepted,
        Self::ExceptionExpired,
        Self::ExceptionRevoked,
        Self::ExceptionLeft,
        Self::BecameUnknown,
        Self::SeenAgain,
        Self::CheckGone,
    ];

    /// The form files and GraphQL use, e.g. `OPENED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::Reopened => "REOPENED",
            Self::Resolved => "RESOLVED",
            Self::Excepted => "EXCEPTED",
            Self::ExceptionExpired => "EXCEPTION_EXPIRED",
            Self::ExceptionRevoked => "EXCEPTION_REVOKED",
            Self::ExceptionLeft => "EXCEPTION_LEFT",
            Self::BecameUnknown => "BECAME_UNKNOWN",
            Self::SeenAgain => "SEEN_AGAIN",
            Self::CheckGone => "CHECK_GONE",
        }
    }
}

/// A finding that something became of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChange {
    /// What.
    pub kind: ChangeKind,
    /// The finding as it is now.
    pub finding: Finding,
}

/// What a run changes, each list in the order of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Findings that are new or differ.
    pub findings: Vec<Finding>,
    /// What is not known and was, or not for these reasons.
    pub unknown: Vec<UnknownVerdict>,
    /// The ids of what was not known and is.
    pub known: Vec<String>,
    /// What became of findings.
    pub changes: Vec<FindingChange>,
}

/// Settles what a run says of every asset against what was known. Without standings the check could not be run: then
/// only exceptions that are over let go.
#[must_use]
pub fn settle(
    previous: &Previous,
    standings: Option<&BTreeMap<String, Standing>>,
    settling: Settling<'_>,
) -> Settled {
    let mut settled = Settled::default();
    let Some(standings) = standings else {
        return settle_exceptions(previous.findings.values(), settling);
    };
    for (id, standing) in standings {
        let before = previous.findings.get(id);
        if let Some(finding) = settling.finding(id, previous, standing) {
            settled.take(before, finding, settling);
        }
        if let Standing::Unknown { asset, reasons } = standing {
            let check = (settling.check_id, settling.severity);
            let unknown = UnknownVerdict::new(check, asset.clone(), reasons, settling.now);
            let before = previous.unknown.get(id);
            let unknown = before.map_or_else(|| unknown.clone(), |before| unknown.clone().following(before));
            if before != Some(&unknown) {
                settled.unknown.push(unknown);
            }
        }
    }
    let is_known = |id: &&String| !matches!(standings.get(*id), Some(Standing::Unknown { .. }));
    settled.known.extend(previous.unknown.keys().filter(is_known).cloned());
    settled
}

/// Settles findings against exceptions alone, where one was made, taken back or is over. Findings are to be of the
/// check that is settled.
#[must_use]
pub fn settle_exceptions<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
    settling: Settling<'_>,
) -> Settled {
    let mut settled = Settled::default();
    for before in findings.into_iter().filter(|finding| finding.is_standing()) {
        let mut finding = before.clone();
        settling.accept(&mut finding);
        settled.take(Some(before), finding, settling);
    }
    settled
}

/// Closes what is known of a check that is gone: nobody judges it any more, which is not to say that anything passes.
#[must_use]
pub fn settle_gone(previous: &Previous, settling: Settling<'_>) -> Settled {
    let mut settled = Settled { known: previous.unknown.keys().cloned().collect(), ..Settled::default() };
    let last_judged = previous.state.as_ref().and_then(|state| state.last_judged_at);
    for before in previous.findings.values().filter(|finding| finding.is_standing()) {
        let closed = settling.resolved(before, AssetVerdict::CheckGone, &[], last_judged);
        if let Some(finding) = closed {
            settled.take(Some(before), finding, settling);
        }
    }
    settled
}

impl Settled {
    /// Takes in what a finding is now.
    fn take(&mut self, before: Option<&Finding>, finding: Finding, settling: Settling<'_>) {
        if before == Some(&finding) {
            return;
        }
        for kind in settling.kinds(before, &finding) {
            self.changes.push(FindingChange { kind, finding: finding.clone() });
        }
        self.findings.push(finding);
    }
}

impl Settling<'_> {
    /// What a finding is after a run; nothing where there is none.
    fn finding(&self, id: &str, previous: &Previous, standing: &Standing) -> Option<Finding> {
        let before = previous.findings.get(id);
        let last_judged = previous.state.as_ref().and_then(|state| state.last_judged_at);
        match standing {
            Standing::Fails { asset, priority, seen_in } => {
                Some(self.failing(id, before, (asset.clone(), priority, seen_in)))
            }
            Standing::Unknown { .. } | Standing::Unseen => {
                let mut finding = before?.clone();
                if finding.is_standing() {
                    if finding.verdict != AssetVerdict::Unknown {
                        finding.last_seen_at = last_judged;
                        finding.unknown_since = Some(self.now);
                        finding.verdict = AssetVerdict::Unknown;
                    }
                    self.accept(&mut finding);
                }
                Some(finding)
            }
            Standing::Passes { seen_in } => self.resolved(before?, AssetVerdict::Pass, seen_in, last_judged),
            Standing::Gone { seen_in } => self.resolved(before?, AssetVerdict::Gone, seen_in, last_judged),
            Standing::NotCovered => self.resolved(before?, AssetVerdict::NotCovered, &[], last_judged),
        }
    }

    fn failing(
        &self,
        id: &str,
        before: Option<&Finding>,
        (asset, priority, seen_in): (Option<AssetName>, &[String], &[SeenSlice]),
    ) -> Finding {
        let mut finding = match before {
            Some(before) => before.clone(),
            None => Finding {
                id: id.to_owned(),
                check_id: self.check_id.to_owned(),
                severity: self.severity,
                asset: None,
                status: Status::Open,
                verdict: AssetVerdict::Fail,
                priority: Vec::new(),
                opened_at: self.now,
                reopened_at: None,
                times_opened: 1,
                last_seen_at: None,
                unknown_since: None,
                resolved_at: None,
                exception_id: None,
                seen_in: seen_in.to_vec(),
                resolved_in: Vec::new(),
            },
        };
        if finding.status == Status::Resolved {
            finding.status = Status::Open;
            finding.reopened_at = Some(self.now);
            finding.times_opened += 1;
            finding.resolved_at = None;
            finding.exception_id = None;
            finding.seen_in = seen_in.to_vec();
            finding.resolved_in = Vec::new();
        }
        finding.verdict = AssetVerdict::Fail;
        (finding.last_seen_at, finding.unknown_since) = (None, None);
        (finding.severity, finding.asset, finding.priority) = (self.severity, asset, priority.to_vec());
        self.accept(&mut finding);
        finding
    }

    fn resolved(
        &self,
        before: &Finding,
        verdict: AssetVerdict,
        resolved_in: &[SeenSlice],
        last_judged: Option<Time>,
    ) -> Option<Finding> {
        let mut finding = before.clone();
        if before.is_standing() {
            finding.status = Status::Resolved;
            finding.verdict = verdict;
            finding.last_seen_at = before.last_seen_at.or(last_judged);
            finding.unknown_since = None;
            finding.resolved_at = Some(self.now);
            finding.resolved_in = resolved_in.to_vec();
        }
        Some(finding)
    }

    /// Lets exceptions accept a standing finding, or let go of it.
    fn accept(&self, finding: &mut Finding) {
        let accepted = self.accepting(finding).map(|exception| exception.id.clone());
        finding.status = if accepted.is_some() { Status::Excepted } else { Status::Open };
        finding.exception_id = accepted;
    }

    /// The exception that accepts a finding: the one that did, unless it is certainly no longer about it; else, of
    /// those that certainly are about it, the one that ends last.
    fn accepting(&self, finding: &Finding) -> Option<&Exception> {
        let asset = finding.asset.as_ref();
        let is_certain = |exception: &Exception| match asset {
            Some(asset) => self.matches.is_certain(exception, asset),
            None => exception.scope == Scope::Whole,
        };
        let is_possible =
            |exception: &Exception| asset.is_some_and(|asset| self.matches.is_possible(exception, asset));
        let holding = || self.exceptions.iter().filter(|exception| exception.is_for(self.check_id, self.now));
        let is_unknown = finding.verdict == AssetVerdict::Unknown;
        let before = holding().find(|exception| finding.exception_id.as_ref() == Some(&exception.id));
        let kept = before.filter(|exception| is_unknown || is_certain(exception) || is_possible(exception));
        let certain = || holding().filter(|exception| is_certain(exception));
        kept.or_else(|| certain().max_by_key(|exception| (exception.expires_at, &exception.id)))
    }

    fn kinds(&self, before: Option<&Finding>, finding: &Finding) -> Vec<ChangeKind> {
        let mut kinds = Vec::new();
        let was = before.map(|before| before.status);
        match (was, finding.status) {
            (None, Status::Open) => kinds.push(ChangeKind::Opened),
            (Some(Status::Resolved), Status::Open) => kinds.push(ChangeKind::Reopened),
            (Some(Status::Excepted), Status::Open) => kinds.push(self.why_let_go(before)),
            (None | Some(Status::Open | Status::Resolved), Status::Excepted) => {
                kinds.push(ChangeKind::Excepted)
            }
            (Some(Status::Open | Status::Excepted), Status::Resolved) => {
                let is_gone = finding.verdict == AssetVerdict::CheckGone;
                kinds.push(if is_gone { ChangeKind::CheckGone } else { ChangeKind::Resolved });
            }
            _ => {}
        }
        let verdicts = (before.map(|before| before.verdict), finding.verdict);
        match verdicts {
            (Some(AssetVerdict::Fail), AssetVerdict::Unknown) => kinds.push(ChangeKind::BecameUnknown),
            (Some(AssetVerdict::Unknown), AssetVerdict::Fail) => kinds.push(ChangeKind::SeenAgain),
            _ => {}
        }
        kinds
    }

    fn why_let_go(&self, before: Option<&Finding>) -> ChangeKind {
        let id = before.and_then(|before| before.exception_id.as_ref());
        let exception = self.exceptions.iter().find(|exception| Some(&exception.id) == id);
        match exception.map(|exception| exception.status_at(self.now)) {
            Some(ExceptionStatus::Expired) => ChangeKind::ExceptionExpired,
            Some(ExceptionStatus::Revoked) => ChangeKind::ExceptionRevoked,
            Some(ExceptionStatus::Active) | None => ChangeKind::ExceptionLeft,
        }
    }
}
