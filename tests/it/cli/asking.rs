//! `query` for people: explanations, warnings, saved queries, lists as variables; and what code generators read.

use std::fs;

use graphql_client_codegen::{
    CodegenMode, GraphQLClientCodegenOptions, generate_module_token_stream_from_string,
};
use serde_json::json;

use super::{assert_reads_as_agreed, folder, inventory, run, slice};

const UNLOGGED: &str =
    "vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}]}) { vpcId }";

#[test]
fn why_an_asset_is_in_an_answer_is_told_part_by_part() {
    let folder = folder();
    let why = |asset: &str, rest: &[&str]| {
        let mut arguments = vec!["query", "--data", "vpcs.ndjson", "--explain", UNLOGGED, "--asset", asset];
        arguments.extend(rest);
        run(folder.path(), &arguments)
    };
    let inactive = why("vpc-2", &[]);
    assert_eq!(inactive.code, 0, "{inactive:?}");
    assert_reads_as_agreed("query_explain_asset", &inactive.stdout);
    let by_arn = why("arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1", &["-o", "json"]);
    assert_eq!(by_arn.json()["why"][0]["matches"], "FALSE");
    let missing = why("vpc-9", &[]);
    assert_eq!((missing.code, missing.stdout.as_str()), (3, ""), "{missing:?}");
    assert!(missing.stderr.contains("there is no Vpc `vpc-9`"), "{missing:?}");
}

#[test]
fn the_plan_and_its_steps_are_shown_instead_of_the_answer() {
    let folder = folder();
    let table = run(folder.path(), &["query", "--data", "vpcs.ndjson", "--explain", UNLOGGED]);
    assert_eq!(table.code, 0, "{table:?}");
    let (plans, steps) = table.stdout.split_once("\nSTEP").unwrap();
    assert_reads_as_agreed("query_explain_plans", plans);
    assert!(steps.contains("· Vpc: hasFlowLog_NONE"), "{steps}");
    let json = run(folder.path(), &["query", "--data", "vpcs.ndjson", "--explain", UNLOGGED, "-o", "json"]);
    assert_eq!(json.json()["visited"]["edges"], 1, "one active flow log, one edge");
    let csv = run(folder.path(), &["query", "--data", "vpcs.ndjson", "--explain", UNLOGGED, "-o", "csv"]);
    assert!(csv.stdout.starts_with("step,in,out,rowsVisited,edges,values,"), "{csv:?}");
    let alone = run(folder.path(), &["query", "--data", "vpcs.ndjson", UNLOGGED, "--asset", "vpc-1"]);
    assert_eq!(alone.code, 3, "an asset is asked about with --explain: {alone:?}");
}

#[test]
fn a_verdict_on_one_asset_is_explained() {
    let folder = folder();
    let slices = [slice("Vpc", "COMPLETE"), slice("FlowLog", "DENIED")];
    fs::write(folder.path().join("denied.ndjson"), inventory(&slices)).unwrap();
    let explain = |data: &str, asset: &str| {
        let arguments = ["check", "aws-vpc-flow-logs-enabled", "--data", data, "--explain", asset];
        run(folder.path(), &arguments)
    };
    let failing = explain("vpcs.ndjson", "vpc-2");
    assert!(
        failing.code == 2 && failing.stdout.starts_with("FAIL  aws-vpc-flow-logs-enabled\n"),
        "{failing:?}"
    );
    let unknown = explain("denied.ndjson", "vpc-2");
    assert_eq!(unknown.code, 4);
    assert_reads_as_agreed("check_explain_unknown", &unknown.stdout);
    let passing = explain("denied.ndjson", "vpc-1");
    assert!(passing.code == 0 && passing.stdout.starts_with("PASS"), "{passing:?}");
    let missing = explain("vpcs.ndjson", "fl-1");
    assert!(missing.code == 3 && missing.stderr.contains("there is no Vpc `fl-1`"), "{missing:?}");
    let all = ["check", "--data", "vpcs.ndjson", "--explain", "vpc-3", "-o", "json"];
    let all = run(folder.path(), &all);
    assert_eq!(all.json()["why"].as_array().unwrap().len(), 9, "every check that covers it");
}

