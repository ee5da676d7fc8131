//! A check that is known to be valid: only `load` makes one.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use crate::{
    catalog::TypeId,
    model::{Cron, MaxAge},
    query::Plan,
};

use super::cases::Case;
use super::expect::{Demand, Expectation};
use super::remediation::Remediation;

/// How bad a failing asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth mending when something else is mended.
    Low,
    /// Worth planning.
    Medium,
    /// Worth mending now.
    High,
    /// Worth waking someone.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The form files and reports use, e.g. `medium`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A word that names no severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown severity `{0}`: write low, medium, high or critical")]
pub struct UnknownSeverity(pub String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

/// Failing assets that should be mended first: those for which a filter of the covered type is certainly true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorityRule {
    /// What a report calls them, e.g. `production`.
    pub label: String,
    /// The filter as written.
    pub filter: String,
    /// The filter as a query of its own.
    pub(super) query: String,
}

/// A stored check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Unique; the folder's path joined with hyphens, e.g. `aws-vpc-flow-logs-enabled`.
    pub id: String,
    /// One line: what holds where the check passes.
    pub title: String,
    /// How bad a failing asset is.
    pub severity: Severity,
    /// The type whose assets are judged: an asset type or an interface.
    pub covers: TypeId,
    /// Its name.
    pub covers_name: String,
    /// The query as written.
    pub query: Arc<str>,
    /// What its result must be.
    pub expect: Expectation,
    /// The query, planned.
    pub(super) plan: Arc<Plan>,
    /// When to run it by itself.
    pub schedule: Option<Cron>,
    /// How old a collection may be to be believed.
    pub max_age: MaxAge,
    /// The ids of the controls it answers for, by framework, as the frameworks say.
    pub controls: BTreeMap<String, Vec<String>>,
    /// What to mend first, most urgent first.
    pub priority: Vec<PriorityRule>,
    /// Why it matters and what exactly fails.
    pub rationale: Option<String>,
    /// Where to read on.
    pub references: Vec<String>,
    /// How to mend a failing asset.
    pub remediation: Option<Arc<Remediation>>,
    /// The names of the asset types whose slices the verdict rests on, the covered ones included; sorted.
    pub touches: Vec<String>,
    /// The names of the asset types of which each asset has a verdict of its own; sorted.
    pub(super) judged: Vec<String>,
    /// The file it was read from, as the user would name it.
    pub file: String,
    /// Small inventories with the verdict each must give.
    pub cases: Vec<Case>,
}

impl Check {
    /// Whether it can fail as a whole, without an asset that fails.
    #[must_use]
    pub fn is_judged_as_a_whole(&self) -> bool {
        !matches!(self.expect.demand, Demand::NoAsset { .. })
    }

    /// Whether a policy judges it: that speaks of the whole only where it denies.
    pub(super) fn is_judged_by_policy(&self) -> bool {
        matches!(self.expect.demand, Demand::Rego(_))
    }
}
