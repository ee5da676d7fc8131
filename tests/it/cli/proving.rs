//! `evidence` and `audit`, as a script meets them: files, exit codes, what is said.

use std::{fs, path::Path};

use super::{folder, inventory, run, slice};

const CHECK: &str = "aws-vpc-flow-logs-enabled";

/// A folder with a store into which an inventory was imported.
fn store(slices: &[serde_json::Value]) -> tempfile::TempDir {
    let folder = folder();
    fs::write(folder.path().join("vpcs.ndjson"), inventory(slices)).unwrap();
    let imported = run(folder.path(), &["import", "vpcs.ndjson"]);
    assert!(imported.code == 0 || imported.code == 4, "{imported:?}");
    folder
}

#[test]
fn evidence_is_written_verified_and_found_out_when_it_is_changed() {
    let folder = store(&[]);
    let path = folder.path();
    for file in ["bundle.json", "bundle.zst"] {
        let written = run(path, &["evidence", CHECK, "-o", file]);
        assert_eq!(written.code, 0, "{written:?}");
        assert!(written.stdout.contains(": FAIL, with 5 assets and "), "{written:?}");
        let verified = run(path, &["evidence", "verify", file]);
        assert!(verified.code == 0 && verified.stdout.contains("FAIL · all agrees"), "{verified:?}");
        let digest = |text: &str| text.lines().find(|line| line.starts_with("digest")).map(str::to_owned);
        assert_eq!(digest(&written.stdout), digest(&verified.stdout));
        let against = run(path, &["evidence", "verify", file, "--against-store"]);
        assert!(against.code == 0 && against.stdout.contains("with the store as well"), "{against:?}");
    }
    let text = fs::read_to_string(path.join("bundle.json")).unwrap();
    fs::write(path.join("changed.json"), text.replace("\"vpc-3\"", "\"vpc-4\"")).unwrap();
    let changed = run(path, &["evidence", "verify", "changed.json"]);
    assert_eq!(changed.code, 2, "{changed:?}");
    assert!(changed.stdout.contains("assets: ") && changed.stdout.contains("differences"), "{changed:?}");
    let told = run(path, &["evidence", "verify", "changed.json", "-o", "json"]);
    assert_eq!((told.code, &told.json()["agrees"]), (2, &false.into()));
    for (file, bytes) in
        [("cut.json", &text.as_bytes()[..text.len() / 2]), ("other.json", b"{}"), ("none", b"")]
    {
        fs::write(path.join(file), bytes).unwrap();
        let refused = run(path, &["evidence", "verify", file]);
        assert!(refused.code == 3 && refused.stdout.is_empty(), "{refused:?}");
    }
    let missing = run(path, &["evidence", "verify", "nothing.json"]);
    assert_eq!(missing.code, 3, "{missing:?}");
    let elsewhere = ["evidence", "verify", "bundle.json", "--against-store", "--store", "nowhere"];
    assert_eq!(run(path, &elsewhere).code, 3);
    assert!(!Path::new(&path.join("nowhere")).exists(), "asking leaves nothing behind");
}

#[test]
fn evidence_asks_for_a_check_a_file_and_a_moment_that_is_known() {
    let folder = store(&[]);
    let path = folder.path();
    for arguments in [
        &["evidence"][..],
        &["evidence", CHECK],
        &["evidence", "nope", "-o", "x.json"],
        &["evidence", CHECK, "--at", "2020-01-01", "-o", "x.json"],
        &["evidence", CHECK, "--at", "2999-01-01", "-o", "x.json"],
        &["evidence", CHECK, "--at", "soon", "-o", "x.json"],
    ] {
        let refused = run(path, arguments);
        assert_eq!(refused.code, 3, "{arguments:?}: {refused:?}");
        assert!(!path.join("x.json").exists());
    }
}

#[test]
fn an_audit_answers_the_five_questions_and_says_why_something_is_not_known() {
    let folder = store(&[]);
    let organisation = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/organisation.ndjson");
    let organisation = organisation.to_str().unwrap();
    let audit = run(folder.path(), &["audit", "--data", organisation, "-o", "json"]);
    assert_eq!(audit.code, 4, "not all is known");
    let rows = audit.json();
    let of = |name: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        ["logged", "traffic", "keptFor", "forwardedTo", "whyNotKnown"]
            .map(|key| row[key].as_str().unwrap_or("-").to_owned())
    };
    let siem = "arn:aws:firehose:eu-central-1:418295037164:deliverystream/siem";
    assert_eq!(of("shared-services"), ["yes", "ALL", "400 days", siem, "-"]);
    assert_eq!(of("bastion"), ["no", "-", "-", "-", "-"]);
    assert_eq!(of("transit-apac"), ["yes", "ALL", "no log group yet", "-", "-"]);
    assert_eq!(of("build-agents"), ["yes", "ALL", "30 days", "-", "-"]);
    let [logged, traffic, kept, forwarded, why] = of("psp-gateway");
    assert_eq!([logged, traffic, kept, forwarded], ["not known", "-", "-", "-"]);
    assert!(why.contains("eu-west-1 FlowLog denied"), "{why}");
    let [logged, _, kept, forwarded, why] = of("edge-apac");
    assert_eq!([logged.as_str(), &kept, &forwarded], ["yes", "not known", "not known"]);
    assert!(why.contains("its account was not collected"), "{why}");
    let [logged, _, kept, forwarded, why] = of("labelling");
    assert_eq!([logged.as_str(), &kept, &forwarded], ["yes", "400 days", "not known"]);
    assert!(why.contains("SubscriptionFilter denied"), "{why}");
    let text = run(folder.path(), &["audit", "--data", organisation]).stdout;
    assert!(text.starts_with("VPC") && text.contains("WHY NOT KNOWN"), "{text}");
    let denied = store(&[slice("Vpc", "COMPLETE"), slice("FlowLog", "DENIED")]);
    let audit = run(denied.path(), &["audit", "-o", "csv"]);
    assert!(audit.code == 4 && audit.stdout.contains("not known"), "{audit:?}");
}
