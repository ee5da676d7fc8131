//! `[[computed]]`: what a deployment calls production, in queries, checks, images and bundles of evidence.

use std::{fs, path::Path};

use super::{Ended, folder, run};

const PRODUCTION: &str = "{ vpcs(where: {isProduction: true}) { vpcId } }";
const CHECK: &str = "aws-vpc-flow-logs-enabled";

/// Says in the configuration what production is.
fn rule(folder: &Path, filter: &str) {
    let text = format!("[[computed]]\nfield = \"Vpc.isProduction\"\nwhere = '{filter}'\n");
    fs::write(folder.join("passmuster.toml"), text).unwrap();
}

fn production(folder: &Path) -> Vec<String> {
    let ended = run(folder, &["query", PRODUCTION, "-o", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let answer = ended.json();
    let vpcs = answer["data"]["vpcs"].as_array().unwrap().iter();
    vpcs.map(|vpc| vpc["vpcId"].as_str().unwrap().to_owned()).collect()
}

/// What is told of a rule that makes no sense, by a command that reads the schema.
fn complaint(text: &str) -> Ended {
    let folder = folder();
    fs::write(folder.path().join("passmuster.toml"), text).unwrap();
    let ended = run(folder.path(), &["query", "--data", "vpcs.ndjson", "{ vpcs { id } }"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{text}: {ended:?}");
    ended
}

#[test]
fn a_rule_of_the_configuration_says_what_production_is_and_another_one_is_noticed() {
    let folder = folder();
    let path = folder.path();
    assert_eq!(run(path, &["import", "vpcs.ndjson"]).code, 0);
    assert!(production(path).is_empty(), "no tag of these says so");
    rule(path, "{tags_SOME: {key: \"Name\", value: \"logged\"}}");
    assert_eq!(production(path), ["vpc-1"]);
    rule(path, "{tags_SOME: {key: \"Name\", value_IN: [\"logged\", \"inactive\"]}}");
    assert_eq!(production(path), ["vpc-1", "vpc-2"]);
    let file = ["query", "--data", "vpcs.ndjson", PRODUCTION, "-o", "csv"];
    assert!(run(path, &file).stdout.contains("vpc-2"), "files are answered by the same rule");

    // The image is of this rule: nothing else is there to answer from, and under another it is of no use.
    let index = path.join(".passmuster/store/index");
    fs::remove_dir_all(&index).unwrap();
    fs::write(&index, "no folder").unwrap();
    assert_eq!(production(path), ["vpc-1", "vpc-2"]);
    rule(path, "{tags_SOME: {key: \"Name\", value: \"logged\"}}");
    assert_eq!(run(path, &["query", PRODUCTION]).code, 1, "an image of another rule is not answered from");
}

#[test]
fn checks_and_their_evidence_go_by_the_rule_and_the_bundle_carries_it() {
    let folder = folder();
    let path = folder.path();
    assert_eq!(run(path, &["import", "vpcs.ndjson"]).code, 0);
    let priorities =
        || run(path, &["check", CHECK, "-o", "json", "--no-record"]).stdout.matches("production").count();
    assert_eq!(priorities(), 0);
    rule(path, "{tags_SOME: {key: \"Name\", value: \"inactive\"}}");
    assert_eq!(priorities(), 1);

    let written = run(path, &["evidence", CHECK, "-o", "bundle.json"]);
    assert_eq!(written.code, 0, "{written:?}");
    let bundle = fs::read_to_string(path.join("bundle.json")).unwrap();
    assert!(bundle.contains(r#"value: \\\\\\\"inactive"#) || bundle.contains("inactive\\\\\\\""), "{bundle}");
    fs::remove_file(path.join("passmuster.toml")).unwrap();
    let verified = run(path, &["evidence", "verify", "bundle.json"]);
    assert!(verified.code == 0 && verified.stdout.contains("all agrees"), "{verified:?}");
}

#[test]
fn a_rule_that_makes_no_sense_is_told_at_its_place_with_what_to_do() {
    let entry =
        |field: &str, filter: &str| format!("\n[[computed]]\nfield = \"{field}\"\nwhere = '{filter}'\n");
    let cases = [
        (entry("Vcp.isProduction", "{}"), "passmuster.toml:3:9", "did you mean `Vpc`?"),
        (entry("Vpc.isProducton", "{}"), "passmuster.toml:3:9", "did you mean `isProduction`?"),
        (entry("Vpc.cidrBlock", "{}"), "passmuster.toml:3:9", "is stored and not computed"),
        (entry("isProduction", "{}"), "passmuster.toml:3:9", "\"Vpc.isProduction\""),
        (entry("Vpc.isProduction", "{tags_SOME: "), "passmuster.toml:4:9", "cannot be read"),
        (
            entry("Vpc.isProduction", "{tgas_SOME: {key: \"env\"}}"),
            "passmuster.toml:4:9",
            "did you mean `tags_SOME`?",
        ),
        (entry("Vpc.isProduction", "{isDefault: \"yes\"}"), "passmuster.toml:4:9", "Boolean"),
        (entry("Vpc.isProduction", "{isProduction: true}"), "passmuster.toml:4:9", "rests on itself"),
        (
            "[[computed]]\nfield = \"Vpc.isProduction\"\n".to_owned(),
            "passmuster.toml:1:1",
            "`where` is missing",
        ),
    ];
    for (text, place, part) in cases {
        let told = complaint(&text).stderr;
        assert!(told.contains(place) && told.contains(part), "{text}: {told}");
    }
}

#[test]
fn a_rule_for_a_type_that_another_schema_lacks_stops_every_command_that_reads_it() {
    let folder = folder();
    let path = folder.path();
    rule(path, "{}");
    fs::create_dir(path.join("schema")).unwrap();
    fs::write(path.join("schema/own.graphql"), "type Lamp { id: ID! }").unwrap();
    for command in
        [&["schema"][..], &["query", "--data", "vpcs.ndjson", "{ lamps { id } }"], &["checks", "list"]]
    {
        let ended = run(path, &[command, &["--schema", "schema"]].concat());
        assert!(ended.code == 3 && ended.stderr.contains("there is no type `Vpc`"), "{command:?}: {ended:?}");
    }
    assert_eq!(run(path, &["schema"]).code, 0);
}
