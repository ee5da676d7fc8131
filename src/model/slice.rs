//! Slices: the unit of collection, one account x region x type (one API call), and how each one ended.

use std::{fmt, str::FromStr};

use super::Time;

/// The region of a slice that covers a whole account (`ListAccounts`, `DescribeRegions`).
pub const GLOBAL_REGION: &str = "global";

/// How the latest collection of a slice ended. Anything but complete means that absence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every page was read: what is not listed is not there.
    Complete,
    /// The caller may not make the call.
    Denied,
    /// The region is not enabled for the account.
    Disabled,
    /// The API kept refusing for load until the retries were used up.
    Throttled,
    /// Anything else: a timeout, a dropped connection, an answer that made no sense.
    Failed,
}

impl Outcome {
    /// Every outcome, best first.
    pub const ALL: [Self; 5] = [Self::Complete, Self::Denied, Self::Disabled, Self::Throttled, Self::Failed];

    /// The form files and GraphQL use, e.g. `DENIED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "COMPLETE",
            Self::Denied => "DENIED",
            Self::Disabled => "DISABLED",
            Self::Throttled => "THROTTLED",
            Self::Failed => "FAILED",
        }
    }

    /// The form people read, e.g. `denied`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Denied => "denied",
            Self::Disabled => "disabled",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that names no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown outcome `{0}`: write COMPLETE, DENIED, DISABLED, THROTTLED or FAILED")]
pub struct UnknownOutcome(pub String);

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownOutcome(text.to_owned()))
    }
}

/// What a slice is of. Ordered by account, region, type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SliceKey {
    /// The account whose credentials made the call.
    pub account_id: String,
    /// The region asked, or [`GLOBAL_REGION`] for a call that answers for the whole account.
    pub region: String,
    /// The type of the assets it lists, e.g. `FlowLog`.
    pub asset_type: String,
}

impl SliceKey {
    /// A slice of one region.
    pub fn new(
        account_id: impl Into<String>,
        region: impl Into<String>,
        asset_type: impl Into<String>,
    ) -> Self {
        Self { account_id: account_id.into(), region: region.into(), asset_type: asset_type.into() }
    }
}

impl fmt::Display for SliceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.account_id, self.region, self.asset_type)
    }
}

/// What is known of a slice: its latest outcome, and when it was last seen whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceState {
    /// Which slice.
    pub key: SliceKey,
    /// The call behind it, e.g. `ec2:DescribeFlowLogs`; empty where a file doesn't say.
    pub api: String,
    /// How the latest attempt ended.
    pub outcome: Outcome,
    /// Why it was not complete, as the API put it, without secrets or asset values.
    pub reason: Option<String>,
    /// When the latest attempt ended; nothing where a file doesn't say.
    pub attempted_at: Option<Time>,
    /// When the slice was last complete; for a complete slice of a file without times, nothing (it counts as now).
    pub completed_at: Option<Time>,
    /// How many assets the slice holds.
    pub assets: u64,
}

impl SliceState {
    /// Whether absence from this slice proves absence: complete in the latest attempt, or in an earlier one that is
    /// no older than `oldest`.
    #[must_use]
    pub fn is_complete_since(&self, oldest: Option<Time>) -> bool {
        match (self.outcome, self.completed_at, oldest) {
            (Outcome::Complete, None, _) => true,
            (_, None, _) => false,
            (Outcome::Complete, Some(_), None) => true,
            (_, Some(_), None) => false,
            (_, Some(completed), Some(oldest)) => completed >= oldest,
        }
    }

    /// Whether the assets of this slice were seen, but longer ago than `oldest`.
    #[must_use]
    pub fn is_stale_since(&self, oldest: Option<Time>) -> bool {
        matches!((self.completed_at, oldest), (Some(completed), Some(oldest)) if completed < oldest)
    }
}
