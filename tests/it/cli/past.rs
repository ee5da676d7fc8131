//! `query --as-of`, `diff` and a server that is asked about the past.

use std::{fs, thread, time::Duration};

use passmuster::model::{Clock, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{folder, inventory, run, run_with_stdin, serving::Server, slice};

/// A store that took in a first file, then one without `vpc-3`, with `vpc-4` and another name for `vpc-1`; and a
/// moment between the two.
fn changed_store() -> (TempDir, String) {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let between = pause();
    let text =
        inventory(&[]).replace("vpc-3", "vpc-4").replace("\"name\":\"logged\"", "\"name\":\"renamed\"");
    fs::write(folder.path().join("later.ndjson"), text).unwrap();
    let imported = run(folder.path(), &["import", "later.ndjson", "-o", "json"]);
    assert_eq!((imported.code, &imported.json()["changed"]), (0, &json!(1)), "{imported:?}");
    (folder, between)
}

/// A moment that nothing else shares.
fn pause() -> String {
    thread::sleep(Duration::from_millis(15));
    let now = SystemClock.now().to_string();
    thread::sleep(Duration::from_millis(15));
    now
}

fn names(answer: &Value, key: &str) -> Vec<String> {
    let rows = answer["data"][key].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

fn post(server: &Server, query: &str) -> Value {
    let answer = server.post(&json!({ "query": query }).to_string());
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn a_query_answers_as_of_a_moment() {
    let (folder, between) = changed_store();
    let ask = |arguments: &[&str]| run(folder.path(), &[&["query"], arguments].concat()).json();
    assert_eq!(names(&ask(&["vpcs { name }"]), "vpcs"), ["renamed", "inactive", "bare, \"quoted\""]);
    assert_eq!(
        names(&ask(&["--as-of", &between, "vpcs { name }"]), "vpcs"),
        ["logged", "inactive", "bare, \"quoted\""]
    );
    let both = format!("{{ then: vpcs(asOf: \"{between}\") {{ name vpcId }} vpcs {{ name vpcId }} }}");
    let answer = ask(&[&both]);
    assert_eq!(answer["data"]["then"][2]["vpcId"], "vpc-3");
    assert_eq!(answer["data"]["vpcs"][2]["vpcId"], "vpc-4");
    let table = run(folder.path(), &["query", "--as-of", &between, "vpcs { name }", "-o", "table"]);
    assert!(table.stderr.contains(&format!("3 of 3 VPCs as of {between}")), "{table:?}");
}

#[test]
fn a_moment_that_is_not_known_is_refused_with_what_to_do() {
    let (folder, between) = changed_store();
    let early = run(folder.path(), &["query", "--as-of", "2d ago", "vpcs { name }"]);
    assert_eq!(early.code, 3, "{early:?}");
    assert!(early.stderr.contains("the first collection was at"), "{early:?}");
    assert_eq!(early.json()["errors"][0]["extensions"]["code"], "before_history");
    let nonsense = run(folder.path(), &["query", "--as-of", "soon", "vpcs { name }"]);
    assert_eq!(nonsense.code, 3);
    assert!(nonsense.stderr.contains("`soon` is not a moment: write it as in 2026-11-20"), "{nonsense:?}");
    let query = format!("vpcs(asOf: \"{between}\") {{ name }}");
    let file = run(folder.path(), &["query", "--data", "vpcs.ndjson", &query]);
    assert_eq!(file.code, 3);
    assert!(file.stderr.contains("this inventory has no past"), "{file:?}");
    let both = run(folder.path(), &["query", "--data", "vpcs.ndjson", "--as-of", &between, "vpcs { name }"]);
    assert!(both.code == 3 && both.stderr.contains("cannot be used with"), "{both:?}");
}

#[test]
fn a_comparison_names_what_appeared_changed_and_vanished() {
    let (folder, between) = changed_store();
    let ended = run(folder.path(), &["diff", "--from", &between]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        lines[..lines.len() - 1],
        [
            "changed   VPC vpc-1 (renamed) 111122223333 eu-west-1",
            "            name: \"logged\" → \"renamed\"",
            "vanished  VPC vpc-3 (bare, \"quoted\") 111122223333 eu-west-1",
            "appeared  VPC vpc-4 (bare, \"quoted\") 111122223333 eu-west-1",
            "",
        ]
    );
    let last = format!("1 appeared, 1 changed, 1 vanished from {between} to ");
    assert!(lines[lines.len() - 1].starts_with(&last), "{ended:?}");
    let json = run(folder.path(), &["diff", "--from", &between, "--type", "Asset", "-o", "json"]).json();
    assert_eq!(json["appeared"][0]["vpcId"], "vpc-4");
    assert_eq!(json["vanished"][0]["vpcId"], "vpc-3");
    let id = "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1";
    let fields = json!([{"field": "name", "before": "logged", "after": "renamed"}]);
    assert_eq!(json["changed"], json!([{"__typename": "Vpc", "id": id, "fields": fields}]));
    assert_eq!(json["incompleteAfter"], json!([]));
}

#[test]
fn a_comparison_keeps_to_a_type_and_says_when_nothing_differs() {
    let (folder, between) = changed_store();
    let counts = |arguments: &[&str]| {
        let ended = run(folder.path(), &[&["diff"], arguments].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout.lines().last().unwrap().split(" from ").next().unwrap().to_owned()
    };
    assert_eq!(counts(&["--from", &between, "--type", "Vpc"]), "1 appeared, 1 changed, 1 vanished");
    let nothing = "0 appeared, 0 changed, 0 vanished";
    assert_eq!(counts(&["--from", &between, "--type", "FlowLog"]), nothing);
    assert_eq!(counts(&["--from", &between, "--to", &between]), nothing);
    assert_eq!(counts(&["--from", "0s"]), nothing);
}

#[test]
fn a_comparison_that_makes_no_sense_is_refused() {
    let (folder, between) = changed_store();
    for (arguments, expected) in [
        (["--from", "now", "--to", "1h"].as_slice(), "exchange the two"),
        (&["--from", "1h"], "the first collection was at"),
        (&["--from", &between, "--type", "Vcp"], "did you mean `Vpc`?"),
        (&["--from", &between, "--type", "Tag"], "there is no asset type `Tag`"),
        (&["--from", "2026-13-01"], "`2026-13-01` is not a moment"),
        (&[], "--from"),
    ] {
        let ended = run(folder.path(), &[&["diff"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {ended:?}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(run(elsewhere.path(), &["diff", "--from", "1d"]).code, 3);
    assert!(!elsewhere.path().join(".passmuster").exists());
}

/// What was not collected can neither appear nor vanish, and what is collected for the first time is not new.
#[test]
fn a_comparison_says_where_it_cannot_tell() {
    let folder = folder();
    let denied = slice("FlowLog", "DENIED").to_string();
    assert_eq!(run_with_stdin(folder.path(), &["import", "-"], &denied).code, 0);
    let from = pause();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let to = pause();
    assert_eq!(run_with_stdin(folder.path(), &["import", "-"], &slice("Vpc", "DENIED").to_string()).code, 0);
    let compare = |from: &str, to: &str| run(folder.path(), &["diff", "--from", from, "--to", to]);
    let first = compare(&from, &to);
    let expected = [
        format!(
            "! flow logs of 111122223333 in eu-west-1 were not fully known at {from}: denied (not allowed)"
        ),
        format!(
            "! flow logs of 111122223333 in eu-west-1 were first seen whole after {from} (2 flow logs): what \
             appeared there may be older"
        ),
        format!(
            "! VPCs of 111122223333 in eu-west-1 were first seen whole after {from} (3 VPCs): what appeared there \
             may be older"
        ),
    ];
    let told: Vec<&str> = first.stderr.lines().collect();
    assert_eq!(told, expected);
    let second = compare(&to, "now");
    assert!(second.stdout.starts_with("0 appeared, 0 changed, 0 vanished"), "{second:?}");
    assert!(
        second.stderr.starts_with("! VPCs of 111122223333 in eu-west-1 were not fully known at "),
        "{second:?}"
    );
}

/// What the store knows of every asset is shown where a type has a field for it, and is no mistake where it has none.
#[test]
fn types_without_times_of_their_own_have_a_past_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("schema")).unwrap();
    let sdl = "type Thing { id: ID! accountId: String region: String name: String lastSeenAt: DateTime }";
    fs::write(folder.path().join("schema/thing.graphql"), sdl).unwrap();
    let import = |name: &str| {
        let asset = json!({"__typename": "Thing", "id": "a", "accountId": "1", "region": "r", "name": name});
        assert_eq!(
            run_with_stdin(folder.path(), &["import", "--schema", "schema", "-"], &asset.to_string()).code,
            0
        );
    };
    import("old");
    let between = pause();
    import("new");
    let ask = |arguments: &[&str]| {
        run(folder.path(), &[&["query", "--schema", "schema"], arguments].concat()).json()
    };
    assert_eq!(names(&ask(&["things { name }"]), "things"), ["new"]);
    let then = ask(&["--as-of", &between, "things { name lastSeenAt }"]);
    assert_eq!(names(&then, "things"), ["old"]);
    assert!(then["data"]["things"][0]["lastSeenAt"].is_string(), "{then}");
}

#[test]
fn a_server_answers_as_of_a_moment() {
    let (folder, between) = changed_store();
    let server = Server::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"], true);
    server.wait_until_ready();
    let then = format!("{{ vpcs(asOf: \"{between}\") {{ name }} now: vpcs {{ name }} }}");
    for _ in 0..2 {
        let answer = post(&server, &then);
        assert_eq!(names(&answer, "vpcs")[0], "logged");
        assert_eq!(names(&answer, "now")[0], "renamed");
    }
    let early = post(&server, r#"{ vpcs(asOf: "2020-01-01") { name } }"#);
    assert_eq!(early["errors"][0]["extensions"]["code"], "before_history");
    assert_eq!(early.get("data"), None);
    let now = post(&server, &format!("{{ vpcs(asOf: \"{}\") {{ name }} }}", SystemClock.now()));
    assert_eq!(names(&now, "vpcs")[0], "renamed");
    drop(server);
    let file =
        Server::start(folder.path(), &["serve", "--data", "vpcs.ndjson", "--listen", "127.0.0.1:0"], true);
    file.wait_until_ready();
    assert_eq!(post(&file, &then)["errors"][0]["extensions"]["code"], "no_history");
    assert_eq!(names(&post(&file, "{ vpcs { name } }"), "vpcs")[0], "logged");
}
