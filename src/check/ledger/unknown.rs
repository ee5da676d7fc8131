//! What is not known: an asset of which a check can't say whether it fails, since when, and why.

use serde_json::{Value, json};

use super::{
    super::result::{AssetName, Reason},
    fields::{Fields, Misfit, moment, text_of},
    finding::{finding_id, named, read_name, read_severity, upper},
};
use crate::{
    check::Severity,
    model::{Asset, SliceKey, Time, UNKNOWN_VERDICT_TYPE},
};

/// Why something is not known, in the words of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownReason {
    /// The stable word of its kind, e.g. `denied`.
    pub code: String,
    /// In a sentence.
    pub message: String,
    /// What makes it known.
    pub remedy: Option<String>,
    /// The slice it is about, if it is about one.
    pub slice: Option<SliceKey>,
}

impl UnknownReason {
    /// A reason of a result.
    #[must_use]
    pub fn new(reason: &Reason) -> Self {
        Self {
            code: reason.code().to_owned(),
            message: reason.to_string(),
            remedy: reason.remedy(),
            slice: reason.slice().cloned(),
        }
    }

    /// Whether it is the same reason. The words may differ: those of a cloud's refusals name the request, and those
    /// of what is too old the moment.
    fn is_same(&self, other: &Self) -> bool {
        let has_words = self.slice.is_none();
        self.code == other.code && self.slice == other.slice && (!has_words || self.message == other.message)
    }

    pub(super) fn to_json(&self) -> Value {
        let slice = self.slice.as_ref();
        json!({
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "assetType": slice.map(|slice| &slice.asset_type),
            "accountId": slice.map(|slice| &slice.account_id),
            "region": slice.map(|slice| &slice.region),
        })
    }

    pub(super) fn from_json(object: &Value) -> Option<Self> {
        let slice =
            match (text_of(object, "accountId"), text_of(object, "region"), text_of(object, "assetType")) {
                (Some(account_id), Some(region), Some(asset_type)) => {
                    Some(SliceKey { account_id, region, asset_type })
                }
                _ => None,
            };
        let (code, message) = (text_of(object, "code")?, text_of(object, "message")?);
        Some(Self { code, message, remedy: text_of(object, "remedy"), slice })
    }
}

/// An asset of which a check can't say whether it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVerdict {
    /// That of the finding it would be.
    pub id: String,
    /// The check.
    pub check_id: String,
    /// How bad it would be.
    pub severity: Severity,
    /// The asset; nothing where the check has one verdict as a whole.
    pub asset: Option<AssetName>,
    /// Since when it is not known.
    pub since: Time,
    /// Why, as it was when these reasons came up; never empty.
    pub reasons: Vec<UnknownReason>,
}

impl UnknownVerdict {
    /// What is not known from now on.
    #[must_use]
    pub fn new(
        (check_id, severity): (&str, Severity),
        asset: Option<AssetName>,
        reasons: &[Reason],
        since: Time,
    ) -> Self {
        Self {
            id: finding_id(check_id, asset.as_ref().map(|asset| asset.id.as_str())),
            check_id: check_id.to_owned(),
            severity,
            asset,
            since,
            reasons: reasons.iter().map(UnknownReason::new).collect(),
        }
    }

    /// The one to keep where the same was not known before: the older, as long as nothing but words differs.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        self.since = before.since;
        let is_same = self.reasons.len() == before.reasons.len()
            && self.reasons.iter().zip(&before.reasons).all(|(reason, before)| reason.is_same(before));
        if is_same {
            self.reasons.clone_from(&before.reasons);
        }
        self
    }

    /// As an asset.
    #[must_use]
    pub fn to_asset(&self) -> Asset {
        let reasons: Vec<Value> = self.reasons.iter().map(UnknownReason::to_json).collect();
        named(Asset::new(UNKNOWN_VERDICT_TYPE, &*self.id), &self.check_id, self.asset.as_ref())
            .with("severity", upper(self.severity))
            .with("since", moment(Some(self.since)))
            .with("reasons", reasons)
    }

    /// Reads the asset back.
    ///
    /// # Errors
    /// Which field makes no sense.
    pub fn from_asset(asset: &Asset) -> Result<Self, Misfit> {
        let fields = Fields(asset);
        let reasons: Option<Vec<_>> = fields.items("reasons").map(UnknownReason::from_json).collect();
        Ok(Self {
            id: asset.id.clone(),
            check_id: fields.text("checkId")?.to_owned(),
            severity: fields.word("severity", read_severity)?,
            asset: read_name(fields)?,
            since: fields.time("since")?,
            reasons: reasons.ok_or_else(|| fields.misfit("reasons"))?,
        })
    }
}
