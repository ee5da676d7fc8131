//! What `check` remembers, and `findings` and `except` over it.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Ended, folder, inventory, run, run_with_stdin};

const CHECK: &str = "aws-vpc-flow-logs-enabled";

/// A store with one VPC that is logged and two that are not, in which the check has run.
fn checked() -> TempDir {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let checked = run(folder.path(), &["check", CHECK, "-o", "json"]);
    assert_eq!(checked.code, 2, "{checked:?}");
    folder
}

fn findings(folder: &TempDir, arguments: &[&str]) -> Vec<Value> {
    let ended = run(folder.path(), &[&["findings", "-o", "json"], arguments].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.json()["findings"].as_array().unwrap().clone()
}

fn native_ids(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["nativeId"].as_str().unwrap()).collect()
}

/// Accepts something.
fn except(folder: &TempDir, arguments: &[&str]) -> Ended {
    let owned = ["except", "add", "--owner", "net-team", "--reason", "NET-311", "--until", "2999-12-31"];
    run(folder.path(), &[&owned, arguments].concat())
}

/// Takes in an inventory in which `vpc-2` is logged as well.
fn mend(folder: &TempDir) {
    fs::write(folder.path().join("later.ndjson"), inventory(&[]).replace("INACTIVE", "ACTIVE")).unwrap();
    assert_eq!(run(folder.path(), &["import", "later.ndjson"]).code, 0);
}

#[test]
fn findings_open_and_resolve_with_the_runs_and_can_be_queried() {
    let folder = checked();
    let open = findings(&folder, &[]);
    assert_eq!(native_ids(&open), ["vpc-2", "vpc-3"]);
    assert_eq!(open[0]["id"], format!("{CHECK}/arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-2"));
    assert_eq!((&open[0]["status"], &open[0]["timesOpened"]), (&json!("OPEN"), &json!(1)));
    assert_eq!(open[0]["lastSeenAt"], open[0]["openedAt"]);
    mend(&folder);
    let again = run(folder.path(), &["check", CHECK]);
    assert!(again.code == 2 && again.stdout.contains("since 20"), "{again:?}");
    assert_eq!(native_ids(&findings(&folder, &[])), ["vpc-3"]);
    let resolved = findings(&folder, &["--status", "resolved", "--since", "1h", CHECK]);
    assert_eq!((native_ids(&resolved), &resolved[0]["verdict"]), (vec!["vpc-2"], &json!("PASS")));
    assert_eq!(findings(&folder, &["--status", "all"]).len(), 2);
    for (arguments, count) in [
        (["--account", "111122223333"], 1),
        (["--account", "999999999999"], 0),
        (["--asset", "vpc-3"], 1),
        (["--severity", "high"], 0),
        (["--since", "2026-01-01"], 1),
    ] {
        assert_eq!(findings(&folder, &arguments).len(), count, "{arguments:?}");
    }
    let query =
        "vpcs(where: {findings_SOME: {status: OPEN, check: {id: \"aws-vpc-flow-logs-enabled\"}}}) { vpcId }";
    let answer = run(folder.path(), &["query", query]).json();
    assert_eq!(answer["data"]["vpcs"], json!([{"vpcId": "vpc-3"}]));
    assert_eq!(answer.get("extensions").and_then(|extensions| extensions.get("incomplete")), None);
    let diff = run(folder.path(), &["diff", "--from", "1h", "-o", "json"]);
    assert!(!diff.stdout.contains("Finding"), "{diff:?}");
}

#[test]
fn the_table_says_what_there_is_and_what_is_on_record() {
    let folder = checked();
    let table = run(folder.path(), &["findings"]);
    let mut lines = table.stdout.lines();
    assert!(lines.next().unwrap().starts_with("CHECK"), "{table:?}");
    assert_eq!(lines.clone().count(), 3);
    assert_eq!(lines.next_back(), Some("2 of 2 findings on record: 2 open, 0 excepted, 0 resolved"));
    let none = run(folder.path(), &["findings", "--status", "excepted"]);
    assert_eq!(none.stdout, "0 of 2 findings on record: 2 open, 0 excepted, 0 resolved\n");
    let csv = run(folder.path(), &["findings", "-o", "csv"]);
    assert!(
        csv.stdout.starts_with("check,severity,status,asset,name,account,region,since,remarks"),
        "{csv:?}"
    );
    let lines = run(folder.path(), &["findings", "-o", "ndjson"]);
    assert_eq!(lines.stdout.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 2);
    let unknown = run(folder.path(), &["findings", "aws-vpc-flow-log-enabled"]);
    assert_eq!(unknown.code, 3);
    assert!(unknown.stderr.contains("did you mean `aws-vpc-flow-logs-enabled`?"), "{unknown:?}");
}

