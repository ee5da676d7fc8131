//! What a check says: its verdict, the assets that fail or are unknown with the reasons, and what it rests on.

use std::{fmt, sync::Arc};

use crate::model::{Outcome, SliceKey, Time};

use super::definition::Severity;

/// The answer of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every covered asset is known to satisfy the check, on complete and fresh data.
    Pass,
    /// At least one asset is known to violate it.
    Fail,
    /// No asset is known to violate it, and something that could change that is not known.
    Unknown,
    /// There is certainly nothing to judge.
    NotApplicable,
    /// The check itself could not be run.
    Error,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Unknown, Self::NotApplicable, Self::Error];

    /// The rule of verdicts over assets. What may exist unseen makes a PASS unsure, but takes nothing from a FAIL.
    pub(super) fn of(counts: Counts, may_be_more: bool) -> Self {
        if counts.fail > 0 {
            Self::Fail
        } else if counts.unknown > 0 || may_be_more {
            Self::Unknown
        } else if counts.pass + counts.excepted == 0 {
            Self::NotApplicable
        } else {
            Self::Pass
        }
    }

    /// The form files and reports use, e.g. `NOT_APPLICABLE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// An asset as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssetName {
    /// Its account.
    pub account_id: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its type, e.g. `Vpc`.
    pub typename: String,
    /// Its own id, e.g. `vpc-08209b480faed1b10`.
    pub native_id: Option<String>,
    /// Its id in the inventory (an ARN).
    pub id: String,
    /// Its name.
    pub name: Option<String>,
}

impl AssetName {
    /// What people call it by: its own id, else its id in the inventory.
    #[must_use]
    pub fn short_id(&self) -> &str {
        self.native_id.as_deref().unwrap_or(&self.id)
    }
}

/// One asset that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The asset.
    pub asset: Arc<AssetName>,
    /// The labels of the priority rules that are true of it, most urgent first.
    pub priority: Vec<String>,
    /// What a policy says of it; nothing where a query alone decides.
    pub message: Option<String>,
    /// Since when it fails without a break, where that is remembered.
    pub since: Option<Time>,
}

impl Finding {
    /// What is said of it beside its name: its labels, and what a policy says.
    #[must_use]
    pub fn detail(&self) -> String {
        let parts: Vec<&str> = self.priority.iter().chain(&self.message).map(String::as_str).collect();
        parts.join(", ")
    }
}

/// One asset that fails and is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptedFinding {
    /// The asset.
    pub finding: Finding,
    /// The exception that accepts it.
    pub exception_id: String,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A slice was never collected: a shared asset whose owner is not scanned, a region that was left out.
    NeverCollected {
        /// Which slice.
        slice: SliceKey,
    },
    /// The latest collection of a slice was not complete.
    NotComplete {
        /// Which slice.
        slice: SliceKey,
        /// The call behind it, e.g. `ec2:DescribeFlowLogs`; empty where that isn't known.
        api: String,
        /// How it ended.
        outcome: Outcome,
        /// Why, as the API put it.
        reason: Option<String>,
    },
    /// A slice was complete, but longer ago than the check's `max_age`.
    TooOld {
        /// Which slice.
        slice: SliceKey,
        /// When it was last complete.
        completed_at: Option<Time>,
    },
    /// A value that could not be seen.
    Cell {
        /// The type of the asset that holds it.
        typename: String,
        /// That asset's id.
        id: String,
        /// The field.
        field: String,
    },
    /// No more than the name of an asset is known.
    NotRead {
        /// The type of the asset.
        typename: String,
        /// Its id.
        id: String,
        /// Its `stubReason`, e.g. `NOT_SCANNED`.
        why: String,
    },
    /// Nothing at all has been collected.
    NothingCollected,
    /// Known to be undecided, without a narrower reason.
    Undecided,
}

impl Reason {
    /// The slice it is about, if it is about one.
    #[must_use]
    pub fn slice(&self) -> Option<&SliceKey> {
        match self {
            Self::NeverCollected { slice } | Self::NotComplete { slice, .. } | Self::TooOld { slice, .. } => {
                Some(slice)
            }
            Self::Cell { .. } | Self::NotRead { .. } | Self::NothingCollected | Self::Undecided => None,
        }
    }

    /// What makes it known.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NeverCollected { slice } => Some(format!(
                "collect {} of account {} in {} as well",
                slice.asset_type, slice.account_id, slice.region
            )),
            Self::NotComplete { outcome, api, .. } => Some(match outcome {
                Outcome::Denied if api.is_empty() => "allow the call, then collect again".to_owned(),
                Outcome::Denied => format!("allow {api}, then collect again"),
                Outcome::Disabled => "enable the region for the account, or leave it out".to_owned(),
                Outcome::Throttled | Outcome::Failed | Outcome::Complete => "collect again".to_owned(),
            }),
            Self::TooOld { .. } => Some("collect again".to_owned()),
            Self::NothingCollected => Some("run `passmuster collect` first".to_owned()),
            Self::NotRead { why, .. } if why == "NOT_SCANNED" => {
                Some("collect the account it belongs to as well".to_owned())
            }
            Self::Cell { .. } | Self::NotRead { .. } | Self::Undecided => None,
        }
    }

    /// The stable word of its kind, e.g. `denied`, `never_collected`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NeverCollected { .. } => "never_collected",
            Self::NotComplete { outcome, .. } => outcome.word(),
            Self::TooOld { .. } => "too_old",
            Self::Cell { .. } => "unknown_value",
            Self::NotRead { .. } => "not_read",
            Self::NothingCollected => "nothing_collected",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(slice) = self.slice() {
            write!(formatter, "{} {} {} ", slice.account_id, slice.region, slice.asset_type)?;
        }
        match self {
            Self::NeverCollected { .. } => formatter.write_str("never collected"),
            Self::NotComplete { outcome, reason, .. } => match reason {
                Some(reason) => write!(formatter, "{}: {reason}", outcome.word()),
                None => formatter.write_str(outcome.word()),
            },
            Self::TooOld { completed_at: Some(at), .. } => write!(formatter, "last complete {at}, too old"),
            Self::TooOld { completed_at: None, .. } => formatter.write_str("too old"),
            Self::Cell { typename, id, field } => {
                write!(formatter, "`{field}` of {typename} {id} could not be seen")
            }
            Self::NotRead { typename, id, why } => {
                let why = match why.as_str() {
                    "NOT_SCANNED" => "its account was not collected",
                    "DENIED" => "access is denied",
                    "UNREADABLE" => "what AWS says of it is not understood",
                    other => other,
                };
                write!(formatter, "no more than the name of {typename} {id} is known: {why}")
            }
            Self::NothingCollected => formatter.write_str("nothing has been collected"),
            Self::Undecided => formatter.write_str("not decided by what is known"),
        }
    }
}

