//! Findings and exceptions as they are remembered: sheets for people and spreadsheets, objects for machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    check::{
        Exception, ExceptionStatus, Scope,
        ledger::{AssetVerdict, CheckState, Finding, SeenSlice, Status},
    },
    model::Time,
};

use super::sheet::{Cell, Sheet, Tone, pretty};
use super::text::day;

/// Findings, and what else is remembered of what they are about.
#[derive(Clone, Debug, Default)]
pub struct Findings<'a> {
    /// In the order they are shown.
    pub findings: Vec<&'a Finding>,
    /// What the last run of each check said, by check.
    pub states: BTreeMap<&'a str, &'a CheckState>,
    /// By id.
    pub exceptions: BTreeMap<&'a str, &'a Exception>,
}

impl<'a> Findings<'a> {
    /// Sorts findings: the worst first, of these the ones with a priority, then by check, and the longest open first.
    #[must_use]
    pub fn new(
        findings: impl IntoIterator<Item = &'a Finding>,
        states: &'a [CheckState],
        exceptions: &'a [Exception],
    ) -> Self {
        let mut findings: Vec<&Finding> = findings.into_iter().collect();
        findings.sort_by(|one, other| {
            let urgency = |finding: &Finding| (finding.severity, !finding.priority.is_empty());
            let place = |finding: &Finding| (finding.check_id.clone(), finding.since(), finding.id.clone());
            urgency(other).cmp(&urgency(one)).then_with(|| place(one).cmp(&place(other)))
        });
        Self {
            findings,
            states: states.iter().map(|state| (state.check_id.as_str(), state)).collect(),
            exceptions: exceptions.iter().map(|exception| (exception.id.as_str(), exception)).collect(),
        }
    }

    /// When a run last saw the asset of a finding fail.
    #[must_use]
    pub fn last_seen(&self, finding: &Finding) -> Option<Time> {
        let state = self.states.get(finding.check_id.as_str());
        finding.last_seen_at.or_else(|| state.and_then(|state| state.last_judged_at))
    }

    /// One row a finding.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(&[
            "check", "severity", "status", "asset", "~name", "account", "region", "since", "~remarks",
        ]);
        for finding in &self.findings {
            let asset = finding.asset.as_ref();
            let text = |text: Option<&str>| match text {
                Some(text) => Cell::new(text),
                None => Cell::new(Value::Null).toned(Tone::Faint),
            };
            let tone = match (finding.status, finding.verdict) {
                (Status::Open, AssetVerdict::Unknown) => Tone::Unsure,
                (Status::Open, _) => Tone::Bad,
                (Status::Excepted, _) => Tone::Plain,
                (Status::Resolved, _) => Tone::Good,
            };
            sheet.rows.push(vec![
                Cell::new(finding.check_id.as_str()),
                Cell::new(finding.severity.as_str()),
                Cell::new(finding.status.as_str()).toned(tone),
                match asset {
                    Some(asset) => Cell::new(asset.short_id()),
                    None => Cell::new("(as a whole)"),
                },
                text(asset.and_then(|asset| asset.name.as_deref())),
                text(asset.and_then(|asset| asset.account_id.as_deref())),
                text(asset.and_then(|asset| asset.region.as_deref())),
                Cell::new(finding.since().to_string()).shown_as(day(finding.since())),
                Cell::new(self.remarks(finding).join(", ")),
            ]);
        }
        sheet
    }

    /// What is to be said of a finding beside where it stands.
    fn remarks(&self, finding: &Finding) -> Vec<String> {
        let mut remarks = finding.priority.clone();
        if let (AssetVerdict::Unknown, Some(since)) = (finding.verdict, finding.unknown_since) {
            remarks.push(format!("not known since {}", day(since)));
        }
        if finding.times_opened > 1 {
            remarks.push(format!("opened {} times", finding.times_opened));
        }
        if let (Status::Excepted, Some(id)) = (finding.status, finding.exception_id.as_deref()) {
            remarks.push(match self.exceptions.get(id) {
                Some(exception) => {
                    format!("{id} by {} until {}", exception.owner, day(exception.expires_at))
                }
                None => id.to_owned(),
            });
        }
        if let Some(resolved) = finding.resolved_at {
            let how = match finding.verdict {
                AssetVerdict::Gone => "gone",
                AssetVerdict::NotCovered => "no longer judged",
                AssetVerdict::CheckGone => "not known since its check is gone,",
                AssetVerdict::Pass | AssetVerdict::Fail | AssetVerdict::Unknown => "resolved",
            };
            remarks.push(format!("{how} {}", day(resolved)));
        }
        remarks
    }

    /// All as one JSON object, ending with a newline.
    #[must_use]
    pub fn json(&self, now: Time) -> String {
        let findings: Vec<Value> = self.findings.iter().map(|finding| self.object(finding)).collect();
        pretty(&json!({"at": now.to_string(), "findings": findings}))
    }

    /// One JSON object a line.
    #[must_use]
    pub fn ndjson(&self) -> String {
        self.findings.iter().map(|finding| format!("{}\n", self.object(finding))).collect()
    }

    fn object(&self, finding: &Finding) -> Value {
        let asset = finding.asset.as_ref();
        let time = |time: Option<Time>| time.map(|time| time.to_string());
        let exception = finding.exception_id.as_deref().and_then(|id| self.exceptions.get(id));
        json!({
            "id": finding.id,
            "check": finding.check_id,
            "severity": finding.severity.as_str(),
            "status": finding.status.as_str(),
            "verdict": finding.verdict.as_str(),
            "typename": asset.map(|asset| &asset.typename),
            "assetId": asset.map(|asset| &asset.id),
            "nativeId": asset.and_then(|asset| asset.native_id.as_ref()),
            "name": asset.and_then(|asset| asset.name.as_ref()),
            "accountId": asset.and_then(|asset| asset.account_id.as_ref()),
            "region": asset.and_then(|asset| asset.region.as_ref()),
            "priority": finding.priority,
            "since": time(Some(finding.since())),
            "openedAt": time(Some(finding.opened_at)),
            "reopenedAt": time(finding.reopened_at),
            "timesOpened": finding.times_opened,
            "lastSeenAt": time(self.last_seen(finding)),
            "unknownSince": time(finding.unknown_since),
            "resolvedAt": time(finding.resolved_at),
            "exception": exception.map(|exception| exception_object(exception)),
            "seenIn": slices(&finding.seen_in),
            "resolvedIn": slices(&finding.resolved_in),
        })
    }
}

