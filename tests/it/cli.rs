//! The built binary, as a person or a script meets it: help, exit codes, what stands on stdout and on stderr.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_passmuster");

/// How a run of the binary ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The binary in a folder of its own, with nothing of the tester's environment that it would heed.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .current_dir(folder)
        .env("COLUMNS", "100")
        .env("TMPDIR", folder)
        .stdin(Stdio::null());
    for name in ["PASSMUSTER_STORE", "PASSMUSTER_SCHEMA", "PASSMUSTER_QUERIES", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    run_with_stdin(folder, arguments, "")
}

fn run_with_stdin(folder: &Path, arguments: &[&str], stdin: &str) -> Ended {
    let mut command = command(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with `vpcs.ndjson`: one VPC with an active flow log, one with an inactive one, one without any.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vpcs.ndjson"), inventory(&[])).unwrap();
    folder
}

fn inventory(slices: &[Value]) -> String {
    let vpc = |id: &str, name: &str| {
        json!({
            "__typename": "Vpc", "id": format!("arn:aws:ec2:eu-west-1:111122223333:vpc/{id}"), "provider": "aws",
            "partition": "aws", "accountId": "111122223333", "region": "eu-west-1", "nativeId": id, "name": name,
            "tags": [{"key": "Name", "value": name}], "source": "import", "vpcId": id, "ownerId": "111122223333",
            "isDefault": false,
        })
    };
    let log = |id: &str, vpc: &str, status: &str| {
        json!({
            "__typename": "FlowLog", "id": format!("arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/{id}"),
            "provider": "aws", "partition": "aws", "accountId": "111122223333", "region": "eu-west-1",
            "nativeId": id, "tags": [], "source": "import", "flowLogId": id, "flowLogStatus": status,
            "resourceId": vpc, "trafficType": "ALL",
        })
    };
    let assets = [
        vpc("vpc-1", "logged"),
        vpc("vpc-2", "inactive"),
        vpc("vpc-3", "bare, \"quoted\""),
        log("fl-1", "vpc-1", "ACTIVE"),
        log("fl-2", "vpc-2", "INACTIVE"),
    ];
    slices.iter().chain(&assets).map(|line| format!("{line}\n")).collect()
}

fn slice(asset_type: &str, outcome: &str) -> Value {
    json!({
        "__typename": "Slice", "assetType": asset_type, "accountId": "111122223333", "region": "eu-west-1",
        "outcome": outcome, "reason": if outcome == "COMPLETE" { Value::Null } else { json!("not allowed") },
    })
}

const COMMANDS: [(&str, &[&str]); 14] = [
    ("help", &[]),
    ("help_demo", &["demo"]),
    ("help_collect", &["collect"]),
    ("help_import", &["import"]),
    ("help_query", &["query"]),
    ("help_check", &["check"]),
    ("help_checks", &["checks"]),
    ("help_checks_list", &["checks", "list"]),
    ("help_checks_show", &["checks", "show"]),
    ("help_checks_lint", &["checks", "lint"]),
    ("help_checks_test", &["checks", "test"]),
    ("help_serve", &["serve"]),
    ("help_schema", &["schema"]),
    ("help_store_verify", &["store", "verify"]),
];

#[test]
fn every_help_reads_as_agreed() {
    let folder = folder();
    for (name, arguments) in COMMANDS {
        let mut arguments = arguments.to_vec();
        arguments.push("--help");
        let ended = run(folder.path(), &arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{name}");
        insta::assert_snapshot!(name, ended.stdout);
    }
}

#[test]
fn every_help_says_what_it_is_for_gives_example_values_and_complete_examples() {
    let folder = folder();
    for (name, arguments) in COMMANDS {
        let mut arguments = arguments.to_vec();
        arguments.push("-h");
        let text = run(folder.path(), &arguments).stdout;
        let first = text.lines().next().unwrap();
        assert!(first.len() > 12 && !first.starts_with("Usage"), "{name}: {first}");
        let (options, examples) =
            text.split_once("Examples:\n").unwrap_or_else(|| panic!("{name} has no examples"));
        let count = examples.matches("passmuster ").count();
        assert!(count >= 2, "{name}: {examples}");
        for option in paragraphs(options).iter().filter(|option| option.contains('<')) {
            let has_example = option.contains("e.g.") || option.contains("table, json");
            assert!(has_example, "{name}: an option without an example value: {option}");
        }
    }
}

/// The options of a help text, each with its wrapped lines joined.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim_start) {
        match paragraphs.last_mut() {
            _ if line.starts_with('-') => paragraphs.push(line.to_owned()),
            Some(paragraph) => *paragraph = format!("{paragraph} {line}"),
            None => {}
        }
    }
    paragraphs
}

