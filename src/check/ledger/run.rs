//! A run of a check, and what the last one said of it.

use serde_json::Value;

use super::{
    super::{
        definition::Check,
        result::{CheckResult, Counts, RestsOn, Verdict},
    },
    fields::{Fields, Misfit, moment},
    finding::upper,
    unknown::UnknownReason,
};
use crate::model::{Asset, CHECK_RUN_TYPE, CHECK_TYPE, Time};

/// What made a check run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Someone ran it on a command line.
    Command,
    /// It was due.
    Schedule,
    /// What it rests on was collected anew.
    Collection,
    /// Someone asked a server for it.
    Request,
}

impl Trigger {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Command, Self::Schedule, Self::Collection, Self::Request];

    /// The form files and GraphQL use, e.g. `SCHEDULE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "COMMAND",
            Self::Schedule => "SCHEDULE",
            Self::Collection => "COLLECTION",
            Self::Request => "REQUEST",
        }
    }
}

/// One run of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// The check and the moment.
    pub id: String,
    /// The check.
    pub check_id: String,
    /// When it ran.
    pub at: Time,
    /// What made it run.
    pub trigger: Trigger,
    /// What it said.
    pub verdict: Verdict,
    /// What the run before said; nothing for the first.
    pub previous_verdict: Option<Verdict>,
    /// How many assets.
    pub counts: Counts,
    /// What the verdict rests on.
    pub rests_on: RestsOn,
    /// Why it could not be run.
    pub error: Option<String>,
    /// Findings that it opened for the first time.
    pub opened: u64,
    /// Findings that it opened again.
    pub reopened: u64,
    /// Findings that it resolved.
    pub resolved: u64,
    /// Whether it is the one that found its check gone.
    pub is_of_gone: bool,
}

impl RunRecord {
    /// The run that gave a result.
    #[must_use]
    pub fn new(result: &CheckResult, trigger: Trigger, previous: Option<&CheckState>, now: Time) -> Self {
        Self {
            id: format!("{}@{now}", result.id),
            check_id: result.id.clone(),
            at: now,
            trigger,
            verdict: result.verdict,
            previous_verdict: previous.map(|state| state.verdict),
            counts: result.counts,
            rests_on: result.rests_on.clone(),
            error: result.error.clone(),
            opened: 0,
            reopened: 0,
            resolved: 0,
            is_of_gone: false,
        }
    }

    /// The run that finds that a check is gone, with so many findings that nobody judges any more.
    #[must_use]
    pub fn gone(state: &CheckState, unjudged: u64, trigger: Trigger, now: Time) -> Self {
        let error = format!(
            "the check is gone: {} closed, and nobody says that what they are about passes",
            if unjudged == 1 { "1 finding was".to_owned() } else { format!("{unjudged} findings were") }
        );
        Self {
            id: format!("{}@{now}", state.check_id),
            check_id: state.check_id.clone(),
            at: now,
            trigger,
            verdict: Verdict::Unknown,
            previous_verdict: Some(state.verdict),
            counts: Counts { unknown: unjudged, ..Counts::default() },
            rests_on: RestsOn::default(),
            error: Some(error),
            opened: 0,
            reopened: 0,
            resolved: 0,
            is_of_gone: true,
        }
    }

    /// Whether it says something other than the run before.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.previous_verdict != Some(self.verdict)
    }

    /// The run as an asset.
    #[must_use]
    pub fn to_asset(&self) -> Asset {
        let asset = Asset::new(CHECK_RUN_TYPE, &*self.id)
            .with("checkId", &*self.check_id)
            .with("at", moment(Some(self.at)))
            .with("trigger", self.trigger.as_str())
            .with("verdict", self.verdict.as_str())
            .with("previousVerdict", self.previous_verdict.map(Verdict::as_str))
            .with("error", self.error.clone())
            .with("openedCount", self.opened)
            .with("reopenedCount", self.reopened)
            .with("resolvedCount", self.resolved);
        counted(asset, self.counts, &self.rests_on)
    }
}