#[test]
fn a_saved_query_is_run_by_its_name() {
    let folder = folder();
    let list = run(folder.path(), &["query", "--list"]);
    assert_eq!((list.code, list.stderr.as_str()), (0, ""));
    assert_reads_as_agreed("query_list", &list.stdout);
    let rows = |arguments: &[&str]| {
        let mut all = vec!["query", "--data", "vpcs.ndjson", "-o", "json"];
        all.extend(arguments);
        let ended = run(folder.path(), &all);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()["data"]["vpcs"].as_array().unwrap().len()
    };
    assert_eq!(rows(&["vpcs"]), 3);
    assert_eq!(rows(&["@vpcs", "--var", "accounts=111122223333,444455556666"]), 3);
    assert_eq!(rows(&["vpcs", "--var", "accounts=444455556666"]), 0);
    assert_eq!(rows(&["vpcs", "--var", "accounts=[\"111122223333\"]"]), 3);
    assert_eq!(rows(&["aws-vpc-flow-logs-enabled"]), 2, "a check's query, too");
    fs::create_dir_all(folder.path().join("queries/saved")).unwrap();
    fs::write(folder.path().join("queries/saved/own.graphql"), "# Mine\nvpcs(limit: 1) { vpcId }").unwrap();
    assert_eq!(rows(&["own", "--queries", "queries"]), 1);
    assert_eq!(rows(&["vpcs", "--queries", "queries"]), 3, "beside the shipped ones");
    for unknown in ["vpc", "nothing-like-it"] {
        let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", unknown]);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{ended:?}");
        assert!(ended.stderr.contains(&format!("there is no saved query `{unknown}`")), "{ended:?}");
    }
}

#[test]
fn a_list_as_a_variable_is_read_item_by_item_in_its_type() {
    let folder = folder();
    let query =
        "query($names: [String!]!, $sizes: [Int]) { vpcs(where: {name_IN: $names}, limit: 2) { vpcId }
        flowLogs(where: {maxAggregationInterval_IN: $sizes}) { id } }";
    let with = |names: &str, sizes: &str| {
        run(folder.path(), &["query", "--data", "vpcs.ndjson", query, "--var", names, "--var", sizes])
    };
    let found = with("names=logged,inactive", "sizes=60,600");
    assert_eq!(
        found.json()["data"],
        json!({"vpcs": [{"vpcId": "vpc-1"}, {"vpcId": "vpc-2"}], "flowLogs": []})
    );
    assert_eq!(with("names=", "sizes=").json()["data"]["vpcs"], json!([]));
    assert_eq!(with("names=logged", "sizes=a").code, 3, "a letter is no Int");
}

#[test]
fn all_pages_of_a_connection_are_one_list() {
    let folder = folder();
    let connection = "vpcsConnection(first: 2, after: $after) {
        pageInfo { hasNextPage endCursor } edges { node { vpcId name } } }";
    let all = |query: &str, form: &str| {
        run(folder.path(), &["query", "--data", "vpcs.ndjson", "--all", query, "-o", form])
    };
    let paged = format!("query($after: String) {{ {connection} }}");
    let nodes = all(&paged, "json").json()["data"]["vpcsConnection"].clone();
    assert_eq!(nodes.as_array().unwrap().len(), 3);
    assert_eq!(nodes[2], json!({"vpcId": "vpc-3", "name": "bare, \"quoted\""}));
    let csv = all(&paged, "csv").stdout;
    assert!(csv.starts_with("vpcId,name\nvpc-1,logged\n"), "{csv}");
    for refused in [
        "{ vpcs { id } }".to_owned(),
        "query($after: String) { vpcs(where: {name: $after}) { id } }".to_owned(),
        // Declared and not taken: it would go round in circles.
        format!("query($after: String) {{ vpcs(where: {{name: $after}}) {{ id }} {connection} }}"),
        paged.replace("first: 2, after: $after", "first: 2, where: {name_NOT: $after}"),
    ] {
        let ended = all(&refused, "json");
        assert!(ended.code == 3 && ended.stderr.contains("after: $after"), "{refused}: {ended:?}");
    }
}

