//! `check` and `checks`: verdicts as exit codes, pasted queries, check files.

use std::fs;

use serde_json::json;

use super::{folder, inventory, run, slice};

#[test]
fn the_exit_code_of_a_check_is_its_verdict() {
    let folder = folder();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("denied.ndjson", inventory(&[slice("Vpc", "COMPLETE"), slice("FlowLog", "DENIED")]));
    write("empty.ndjson", String::new());
    let check = |data: &str| {
        run(folder.path(), &["check", "aws-vpc-flow-logs-enabled", "--data", data, "-o", "json"])
    };
    let failing = check("vpcs.ndjson");
    assert_eq!((failing.code, &failing.json()["checks"][0]["verdict"]), (2, &json!("FAIL")), "{failing:?}");
    let unknown = check("denied.ndjson");
    assert_eq!(
        (unknown.code, &unknown.json()["checks"][0]["verdict"]),
        (4, &json!("UNKNOWN")),
        "{unknown:?}"
    );
    let empty = check("empty.ndjson");
    assert_eq!(
        (empty.code, &empty.json()["checks"][0]["verdict"]),
        (0, &json!("NOT_APPLICABLE")),
        "{empty:?}"
    );
    let pasted = ["check", "--data", "vpcs.ndjson", "--query", "vpcs(where: {name: \"nobody\"}) { id }"];
    let passing = run(folder.path(), &pasted);
    assert_eq!(passing.code, 0, "{passing:?}");
    assert!(passing.stdout.contains("PASS"), "{passing:?}");
}

#[test]
fn regions_that_a_collection_left_out_are_told_of_beside_the_verdicts() {
    let folder = folder();
    let region = |name: &str| {
        json!({
            "__typename": "Region", "id": format!("arn:aws:ec2:{name}:111122223333:region/{name}"),
            "accountId": "111122223333", "region": name, "optInStatus": "opt-in-not-required",
        })
    };
    let mut text = inventory(&[slice("Vpc", "COMPLETE"), slice("FlowLog", "COMPLETE")]);
    for line in [region("eu-west-1"), region("us-east-1")] {
        text.push_str(&format!("{line}\n"));
    }
    fs::write(folder.path().join("narrow.ndjson"), text).unwrap();
    let told = |data: &str| {
        run(folder.path(), &["check", "aws-vpc-flow-logs-enabled", "--data", data, "-o", "json"]).stderr
    };
    assert_eq!(
        told("narrow.ndjson"),
        "! 1 region is enabled for account 111122223333 and left out of every collection; no verdict speaks of us-east-1\n"
    );
    assert_eq!(told("vpcs.ndjson"), "");
}

