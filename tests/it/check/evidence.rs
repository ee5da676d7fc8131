//! Evidence: a bundle proves a verdict without the store, and every way of tampering with one is found and named.

use std::path::Path;

use passmuster::{
    catalog::shipped as shipped_schema,
    check::{self, Evidence, Moment, NoEvidence},
    model::{Asset, Outcome, SliceKey, Time},
    store::{SliceCommit, Store, StoreOptions},
};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn at(text: &str) -> Time {
    text.parse().expect("a time")
}

fn asset(typename: &str, id: &str, region: &str) -> Asset {
    let native = format!("arn:aws:ec2:{region}:{ACCOUNT}:{}/{id}", typename.to_lowercase());
    Asset::new(typename, native).with("nativeId", id).with("accountId", ACCOUNT).with("region", region)
}

fn vpc(id: &str, region: &str) -> Asset {
    asset("Vpc", id, region).with("vpcId", id).with("isDefault", false)
}

fn log(id: &str, vpc: &str, region: &str) -> Asset {
    let log = asset("FlowLog", id, region).with("flowLogId", id).with("resourceId", vpc);
    log.with("flowLogStatus", "ACTIVE").with("trafficType", "ALL")
}

fn commit(store: &Store, time: &str, region: &str, asset_type: &str, assets: Option<Vec<Asset>>) {
    let outcome = if assets.is_some() { Outcome::Complete } else { Outcome::Denied };
    let commit = SliceCommit {
        key: SliceKey::new(ACCOUNT, region, asset_type),
        api: format!("ec2:Describe{asset_type}s"),
        outcome,
        reason: assets.is_none().then(|| "UnauthorizedOperation".to_owned()),
        at: at(time),
        assets: assets.unwrap_or_default(),
    };
    store.commit_slice(commit).expect("a commit");
}

/// Two days: on the first vpc-1 is logged and vpc-2 is not; on the second vpc-2 is logged, vpc-3 is gone, and the flow logs
/// of us-east-1 are denied. Between them much that the check does not look at.
fn fill(folder: &Path) -> Store {
    let store = Store::open(folder, &StoreOptions::default()).expect("a store").store;
    let (day, next) = ("2026-11-20T06:00:00Z", "2026-11-21T06:00:00Z");
    commit(&store, day, "eu-west-1", "SecurityGroup", Some(groups(3)));
    commit(
        &store,
        day,
        "eu-west-1",
        "Vpc",
        Some(["vpc-1", "vpc-2", "vpc-3"].map(|id| vpc(id, "eu-west-1")).into()),
    );
    commit(&store, day, "eu-west-1", "FlowLog", Some(vec![log("fl-1", "vpc-1", "eu-west-1")]));
    // A large record of another type: in the chain it is a head and some inner hashes.
    commit(&store, day, "eu-west-1", "SecurityGroup", Some(groups(1_500)));
    for asset_type in ["RouteTable", "NetworkInterface"] {
        commit(&store, day, "eu-west-1", asset_type, Some(Vec::new()));
        commit(&store, day, "us-east-1", asset_type, Some(Vec::new()));
    }
    commit(&store, day, "us-east-1", "Vpc", Some(vec![vpc("vpc-9", "us-east-1")]));
    commit(&store, day, "us-east-1", "FlowLog", Some(Vec::new()));
    commit(&store, next, "eu-west-1", "Vpc", Some(["vpc-1", "vpc-2"].map(|id| vpc(id, "eu-west-1")).into()));
    let logs = vec![log("fl-1", "vpc-1", "eu-west-1"), log("fl-2", "vpc-2", "eu-west-1")];
    commit(&store, next, "eu-west-1", "FlowLog", Some(logs));
    commit(&store, next, "us-east-1", "Vpc", Some(vec![vpc("vpc-9", "us-east-1")]));
    commit(&store, next, "us-east-1", "FlowLog", None);
    commit(&store, next, "eu-west-1", "SecurityGroup", Some(groups(1_700)));
    store
}

