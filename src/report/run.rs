//! One run of checks as the forms for other tools see it: one statement for each asset that fails or is not known, one
//! for each check that says something as a whole.

use crate::{
    check::{
        AssetName, Check, CheckResult, Compliance, ExceptedFinding, Reason, Verdict, ledger::finding_id,
    },
    model::Time,
};

use super::checks::figure_words;

/// One run of checks, for the forms that other tools read and for pages.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What the checks say.
    pub results: &'a [CheckResult],
    /// The checks themselves.
    pub checks: &'a [Check],
    /// What is said of a framework, if one was asked for.
    pub compliance: Option<&'a Compliance>,
    /// When the verdicts were made.
    pub now: Time,
}

/// What is said of one asset, or of a check as a whole.
#[derive(Clone, Debug)]
pub(super) struct Statement<'a> {
    pub(super) result: &'a CheckResult,
    pub(super) check: Option<&'a Check>,
    /// The verdict of the asset, or of the check where there is no asset.
    pub(super) verdict: Verdict,
    pub(super) asset: Option<&'a AssetName>,
    /// One sentence, e.g. `vpc-1 (payments-prod): Every VPC has an active flow log`.
    pub(super) message: String,
    /// Labels of what to mend first.
    pub(super) priority: &'a [String],
    /// Why it is not known.
    pub(super) reasons: &'a [Reason],
    /// The exception that accepts that it fails.
    pub(super) accepted: Option<&'a str>,
}

impl<'a> Run<'a> {
    pub(super) fn check_of(&self, result: &CheckResult) -> Option<&'a Check> {
        self.checks.iter().find(|check| check.id == result.id)
    }

    /// Everything that is said of a check: each asset that fails or is accepted, each that is not known, and one statement as a whole
    /// for the rest.
    pub(super) fn statements(&self, result: &'a CheckResult) -> Vec<Statement<'a>> {
        let check = self.check_of(result);
        let whole = Statement {
            result,
            check,
            verdict: result.verdict,
            asset: None,
            message: result.title.clone(),
            priority: &[],
            reasons: &[],
            accepted: None,
        };
        let mut said: Vec<Statement<'a>> = Vec::new();
        for finding in &result.findings {
            said.push(Statement {
                verdict: Verdict::Fail,
                asset: Some(&finding.asset),
                message: format!(
                    "{} fails: {}",
                    called(&finding.asset),
                    finding.message.as_deref().unwrap_or(&result.title)
                ),
                priority: &finding.priority,
                ..whole.clone()
            });
        }
        for ExceptedFinding { finding, exception_id } in &result.excepted {
            said.push(Statement {
                verdict: Verdict::Fail,
                asset: Some(&finding.asset),
                message: format!("{} fails and is accepted: {}", called(&finding.asset), result.title),
                priority: &finding.priority,
                accepted: Some(exception_id),
                ..whole.clone()
            });
        }
        for unknown in &result.unknown {
            let why: Vec<String> = unknown.reasons.iter().map(Reason::to_string).collect();
            said.push(Statement {
                verdict: Verdict::Unknown,
                asset: Some(&unknown.asset),
                message: format!("{} is not known: {}", called(&unknown.asset), why.join("; ")),
                reasons: &unknown.reasons,
                ..whole.clone()
            });
        }
        let why: Vec<String> = result.unknown_coverage.iter().map(Reason::to_string).collect();
        if let Some(error) = &result.error {
            said.push(Statement { message: format!("could not be run: {error}"), ..whole });
        } else if let Some(figure) = &result.figure {
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
            let message = format!("{}: {}{why}", result.title, figure_words(figure));
            let accepted = figure.accepted_by.as_deref();
            let verdict = if accepted.is_some() { Verdict::Fail } else { whole.verdict };
            said.push(Statement { verdict, message, reasons: &result.unknown_coverage, accepted, ..whole });
        } else if !why.is_empty() {
            let message = format!("there may be assets that were not seen: {}", why.join("; "));
            let reasons = &result.unknown_coverage;
            said.push(Statement { verdict: Verdict::Unknown, message, reasons, ..whole });
        } else if said.is_empty() {
            said.push(whole);
        }
        said
    }

    pub(super) fn all(&self) -> Vec<Statement<'a>> {
        self.results.iter().flat_map(|result| self.statements(result)).collect()
    }
}

impl Statement<'_> {
    /// An id that stays the same from run to run: that of the finding it is, or would be.
    pub(super) fn stable_id(&self) -> String {
        finding_id(&self.result.id, self.asset.map(|asset| asset.id.as_str()))
    }

    /// The controls it bears on, `framework control`, sorted.
    pub(super) fn controls(&self) -> Vec<String> {
        let controls = self.check.into_iter().flat_map(|check| &check.controls);
        controls.flat_map(|(framework, ids)| ids.iter().map(move |id| format!("{framework} {id}"))).collect()
    }
}

/// What people call an asset: its own id, and its name where it has one.
pub(super) fn called(asset: &AssetName) -> String {
    match &asset.name {
        Some(name) => format!("{} ({name})", asset.short_id()),
        None => asset.short_id().to_owned(),
    }
}

/// The version of the product, as reports name it.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where the product is found, as reports name it.
pub(super) const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// Text cut to at most so many characters, the cut marked: some forms bound their fields.
pub(super) fn bounded(text: &str, most: usize) -> String {
    super::text::shortened(text, most)
}
