//! A finding: one asset failing one check, from when it opened to when it resolved.

use std::fmt;

use serde_json::{Value, json};

use super::{
    super::{definition::Severity, result::AssetName},
    fields::{Fields, Misfit, moment, text_of},
};
use crate::model::{Asset, FINDING_TYPE, Time};

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// To be mended.
    Open,
    /// Accepted by someone until some date.
    Excepted,
    /// Mended, or what it was about is gone.
    Resolved,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Open, Self::Excepted, Self::Resolved];

    /// The form files and GraphQL use, e.g. `OPEN`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Excepted => "EXCEPTED",
            Self::Resolved => "RESOLVED",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What the latest run that judged a check says of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssetVerdict {
    /// It certainly fails.
    Fail,
    /// Nobody can say; it failed when it was last known.
    Unknown,
    /// It certainly passes.
    Pass,
    /// It is certainly gone.
    Gone,
    /// The check, as it is now, doesn't judge it.
    NotCovered,
    /// The check is gone: nobody judges it, and whether it was mended is not known.
    CheckGone,
}

impl AssetVerdict {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Fail, Self::Unknown, Self::Pass, Self::Gone, Self::NotCovered, Self::CheckGone];

    /// The form files and GraphQL use, e.g. `NOT_COVERED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::Pass => "PASS",
            Self::Gone => "GONE",
            Self::NotCovered => "NOT_COVERED",
            Self::CheckGone => "CHECK_GONE",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// A slice as it was when something was seen in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenSlice {
    /// The id of the slice, such as `111111111111/eu-west-1/FlowLog`.
    pub slice_id: String,
    /// When it had last been complete.
    pub completed_at: Option<Time>,
}

/// One asset failing one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check and the asset, as [`finding_id`] joins them: the same for ever.
    pub id: String,
    /// The check.
    pub check_id: String,
    /// How bad it is: that of the check when it last ran.
    pub severity: Severity,
    /// The asset, as it was named when it was last judged; nothing where the check has one verdict as a whole.
    pub asset: Option<AssetName>,
    /// Where it stands.
    pub status: Status,
    /// What the latest run says of the asset.
    pub verdict: AssetVerdict,
    /// The labels of the priority rules that are true of the asset, most urgent first.
    pub priority: Vec<String>,
    /// When it opened for the first time.
    pub opened_at: Time,
    /// When it opened again, the last time it did.
    pub reopened_at: Option<Time>,
    /// How often it opened.
    pub times_opened: u64,
    /// When a run last saw the asset fail; nothing while every run does.
    pub last_seen_at: Option<Time>,
    /// Since when nobody can say whether the asset still fails.
    pub unknown_since: Option<Time>,
    /// When it was resolved.
    pub resolved_at: Option<Time>,
    /// The exception that accepts it, or did until it was resolved.
    pub exception_id: Option<String>,
    /// The slices that showed it when it opened, the last time it did; sorted.
    pub seen_in: Vec<SeenSlice>,
    /// The slices that showed that it is resolved; sorted.
    pub resolved_in: Vec<SeenSlice>,
}

/// The id of what a check says of an asset, or as a whole.
#[must_use]
pub fn finding_id(check_id: &str, asset_id: Option<&str>) -> String {
    // The id of a check holds letters, digits and hyphens alone, so two pairs never give one id.
    asset_id.map_or_else(|| check_id.to_owned(), |asset_id| format!("{check_id}/{asset_id}"))
}

impl Finding {
    /// Since when it has been open without a break.
    #[must_use]
    pub fn since(&self) -> Time {
        self.reopened_at.unwrap_or(self.opened_at)
    }