#[test]
fn an_argument_that_is_not_known_is_bad_input() {
    let folder = folder();
    for arguments in
        [vec!["qeury"], vec!["query"], vec!["query", "{a}", "--nope"], vec![], vec!["check", "-o", "xml"]]
    {
        let ended = run(folder.path(), &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}");
        assert!(!ended.stderr.is_empty());
    }
    assert_eq!(run(folder.path(), &["--version"]).code, 0);
}

const QUERY: &str =
    "vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}) { vpcId name hasFlowLog { trafficType } }";

#[test]
fn a_pipe_gets_exactly_the_response_on_one_line() {
    let folder = folder();
    let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(
        ended.stdout,
        concat!(
            r#"{"data":{"vpcs":[{"vpcId":"vpc-2","name":"inactive","hasFlowLog":[{"trafficType":"ALL"}]},"#,
            r#"{"vpcId":"vpc-3","name":"bare, \"quoted\"","hasFlowLog":[]}]}}"#,
            "\n"
        )
    );
}

#[test]
fn the_other_forms_of_an_answer_hold_the_same_rows() {
    let folder = folder();
    let table = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY, "-o", "table"]);
    insta::assert_snapshot!("query_table", table.stdout);
    assert!(table.stderr.starts_with("2 of 3 VPCs"), "{table:?}");
    let csv = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY, "-o", "csv"]);
    insta::assert_snapshot!("query_csv", csv.stdout);
    let ndjson = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY, "-o", "ndjson"]);
    insta::assert_snapshot!("query_ndjson", ndjson.stdout);
}

#[test]
fn an_empty_answer_says_what_it_looked_at() {
    let folder = folder();
    let query = "{ vpcs(where: {name: \"nobody\"}) { id } }";
    let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", query, "-o", "table"]);
    assert_eq!(ended.code, 0);
    assert!(ended.stderr.starts_with("0 of 3 VPCs"), "{ended:?}");
}

#[test]
fn an_answer_over_incomplete_slices_says_so() {
    let folder = folder();
    let slices = [slice("Vpc", "COMPLETE"), slice("FlowLog", "DENIED")];
    fs::write(folder.path().join("denied.ndjson"), inventory(&slices)).unwrap();
    let table = run(folder.path(), &["query", "--data", "denied.ndjson", QUERY, "-o", "table"]);
    assert!(table.stderr.contains("! flow logs of 111122223333 in eu-west-1"), "{table:?}");
    assert!(table.stderr.contains("denied (not allowed)"), "{table:?}");
    let json = run(folder.path(), &["query", "--data", "denied.ndjson", QUERY]).json();
    assert_eq!(json["extensions"]["incomplete"][0]["outcome"], "DENIED");
}

#[test]
fn a_refused_query_shows_the_place_and_the_nearest_name_and_json_for_machines() {
    let folder = folder();
    let query = "vpcs(where: {hasFlowLogs_NONE: {flowLogStatus: \"ACTIVE\"}}) { vpcId }";
    let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", query]);
    assert_eq!(ended.code, 3);
    assert_eq!(ended.json()["errors"][0]["extensions"]["code"], "unknown_key");
    assert!(ended.json().get("data").is_none());
    insta::assert_snapshot!("query_refused", ended.stderr);
    let table = run(folder.path(), &["query", "--data", "vpcs.ndjson", query, "-o", "table"]);
    assert_eq!((table.code, table.stdout.as_str()), (3, ""));
}