#[test]
fn a_pasted_query_is_a_check() {
    let folder = folder();
    let query = "vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}]}){...AssetFragment}";
    let ended =
        run(folder.path(), &["check", "--data", "vpcs.ndjson", "--query", query, "--expect", "eq []"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stdout.contains("vpc-2") && ended.stdout.contains("vpc-3"), "{ended:?}");
    for (query, expect) in [
        ("vpcs { nope }", "eq []"),
        ("vpcs { id }", "eq 7"),
        ("vpcs(limit: 1) { id }", "eq []"),
        ("vpc(id: \"x\") { id }", "eq []"),
    ] {
        let ended =
            run(folder.path(), &["check", "--data", "vpcs.ndjson", "--query", query, "--expect", expect]);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{query} {expect}: {ended:?}");
    }
}

#[test]
fn a_check_that_is_not_there_is_told_with_the_nearest() {
    let folder = folder();
    let ended = run(folder.path(), &["check", "aws-vpc-flow-log-enabled", "--data", "vpcs.ndjson"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("did you mean `aws-vpc-flow-logs-enabled`?"), "{ended:?}");
}

#[test]
fn stored_checks_are_listed_shown_linted_and_tested() {
    let folder = folder();
    let list = run(folder.path(), &["checks", "list"]);
    assert!(list.code == 0 && list.stdout.contains("aws-vpc-flow-logs-enabled"), "{list:?}");
    let shown = run(folder.path(), &["checks", "show", "aws-vpc-flow-logs-enabled"]);
    assert!(shown.stdout.contains("hasFlowLog_NONE"), "{shown:?}");
    let linted = run(folder.path(), &["checks", "lint"]);
    assert_eq!((linted.code, linted.stdout.as_str()), (0, "11 checks, no mistakes\n"));
    let tested = run(folder.path(), &["checks", "test"]);
    assert!(tested.code == 0 && tested.stdout.contains("cases as expected"), "{tested:?}");
}

#[test]
fn a_mistake_in_a_check_is_shown_at_its_place() {
    let folder = folder();
    let check = folder.path().join("queries/own/named");
    fs::create_dir_all(&check).unwrap();
    let definition =
        "id: own-named\ntitle: Every VPC has a name\nseverity: low\ncovers: Vpc\nexpect: \"eq []\"\n";
    fs::write(check.join("check.yaml"), definition).unwrap();
    fs::write(check.join("query.graphql"), "vpcs(where: {nmae: null}) { id }\n").unwrap();
    let ended = run(folder.path(), &["checks", "lint", "queries"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("query.graphql:1:14") && ended.stderr.contains("`name`"),
        "{}",
        ended.stderr
    );
    fs::write(check.join("query.graphql"), "vpcs(where: {name: null}) { id }\n").unwrap();
    let ended = run(folder.path(), &["check", "--queries", "queries", "--data", "vpcs.ndjson"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_framework_is_judged_control_by_control() {
    let folder = folder();
    let judge = |format: &str| {
        run(folder.path(), &["check", "--framework", "cis-aws-3.0.0", "--data", "vpcs.ndjson", "-o", format])
    };
    let table = judge("table");
    assert_eq!(table.code, 2, "{table:?}");
    assert!(table.stdout.contains("3.7") && table.stdout.contains("1 control: 1 fail"), "{table:?}");
    let told = judge("json").json();
    assert_eq!(told["framework"]["controls"][0]["verdict"], "FAIL");
    assert!(judge("csv").stdout.starts_with("framework,control,accountId,verdict"));
    assert_eq!(judge("ndjson").stdout.lines().count(), 1);
    let wrong = run(folder.path(), &["check", "--framework", "cis-aws-3.0", "--data", "vpcs.ndjson"]);
    assert!(wrong.code == 3 && wrong.stderr.contains("did you mean `cis-aws-3.0.0`?"), "{wrong:?}");
    let list = run(folder.path(), &["checks", "list", "--framework", "aws-security-hub", "-o", "csv"]);
    assert_eq!(list.stdout.lines().count(), 3, "{list:?}");
    let all = run(folder.path(), &["checks", "frameworks", "-o", "csv"]);
    assert!(all.stdout.contains("nist-800-53-r5,8,8,"), "{all:?}");
}

#[test]
fn milder_checks_than_the_pipeline_fails_on_do_not_fail_it() {
    let folder = folder();
    let check = |least: &str| {
        let arguments = ["check", "aws-vpc-flow-logs-enabled", "--data", "vpcs.ndjson", "--fail-on", least];
        run(folder.path(), &arguments)
    };
    assert_eq!(check("low").code, 2);
    assert_eq!(check("medium").code, 2);
    let high = check("high");
    assert!(high.code == 0 && high.stdout.contains("FAIL"), "{high:?}");
    assert_eq!(check("worst").code, 3);
}

#[test]
fn an_expectation_of_the_command_line_is_shown_where_it_is_wrong() {
    let folder = folder();
    let check = |expect: &str| {
        run(folder.path(), &["check", "--data", "vpcs.ndjson", "--query", "vpcs { id }", "--expect", expect])
    };
    assert_eq!(check("count gt 1").code, 0);
    let few = check("count lt 2");
    assert!(few.code == 2 && few.stdout.contains("expected count lt 2, found "), "{few:?}");
    let wrong = check("count ltt 2");
    assert!(
        wrong.code == 3 && wrong.stderr.contains("--expect:1:7") && wrong.stderr.contains("`lt`"),
        "{wrong:?}"
    );
}
