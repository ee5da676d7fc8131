//! Files to checks: what is accepted, and for each mistake its code, its place and its remedy (F2).

use std::{fs, path::Path, process::Command};

use passmuster::{
    check::{self, CheckError, Sources, run_cases},
    collect::collected_types,
};
use proptest::prelude::*;

use super::{engine_for, shipped};

const CHECK: &str = "\
id: aws-logged
title: Every VPC is logged
severity: medium
covers: Vpc
expect: \"eq []\"
";
const QUERY: &str = "vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}) { ...AssetFragment }\n";

fn folder(files: &[(&str, &str)]) -> Sources {
    Sources::from_files("q", files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
}

fn load(sources: &Sources) -> Result<Vec<check::Check>, Vec<CheckError>> {
    let shipped = &*super::SHIPPED;
    if sources.fragments() == check::shipped().fragments() {
        return check::load(sources, &shipped.0).map_err(|errors| errors.0);
    }
    check::load(sources, &engine_for(sources)).map_err(|errors| errors.0)
}

/// The mistakes of a folder as `file:line:column code`, and the texts of messages and help together.
fn mistakes(files: &[(&str, &str)]) -> (Vec<String>, String) {
    let errors = load(&folder(files)).expect_err("a mistake");
    let told = errors.iter().map(|error| {
        let place = error.place.as_ref().map(|place| format!(":{}:{}", place.line, place.column));
        format!("{}{} {}", error.file, place.unwrap_or_default(), error.code())
    });
    let texts = errors.iter().map(|error| format!("{error}\n{}\n", error.help().unwrap_or_default()));
    (told.collect(), texts.collect())
}

/// The only mistake of a check, given its two files.
fn mistake(check: &str, query: &str) -> (String, String) {
    let (mut told, texts) =
        mistakes(&[("aws/logged/check.yaml", check), ("aws/logged/query.graphql", query)]);
    assert_eq!(told.len(), 1, "{told:?}\n{texts}");
    (told.remove(0), texts)
}

/// Asserts the only mistake of a `check.yaml` in which `line` stands for the line that starts with its key.
fn assert_refused(line: &str, expected: &str, hint: &str) {
    let key = line.split(':').next().expect("a key");
    let has_key = |known: &&str| known.split(':').next() == Some(key);
    let mut lines: Vec<&str> = CHECK.lines().collect();
    match lines.iter().position(has_key) {
        Some(at) => lines[at] = line,
        None => lines.push(line),
    }
    let (told, texts) = mistake(&(lines.join("\n") + "\n"), QUERY);
    assert_eq!(told, format!("q/aws/logged/check.yaml{expected}"), "{texts}");
    assert!(texts.contains(hint), "{texts}");
}

#[test]
fn the_shipped_checks_are_those_of_the_control() {
    let (_, checks) = shipped();
    let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "aws-vpc-flow-logs-capture-all",
            "aws-vpc-flow-logs-capture-rejects",
            "aws-vpc-flow-logs-delivering",
            "aws-vpc-flow-logs-effective-coverage",
            "aws-vpc-flow-logs-enabled",
            "aws-vpc-flow-logs-enabled-non-default",
            "aws-vpc-flow-logs-log-group-not-shared",
            "aws-vpc-flow-logs-retention",
            "aws-vpc-flow-logs-retention-set",
            "aws-vpc-flow-logs-role",
            "aws-vpc-flow-logs-siem",
        ]
    );
    let enabled = &checks[4];
    assert_eq!(
        enabled.query.trim_end(),
        r#"vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}]}){...AssetFragment}"#,
        "the stored query, verbatim"
    );
    assert_eq!(enabled.touches, ["FlowLog", "Vpc"]);
    assert_eq!(enabled.controls["cis-aws-3.0.0"], ["3.7"]);
    assert!(checks.iter().all(|check| check.remediation.is_some() && check.rationale.is_some()));
}

