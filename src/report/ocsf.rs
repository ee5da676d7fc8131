//! OCSF 1.5, class Compliance Finding (2003): one event a line for each asset that fails or is not known and for each
//! check as a whole.

use serde_json::{Map, Value, json};

use crate::check::{Severity, Verdict};

use super::run::{Run, Statement, VERSION, called};

const OCSF_VERSION: &str = "1.5.0";

/// A run as OCSF events: a JSON list, ending with a newline.
#[must_use]
pub fn ocsf(run: &Run<'_>) -> String {
    let events: Vec<Value> = run.all().iter().map(|statement| event(run, statement)).collect();
    super::sheet::pretty(&events)
}

fn event(run: &Run<'_>, statement: &Statement<'_>) -> Value {
    let result = statement.result;
    let millis = run.now.millis();
    let (severity_id, severity) = severity_of(statement);
    let mut event = Map::new();
    let mut put = |key: &str, value: Value| drop(event.insert(key.to_owned(), value));
    put("activity_id", json!(1));
    put("activity_name", json!("Create"));
    put("category_uid", json!(2));
    put("category_name", json!("Findings"));
    put("class_uid", json!(2003));
    put("class_name", json!("Compliance Finding"));
    put("type_uid", json!(200_301));
    put("type_name", json!("Compliance Finding: Create"));
    put("time", json!(millis));
    put("severity_id", json!(severity_id));
    put("severity", json!(severity));
    let (status_id, status) = if statement.accepted.is_some() { (3, "Suppressed") } else { (1, "New") };
    put("status_id", json!(status_id));
    put("status", json!(status));
    put("status_code", json!(statement.verdict.as_str()));
    put("message", json!(statement.message));
    put(
        "metadata",
        json!({
            "version": OCSF_VERSION,
            "event_code": result.id,
            "product": {"name": "Passmuster", "vendor_name": "Passmuster", "version": VERSION},
            "profiles": if statement.asset.is_some() { json!(["cloud"]) } else { json!([]) },
        }),
    );
    put(
        "finding_info",
        json!({
            "uid": statement.stable_id(),
            "title": result.title,
            "desc": statement.check.and_then(|check| check.rationale.as_deref()).map_or("", str::trim),
            "types": ["Compliance"],
            "created_time": millis,
        }),
    );
    put("compliance", compliance(statement));
    if let Some(remediation) = statement.check.and_then(|check| check.remediation.as_deref()) {
        let references = statement.check.map(|check| check.references.clone()).unwrap_or_default();
        put("remediation", json!({"desc": remediation.guide().trim(), "references": references}));
    }
    if let Some(asset) = statement.asset {
        let mut resource = Map::new();
        resource.insert("uid".to_owned(), json!(asset.id));
        resource.insert("name".to_owned(), json!(called(asset)));
        resource.insert("type".to_owned(), json!(asset.typename));
        if let Some(region) = &asset.region {
            resource.insert("region".to_owned(), json!(region));
        }
        put("resources", json!([resource]));
        let mut cloud = Map::new();
        cloud.insert("provider".to_owned(), json!("AWS"));
        if let Some(account) = &asset.account_id {
            cloud.insert("account".to_owned(), json!({"uid": account, "type": "AWS Account", "type_id": 10}));
        }
        if let Some(region) = &asset.region {
            cloud.insert("region".to_owned(), json!(region));
        }
        put("cloud", Value::Object(cloud));
    }
    Value::Object(event)
}

fn compliance(statement: &Statement<'_>) -> Value {
    let (status_id, status) = match statement.verdict {
        Verdict::Pass => (1, "Pass"),
        Verdict::Fail => (3, "Fail"),
        Verdict::Unknown | Verdict::Error => (0, "Unknown"),
        Verdict::NotApplicable => (99, "Not Applicable"),
    };
    let controls = statement.check.map(|check| &check.controls);
    let standards: Vec<&String> = controls.into_iter().flat_map(|controls| controls.keys()).collect();
    let details: Vec<String> = statement.reasons.iter().map(ToString::to_string).collect();
    json!({
        "control": statement.result.id,
        "requirements": statement.controls(),
        "standards": standards,
        "status_id": status_id,
        "status": status,
        "status_code": statement.verdict.as_str(),
        "status_details": details,
    })
}

/// What fails has the severity of its check; all else informs.
fn severity_of(statement: &Statement<'_>) -> (u8, &'static str) {
    match (statement.verdict, statement.result.severity) {
        (Verdict::Fail, Severity::Low) => (2, "Low"),
        (Verdict::Fail, Severity::Medium) => (3, "Medium"),
        (Verdict::Fail, Severity::High) => (4, "High"),
        (Verdict::Fail, Severity::Critical) => (5, "Critical"),
        _ => (1, "Informational"),
    }
}