fn slices(slices: &[SeenSlice]) -> Value {
    slices
        .iter()
        .map(|slice| json!({"slice": slice.slice_id, "completedAt": slice.completed_at.map(|at| at.to_string())}))
        .collect()
}

/// An exception, and how many findings it accepts now.
#[derive(Clone, Copy, Debug)]
pub struct CountedException<'a> {
    /// The exception, as it is known at the moment of the list.
    pub exception: &'a Exception,
    /// The findings that it accepts.
    pub findings: u64,
}

/// One row an exception.
#[must_use]
pub fn exceptions_sheet(exceptions: &[CountedException<'_>]) -> Sheet {
    let mut sheet =
        Sheet::new(&["exception", "status", "check", "~scope", "#findings", "owner", "until", "~reason"]);
    for CountedException { exception, findings } in exceptions {
        let tone = match exception.status {
            ExceptionStatus::Active => Tone::Plain,
            ExceptionStatus::Expired | ExceptionStatus::Revoked => Tone::Faint,
        };
        sheet.rows.push(vec![
            Cell::new(exception.id.as_str()),
            Cell::new(exception.status.as_str()).toned(tone),
            exception.check_id.as_deref().map_or_else(|| Cell::new(Value::Null).shown_as("all"), Cell::new),
            Cell::new(exception.scope.to_string()),
            Cell::new(*findings),
            Cell::new(exception.owner.as_str()),
            Cell::new(exception.expires_at.to_string()).shown_as(day(exception.expires_at)),
            Cell::new(exception.reason.as_str()),
        ]);
    }
    sheet
}

/// Exceptions as one JSON object, ending with a newline.
#[must_use]
pub fn exceptions_json(exceptions: &[CountedException<'_>]) -> String {
    pretty(&json!({"exceptions": exceptions.iter().map(counted_object).collect::<Vec<_>>()}))
}

/// One JSON object an exception and line.
#[must_use]
pub fn exceptions_ndjson(exceptions: &[CountedException<'_>]) -> String {
    exceptions.iter().map(|exception| format!("{}\n", counted_object(exception))).collect()
}

fn counted_object(CountedException { exception, findings }: &CountedException<'_>) -> Value {
    let mut object = exception_object(exception);
    if let Some(entries) = object.as_object_mut() {
        entries.insert("findings".to_owned(), (*findings).into());
    }
    object
}

fn exception_object(exception: &Exception) -> Value {
    let scope = match &exception.scope {
        Scope::Asset { asset_id } => json!({"asset": asset_id}),
        Scope::Filter { typename, filter } => json!({"type": typename, "where": filter}),
        Scope::Account { account_id } => json!({"account": account_id}),
        Scope::Whole => json!({"check": exception.check_id}),
    };
    json!({
        "id": exception.id,
        "check": exception.check_id,
        "scope": scope,
        "owner": exception.owner,
        "reason": exception.reason,
        "status": exception.status.as_str(),
        "createdAt": exception.created_at.to_string(),
        "expiresAt": exception.expires_at.to_string(),
        "revokedAt": exception.revoked_at.map(|at| at.to_string()),
    })
}