fn groups(count: u32) -> Vec<Asset> {
    let group = |number: u32| {
        let id = format!("sg-{:08x}", number.wrapping_mul(2_654_435_761));
        asset("SecurityGroup", &id, "eu-west-1").with("groupId", id.as_str())
    };
    (0..count).map(group).collect()
}

fn gather(store: &Store, moment: &str) -> Evidence {
    let (_, checks) = super::shipped();
    let check = checks.iter().find(|check| check.id == "aws-vpc-flow-logs-enabled").expect("the check");
    let at = at(moment);
    let in_force = store.in_force(at).expect("a commit");
    let sources = check::shipped();
    Evidence::gather(check, &sources, &shipped_schema(), store, Moment { at, in_force }).expect("evidence")
}

fn json_of(evidence: &Evidence) -> Value {
    serde_json::from_slice(&evidence.write(false).expect("bytes")).expect("JSON")
}

fn read(value: &Value) -> Evidence {
    Evidence::read(value.to_string().as_bytes()).expect("a bundle")
}

fn told(evidence: &Evidence) -> Vec<String> {
    evidence.verify().iter().map(ToString::to_string).collect()
}

#[test]
fn a_bundle_agrees_with_itself_and_with_the_store_it_came_from_at_any_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = fill(folder.path());
    for (moment, verdict, failing) in [
        ("2026-11-20T12:00:00Z", "FAIL", 3),
        ("2026-11-21T12:00:00Z", "UNKNOWN", 0),
        ("2026-12-21", "UNKNOWN", 0),
    ] {
        let evidence = gather(&store, moment);
        assert_eq!(evidence.verdict(), verdict, "{moment}");
        assert_eq!(told(&evidence), [""; 0], "{moment}");
        let value = json_of(&evidence);
        assert_eq!(value["result"]["counts"]["fail"], failing, "{moment}");
        let (plain, packed) = (evidence.write(false).expect("bytes"), evidence.write(true).expect("bytes"));
        assert_eq!(Evidence::read(&plain).expect("a bundle"), evidence);
        assert_eq!(Evidence::read(&packed).expect("a bundle"), evidence);
        assert_eq!(gather(&store, moment).write(true).expect("bytes"), packed, "the same bytes every time");
        assert_eq!(evidence.compare_with_store(folder.path()).expect("readable"), []);
        assert_eq!(evidence.journal_hash(), store.journal_hash());
    }
}

#[test]
fn records_of_other_types_are_a_head_and_inner_hashes_and_still_prove_the_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let value = json_of(&gather(&fill(folder.path()), "2026-11-20T12:00:00Z"));
    let records = value["journal"]["records"].as_array().expect("records");
    let large: Vec<&Value> = records.iter().filter(|record| record.get("head").is_some()).collect();
    assert_eq!(large.len(), 2, "both lists of security groups after the first record that tells something");
    for record in large {
        let hashes = record["siblings"].as_array().expect("hashes").len();
        assert!(hashes >= 2, "{hashes} inner hashes stand for the rest of {record}");
        assert!(record.to_string().len() < 3_000, "{record}");
    }
    assert_eq!(records[0]["sequence"], 2, "the chain begins with the first that tells something");
    let text = value["journal"].to_string();
    assert!(!value["assets"].to_string().contains("SecurityGroup") && text.len() < 40_000, "{}", text.len());
}

/// What verifying says of a bundle that was changed and whose digests were made to fit again, as whoever means harm would.
fn tampered(store: &Store, change: impl Fn(&mut Value)) -> Vec<String> {
    let mut value = json_of(&gather(store, "2026-11-20T12:00:00Z"));
    change(&mut value);
    let digests = told(&read(&value));
    assert!(digests.iter().any(|told| told.contains("its digest")), "a plain change is seen: {digests:?}");
    digests.into_iter().filter(|told| !told.contains("its digest")).collect()
}