#[test]
fn what_is_only_read_writes_nothing() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let sequence = || run(folder.path(), &["store", "verify", "-o", "json"]).json()["sequence"].clone();
    let before = sequence();
    for arguments in [
        &["check", "--no-record"][..],
        &["check", "--data", "vpcs.ndjson"],
        &["check", "--query", "vpcs(where: {isDefault: true}) { id }"],
        &["check", CHECK, "--explain", "vpc-3"],
        &["findings"],
        &["except", "list"],
    ] {
        assert!(run(folder.path(), arguments).code < 3, "{arguments:?}");
    }
    assert_eq!(sequence(), before);
    let table = run(folder.path(), &["findings"]);
    assert!(table.stdout.starts_with("no run of a check is on record"), "{table:?}");
    run(folder.path(), &["check", CHECK]);
    assert_ne!(sequence(), before);
}

#[test]
fn what_is_accepted_no_longer_counts_until_it_is_taken_back() {
    let folder = checked();
    let add = |arguments: &[&str]| except(&folder, arguments);
    let first = add(&["--check", CHECK, "--asset", "vpc-2"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stdout.contains("1 finding accepted until 3000-01-01T00:00:00.000Z"), "{first:?}");
    let checked = run(folder.path(), &["check", CHECK, "-o", "json"]);
    assert_eq!(checked.code, 2);
    let check = &checked.json()["checks"][0];
    assert_eq!((&check["counts"]["fail"], &check["counts"]["excepted"]), (&json!(1), &json!(1)));
    assert_eq!(check["excepted"][0]["nativeId"], "vpc-2");
    let second = add(&["--check", CHECK, "--where", "{name_STARTS_WITH: \"bare\"}", "-o", "json"]);
    assert_eq!(
        second.json()["exceptions"][0]["scope"],
        json!({"type": "Vpc", "where": "{name_STARTS_WITH: \"bare\"}"})
    );
    let passing = run(folder.path(), &["check", CHECK]);
    assert_eq!(passing.code, 0, "{passing:?}");
    assert!(
        passing.stdout.contains("EXCEPTED") && passing.stdout.contains("2 VPCs are accepted"),
        "{passing:?}"
    );
    assert_eq!(findings(&folder, &["--status", "excepted"])[0]["exception"]["owner"], "net-team");
    let list = run(folder.path(), &["except", "list", "-o", "json"]).json();
    let exceptions = list["exceptions"].as_array().unwrap();
    assert_eq!(
        exceptions.iter().map(|exception| exception["findings"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(run(folder.path(), &["except", "lint"]).code, 0);
    let id = second.json()["exceptions"][0]["id"].as_str().unwrap().to_owned();
    let revoked = run(folder.path(), &["except", "revoke", &id]);
    assert_eq!(revoked.stdout, format!("{id}: taken back, 1 finding open again\n"));
    let twice = run(folder.path(), &["except", "revoke", &id]);
    assert!(twice.code == 3 && twice.stderr.contains("was taken back already"), "{twice:?}");
    assert_eq!(run(folder.path(), &["check", CHECK]).code, 2);
}

#[test]
fn an_exception_that_does_nothing_is_named() {
    let folder = checked();
    let add = |arguments: &[&str]| except(&folder, arguments);
    let nothing = add(&["--check", CHECK, "--asset", "vpc-1"]);
    assert!(nothing.code == 0 && nothing.stderr.contains("it accepts nothing now"), "{nothing:?}");
    add(&["--type", "Subnet", "--where", "{mapPublicIpOnLaunch: true}"]);
    let lint = run(folder.path(), &["except", "lint"]);
    assert_eq!(lint.code, 2, "{lint:?}");
    assert!(lint.stdout.contains("it accepts no finding"), "{lint:?}");
    assert!(lint.stdout.contains("no check that it is for judges `Subnet`"), "{lint:?}");
    assert!(lint.stdout.ends_with("2 problems with 2 exceptions\n"), "{lint:?}");
}

/// Two checks of one's own, of which one counts.
fn own_checks(folder: &TempDir) {
    let write = |name: &str, expect: &str, query: &str| {
        let path = folder.path().join("q/own").join(name);
        fs::create_dir_all(&path).unwrap();
        let check = format!(
            "id: own-{name}\ntitle: A check of one's own\nseverity: high\ncovers: Vpc\nexpect: {expect}\n"
        );
        fs::write(path.join("check.yaml"), check).unwrap();
        fs::write(path.join("query.graphql"), query).unwrap();
    };
    write("few", "count lt 2", "vpcs { id }\n");
    write("named", "eq []", "vpcs(where: {name: null}) { id }\n");
}

#[test]
fn a_count_is_accepted_by_its_check() {
    let folder = folder();
    own_checks(&folder);
    let with = |arguments: &[&str]| run(folder.path(), &[arguments, &["--queries", "q"]].concat());
    assert_eq!(with(&["import", "vpcs.ndjson"]).code, 0);
    assert_eq!(with(&["check", "own-few"]).code, 2);
    let owned =
        ["except", "add", "--owner", "net-team", "--reason", "NET-311", "--until", "2999-12-31", "--check"];
    let refused = with(&[&owned[..], &["own-named"]].concat());
    assert!(refused.code == 3 && refused.stderr.contains("say what is accepted"), "{refused:?}");
    let accepted = with(&[&owned[..], &["own-few", "-o", "json"]].concat());
    assert_eq!(accepted.json()["exceptions"][0]["scope"], json!({"check": "own-few"}), "{accepted:?}");
    assert_eq!(accepted.json()["exceptions"][0]["findings"], 1);
    let passing = with(&["check", "own-few"]);
    assert!(passing.code == 0 && passing.stdout.contains(", accepted by exc-"), "{passing:?}");
    assert_eq!(with(&["except", "lint"]).code, 0);
    let id = accepted.json()["exceptions"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(with(&["except", "revoke", &id]).code, 0);
    assert_eq!(with(&["check", "own-few"]).code, 2);
}

#[test]
fn what_checks_found_that_are_gone_is_closed_when_asked_for() {
    let folder = folder();
    own_checks(&folder);
    let with = |arguments: &[&str]| run(folder.path(), &[arguments, &["--queries", "q"]].concat());
    assert_eq!(with(&["import", "vpcs.ndjson"]).code, 0);
    assert_eq!(with(&["check"]).code, 2);
    let before = findings(&folder, &[]).len();
    fs::remove_dir_all(folder.path().join("q/own/few")).unwrap();
    let told = with(&["check"]);
    assert!(told.stderr.contains("own-few") && told.stderr.contains("--close-gone"), "{told:?}");
    assert_eq!(findings(&folder, &[]).len(), before);
    assert!(!with(&["check", "own-named"]).stderr.contains("--close-gone"), "some, and not all");
    let closed = with(&["check", "--close-gone"]);
    assert!(!closed.stderr.contains("--close-gone"), "{closed:?}");
    assert_eq!(findings(&folder, &[]).len(), before - 1);
    let gone = findings(&folder, &["own-few", "--status", "resolved"]);
    assert_eq!(gone[0]["verdict"], "CHECK_GONE", "{gone:?}");
    let table = run(folder.path(), &["findings", "own-few", "--status", "resolved"]);
    assert!(table.stdout.contains("not known since its check is gone"), "{table:?}");
    assert_eq!(with(&["check", "own-named", "--close-gone"]).code, 3, "which are gone, only all can tell");
}

#[test]
fn an_exception_that_makes_no_sense_is_refused_with_what_to_do() {
    let folder = checked();
    let refused = |arguments: &[&str], said: &str| {
        let ended = run(folder.path(), &[&["except"], arguments].concat());
        assert!(ended.code == 3 && ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    };
    let owned = ["add", "--owner", "o", "--reason", "r", "--until", "2999-12-31"];
    let with = |more: &[&'static str]| [&owned[..], more].concat();
    refused(&with(&[]), "say what is accepted: --asset, --where or --account");
    refused(&with(&["--check", "no-such", "--asset", "vpc-2"]), "there is no check `no-such`");
    refused(&with(&["--check", CHECK]), "say what is accepted: --asset, --where or --account");
    refused(&with(&["--asset", "vpc-9"]), "there is no asset `vpc-9`");
    refused(&with(&["--where", "{isDefault: true}"]), "say what the filter is about");
    refused(&with(&["--type", "Vcp", "--where", "{isDefault: true}"]), "did you mean `Vpc`?");
    refused(
        &with(&["--type", "Subnet", "--check", CHECK, "--where", "{name: null}"]),
        "the check judges `Vpc`",
    );
    refused(&with(&["--check", CHECK, "--where", "{isDefualt: true}"]), "did you mean `isDefault`?");
    refused(&with(&["--asset", "vpc-2", "--account", "1"]), "cannot be used with");
    refused(&["add", "--owner", "o", "--reason", "r", "--account", "1"], "--until");
    refused(
        &["add", "--owner", " ", "--reason", "r", "--account", "1", "--until", "2999-01-01"],
        "needs an owner",
    );
    refused(
        &["add", "--owner", "o", "--reason", "r", "--account", "1", "--until", "2020-01-01"],
        "has passed",
    );
    refused(
        &["add", "--owner", "o", "--reason", "r", "--account", "1", "--until", "soon"],
        "is not a moment",
    );
    refused(&["revoke", "exc-0000000000"], "there is no exception `exc-0000000000`");
    assert_eq!(
        run(folder.path(), &["except", "list"]).stdout,
        "nothing is accepted: `passmuster except add` does\n"
    );
}

#[test]
fn what_passmuster_keeps_itself_can_not_be_imported() {
    let folder = folder();
    let line = json!({
        "__typename": "Exception", "id": "exc-1", "owner": "me", "reason": "mine", "status": "ACTIVE",
        "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2999-01-01T00:00:00Z", "accountId": "111122223333",
    });
    let text = inventory(&[]) + &format!("{line}\n");
    let imported = run_with_stdin(folder.path(), &["import", "-"], &text);
    assert!(
        imported.code == 3 && imported.stderr.contains("`Exception` is what Passmuster itself keeps"),
        "{imported:?}"
    );
    let store = run(folder.path(), &["store", "verify", "-o", "json"]);
    assert!(store.code != 0 || store.json()["records"] == 0, "nothing of the file was kept: {store:?}");
}

#[test]
fn a_schema_without_the_types_of_the_ledger_remembers_all_the_same() {
    let folder = folder();
    fs::create_dir(folder.path().join("schema")).unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/aws.graphql");
    let mut own: Vec<String> = Vec::new();
    for line in fs::read_to_string(shipped).unwrap().lines() {
        if ["Slice", "Finding", "UnknownVerdict"].iter().any(|name| line.contains(&format!("[{name}!]!"))) {
            // With what is said of the field.
            own.pop_if(|before| before.trim_start().starts_with("\"\"\""));
            continue;
        }
        own.push(format!("{line}\n"));
    }
    let own = own.concat();
    fs::write(folder.path().join("schema/own.graphql"), own).unwrap();
    let with = |arguments: &[&str]| run(folder.path(), &[arguments, &["--schema", "schema"]].concat());
    assert_eq!(with(&["import", "vpcs.ndjson"]).code, 0);
    assert_eq!(with(&["check", CHECK]).code, 2);
    let query = with(&["query", "vpcs { vpcId }"]);
    assert_eq!(query.json()["data"]["vpcs"].as_array().map(Vec::len), Some(3), "{query:?}");
    assert_eq!(with(&["findings", "-o", "json"]).json()["findings"].as_array().map(Vec::len), Some(2));
    assert_eq!(with(&["check", CHECK]).code, 2);
    let refused = with(&["query", "findings { id }"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    // The shipped schema shows what was written down without it.
    assert_eq!(
        run(folder.path(), &["query", "findings { id }"]).json()["data"]["findings"].as_array().map(Vec::len),
        Some(2)
    );
}