#[test]
fn a_refused_query_is_told_before_any_data_is_read() {
    let folder = folder();
    let ended = run(folder.path(), &["query", "--data", "not-there.ndjson", "{ vpcs { nope } }"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("`Vpc` has no field `nope`"), "{ended:?}");
}

#[test]
fn a_query_comes_from_an_argument_a_file_or_stdin() {
    let folder = folder();
    let query = "{ vpcs(limit: 1) { vpcId } }";
    fs::write(folder.path().join("query.graphql"), query).unwrap();
    let expected = run(folder.path(), &["query", "--data", "vpcs.ndjson", query]).stdout;
    assert!(expected.contains("vpc-1"));
    for arguments in [
        ["query", "--data", "vpcs.ndjson", "@query.graphql"].as_slice(),
        &["query", "--data", "vpcs.ndjson", "--file", "query.graphql"],
    ] {
        assert_eq!(run(folder.path(), arguments).stdout, expected);
    }
    let piped = run_with_stdin(folder.path(), &["query", "--data", "vpcs.ndjson", "-"], query);
    assert_eq!(piped.stdout, expected);
    let data = run_with_stdin(folder.path(), &["query", "--data", "-", query], &inventory(&[]));
    assert_eq!(data.stdout, expected);
    let missing = run(folder.path(), &["query", "--data", "vpcs.ndjson", "@missing.graphql"]);
    assert_eq!(missing.code, 3);
    assert!(missing.stderr.contains("`missing.graphql`"), "{missing:?}");
}

#[test]
fn variables_take_the_type_that_the_query_declares() {
    let folder = folder();
    let query = "query($account: String, $limit: Int, $names: [String]) {
        vpcs(where: {accountId: $account, name_IN: $names}, limit: $limit) { vpcId } }";
    let base = ["query", "--data", "vpcs.ndjson", query, "--var"];
    let with = |rest: &[&str]| {
        let mut arguments = base.to_vec();
        arguments.extend(rest);
        run(folder.path(), &arguments)
    };
    let digits =
        with(&["account=111122223333", "--var", "$limit=1", "--var", "names=[\"inactive\",\"logged\"]"]);
    assert_eq!(digits.json(), json!({ "data": { "vpcs": [{ "vpcId": "vpc-1" }] } }), "{digits:?}");
    let over = with(&["limit=1", "--variables", r#"{"limit": 2, "names": ["inactive", "logged"]}"#]);
    assert_eq!(over.json()["data"]["vpcs"].as_array().unwrap().len(), 1, "--var wins");
    for refused in
        [with(&["account"]), with(&["limit=1", "--variables", "[1]"]), with(&["limit=1", "--variables", "{"])]
    {
        assert_eq!(refused.code, 3, "{refused:?}");
    }
}

#[test]
fn an_operation_is_chosen_by_name() {
    let folder = folder();
    let query = "query A { vpcs { id } } query B { vpcs(limit: 0) { id } }";
    let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", query, "--operation-name", "B"]);
    assert_eq!(ended.json(), json!({ "data": { "vpcs": [] } }));
    assert_eq!(run(folder.path(), &["query", "--data", "vpcs.ndjson", query]).code, 3);
}

#[test]
fn a_bad_file_of_assets_is_named_by_line() {
    let folder = folder();
    let text = inventory(&[]) + "{\"__typename\": \"Vpc\"\n";
    fs::write(folder.path().join("bad.ndjson"), text).unwrap();
    for arguments in
        [["query", "--data", "bad.ndjson", "{ vpcs { id } }"].as_slice(), &["import", "bad.ndjson"]]
    {
        let ended = run(folder.path(), arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}");
        assert!(ended.stderr.starts_with("error: bad.ndjson:6:"), "{ended:?}");
    }
    assert!(!folder.path().join(".passmuster").exists(), "nothing of a bad file is kept");
}

#[test]
fn a_mistake_in_a_schema_is_shown_at_its_place() {
    let folder = folder();
    fs::create_dir(folder.path().join("types")).unwrap();
    let sdl = "type Vpc {\n  id: ID!\n  name: Strin\n}\n";
    fs::write(folder.path().join("types/own.graphql"), sdl).unwrap();
    let ended = run(folder.path(), &["schema", "--schema", "types"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("own.graphql:3:9") && ended.stderr.contains("`String`"),
        "{}",
        ended.stderr
    );
    fs::remove_file(folder.path().join("types/own.graphql")).unwrap();
    let empty = run(folder.path(), &["schema", "--schema", "types"]);
    assert_eq!(empty.code, 3, "{empty:?}");
    assert_eq!(run(folder.path(), &["schema", "--schema", "nowhere"]).code, 3);
}

#[test]
fn a_schema_of_the_users_own_is_queried_like_the_shipped_one() {
    let folder = folder();
    fs::create_dir(folder.path().join("types")).unwrap();
    fs::write(folder.path().join("types/own.graphql"), "type Box { id: ID! size: Int }").unwrap();
    let data = "{\"__typename\":\"Box\",\"id\":\"b\",\"size\":3}\n{\"__typename\":\"Box\",\"id\":\"a\",\"size\":1}\n";
    let arguments = ["query", "--schema", "types", "--data", "-", "{ boxes(where: {size_GT: 2}) { id } }"];
    let ended = run_with_stdin(folder.path(), &arguments, data);
    assert_eq!(ended.json(), json!({ "data": { "boxes": [{ "id": "b" }] } }), "{ended:?}");
}

#[test]
fn the_schema_is_listed_shown_and_printed() {
    let folder = folder();
    let list = run(folder.path(), &["schema"]);
    assert!(list.stdout.contains("flowLogs") && list.code == 0, "{list:?}");
    let keys = run(folder.path(), &["schema", "VpcWhere"]).stdout;
    assert!(keys.contains("input VpcWhere {") && keys.contains("hasFlowLog_NONE:") && keys.ends_with("}\n"));
    assert_eq!(keys.matches("\ninput ").count(), 1, "one type alone: {keys}");
    let sdl = run(folder.path(), &["schema", "--sdl"]).stdout;
    assert!(sdl.contains("type Query"));
    let unknown = run(folder.path(), &["schema", "VpcWere"]);
    assert_eq!(unknown.code, 3);
    assert!(unknown.stderr.contains("did you mean `VpcWhere`?"), "{unknown:?}");
}

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
    assert_eq!((linted.code, linted.stdout.as_str()), (0, "5 checks, no mistakes\n"));
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
fn an_imported_file_is_queried_checked_and_verified_in_the_store() {
    let folder = folder();
    let first = run(folder.path(), &["import", "vpcs.ndjson", "-o", "json"]);
    assert_eq!((first.code, &first.json()["added"]), (0, &json!(5)), "{first:?}");
    let again = run(folder.path(), &["import", "vpcs.ndjson", "-o", "json"]);
    assert_eq!((&again.json()["added"], &again.json()["changed"]), (&json!(0), &json!(0)), "{again:?}");
    let rows = run(folder.path(), &["query", QUERY]).json();
    assert_eq!(rows["data"]["vpcs"].as_array().unwrap().len(), 2);
    assert_eq!(run(folder.path(), &["check", "aws-vpc-flow-logs-enabled"]).code, 2);
    let verified = run(folder.path(), &["store", "verify"]);
    assert!(verified.code == 0 && verified.stdout.contains("the store is sound"), "{verified:?}");
}

/// A slice that is denied deletes nothing and resolves nothing.
#[test]
fn an_import_of_a_denied_slice_keeps_what_was_known() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let denied = slice("Vpc", "DENIED").to_string();
    assert_eq!(run_with_stdin(folder.path(), &["import", "-"], &denied).code, 0);
    let rows = run(folder.path(), &["query", "{ vpcs { id } }"]).json();
    assert_eq!(rows["data"]["vpcs"].as_array().unwrap().len(), 3);
    let complete = slice("Vpc", "COMPLETE").to_string();
    assert_eq!(run_with_stdin(folder.path(), &["import", "-"], &complete).code, 0);
    let rows = run(folder.path(), &["query", "{ vpcs { id } }"]).json();
    assert_eq!(rows["data"]["vpcs"], json!([]), "a complete slice does remove");
}

#[test]
fn reading_a_store_that_is_not_there_makes_none() {
    let folder = folder();
    for arguments in [
        ["query", "{ vpcs { id } }"].as_slice(),
        &["check"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["store", "verify"],
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains("there is no store in"), "{ended:?}");
    }
    assert!(!folder.path().join(".passmuster").exists());
}

#[test]
fn a_reader_that_closes_the_pipe_ends_nothing_but_the_writing() {
    let folder = folder();
    let vpc = |index: u32| format!("{{\"__typename\":\"Box\",\"id\":\"{index:08}\"}}\n");
    fs::create_dir(folder.path().join("types")).unwrap();
    fs::write(folder.path().join("types/own.graphql"), "type Box { id: ID! }").unwrap();
    fs::write(folder.path().join("boxes.ndjson"), (0..20_000).map(vpc).collect::<String>()).unwrap();
    for form in ["json", "csv", "ndjson", "table"] {
        let arguments =
            ["query", "--schema", "types", "--data", "boxes.ndjson", "{ boxes { id } }", "-o", form];
        let mut child =
            command(folder.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut some = [0; 10];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut some).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{form}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("Broken pipe"), "{form}: {stderr}");
    }
}

#[test]
fn collecting_without_an_account_says_what_to_do_and_fails() {
    let folder = folder();
    let mut command = command(folder.path(), &["collect", "--regions", "eu-west-1"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    let nowhere = folder.path().join("nothing");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder.path());
    command.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("credentials"), "{stderr}");
    let unknown = run(folder.path(), &["collect", "--only", "Vcp"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
}

#[test]
fn the_demo_reports_without_a_network_and_leaves_nothing_behind() {
    let folder = folder();
    for _ in 0..2 {
        let ended = run(folder.path(), &["demo", "--no-serve"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        for expected in ["aws-vpc-flow-logs-enabled", "FAIL", "unknown", "denied", "payments"] {
            assert!(ended.stdout.contains(expected), "{expected}: {}", ended.stdout);
        }
    }
    assert_eq!(names_in(folder.path()), ["vpcs.ndjson"]);
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A server of the binary's, stopped when it is dropped.
struct Server {
    child: Child,
    address: String,
    printed: String,
}

impl Server {
    /// Starts it and reads the stream until it names its address.
    fn start(folder: &Path, arguments: &[&str], address_on_stderr: bool) -> Self {
        let mut child =
            command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stream: Box<dyn Read> = if address_on_stderr {
            Box::new(child.stderr.take().unwrap())
        } else {
            Box::new(child.stdout.take().unwrap())
        };
        let mut lines = BufReader::new(stream).lines();
        let mut printed = String::new();
        let mut address = None;
        for line in lines.by_ref().map(Result::unwrap) {
            printed = printed + &line + "\n";
            if let Some((_, rest)) = line.split_once("http://").filter(|_| address.is_none()) {
                address = rest.split_once('/').map(|(address, _)| address.to_owned());
            }
            // The demo's last line is empty, after the one with `curl`.
            if address.is_some() && (address_on_stderr || (line.is_empty() && printed.contains("curl "))) {
                break;
            }
        }
        let address = address.unwrap_or_else(|| panic!("no address: {printed}"));
        Self { child, address, printed }
    }

    fn post(&self, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(
            stream,
            "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get_status(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    /// Waits until it can answer.
    fn wait_until_ready(&self) {
        for _ in 0..400 {
            if self.get_status("/readyz") == "200" {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("not ready after 10 s");
    }

    /// Sends SIGTERM and gives the exit code.
    fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn the_demo_serves_and_its_curl_line_works_and_sigterm_ends_it_cleanly() {
    let folder = folder();
    let server = Server::start(folder.path(), &["demo", "--port", "0"], false);
    let line = server.printed.lines().find(|line| line.contains("curl ")).unwrap();
    assert!(line.contains(&format!("curl -s http://{}/graphql", server.address)), "{line}");
    let body = line.rsplit_once("-d '").unwrap().1.trim_end_matches('\'');
    let answer = server.post(body);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"vpcId\":\"vpc-"), "{answer}");
    assert!(!answer.contains("\"errors\""), "{answer}");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(names_in(folder.path()), ["vpcs.ndjson"], "the demo's store is removed");
}

#[test]
fn serve_answers_from_a_store_and_from_a_file_and_stops_on_sigterm() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    for data in [[].as_slice(), &["--data", "vpcs.ndjson"]] {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(data);
        let server = Server::start(folder.path(), &arguments, true);
        server.wait_until_ready();
        let answer = server.post(&json!({ "query": QUERY }).to_string());
        assert!(answer.contains(r#"{"data":{"vpcs":[{"vpcId":"vpc-2""#), "{answer}");
        assert_eq!(server.get_status("/healthz"), "200");
        if data.is_empty() {
            let other = run(folder.path(), &["query", "{ vpcs { id } }"]);
            assert_eq!(other.code, 1, "one process at a time");
            assert!(other.stderr.contains("is in use by process"), "{other:?}");
        }
        assert_eq!(server.terminate(), Some(0));
    }
}

#[test]
fn a_limit_of_the_server_is_an_error_with_the_limit_and_the_actual_value() {
    let folder = folder();
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--data", "vpcs.ndjson", "--max-rows", "2", "--max-body", "1"];
    let server = Server::start(folder.path(), &arguments, true);
    server.wait_until_ready();
    let rows = server.post(&json!({ "query": "{ vpcs { id } }" }).to_string());
    assert!(rows.contains("3") && rows.contains("the limit of 2"), "{rows}");
    let body = server.post(&json!({ "query": "{ vpcs { id } }", "padding": "x".repeat(2000) }).to_string());
    assert!(body.contains("the limit is 1024"), "{body}");
    let deep = format!("{}vpcs{}", "{a".repeat(100), "}".repeat(100));
    let nesting = server.post(&json!({ "query": deep }).to_string());
    assert!(nesting.contains("65 levels") && nesting.contains("64"), "{nesting}");
}

#[test]
fn serve_refuses_other_machines_and_a_missing_file() {
    let folder = folder();
    let remote = run(folder.path(), &["serve", "--data", "vpcs.ndjson", "--listen", "0.0.0.0:0"]);
    assert_eq!(remote.code, 3);
    assert!(remote.stderr.contains("--allow-remote"), "{remote:?}");
    let missing = run(folder.path(), &["serve", "--data", "missing.ndjson", "--listen", "127.0.0.1:0"]);
    assert_eq!(missing.code, 3);
    assert!(missing.stderr.contains("`missing.ndjson`"), "{missing:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(folder.path(), &["serve", "--data", "vpcs.ndjson", "--listen", &address]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains(&address), "{ended:?}");
}

#[test]
fn colours_come_only_when_asked_for_on_a_pipe() {
    let folder = folder();
    let data: PathBuf = folder.path().join("vpcs.ndjson");
    let data = data.to_str().unwrap();
    let plain = run(folder.path(), &["check", "--data", data]);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
    let coloured = run(folder.path(), &["check", "--data", data, "--color", "always"]);
    assert!(coloured.stdout.contains('\u{1b}'), "{coloured:?}");
}
