//! Frameworks: the files that say which checks answer for which control, and what is said of a control by account.

use std::{collections::BTreeSet, sync::Arc};

use passmuster::{
    check::{self, CheckErrors, Framework, Sources, Verdict, comply, evaluate_all, load_frameworks},
    graph::GraphBuilder,
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    report::{compliance_json, compliance_sheet, compliance_text},
};

use super::shipped;

const OWN: &str = "\
id: ours
title: Our own rules
controls:
  - {id: \"1\", title: Logs, checks: [aws-logged]}
  - {id: \"2\", checks: []}
";
const CHECK: &str = "id: aws-logged\ntitle: Logged\nseverity: high\ncovers: Vpc\nexpect: \"eq []\"\n";
const QUERY: &str = "vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}) { id }\n";

fn now() -> Time {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

fn sources(framework: &str) -> Sources {
    let files = [
        ("frameworks/ours.yaml", framework),
        ("aws/logged/check.yaml", CHECK),
        ("aws/logged/query.graphql", QUERY),
    ];
    Sources::from_files("q", files.map(|(path, text)| (path.to_owned(), text.to_owned())))
}

fn load(framework: &str) -> Result<Vec<check::Check>, CheckErrors> {
    check::load(&sources(framework), &shipped().0)
}

fn all_shipped() -> Vec<Framework> {
    let known = shipped().1.iter().map(|check| check.id.clone()).collect();
    load_frameworks(&check::shipped(), &known).expect("valid")
}

/// The only mistake of a framework file, as `line:column code`, with its text and help.
fn assert_refused(framework: &str, told: &str, hint: &str) {
    let errors = load(framework).expect_err(told).0;
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    let place = error.place.as_ref().expect("a place");
    assert_eq!(
        format!("{}:{}:{} {}", error.file, place.line, place.column, error.code()),
        format!("q/frameworks/ours.yaml:{told}")
    );
    let text = format!("{error} {}", error.help().unwrap_or_default());
    assert!(text.contains(hint), "{text}");
}

#[test]
fn the_shipped_frameworks_hold_the_mapping_of_the_control() {
    let frameworks = all_shipped();
    let controls = |id: &str| -> Vec<&str> {
        let framework =
            frameworks.iter().find(|framework| framework.id == id).unwrap_or_else(|| panic!("{id}"));
        framework.controls.iter().map(|control| control.id.as_str()).collect()
    };
    for (version, control) in [
        ("1.0.0", "4.3"),
        ("1.1.0", "4.3"),
        ("1.2.0", "2.9"),
        ("1.3.0", "3.9"),
        ("1.4.0", "3.9"),
        ("1.5.0", "3.9"),
        ("2.0.0", "3.9"),
        ("3.0.0", "3.7"),
        ("4.0.1", "3.7"),
        ("5.0.0", "3.7"),
        ("6.0.0", "4.7"),
        ("7.0.0", "4.7"),
    ] {
        assert_eq!(controls(&format!("cis-aws-{version}")), [control], "{version}");
    }
    assert_eq!(controls("aws-security-hub"), ["EC2.6"]);
    assert_eq!(controls("aws-config"), ["vpc-flow-logs-enabled"]);
    assert_eq!(
        controls("nist-800-53-r5"),
        ["AC-4(26)", "AU-2", "AU-3", "AU-6(3)", "AU-6(4)", "AU-12", "CA-7", "SI-7(8)"]
    );
    assert_eq!(controls("nist-800-171-r2"), ["3.1.20", "3.3.1", "3.13.1"]);
    assert_eq!(controls("pci-dss-4.0").len(), 10);
    assert_eq!(controls("pci-dss-3.2.1"), ["10.3.3", "10.3.4", "10.3.5", "10.3.6"]);
    assert_eq!(controls("soc-2"), ["CC7.2", "CC7.3"]);
    assert_eq!(controls("iso-27001-2013"), ["A.12.4"]);
    assert_eq!(controls("iso-27001-2022"), ["A.8.15", "A.8.16", "A.8.20", "A.8.21", "A.8.22", "A.8.23"]);
    assert_eq!(controls("cis-controls-v6"), ["6.5", "12.9"]);
    assert_eq!(controls("cis-controls-v7"), ["6.2", "12.5"]);
    assert_eq!(controls("cis-controls-v8"), ["8.2", "13.6"]);
    assert_eq!(controls("cce"), ["CCE-79202-8"]);
    assert_eq!(controls("mitre-attack"), ["T1048", "T1071"]);
}

#[test]
fn the_frameworks_are_the_only_place_that_maps_controls_and_name_only_checks_there_are() {
    let (_, checks) = shipped();
    let known: BTreeSet<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    for framework in all_shipped() {
        assert!(framework.checks().is_subset(&known), "{}", framework.id);
        for control in &framework.controls {
            for id in &control.checks {
                let check = checks.iter().find(|check| check.id == *id).expect("a check");
                assert!(check.controls[&framework.id].contains(&control.id), "{id} {}", framework.id);
            }
        }
    }
    let with_controls = CHECK.to_owned() + "controls: {cis-aws-3.0.0: [\"3.7\"]}\n";
    let files = [("aws/logged/check.yaml", with_controls.as_str()), ("aws/logged/query.graphql", QUERY)];
    let sources = Sources::from_files("q", files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let errors = check::load(&sources, &shipped().0).expect_err("a check maps no controls").0;
    assert_eq!(errors[0].code(), "unknown_key");
}

#[test]
fn a_framework_file_is_held_against_the_checks_there_are() {
    assert!(load(OWN).is_ok());
    let with = |from: &str, to: &str| OWN.replace(from, to);
    assert_refused(&with("[aws-logged]", "[aws-loged]"), "4:37 unknown_check", "did you mean `aws-logged`?");
    assert_refused(&with("[aws-logged]", "[aws-logged, aws-logged]"), "4:49 twice", "check `aws-logged`");
    assert_refused(&with("\"2\"", "\"1\""), "5:10 twice", "control `1`");
    assert_refused(&with("id: ours", "id: our"), "1:5 id_not_file", "write `id: ours`");
    assert_refused(&with("title: Our", "titel: Our"), "2:1 unknown_key", "did you mean `title`?");
    assert_refused(&with("\"2\"", "2"), "5:10 wrong_kind", "put it in quotes");
    assert_refused(&with(", checks: []", ""), "5:5 missing_key", "checks");
}

#[test]
fn a_shipped_framework_stays_usable_beside_a_folder_and_is_replaced_by_one_of_its_name() {
    let own = load_frameworks(&sources(OWN), &BTreeSet::from(["aws-logged".to_owned()])).expect("valid");
    assert!(own.iter().any(|framework| framework.id == "ours"));
    let cis = own.iter().find(|framework| framework.id == "cis-aws-3.0.0").expect("shipped");
    assert!(cis.controls[0].checks.is_empty(), "the shipped check is not among those of the folder");
    let mine = "id: cis-aws-3.0.0\ntitle: Mine\ncontrols: [{id: \"9\", checks: []}]\n";
    let files = [("frameworks/cis-aws-3.0.0.yaml".to_owned(), mine.to_owned())];
    let mine = load_frameworks(&Sources::from_files("q", files), &BTreeSet::new()).expect("valid");
    assert_eq!(mine.iter().find(|framework| framework.id == "cis-aws-3.0.0").expect("mine").title, "Mine");
}

/// Account 1 fails, 2 passes, 3 could not be read, 4 has no VPC.
#[test]
fn a_control_is_judged_as_a_whole_and_for_each_account() {
    let (engine, _) = shipped();
    let sources = sources(OWN);
    let checks = check::load(&sources, engine).expect("valid");
    let framework = load_frameworks(&sources, &BTreeSet::from(["aws-logged".to_owned()])).expect("valid");
    let ours = framework.iter().find(|framework| framework.id == "ours").expect("ours");
    let vpc = |account: &str, id: &str| {
        Asset::new("Vpc", id).with("vpcId", id).with("accountId", account).with("region", "r")
    };
    let log = Asset::new("FlowLog", "fl")
        .with("flowLogId", "fl")
        .with("accountId", "2")
        .with("region", "r")
        .with("resourceId", "c")
        .with("flowLogStatus", "ACTIVE");
    let mut builder = GraphBuilder::new(Arc::clone(engine.catalog()));
    for asset in [vpc("1", "a"), vpc("1", "b"), vpc("2", "c"), vpc("3", "d"), log] {
        builder.push(&asset).expect("an asset");
    }
    let slices = ["1", "2", "3", "4"].iter().flat_map(|account| {
        ["Vpc", "FlowLog"].map(|asset_type| SliceState {
            key: SliceKey::new(*account, "r", asset_type),
            api: String::new(),
            outcome: if (*account, asset_type) == ("3", "FlowLog") {
                Outcome::Denied
            } else {
                Outcome::Complete
            },
            reason: None,
            attempted_at: None,
            completed_at: None,
            assets: 0,
        })
    });
    let graph = builder.finish(Some(slices.collect()), now()).expect("a graph");
    let results = evaluate_all(&checks, engine, &graph, now());
    let told = comply(ours, &results, engine, &graph);
    let [logged, uncovered] = told.controls.as_slice() else { panic!("{told:?}") };
    assert_eq!((logged.verdict, logged.counts.fail), (Some(Verdict::Fail), 2));
    let accounts: Vec<(&str, Verdict, u64)> = logged
        .accounts
        .iter()
        .map(|account| (account.account_id.as_str(), account.verdict, account.counts.pass))
        .collect();
    assert_eq!(accounts, [("1", Verdict::Fail, 0), ("2", Verdict::Pass, 1), ("3", Verdict::Unknown, 0)]);
    assert_eq!((uncovered.verdict, uncovered.accounts.len()), (None, 0));
    let style = passmuster::report::Style { width: None, colour: false };
    let text = compliance_text(&told, style);
    assert!(
        text.contains("no check answers for it") && text.contains("2 controls: 1 fail, 1 without a check"),
        "{text}"
    );
    let json = compliance_json(&told, &results, check::ExitCode::Findings, now());
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["framework"]["controls"][1]["verdict"], serde_json::Value::Null);
    assert_eq!(json["framework"]["controls"][0]["accounts"][2]["verdict"], "UNKNOWN");
    assert!(compliance_sheet(&told).csv().contains("ours,2,,NO_CHECK,0,0,0,"));
}