#[test]
fn lint_warns_of_filters_that_can_not_match_and_fails_on_them_only_when_asked() {
    let folder = folder();
    let check = folder.path().join("queries/own/active");
    fs::create_dir_all(&check).unwrap();
    let definition =
        "id: own-active\ntitle: Every VPC is logged\nseverity: low\ncovers: Vpc\nexpect: \"eq []\"\n";
    fs::write(check.join("check.yaml"), definition).unwrap();
    let query = "vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \"Active\"}}) { id }\n";
    fs::write(check.join("query.graphql"), query).unwrap();
    let lenient = run(folder.path(), &["checks", "lint", "queries"]);
    assert_eq!((lenient.code, lenient.stdout.as_str()), (0, "1 check, no mistakes, 1 warning\n"));
    assert_reads_as_agreed("checks_lint_warning", &lenient.stderr);
    assert_eq!(run(folder.path(), &["checks", "lint", "queries", "--strict"]).code, 3);
    let with_data = run(folder.path(), &["checks", "lint", "--data", "vpcs.ndjson"]);
    assert!(with_data.code == 0 && with_data.stderr.contains("is null for every FlowLog"), "{with_data:?}");
    let listed = run(folder.path(), &["checks", "lint", "queries", "-o", "json"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""));
    assert_eq!(
        listed.json(),
        json!([{"severity": "warning", "code": "unknown_value", "file": "queries/own/active/query.graphql",
            "line": 1, "column": 32, "message":
            "`flowLogStatus` is never \"Active\": known values are ACTIVE, INACTIVE (case matters)",
            "help": "did you mean `\"ACTIVE\"`?"}])
    );
    assert_eq!(run(folder.path(), &["checks", "lint", "queries", "-o", "ndjson", "--strict"]).code, 3);
    let judged = run(folder.path(), &["check", "--queries", "queries", "--data", "vpcs.ndjson"]);
    assert_eq!(judged.code, 2, "a warning changes no verdict");
    fs::create_dir_all(folder.path().join("queries/saved")).unwrap();
    fs::write(folder.path().join("queries/saved/broken.graphql"), "vpcs { nope }").unwrap();
    let broken = run(folder.path(), &["checks", "lint", "queries"]);
    assert!(broken.code == 3 && broken.stderr.contains("saved/broken.graphql:1:8"), "{broken:?}");
    let listed = run(folder.path(), &["checks", "lint", "queries", "-o", "json"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (3, ""));
    let mistake = &listed.json()[0];
    assert_eq!((&mistake["severity"], &mistake["code"]), (&json!("error"), &json!("unknown_field")));
    assert_eq!((&mistake["line"], &mistake["column"]), (&json!(1), &json!(8)));
    fs::write(check.join("check.yaml"), definition.replace("low", "lwo")).unwrap();
    let misfit = run(folder.path(), &["checks", "lint", "queries", "-o", "json"]);
    assert_eq!((misfit.code, &misfit.json()[0]["line"]), (3, &json!(3)), "{misfit:?}");
}

#[test]
fn a_code_generator_reads_the_schema_in_both_forms() {
    let folder = folder();
    let query = "query Unlogged($where: VpcWhere, $limit: Int) {
        vpcs(where: $where, limit: $limit, sort: [{name: ASC}]) {
            __typename id vpcId cidrBlock createdAt tags { key value } hasFlowLog { flowLogStatus } account { email } } }";
    for (option, file) in [("--sdl", "schema.graphql"), ("--introspection", "schema.json")] {
        let ended = run(folder.path(), &["schema", option]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        let schema = folder.path().join(file);
        fs::write(&schema, &ended.stdout).unwrap();
        let options = GraphQLClientCodegenOptions::new(CodegenMode::Cli);
        let code = generate_module_token_stream_from_string(query, &schema, options)
            .unwrap_or_else(|error| panic!("{option}: {error}"))
            .to_string();
        for expected in ["struct UnloggedVpcs", "struct VpcWhere", "hasFlowLog_NONE", "tags"] {
            assert!(code.contains(expected), "{option}: no {expected} in\n{code}");
        }
        let unknown = generate_module_token_stream_from_string(
            "query Wrong { vpcs { nope } }",
            &schema,
            GraphQLClientCodegenOptions::new(CodegenMode::Cli),
        );
        assert!(unknown.is_err(), "{option}: the generator knows the fields");
    }
}