#[test]
fn every_case_of_every_shipped_check_is_as_expected() {
    let (engine, checks) = shipped();
    for check in &checks {
        let expected = |verdict: &str| check.cases.iter().any(|case| case.expect.verdict.as_str() == verdict);
        for verdict in ["PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"] {
            assert!(expected(verdict), "{} has no case that gives {verdict}", check.id);
        }
    }
    let wrong: Vec<String> = run_cases(&checks, engine)
        .iter()
        .filter(|outcome| !outcome.differences.is_empty())
        .map(|outcome| {
            let told: Vec<String> = outcome.differences.iter().map(ToString::to_string).collect();
            format!("{}: {}", outcome.file, told.join(", "))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_shipped_file_is_forgotten_in_the_binary() {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let read = Sources::read(&queries).expect("the folder");
    let (engine, embedded) = shipped();
    let from_disk = check::load(&read, engine).expect("valid checks");
    assert_eq!(from_disk.len(), embedded.len());
    for (disk, embedded) in from_disk.iter().zip(&embedded) {
        assert_eq!(disk.id, embedded.id);
        assert_eq!(disk.query, embedded.query);
        let guide = |check: &check::Check| check.remediation.as_ref().map(|text| text.guide().to_owned());
        assert_eq!(guide(disk), guide(embedded));
        let cases =
            |check: &check::Check| check.cases.iter().map(|case| case.name.clone()).collect::<Vec<_>>();
        assert_eq!(cases(disk), cases(embedded), "{}", disk.id);
    }
    assert_eq!(read.fragments(), check::shipped().fragments());
}

#[test]
fn f2_an_unknown_field_an_expectation_that_can_not_be_met_and_a_taken_id_are_told_together() {
    let other = CHECK.replace("eq []", "count lt 0");
    let (told, texts) = mistakes(&[
        ("a/aws/logged/check.yaml", &CHECK.replace("aws-logged", "a-aws-logged")),
        ("a/aws/logged/query.graphql", "vpcs(where: {vpcid: null}) { id }\n"),
        ("aws/logged/check.yaml", &other),
        ("aws/logged/query.graphql", QUERY),
        ("aws-logged/check.yaml", CHECK),
        ("aws-logged/query.graphql", QUERY),
    ]);
    assert_eq!(
        told,
        [
            "q/a/aws/logged/query.graphql:1:14 unknown_key",
            "q/aws/logged/check.yaml:1:5 id_taken",
            "q/aws/logged/check.yaml:5:19 impossible_expectation",
        ],
        "{texts}"
    );
    for hint in ["did you mean `vpcId`?", "is taken by q/aws-logged/check.yaml", "can never be met"] {
        assert!(texts.contains(hint), "{hint}: {texts}");
    }
}

#[test]
fn the_sample_organisation_is_what_its_script_writes() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/generate.py");
    let told = Command::new("python3").arg(script).arg("--check").output().expect("python3 is installed");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn a_link_that_leads_back_to_its_own_folder_is_refused() {
    let scratch = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(scratch.path(), scratch.path().join("again")).expect("a link");
    let refused = Sources::read(scratch.path()).expect_err("a loop");
    assert!(refused.to_string().contains("nested more than 16 deep"), "{refused}");
}

#[test]
fn a_folder_of_the_users_own_replaces_the_shipped_checks_and_keeps_the_shipped_fragments() {
    let scratch = tempfile::tempdir().expect("a folder");
    let check = scratch.path().join("aws/logged");
    fs::create_dir_all(&check).expect("a folder");
    fs::write(check.join("check.yaml"), CHECK).expect("a file");
    fs::write(check.join("query.graphql"), QUERY).expect("a file");
    let checks = load(&Sources::read(scratch.path()).expect("readable")).expect("valid");
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].id, "aws-logged");
    assert_eq!(checks[0].max_age.to_string(), "1d", "the default");
}

#[test]
fn a_fragment_of_the_users_own_comes_before_a_shipped_one() {
    let own = "# ours\nfragment AssetFragment on Asset { id name }\n";
    let sources = folder(&[
        ("fragments/AssetFragment.graphql", own),
        ("aws/logged/check.yaml", CHECK),
        ("aws/logged/query.graphql", QUERY),
    ]);
    assert_eq!(sources.fragments()["AssetFragment"], own);
    assert!(load(&sources).is_ok());
}

#[test]
fn a_fragment_file_defines_the_fragment_it_is_named_for() {
    for text in ["fragment Other on Asset { id }", "query { vpcs { id } }", "", "{ vpcs { id } }"] {
        let (told, _) = mistakes(&[
            ("fragments/Mine.graphql", text),
            ("aws/logged/check.yaml", CHECK),
            ("aws/logged/query.graphql", QUERY),
        ]);
        assert_eq!(told, ["q/fragments/Mine.graphql:1:1 not_the_fragment"], "{text}");
    }
}

#[test]
fn a_folder_without_checks_and_a_folder_that_is_not_there_are_refused() {
    let (told, _) = mistakes(&[("notes/readme.md", "nothing")]);
    assert_eq!(told, ["q no_checks"]);
    let missing = Sources::read(Path::new("/no/such/folder")).expect_err("not there");
    assert_eq!(missing.0[0].code(), "unreadable");
    assert!(missing.to_string().starts_with("/no/such/folder: can't be read"), "{missing}");
}

#[test]
fn a_check_without_one_of_its_files_says_which_and_what_was_probably_meant() {
    let (told, texts) = mistakes(&[("aws/logged/check.yaml", CHECK), ("aws/logged/querry.graphql", QUERY)]);
    assert_eq!(told, ["q/aws/logged/check.yaml missing_file"]);
    assert!(texts.contains("rename `querry.graphql` to `query.graphql`"), "{texts}");
    let (told, texts) = mistakes(&[("aws/logged/check.yml", CHECK), ("aws/logged/query.graphql", QUERY)]);
    assert_eq!(told, ["q/aws/logged/query.graphql missing_file"]);
    assert!(texts.contains("rename `check.yml` to `check.yaml`"), "{texts}");
}

#[test]
fn what_is_not_yaml_is_shown_where_it_stops_being_it() {
    let (told, _) = mistake("id: aws-logged\ntitle: [a\nseverity: medium\n", QUERY);
    assert!(told.starts_with("q/aws/logged/check.yaml:") && told.ends_with(" yaml"), "{told}");
    let (told, _) = mistake(&format!("{CHECK}title: twice\n"), QUERY);
    assert_eq!(told, "q/aws/logged/check.yaml:6:1 yaml");
    let (told, _) = mistake("- a list\n", QUERY);
    assert_eq!(told, "q/aws/logged/check.yaml:1:1 wrong_kind");
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    assert_refused("severty: high", ":6:1 unknown_key", "did you mean `severity`?");
    assert_refused("colour: red", ":6:1 unknown_key", "the keys are `id`, `title`");
    assert_refused("priority: [{label: x, wher: '{}'}]", ":6:23 unknown_key", "did you mean `where`?");
}

#[test]
fn a_missing_key_is_named_and_all_missing_keys_are_told_at_once() {
    let (told, texts) =
        mistakes(&[("aws/logged/check.yaml", "id: aws-logged\n"), ("aws/logged/query.graphql", QUERY)]);
    assert_eq!(told, vec!["q/aws/logged/check.yaml:1:1 missing_key"; 4]);
    for key in ["title", "severity", "covers", "expect"] {
        assert!(texts.contains(&format!("add a line `{key}: ..`")), "{texts}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_says_what_it_takes() {
    assert_refused("title: [a]", ":2:8 wrong_kind", "`title` must be text, not a list");
    assert_refused("title: ''", ":2:8 wrong_kind", "an empty text");
    assert_refused("references: https://a.example", ":6:13 wrong_kind", "must be a list, not text");
}

#[test]
fn a_severity_is_one_of_four() {
    assert_refused("severity: hihg", ":3:11 unknown_severity", "did you mean `high`?");
    assert_refused("severity: 😀", ":3:11 unknown_severity", "write low, medium, high or critical");
    assert_refused("severity: HIGH", ":3:11 unknown_severity", "did you mean `high`?");
}

#[test]
fn an_id_is_plain_and_fits_its_folder() {
    assert_refused("id: aws_logged", ":1:5 bad_id", "lower-case letters, digits and single hyphens");
    assert_refused("id: aws--logged", ":1:5 bad_id", "single hyphens");
    assert_refused("id: aws-loged", ":1:5 id_not_folder", "write `id: aws-logged`, or rename the folder");
}

#[test]
fn an_id_that_is_taken_names_the_file_that_has_it() {
    let (told, texts) = mistakes(&[
        ("aws/logged/check.yaml", CHECK),
        ("aws/logged/query.graphql", QUERY),
        ("aws-logged/check.yaml", CHECK),
        ("aws-logged/query.graphql", QUERY),
    ]);
    assert_eq!(told, ["q/aws/logged/check.yaml:1:5 id_taken"]);
    assert!(texts.contains("taken by q/aws-logged/check.yaml"), "{texts}");
}

#[test]
fn covers_names_a_type_whose_assets_can_be_judged() {
    assert_refused("covers: Vcp", ":4:9 unknown_type", "did you mean `Vpc`?");
    assert_refused("covers: Tag", ":4:9 not_an_asset_type", "part of other assets");
}

#[test]
fn spans_and_schedules_are_read_strictly() {
    assert_refused("max_age: 24", ":6:10 wrong_kind", "put it in quotes");
    assert_refused("max_age: 1 day", ":6:10 bad_max_age", "as in 90s, 15m, 24h or 7d");
    assert_refused("schedule: daily", ":6:11 bad_schedule", "0 6 * * *");
    assert_refused("schedule: \"61 * * * *\"", ":6:11 bad_schedule", "out of bounds");
    assert_refused(
        "schedule: \"0 6 * * * Europe/Belrin\"",
        ":6:11 bad_schedule",
        "did you mean `Europe/Berlin`?",
    );
    assert_refused("schedule: \"0 0 31 2 *\"", ":6:11 bad_schedule", "never comes");
    assert_refused("schedule: \"* * * * $\"", ":6:11 bad_schedule", "0 6 * * *");
}

#[test]
fn an_expectation_is_held_against_the_query_where_it_stands_in_the_file() {
    assert_refused("expect: \"count ltt 5\"", ":5:16 unknown_operator", "did you mean `lt`?");
    assert_refused("expect: cuont lt 5", ":5:9 unknown_path", "did you mean `count`?");
    assert_refused("expect: 'all {nmae: null}'", ":5:15 unknown_key", "did you mean `name`?");
    assert_refused("expect: \"eq \\\"x\\\"\"", ":5:9 impossible_expectation", "a list of assets, not text");
    assert_refused("expect: [1]", ":5:9 wrong_kind", "must be text");
}

#[test]
fn an_unknown_field_is_shown_in_the_query_with_the_nearest_one() {
    let (told, texts) = mistake(CHECK, "# a comment\nvpcs(where: {hasFlowLogs_NONE: {}}) { id }\n");
    assert_eq!(told, "q/aws/logged/query.graphql:2:14 unknown_key");
    assert!(texts.contains("did you mean `hasFlowLog_NONE`?"), "{texts}");
    let (told, texts) = mistake(CHECK, "vpcs {\n  nmae\n}\n");
    assert_eq!(told, "q/aws/logged/query.graphql:2:3 unknown_field");
    assert!(texts.contains("did you mean `name`?"), "{texts}");
    let (told, _) = mistake(CHECK, "vpcs { ...AssetFragmnt }\n");
    assert!(told.ends_with("unknown_fragment"), "{told}");
    let (told, _) =
        mistakes(&[("aws/logged/check.yaml", CHECK), ("aws/logged/query.graphql", "vpcs { id: }\n")]);
    assert!(told.iter().all(|told| told.ends_with(" syntax")), "{told:?}");
}

#[test]
fn a_priority_filter_is_held_against_the_schema_too() {
    assert_refused(
        "priority: [{label: x, where: '{tgas_SOME: {key: \"a\"}}'}]",
        ":6:30 unknown_key",
        "did you mean `tags_SOME`?",
    );
}

#[test]
fn a_query_is_one_list_of_the_covered_type() {
    let (told, texts) = mistake(CHECK, "flowLogs(where: {flowLogStatus: \"ACTIVE\"}) { id }\n");
    assert_eq!(told, "q/aws/logged/query.graphql:1:1 wrong_root");
    assert!(texts.contains("write `covers: FlowLog`, or ask for `vpcs(where: {..})`"), "{texts}");
    let (told, _) = mistake(CHECK, "vpcs { id }\nsubnets { id }\n");
    assert_eq!(told, "q/aws/logged/query.graphql:2:1 several_roots");
    let (told, texts) = mistake(CHECK, "vpc(id: \"a\") { id }\n");
    assert_eq!(told, "q/aws/logged/query.graphql:1:1 not_a_list");
    assert!(texts.contains("root field of many"), "{texts}");
    let (told, _) = mistake(CHECK, "query { one: vpcs { id } __typename }\n");
    assert!(told.ends_with("several_roots"), "{told}");
}

#[test]
fn a_query_that_looks_at_a_part_of_the_result_is_refused_since_its_verdict_would_not_cover_all() {
    let (told, texts) = mistake(CHECK, "# no limit\nvpcs(where: {name: \"a\"}, limit: 10) { id }\n");
    assert_eq!(told, "q/aws/logged/query.graphql:2:26 part_of_the_result");
    assert!(texts.contains("remove `limit`"), "{texts}");
    let (told, _) = mistake(CHECK, "vpcs(offset: 1) { id }\n");
    assert_eq!(told, "q/aws/logged/query.graphql:1:6 part_of_the_result");
    let (told, _) = mistake(CHECK, "vpcs(limit: 0) { id }\n");
    assert!(told.ends_with("part_of_the_result"), "{told}");
}

#[test]
fn a_sort_and_a_limit_inside_the_result_change_nothing_of_a_verdict() {
    let query = "vpcs(sort: [{name: ASC}]) { id hasFlowLog(limit: 1) { id } }\n";
    assert!(load(&folder(&[("aws/logged/check.yaml", CHECK), ("aws/logged/query.graphql", query)])).is_ok());
}

#[test]
fn a_check_may_cover_every_type_there_is() {
    let check = CHECK.replace("covers: Vpc", "covers: Asset");
    let query = "assets(where: {name: null}) { id }\n";
    let sources = folder(&[("aws/logged/check.yaml", &check), ("aws/logged/query.graphql", query)]);
    let checks = load(&sources).expect("valid");
    let touches: Vec<&str> = checks[0].touches.iter().map(String::as_str).collect();
    assert_eq!(touches, collected_types(), "every type that is collected, and nothing else");
}

#[test]
fn a_case_with_a_mistake_is_refused_with_its_place() {
    let refused = |case: &str| {
        let files = [
            ("aws/logged/cases/one.yaml", case),
            ("aws/logged/check.yaml", CHECK),
            ("aws/logged/query.graphql", QUERY),
        ];
        mistakes(&files)
    };
    let (told, texts) = refused("description: a\nassets: []\nexpect: {verdict: PAS}\n");
    assert_eq!(told, ["q/aws/logged/cases/one.yaml:3:19 bad_case"]);
    assert!(texts.contains("did you mean `PASS`?"), "{texts}");
    let (told, _) = refused("description: a\nassets: [{id: a}]\nexpect: {verdict: PASS}\n");
    assert_eq!(told, ["q/aws/logged/cases/one.yaml:2:10 bad_case"]);
    let (told, _) = refused("description: a\nasets: []\nexpect: {verdict: PASS}\n");
    assert_eq!(told, ["q/aws/logged/cases/one.yaml:2:1 unknown_key"], "and not a missing key as well");
    let slice =
        "{assetType: Vpc, accountId: \"1\", region: r, outcome: COMPLETE, completedAt: 2026-11-20T00:00:00Z}";
    let (told, texts) =
        refused(&format!("description: a\nassets: []\nslices: [{slice}]\nexpect: {{verdict: PASS}}\n"));
    assert_eq!(told, ["q/aws/logged/cases/one.yaml:1:1 bad_case"]);
    assert!(texts.contains("add `now:`"), "{texts}");
}

#[test]
fn a_case_that_is_not_as_expected_says_how() {
    let case = "\
description: expects the wrong things
assets:
  - {__typename: Vpc, id: a, vpcId: a}
  - {__typename: Vpc, id: b, vpcId: b, nativeId: vpc-b}
expect: {verdict: PASS, fail: [a, c], pass: [b]}
";
    let misfit = "description: x\nassets: [{__typename: Vpc, id: a}]\nexpect: {verdict: FAIL, fail: [a]}\n";
    let sources = folder(&[
        ("aws/logged/cases/misfit.yaml", misfit),
        ("aws/logged/cases/one.yaml", case),
        ("aws/logged/check.yaml", CHECK),
        ("aws/logged/query.graphql", QUERY),
    ]);
    let engine = engine_for(&sources);
    let checks = check::load(&sources, &engine).expect("valid");
    let outcomes = run_cases(&checks, &engine);
    let told: Vec<String> = outcomes[1].differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "expected PASS, found FAIL",
            "expected `c` among `fail`",
            "did not expect `vpc-b` among `fail`",
            "expected `b` among `pass`",
        ]
    );
    assert!(outcomes[0].differences[0].to_string().contains("vpcId"), "{:?}", outcomes[0].differences);
}

const CASE: &str = "\
description: a case
now: 2026-11-20T12:00:00Z
assets: [{__typename: Vpc, id: a, vpcId: a}]
slices: [{assetType: Vpc, accountId: \"1\", region: r, outcome: COMPLETE}]
expect: {verdict: FAIL, fail: [a]}
";

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever stands in the files: an answer with places inside the text, never a panic.
    #[test]
    fn no_text_makes_reading_panic(
        at in 0..CHECK.len(),
        remove in 0_usize..8,
        insert in "[ -~\\n\\té€😀\u{0}]{0,6}",
        which in 0_usize..3,
    ) {
        let texts = [CHECK, QUERY, CASE].iter().enumerate().map(|(index, text)| {
            if index != which {
                return (*text).to_owned();
            }
            let (start, end) = (at.min(text.len()), (at + remove).min(text.len()));
            format!("{}{insert}{}", &text[..start], &text[end..])
        });
        let texts: Vec<String> = texts.collect();
        let sources = folder(&[
            ("aws/logged/check.yaml", &texts[0]),
            ("aws/logged/query.graphql", &texts[1]),
            ("aws/logged/cases/one.yaml", &texts[2]),
        ]);
        if let Err(errors) = load(&sources) {
            for error in errors {
                if let Some(place) = &error.place {
                    prop_assert!(error.text.get(place.span.clone()).is_some(), "{error}");
                }
            }
        }
    }
}
