//! Policies in Rego are run apart: what one does to its own process is an ERROR of its check, and of nothing else.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{folder, run};

const CHECK: &str =
    "id: own-denied\ntitle: No VPC is denied\nseverity: high\ncovers: Vpc\nexpect: {rego: policy.rego}\n";
const OTHER: &str =
    "id: own-named\ntitle: Every VPC is named\nseverity: low\ncovers: Vpc\nexpect: \"eq []\"\n";

/// A folder with VPCs, a check with a policy and one without.
fn with_policy(policy: &str) -> TempDir {
    let folder = folder();
    let write = |path: &str, text: &str| {
        let path = folder.path().join("queries").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("own/denied/check.yaml", CHECK);
    write("own/denied/query.graphql", "vpcs { id vpcId name }\n");
    write("own/denied/policy.rego", policy);
    write("own/named/check.yaml", OTHER);
    write("own/named/query.graphql", "vpcs(where: {name: null}) { id }\n");
    folder
}

fn check(folder: &Path) -> (i32, Value) {
    let ended = run(folder, &["check", "--queries", "queries", "--data", "vpcs.ndjson", "-o", "json"]);
    (ended.code, ended.json()["checks"].clone())
}

#[test]
fn a_policy_that_is_run_apart_says_what_it_says() {
    let folder = with_policy(
        "package own\ndeny contains {\"msg\": msg, \"id\": vpc.id} if {\n  some vpc in input.vpcs\n  vpc.name != \"logged\"\n  \
         msg := sprintf(\"%s is called %s\", [vpc.vpcId, vpc.name])\n}\nviolation contains \"vpc-1\" if count(input.vpcs) == 3\n",
    );
    let (code, checks) = check(folder.path());
    assert_eq!(code, 2);
    assert_eq!((&checks[0]["verdict"], &checks[1]["verdict"]), (&json!("FAIL"), &json!("PASS")));
    let findings = checks[0]["findings"].as_array().unwrap();
    let told: Vec<&str> = findings.iter().map(|finding| finding["message"].as_str().unwrap()).collect();
    assert_eq!(told, ["vpc-1", "vpc-2 is called inactive", "vpc-3 is called bare, \"quoted\""]);
}

/// Forty times twice as much of `first`, which is asked of an asset and so is not known when the policy is read.
fn grown(first: &str, step: &str) -> String {
    let steps: Vec<String> = (0..40)
        .map(|number| format!("  x{} := {}\n", number + 1, step.replace("x?", &format!("x{number}"))))
        .collect();
    format!(
        "package own\ndeny contains \"x\" if {{\n  some vpc in input.vpcs\n  x0 := {first}\n{}  x40 == vpc.name\n}}\n",
        steps.concat()
    )
}

#[test]
fn a_policy_that_takes_all_memory_is_an_error_and_the_other_checks_have_their_verdict() {
    let large = "replace(vpc.vpcId, \"\", \"12345678\")";
    for policy in [
        grown("sprintf(\"%s%s\", [vpc.vpcId, vpc.id])", "concat(\"\", [x?, x?])"),
        grown("[vpc.vpcId, vpc.id]", "array.concat(x?, x?)"),
        grown(large, "replace(x?, \"1\", x?)"),
        grown("vpc.vpcId", "json.marshal([x?, x?, \"\\\\\\\\\"])"),
    ] {
        let folder = with_policy(&policy);
        let (code, checks) = check(folder.path());
        assert_eq!(checks[0]["verdict"], "ERROR", "{policy} {checks}");
        let why = checks[0]["error"].as_str().unwrap();
        assert!(why.contains("policy.rego: it takes more than 1024 MiB of memory"), "{why}");
        assert_eq!(checks[1]["verdict"], "PASS");
        assert_eq!(code, 1);
    }
}

#[test]
fn a_policy_that_takes_all_memory_as_soon_as_it_is_read_is_a_mistake_in_its_file() {
    let policy = grown("\"12345678\"", "concat(\"\", [x?, x?])").replace("  some vpc in input.vpcs\n", "");
    let folder = with_policy(&policy.replace("vpc.name", "\"\""));
    let ended = run(folder.path(), &["checks", "lint", "--queries", "queries"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("policy.rego:1:1") && ended.stderr.contains("1024 MiB"), "{ended:?}");
}

#[test]
fn what_a_policy_is_given_and_what_it_tells_is_bounded() {
    let folder =
        with_policy("package own\ndeny contains msg if {\n  some vpc in input.vpcs\n  msg := vpc.name\n}\n");
    let write = |bytes: usize| {
        let lines: Vec<String> = (0..20)
            .map(|number| {
                let id = format!("vpc-{number}");
                json!({
                    "__typename": "Vpc", "id": id, "vpcId": id, "nativeId": id, "accountId": "1", "region": "eu-west-1",
                    "name": format!("{number}{}", "n".repeat(bytes)),
                })
                .to_string()
            })
            .collect();
        fs::write(folder.path().join("vpcs.ndjson"), lines.join("\n")).unwrap();
    };
    let why = || check(folder.path()).1[0]["error"].as_str().map(str::to_owned);
    write(10_000);
    assert_eq!(why(), None);
    write(1_000_000);
    assert!(
        why().unwrap().contains("its messages have 20000030 bytes: it may tell at most 16777216"),
        "{:?}",
        why()
    );
    write(2_000_000);
    assert!(why().unwrap().contains("a policy is given at most 33554432"), "{:?}", why());
}
