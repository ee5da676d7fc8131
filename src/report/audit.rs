//! What auditors ask of each VPC, answered from the saved query `flow-log-audit`: is it logged, which traffic, does it
//! arrive, where is it kept and for how long, where does it go on to. What a check found unknown is not said to be absent,
//! and why it is not known is said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::{CheckResult, Reason};

use super::sheet::{Cell, Sheet, Tone};

/// The saved query whose answer this reads.
pub const AUDIT_QUERY: &str = "flow-log-audit";

/// One row a VPC. `answer` is the response of the saved query; `results` are those of the same inventory.
#[must_use]
pub fn audit_sheet(answer: &Value, results: &[CheckResult]) -> Sheet {
    let unknown = Unknown {
        logged: unknown_by(results, "aws-vpc-flow-logs-enabled"),
        kept: unknown_by(results, "aws-vpc-flow-logs-retention"),
        forwarded: unknown_by(results, "aws-vpc-flow-logs-siem"),
    };
    let mut sheet = Sheet::new(&[
        "vpc",
        "~name",
        "account",
        "region",
        "logged",
        "traffic",
        "arrives",
        "~storedIn",
        "~keptFor",
        "~forwardedTo",
        "~whyNotKnown",
    ]);
    let vpcs = answer.pointer("/data/vpcs").and_then(Value::as_array);
    for vpc in vpcs.into_iter().flatten() {
        sheet.rows.push(row(vpc, &unknown));
    }
    sheet
}

/// Why something is not known, by the id of the VPC.
type Why<'r> = BTreeMap<&'r str, &'r [Reason]>;

/// What the checks of the questions do not know.
struct Unknown<'r> {
    logged: Why<'r>,
    kept: Why<'r>,
    forwarded: Why<'r>,
}

/// What a check does not know. Where it was not run, whatever any other does not know of a VPC might be the answer.
fn unknown_by<'r>(results: &'r [CheckResult], check: &str) -> Why<'r> {
    let of_vpcs = || results.iter().filter(|result| result.covers == "Vpc");
    let was_run = of_vpcs().any(|result| result.id == check);
    of_vpcs()
        .filter(|result| !was_run || result.id == check)
        .flat_map(|result| &result.unknown)
        .map(|unknown| (unknown.asset.id.as_str(), &*unknown.reasons))
        .collect()
}

fn row(vpc: &Value, unknown: &Unknown<'_>) -> Vec<Cell> {
    let id = vpc.get("id").and_then(Value::as_str).unwrap_or_default();
    let is_unknown = unknown.logged.contains_key(id);
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
    let joined = |read: fn(&Value) -> BTreeSet<String>, unknown: &Why<'_>| {
        let mut distinct: BTreeSet<String> = active.iter().flat_map(|log| read(log)).collect();
        if unknown.contains_key(id) && !active.is_empty() {
            distinct.remove("no log group yet");
            distinct.insert("not known".to_owned());
        }
        distinct.into_iter().collect::<Vec<_>>().join(", ")
    };
    let whys = [&unknown.logged, &unknown.kept, &unknown.forwarded];
    let why: BTreeSet<String> =
        whys.iter().filter_map(|whys| whys.get(id)).copied().flatten().map(Reason::to_string).collect();
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
        or_null(joined(kept_for, &unknown.kept)),
        or_null(joined(forwarded_to, &unknown.forwarded)),
        or_null(why.into_iter().collect::<Vec<_>>().join("; ")),
    ]
}

/// The places of a flow log that the inventory has: its log group and its bucket.
fn destinations(log: &Value) -> impl Iterator<Item = &Value> {
    let groups = log.get("logGroups").and_then(Value::as_array).into_iter().flatten();
    groups.chain(log.get("bucket").filter(|bucket| bucket.is_object()))
}

/// Whether nothing but its name is known of a place.
fn is_stub(place: &Value) -> bool {
    word(place, "stubReason").is_some()
}

fn kept_for(log: &Value) -> BTreeSet<String> {
    let words = |place: &Value| {
        let days = place.get("retentionInDays").or_else(|| place.get("minExpirationDays"));
        match days.and_then(Value::as_u64) {
            _ if is_stub(place) => "not known".to_owned(),
            Some(1) => "1 day".to_owned(),
            Some(days) => format!("{days} days"),
            None => "for ever".to_owned(),
        }
    };
    let mut found: BTreeSet<String> = destinations(log).map(words).collect();
    if found.is_empty() && word(log, "logDestinationType") == Some("cloud-watch-logs") {
        found.insert("no log group yet".to_owned());
    }
    found
}

fn forwarded_to(log: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if word(log, "logDestinationType") == Some("kinesis-data-firehose") {
        found.insert("Firehose".to_owned());
    }
    for place in destinations(log) {
        if is_stub(place) {
            found.insert("not known".to_owned());
        }
        let filters = place.get("subscriptionFilters").and_then(Value::as_array).into_iter().flatten();
        found.extend(filters.map(|filter| word(filter, "destinationArn").unwrap_or("not known").to_owned()));
        for key in ["notificationTargets", "replicationTargets"] {
            let targets = place.get(key).and_then(Value::as_array).into_iter().flatten();
            found.extend(targets.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    found
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