fn list<'v>(value: &'v mut Value, key: &str) -> &'v mut Vec<Value> {
    value[key].as_array_mut().expect("a list")
}

#[test]
fn every_tampering_is_found_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = fill(folder.path());
    let assert_told = |what: &str, expected: &[&str], change: &dyn Fn(&mut Value)| {
        let told = tampered(&store, change);
        for expected in expected {
            assert!(told.iter().any(|told| told.contains(expected)), "{what}: {expected} in {told:#?}");
        }
    };
    assert_told(
        "a failing asset removed",
        &[
            "assets: the asset Vpc arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-2 is missing",
            "vpc-2: it says that it fails",
        ],
        &|value| list(value, "assets").retain(|asset| asset["nativeId"] != "vpc-2"),
    );
    assert_told(
        "a flow log made up",
        &["assets: the asset FlowLog fl-x is in no record", "vpc-2: it says that it fails"],
        &|value| {
            let mut made_up = log("fl-x", "vpc-2", "eu-west-1");
            made_up.id = "fl-x".to_owned();
            list(value, "assets").push(made_up.to_json());
        },
    );
    assert_told("a field changed", &["not as the records hold it: resourceId"], &|value| {
        let log = list(value, "assets").iter_mut().find(|asset| asset["flowLogId"] == "fl-1").expect("fl-1");
        log["resourceId"] = json!("vpc-2");
    });
    assert_told(
        "a slice's outcome changed",
        &[
            "slices: the slice 111122223333 eu-west-1 FlowLog is not as the records hold it: completedAt, outcome",
            "verdict",
        ],
        &|value| {
            let slice = list(value, "slices")
                .iter_mut()
                .find(|slice| slice["assetType"] == "FlowLog" && slice["region"] == "eu-west-1");
            let slice = slice.expect("the slice");
            (slice["outcome"], slice["completedAt"]) = (json!("DENIED"), Value::Null);
        },
    );
    assert_told(
        "the query changed",
        &["verdict: verdict: it says \"FAIL\", what it holds gives \"PASS\""],
        &|value| {
            value["files"]["aws/vpc-flow-logs-enabled/query.graphql"] =
                json!("vpcs(where: {state: \"gone\"}) { id hasFlowLog { id } }");
        },
    );
    assert_told("the verdict changed", &["it says \"PASS\", what it holds gives \"FAIL\""], &|value| {
        value["result"]["verdict"] = json!("PASS");
    });
    assert_told("a finding removed", &["fails by what it holds, which it does not say"], &|value| {
        value["result"]["findings"].as_array_mut().expect("findings").remove(0);
    });
    assert_told(
        "the moment changed",
        &["verdict: verdict: it says \"FAIL\", what it holds gives \"UNKNOWN\""],
        &|value| {
            value["at"] = json!("2026-12-20T12:00:00.000Z");
        },
    );
    assert_told("a hash flipped", &["journal: record 3: its hash does not follow"], &|value| {
        let hash = value["journal"]["records"][1]["hash"].as_str().expect("a hash").to_owned();
        let flipped = if hash.starts_with('0') { "1" } else { "0" };
        value["journal"]["records"][1]["hash"] = json!(format!("{flipped}{}", &hash[1..]));
    });
    assert_told("an inner hash changed", &["journal: record 4: its hash does not follow"], &|value| {
        value["journal"]["records"][2]["siblings"][0] = json!("00".repeat(32));
    });
    assert_told("a record left out", &["journal: record 4: record 3 should stand there"], &|value| {
        value["journal"]["records"].as_array_mut().expect("records").remove(1);
    });
    assert_told("a record shown as one that says nothing", &["is in no record"], &|value| {
        let record = &mut value["journal"]["records"][1];
        record["head"] = record["payload"].take();
        record.as_object_mut().expect("a record").remove("payload");
    });
    assert_told("the record in force left out", &["journal: it ends at record"], &|value| {
        let in_force = value["journal"]["inForce"].as_u64().expect("a sequence");
        let records = value["journal"]["records"].as_array_mut().expect("records");
        records.retain(|record| record["sequence"].as_u64().expect("a sequence") < in_force);
    });
    assert_told(
        "an asset twice",
        &["assets: the assets are in another order, or one stands twice"],
        &|value| {
            let assets = list(value, "assets");
            let first = assets[0].clone();
            assets.insert(0, first);
        },
    );
    assert_told("a type left out", &["schema: the verdict rests on"], &|value| {
        list(value, "types").remove(0);
    });
    assert_told("no check", &["files: the check is not valid"], &|value| {
        value["files"]
            .as_object_mut()
            .expect("files")
            .retain(|path, _| !path.ends_with("query.graphql") && !path.ends_with("check.yaml"));
    });
}

