//! What a check says, as a bundle writes it, and what differs between two such statements.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::result::{AssetName, CheckResult, Found, Reason};

/// The most assets that are named of one kind of difference.
const MOST_NAMED: usize = 20;

/// What a check says. Titles and names are left out: they are in the check and in the assets.
pub(super) fn to_json(result: &CheckResult) -> Value {
    let reasons = |reasons: &[Reason]| -> Vec<Value> {
        let one = |reason: &Reason| json!({"code": reason.code(), "message": reason.to_string()});
        reasons.iter().map(one).collect()
    };
    let findings = result.findings.iter().map(|finding| {
        let AssetName { typename, id, .. } = &*finding.asset;
        json!({
            "typename": typename, "id": id, "priority": finding.priority, "message": finding.message,
        })
    });
    let unknown = result.unknown.iter().map(|unknown| {
        let AssetName { typename, id, .. } = &*unknown.asset;
        json!({"typename": typename, "id": id, "reasons": reasons(&unknown.reasons)})
    });
    let found = |found: &Found| match found {
        Found::Count { least, most } => json!({"least": least, "most": most}),
        Found::Value(value) => json!({"value": value}),
    };
    let figure = result.figure.as_ref();
    let slices = result.rests_on.slices;
    json!({
        "verdict": result.verdict.as_str(),
        "counts": {
            "fail": result.counts.fail, "unknown": result.counts.unknown, "pass": result.counts.pass,
        },
        "findings": findings.collect::<Vec<_>>(),
        "unknown": unknown.collect::<Vec<_>>(),
        "unknownCoverage": reasons(&result.unknown_coverage),
        "figure": figure.map(|figure| json!({"expected": figure.expected, "found": found(&figure.found)})),
        "restsOn": {
            "slices": slices.map(|slices| json!({"complete": slices.complete, "total": slices.total})),
            "oldest": result.rests_on.oldest.map(|oldest| oldest.to_string()),
        },
        "error": result.error,
    })
}

/// What differs, in words; empty where nothing does.
pub(super) fn differences(said: &Value, found: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for key in ["verdict", "counts", "figure", "unknownCoverage", "restsOn", "error"] {
        let (said, found) = (said.get(key).unwrap_or(&Value::Null), found.get(key).unwrap_or(&Value::Null));
        if said != found {
            told.push(format!("{key}: it says {said}, what it holds gives {found}"));
        }
    }
    for (key, word) in [("findings", "fails"), ("unknown", "is not known")] {
        let (said, found) = (by_asset(said, key), by_asset(found, key));
        let names: BTreeSet<&String> = said.keys().chain(found.keys()).collect();
        let differing = names.into_iter().filter_map(|name| match (said.get(name), found.get(name)) {
            (Some(_), None) => Some(format!("{name}: it says that it {word}, what it holds does not")),
            (None, Some(_)) => Some(format!("{name} {word} by what it holds, which it does not say")),
            (said, found) if said != found => {
                Some(format!("{name} {word}, but for another reason or priority"))
            }
            _ => None,
        });
        told.extend(differing.take(MOST_NAMED));
    }
    if told.is_empty() && said != found {
        told.push("what it says is written otherwise than what it holds gives".to_owned());
    }
    told
}

fn by_asset<'v>(result: &'v Value, key: &str) -> BTreeMap<String, &'v Value> {
    let entries = result.get(key).and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &'v Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("?");
    entries.map(|entry| (format!("{} {}", text(entry, "typename"), text(entry, "id")), entry)).collect()
}