/// One asset whose verdict is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAsset {
    /// The asset.
    pub asset: Arc<AssetName>,
    /// Why; sorted, never empty. Assets with the same reasons share them.
    pub reasons: Arc<[Reason]>,
}

/// How many assets there are of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// That fail.
    pub fail: u64,
    /// That fail and are accepted.
    pub excepted: u64,
    /// Whose verdict is not known.
    pub unknown: u64,
    /// That pass.
    pub pass: u64,
}

impl Counts {
    /// All assets that were judged.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.fail + self.excepted + self.unknown + self.pass
    }
}

/// What a verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestsOn {
    /// Slices of the types that the query touches that were complete and fresh; nothing where the inventory is a
    /// file without slices, which counts as complete.
    pub slices: Option<SliceCount>,
    /// When the oldest of the complete ones was collected; nothing where no slice says when.
    pub oldest: Option<Time>,
}

/// Complete and fresh slices among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SliceCount {
    /// Complete and no older than the check's `max_age`.
    pub complete: u64,
    /// All, the ones that were never collected but are needed included.
    pub total: u64,
}

/// What a check found that has one verdict as a whole and none for each asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was expected, e.g. `count lt 5`.
    pub expected: String,
    /// What there is.
    pub found: Found,
    /// The exception that accepts it where it is not as expected.
    pub accepted_by: Option<String>,
}

/// What there is.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A count: so many at least, and at most; without a most there may be any number more.
    Count {
        /// Those that are certain.
        least: u64,
        /// With those that are possible.
        most: Option<u64>,
    },
    /// A part of the answer, as far as it is known.
    Value(serde_json::Value),
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { least, most: Some(most) } if least == most => write!(formatter, "{least}"),
            Self::Count { least, most: Some(most) } => write!(formatter, "{least} to {most}"),
            Self::Count { least, most: None } => write!(formatter, "{least} or more"),
            Self::Value(value) => write!(formatter, "{value}"),
        }
    }
}

/// What one check says of one inventory.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// The check's id.
    pub id: String,
    /// The check's title.
    pub title: String,
    /// The check's severity.
    pub severity: Severity,
    /// The name of the type it covers.
    pub covers: String,
    /// The answer.
    pub verdict: Verdict,
    /// How many assets.
    pub counts: Counts,
    /// The assets that fail: by priority, then account, region, type and id.
    pub findings: Vec<Finding>,
    /// The assets that fail and are accepted, in the same order.
    pub excepted: Vec<ExceptedFinding>,
    /// The assets whose verdict is not known: by account, region, type and id.
    pub unknown: Vec<UnknownAsset>,
    /// Why there may be more assets than are known of, or why one verdict as a whole is not known; sorted.
    pub unknown_coverage: Vec<Reason>,
    /// What was found, where the check has one verdict as a whole.
    pub figure: Option<Figure>,
    /// What the verdict rests on.
    pub rests_on: RestsOn,
    /// Why the check could not be run; only with [`Verdict::Error`].
    pub error: Option<String>,
}

/// How `passmuster check` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Every check passes or has nothing to judge.
    Pass = 0,
    /// A check could not be run.
    Error = 1,
    /// At least one asset fails.
    Findings = 2,
    /// No asset fails, and something is not known.
    Unknown = 4,
}

impl ExitCode {
    /// The one for these results where only checks of at least a severity count. One that could not be run always does.
    #[must_use]
    pub fn of_severity(results: &[CheckResult], least: Severity) -> Self {
        let counted = results
            .iter()
            .filter(|result| result.severity >= least || result.verdict == Verdict::Error)
            .map(|result| result.verdict);
        Self::of_verdicts(&counted.collect::<Vec<_>>())
    }

    /// The one for these results. A check that could not be run comes first: what the others found is not the whole
    /// answer then.
    #[must_use]
    pub fn of(results: &[CheckResult]) -> Self {
        Self::of_severity(results, Severity::Low)
    }

    fn of_verdicts(verdicts: &[Verdict]) -> Self {
        let any = |verdict| verdicts.contains(&verdict);
        if any(Verdict::Error) {
            Self::Error
        } else if any(Verdict::Fail) {
            Self::Findings
        } else if any(Verdict::Unknown) {
            Self::Unknown
        } else {
            Self::Pass
        }
    }

    /// As the number a process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Error => 1,
            Self::Findings => 2,
            Self::Unknown => 4,
        }
    }
}