fn counted(asset: Asset, counts: Counts, rests_on: &RestsOn) -> Asset {
    let slices = rests_on.slices;
    asset
        .with("failCount", counts.fail)
        .with("exceptedCount", counts.excepted)
        .with("unknownCount", counts.unknown)
        .with("passCount", counts.pass)
        .with("completeSlices", slices.map(|slices| slices.complete))
        .with("totalSlices", slices.map(|slices| slices.total))
        .with("oldestCollection", moment(rests_on.oldest))
}

/// A check, and what its last run said: as far as the next run needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckState {
    /// The check.
    pub check_id: String,
    /// What its last run said.
    pub verdict: Verdict,
    /// Since when it says so.
    pub verdict_since: Time,
    /// When it last ran.
    pub last_run_at: Time,
    /// When it was last judged: not where it could not be run.
    pub last_judged_at: Option<Time>,
    /// Since when the check is gone.
    pub gone_at: Option<Time>,
}

impl CheckState {
    /// What a run makes of it.
    #[must_use]
    pub fn after(before: Option<&Self>, run: &RunRecord) -> Self {
        let since = before.filter(|before| before.verdict == run.verdict).map(|before| before.verdict_since);
        let judged = (run.verdict != Verdict::Error).then_some(run.at);
        Self {
            check_id: run.check_id.clone(),
            verdict: run.verdict,
            verdict_since: since.unwrap_or(run.at),
            last_run_at: run.at,
            last_judged_at: judged.or_else(|| before.and_then(|before| before.last_judged_at)),
            gone_at: None,
        }
    }

    /// The check as an asset.
    #[must_use]
    pub fn to_asset(&self, check: &Check, result: &CheckResult) -> Asset {
        let reasons = result.unknown_coverage.iter().map(|reason| UnknownReason::new(reason).to_json());
        let asset = Asset::new(CHECK_TYPE, &*self.check_id)
            .with("title", &*check.title)
            .with("severity", upper(check.severity))
            .with("covers", &*check.covers_name)
            .with("expect", check.expect.to_string())
            .with("query", &*check.query)
            .with("maxAge", check.max_age.to_string())
            .with("verdict", self.verdict.as_str())
            .with("verdictSince", moment(Some(self.verdict_since)))
            .with("lastRunAt", moment(Some(self.last_run_at)))
            .with("lastJudgedAt", moment(self.last_judged_at))
            .with("goneAt", moment(self.gone_at))
            .with("error", result.error.clone())
            .with("unknownCoverage", reasons.collect::<Vec<Value>>());
        counted(asset, result.counts, &result.rests_on)
    }

    /// What is known of a check that is gone: what it was, and that nothing judges it.
    #[must_use]
    pub fn gone_asset(&self, before: &Asset, run: &RunRecord) -> Asset {
        let asset = before
            .clone()
            .with("verdict", run.verdict.as_str())
            .with("verdictSince", moment(Some(run.at)))
            .with("lastRunAt", moment(Some(run.at)))
            .with("goneAt", moment(Some(run.at)))
            .with("error", run.error.clone())
            .with("unknownCoverage", Vec::<Value>::new());
        counted(asset, run.counts, &run.rests_on)
    }

    /// Reads the asset back.
    ///
    /// # Errors
    /// Which field makes no sense.
    pub fn from_asset(asset: &Asset) -> Result<Self, Misfit> {
        let fields = Fields(asset);
        let read = |text: &str| Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text);
        Ok(Self {
            check_id: asset.id.clone(),
            verdict: fields.word("verdict", read)?,
            verdict_since: fields.time("verdictSince")?,
            last_run_at: fields.time("lastRunAt")?,
            last_judged_at: fields.optional_time("lastJudgedAt")?,
            gone_at: fields.optional_time("goneAt")?,
        })
    }
}
