//! SARIF 2.1.0: a rule for each check, a result for each asset that fails or is not known and each check as a whole.

use serde_json::{Map, Value, json};

use crate::check::{AssetName, Check, CheckResult, Severity, Verdict};

use super::run::{HOME, Run, Statement, VERSION};
use super::sheet::pretty;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A run as one SARIF log, ending with a newline. What is not known is of kind `open`.
#[must_use]
pub fn sarif(run: &Run<'_>) -> String {
    let rules: Vec<Value> = run.results.iter().map(|result| rule(result, run.check_of(result))).collect();
    let results: Vec<Value> = (0..)
        .zip(run.results)
        .flat_map(|(index, result)| {
            run.statements(result).into_iter().map(move |statement| result_of(index, &statement))
        })
        .collect();
    let is_run = run.results.iter().all(|result| result.verdict != Verdict::Error);
    let notifications: Vec<Value> = run
        .results
        .iter()
        .filter_map(|result| {
            let error = result.error.as_ref()?;
            Some(json!({
                "level": "error",
                "message": {"text": format!("{} could not be run: {error}", result.id)},
                "associatedRule": {"id": result.id},
            }))
        })
        .collect();
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Passmuster",
                "version": VERSION,
                "informationUri": HOME,
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": is_run,
                "endTimeUtc": run.now.to_string(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(result: &CheckResult, check: Option<&Check>) -> Value {
    let mut rule = Map::new();
    rule.insert("id".to_owned(), json!(result.id));
    rule.insert("shortDescription".to_owned(), json!({ "text": result.title }));
    if let Some(rationale) = check.and_then(|check| check.rationale.as_ref()) {
        rule.insert("fullDescription".to_owned(), json!({ "text": rationale.trim() }));
    }
    if let Some(remediation) = check.and_then(|check| check.remediation.as_deref()) {
        let text = remediation.guide().trim();
        rule.insert("help".to_owned(), json!({ "text": text, "markdown": text }));
    }
    if let Some(first) = check.and_then(|check| check.references.first()) {
        rule.insert("helpUri".to_owned(), json!(first));
    }
    rule.insert("defaultConfiguration".to_owned(), json!({ "level": level(result.severity) }));
    let controls = check.into_iter().flat_map(|check| &check.controls);
    let tags: Vec<String> =
        controls.flat_map(|(framework, ids)| ids.iter().map(move |id| format!("{framework}/{id}"))).collect();
    rule.insert(
        "properties".to_owned(),
        json!({"severity": result.severity.as_str(), "security-severity": score(result.severity), "tags": tags}),
    );
    Value::Object(rule)
}

fn result_of(rule: usize, statement: &Statement<'_>) -> Value {
    let (kind, level) = match statement.verdict {
        Verdict::Fail => ("fail", level(statement.result.severity)),
        Verdict::Unknown | Verdict::Error => ("open", "none"),
        Verdict::Pass => ("pass", "none"),
        Verdict::NotApplicable => ("notApplicable", "none"),
    };
    let mut location = Map::new();
    if let Some(file) = statement.check.map(|check| check.file.as_str()).filter(|file| is_path(file)) {
        let place = json!({"artifactLocation": {"uri": file}, "region": {"startLine": 1}});
        location.insert("physicalLocation".to_owned(), place);
    }
    if let Some(asset) = statement.asset {
        let name = json!([{
            "name": asset.short_id(),
            "fullyQualifiedName": asset.id,
            "kind": "resource",
        }]);
        location.insert("logicalLocations".to_owned(), name);
    }
    let locations = if location.is_empty() { json!([]) } else { json!([location]) };
    let mut result = json!({
        "ruleId": statement.result.id,
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": {"text": statement.message},
        "locations": locations,
        "partialFingerprints": {"checkAndAsset/v1": statement.stable_id()},
        "properties": properties(statement),
    });
    if let (Some(exception_id), Some(entries)) = (statement.accepted, result.as_object_mut()) {
        let suppression = json!({"kind": "external", "status": "accepted", "justification": exception_id});
        entries.insert("suppressions".to_owned(), json!([suppression]));
    }
    result
}

fn properties(statement: &Statement<'_>) -> Value {
    let text = |read: fn(&AssetName) -> Option<&str>| statement.asset.and_then(read);
    json!({
        "verdict": statement.verdict.as_str(),
        "typename": text(|asset| Some(&asset.typename)),
        "name": text(|asset| asset.name.as_deref()),
        "accountId": text(|asset| asset.account_id.as_deref()),
        "region": text(|asset| asset.region.as_deref()),
        "priority": statement.priority,
        "reasons": statement.reasons.iter().map(crate::check::Reason::code).collect::<Vec<_>>(),
    })
}

/// Whether it can stand for itself as a relative URI.
fn is_path(file: &str) -> bool {
    !file.starts_with('-')
        && file.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

/// The number that code scanning sorts by, within the band of the severity.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "3.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}