    /// Whether it is not resolved.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        self.status != Status::Resolved
    }

    /// The finding as an asset.
    #[must_use]
    pub fn to_asset(&self) -> Asset {
        named(Asset::new(FINDING_TYPE, &*self.id), &self.check_id, self.asset.as_ref())
            .with("severity", upper(self.severity))
            .with("status", self.status.as_str())
            .with("verdict", self.verdict.as_str())
            .with("priority", self.priority.clone())
            .with("openedAt", moment(Some(self.opened_at)))
            .with("reopenedAt", moment(self.reopened_at))
            .with("timesOpened", self.times_opened)
            .with("lastSeenAt", moment(self.last_seen_at))
            .with("unknownSince", moment(self.unknown_since))
            .with("resolvedAt", moment(self.resolved_at))
            .with("exceptionId", self.exception_id.clone())
            .with("seenIn", slices_json(&self.seen_in))
            .with("resolvedIn", slices_json(&self.resolved_in))
    }

    /// Reads the asset back.
    ///
    /// # Errors
    /// Which field makes no sense.
    pub fn from_asset(asset: &Asset) -> Result<Self, Misfit> {
        let fields = Fields(asset);
        Ok(Self {
            id: asset.id.clone(),
            check_id: fields.text("checkId")?.to_owned(),
            severity: fields.word("severity", read_severity)?,
            asset: read_name(fields)?,
            status: fields.word("status", Status::read)?,
            verdict: fields.word("verdict", AssetVerdict::read)?,
            priority: fields.texts("priority"),
            opened_at: fields.time("openedAt")?,
            reopened_at: fields.optional_time("reopenedAt")?,
            times_opened: fields.count("timesOpened")?,
            last_seen_at: fields.optional_time("lastSeenAt")?,
            unknown_since: fields.optional_time("unknownSince")?,
            resolved_at: fields.optional_time("resolvedAt")?,
            exception_id: fields.optional("exceptionId"),
            seen_in: read_slices(fields, "seenIn")?,
            resolved_in: read_slices(fields, "resolvedIn")?,
        })
    }
}

/// An asset of the ledger with the check and the asset it is about.
pub(super) fn named(record: Asset, check_id: &str, asset: Option<&AssetName>) -> Asset {
    record
        .with("checkId", check_id)
        .with("assetId", asset.map(|asset| asset.id.clone()))
        .with("assetType", asset.map(|asset| asset.typename.clone()))
        .with("accountId", asset.and_then(|asset| asset.account_id.clone()))
        .with("region", asset.and_then(|asset| asset.region.clone()))
        .with("nativeId", asset.and_then(|asset| asset.native_id.clone()))
        .with("assetName", asset.and_then(|asset| asset.name.clone()))
}

/// The asset that a record of the ledger is about.
pub(super) fn read_name(fields: Fields<'_>) -> Result<Option<AssetName>, Misfit> {
    let Some(id) = fields.optional("assetId") else { return Ok(None) };
    Ok(Some(AssetName {
        account_id: fields.optional("accountId"),
        region: fields.optional("region"),
        typename: fields.text("assetType")?.to_owned(),
        native_id: fields.optional("nativeId"),
        id,
        name: fields.optional("assetName"),
    }))
}

/// A severity as GraphQL shows it.
pub(super) fn upper(severity: Severity) -> String {
    severity.as_str().to_ascii_uppercase()
}

pub(super) fn read_severity(text: &str) -> Option<Severity> {
    text.to_ascii_lowercase().parse().ok()
}

fn slices_json(slices: &[SeenSlice]) -> Value {
    let object =
        |slice: &SeenSlice| json!({"sliceId": slice.slice_id, "completedAt": moment(slice.completed_at)});
    Value::Array(slices.iter().map(object).collect())
}

fn read_slices(fields: Fields<'_>, field: &'static str) -> Result<Vec<SeenSlice>, Misfit> {
    let read = |object: &Value| {
        let completed_at = match text_of(object, "completedAt") {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some(SeenSlice { slice_id: text_of(object, "sliceId")?, completed_at })
    };
    fields.items(field).map(read).collect::<Option<_>>().ok_or_else(|| fields.misfit(field))
}