#[test]
fn a_bundle_that_was_forged_whole_is_found_by_the_store() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (store, forged) = (fill(folder.path()), Store::open(other.path(), &StoreOptions::default()));
    // As if vpc-2 had been logged on the first day, in a journal of the forger's own.
    let forged = forged.expect("a store").store;
    let day = "2026-11-20T06:00:00Z";
    commit(&forged, day, "eu-west-1", "Vpc", Some(vec![vpc("vpc-1", "eu-west-1")]));
    commit(&forged, day, "eu-west-1", "FlowLog", Some(vec![log("fl-1", "vpc-1", "eu-west-1")]));
    let evidence = gather(&forged, "2026-11-20T12:00:00Z");
    assert_eq!(told(&evidence), [""; 0], "alone it agrees: only its last hash is another");
    let compared = evidence.compare_with_store(folder.path()).expect("readable");
    assert!(
        compared.iter().any(|told| told.to_string() == "store: record 1: the store has another record there")
    );
    assert_ne!(evidence.journal_hash(), store.journal_hash());
    let absent = folder.path().join("nothing");
    assert!(evidence.compare_with_store(&absent).is_err());
}

#[test]
fn what_is_no_bundle_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = gather(&fill(folder.path()), "2026-11-20T12:00:00Z");
    for is_packed in [false, true] {
        let bytes = evidence.write(is_packed).expect("bytes");
        for length in [0, 1, 4, 100, bytes.len() / 2, bytes.len() - 2] {
            let refused = Evidence::read(&bytes[..length]);
            assert!(matches!(refused, Err(NoEvidence::Unreadable { .. })), "{length}: {refused:?}");
        }
    }
    let mut value = json_of(&evidence);
    value["format"] = json!("passmuster evidence 2");
    assert!(matches!(Evidence::read(value.to_string().as_bytes()), Err(NoEvidence::OtherFormat { .. })));
    for text in ["{}", "[]", "null", "{\"format\": \"passmuster evidence 1\"}", "\u{0}"] {
        assert!(Evidence::read(text.as_bytes()).is_err(), "{text}");
    }
    // Hostile content ends in a difference, never in a panic.
    for (key, hostile) in [
        ("assets", json!([{"__typename": "Vpc"}])),
        ("assets", json!([{"__typename": "Vpc", "id": "x", "isDefault": "yes"}])),
        ("slices", json!([{"outcome": "MAYBE"}])),
        ("schema", json!([{"name": "x", "text": "type {"}])),
        ("files", json!({"aws/x/check.yaml": "id: ["})),
        ("at", json!("yesterday")),
        ("journal", json!({"inForce": 1, "previous": "zz", "records": []})),
        (
            "journal",
            json!({"inForce": 1, "previous": "00".repeat(32), "records": [{"sequence": 0, "hash": "00".repeat(32), "payload": "!"}]}),
        ),
        (
            "journal",
            json!({"inForce": 9, "previous": "00".repeat(32), "records": [{"sequence": 1, "hash": "00".repeat(32), "payload": "AAAA"}]}),
        ),
    ] {
        let mut value = json_of(&evidence);
        value[key] = hostile;
        assert!(told(&read(&value)).len() > 1, "{key}");
    }
}
