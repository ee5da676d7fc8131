//! `query` and `schema`: the forms of an answer, and mistakes shown at their place.

use std::{fs, io::Read, process::Stdio};

use serde_json::json;

use super::{QUERY, assert_reads_as_agreed, command, folder, inventory, run, run_with_stdin, slice};

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
    assert_reads_as_agreed("query_table", &table.stdout);
    assert!(table.stderr.starts_with("2 of 3 VPCs"), "{table:?}");
    let csv = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY, "-o", "csv"]);
    assert_reads_as_agreed("query_csv", &csv.stdout);
    let ndjson = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY, "-o", "ndjson"]);
    assert_reads_as_agreed("query_ndjson", &ndjson.stdout);
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
    assert_reads_as_agreed("query_refused", &ended.stderr);
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
fn a_filter_on_a_value_the_schema_does_not_know_is_pointed_out() {
    let folder = folder();
    let hint = "flowLogStatus is never known to be \"Active\"";
    for query in [
        QUERY.replace("ACTIVE", "Active"),
        "{ vpcs { hasFlowLog(where: {NOT: {flowLogStatus_IN: [\"Active\"]}}) { id } } }".to_owned(),
    ] {
        let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", &query, "-o", "table"]);
        assert!(ended.code == 0 && ended.stderr.contains(hint), "{ended:?}");
    }
    let known = run(folder.path(), &["query", "--data", "vpcs.ndjson", QUERY, "-o", "table"]);
    assert!(!known.stderr.contains("never known"), "{known:?}");
}
