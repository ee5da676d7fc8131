//! What auditors ask of each VPC, answered from the saved query `flow-log-audit`: is it logged, which traffic, does it
//! arrive, where is it kept. What a check found unknown is not said to be absent.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::CheckResult;

use super::sheet::{Cell, Sheet, Tone};

/// The saved query whose answer this reads.
pub const AUDIT_QUERY: &str = "flow-log-audit";

/// One row a VPC. `answer` is the response of the saved query; `results` are those of the same inventory.
#[must_use]
pub fn audit_sheet(answer: &Value, results: &[CheckResult]) -> Sheet {
    let unknown: BTreeSet<&str> = results
        .iter()
        .filter(|result| result.covers == "Vpc")
        .flat_map(|result| &result.unknown)
        .map(|unknown| unknown.asset.id.as_str())
        .collect();
    let mut sheet =
        Sheet::new(&["vpc", "~name", "account", "region", "logged", "traffic", "arrives", "~storedIn"]);
    let vpcs = answer.pointer("/data/vpcs").and_then(Value::as_array);
    for vpc in vpcs.into_iter().flatten() {
        let is_unknown = vpc.get("id").and_then(Value::as_str).is_some_and(|id| unknown.contains(id));
        sheet.rows.push(row(vpc, is_unknown));
    }
    sheet
}

fn row(vpc: &Value, is_unknown: bool) -> Vec<Cell> {
    let text = |key: &str| Cell::new(vpc.get(key).cloned().unwrap_or(Value::Null));
    let logs: Vec<&Value> = vpc.get("hasFlowLog").and_then(Value::as_array).into_iter().flatten().collect();
    let active: Vec<&Value> =
        logs.into_iter().filter(|log| word(log, "flowLogStatus") == Some("ACTIVE")).collect();
    let logged = match (active.is_empty(), is_unknown) {
        (false, _) => Cell::new("yes").toned(Tone::Good),
        (true, true) => Cell::new("not known").toned(Tone::Unsure),
        (true, false) => Cell::new("no").toned(Tone::Bad),
    };
    let words = |key: &str| -> Vec<String> {
        let distinct: BTreeSet<&str> = active.iter().filter_map(|log| word(log, key)).collect();
        distinct.into_iter().map(str::to_owned).collect()
    };
    let traffic = match words("trafficType").as_slice() {
        [accept, reject] if accept == "ACCEPT" && reject == "REJECT" => "ACCEPT and REJECT".to_owned(),
        words => words.join(", "),
    };
    let failing = active.iter().filter(|log| word(log, "deliverLogsStatus") == Some("FAILED")).count();
    let arrives = match (active.is_empty(), failing) {
        (true, _) => Cell::new(Value::Null),
        (false, 0) => Cell::new("yes").toned(Tone::Good),
        (false, failing) if failing == active.len() => Cell::new("no").toned(Tone::Bad),
        (false, _) => Cell::new("in part").toned(Tone::Bad),
    };
    let places: BTreeSet<String> = active.iter().filter_map(|log| place(log)).collect();
    let or_null = |text: String| Cell::new(if text.is_empty() { Value::Null } else { Value::from(text) });
    vec![
        text("vpcId"),
        text("name"),
        text("accountId"),
        text("region"),
        logged,
        or_null(traffic),
        arrives,
        or_null(places.into_iter().collect::<Vec<_>>().join(", ")),
    ]
}

fn word<'v>(log: &'v Value, key: &str) -> Option<&'v str> {
    log.get(key).and_then(Value::as_str)
}

/// Where a flow log delivers to.
fn place(log: &Value) -> Option<String> {
    let kind = match word(log, "logDestinationType") {
        Some("cloud-watch-logs") => "CloudWatch Logs",
        Some("s3") => "S3",
        Some("kinesis-data-firehose") => "Firehose",
        _ => "",
    };
    let name = word(log, "logGroupName").or_else(|| word(log, "logDestination"))?;
    Some(format!("{kind} {name}").trim().to_owned())
}
