//! Verdicts: the sample organisation, check by check; what a verdict rests on; how a run ends.

use std::{collections::BTreeMap, sync::Arc};

use passmuster::{
    check::{
        self, Check, CheckResult, Counts, ExitCode, Reason, RememberedVerdicts, SliceCount, Verdict,
        evaluate, evaluate_all,
    },
    graph::{Changes, Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    query::Engine,
};
use serde_json::{Value, json};

use super::shipped;

const ORGANISATION: &str = include_str!("../../../examples/organisation.ndjson");
const NOW: &str = "2026-11-20T12:00:00Z";

fn now() -> Time {
    NOW.parse().expect("a time")
}

fn slice(
    asset_type: &str,
    account: &str,
    region: &str,
    outcome: Outcome,
    completed: Option<&str>,
) -> SliceState {
    SliceState {
        key: SliceKey::new(account, region, asset_type),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: None,
        completed_at: completed.map(|time| time.parse().expect("a time")),
        assets: 0,
    }
}

fn graph_of(engine: &Engine, assets: &[Asset], slices: Option<Vec<SliceState>>) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(engine.catalog()));
    for asset in assets {
        engine.catalog().check_asset(asset).unwrap_or_else(|misfit| panic!("{}: {misfit}", asset.id));
        builder.push(asset).expect("an asset");
    }
    builder.finish(slices, now()).expect("a graph")
}

fn organisation(engine: &Engine) -> Graph {
    let (mut assets, mut slices) = (Vec::new(), Vec::new());
    for line in ORGANISATION.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        if value["__typename"] == "Slice" {
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            let outcome = text("outcome").parse().expect("an outcome");
            let mut state = slice(&text("assetType"), &text("accountId"), &text("region"), outcome, None);
            state.reason = value["reason"].as_str().map(str::to_owned);
            slices.push(state);
        } else {
            assets.push(Asset::from_json(value).expect("an asset"));
        }
    }
    graph_of(engine, &assets, Some(slices))
}

fn vpc(id: &str) -> Asset {
    Asset::new("Vpc", id)
        .with("vpcId", id)
        .with("nativeId", id)
        .with("accountId", "1")
        .with("region", "us-east-1")
}

fn find<'c>(checks: &'c [Check], short: &str) -> &'c Check {
    let id = format!("aws-vpc-flow-logs-{short}");
    checks.iter().find(|check| check.id == id).expect("a shipped check")
}

/// The names of the failing assets, default VPCs as `default of REGION`.
fn failing(result: &CheckResult) -> Vec<String> {
    let name = |asset: &check::AssetName| {
        let default = || format!("default of {}", asset.region.as_deref().unwrap_or_default());
        asset.name.clone().unwrap_or_else(default)
    };
    let mut names: Vec<String> = result.findings.iter().map(|finding| name(&finding.asset)).collect();
    names.sort();
    names
}

#[test]
fn the_sample_organisation_gets_the_right_verdicts() {
    let (engine, checks) = shipped();
    let graph = organisation(engine);
    let results = evaluate_all(&checks, engine, &graph, now());
    let told: BTreeMap<&str, (&str, u64, u64, u64)> = results
        .iter()
        .map(|result| {
            let Counts { fail, excepted: _, unknown, pass } = result.counts;
            let id = result.id.trim_start_matches("aws-vpc-flow-logs-");
            (id, (result.verdict.as_str(), fail, unknown, pass))
        })
        .collect();
    assert_eq!(
        told,
        BTreeMap::from([
            ("capture-all", ("FAIL", 24, 8, 27)),
            ("capture-rejects", ("FAIL", 21, 8, 30)),
            ("delivering", ("FAIL", 5, 8, 46)),
            ("effective-coverage", ("FAIL", 18, 8, 33)),
            ("enabled", ("FAIL", 20, 8, 31)),
            ("enabled-non-default", ("FAIL", 11, 7, 41)),
            ("log-group-not-shared", ("FAIL", 1, 24, 0)),
            ("retention", ("FAIL", 9, 9, 41)),
            ("retention-set", ("FAIL", 3, 1, 21)),
            ("role", ("FAIL", 3, 9, 47)),
            ("siem", ("FAIL", 8, 12, 39)),
        ])
    );
    // Where some flow logs were not seen, they may deliver to any log group: none passes.
    let has_all = |(&id, &(_, fail, unknown, pass)): (&&str, &(&str, u64, u64, u64))| {
        fail > 0 && unknown > 0 && (pass > 0 || id == "log-group-not-shared")
    };
    assert!(told.iter().all(has_all), "each check shows what it can say: {told:?}");
}

#[test]
fn denied_regions_and_owners_that_are_not_scanned_are_unknown_with_the_reason() {
    let (engine, checks) = shipped();
    let result = evaluate(find(&checks, "enabled"), engine, &organisation(engine), now());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for unknown in &result.unknown {
        assert_eq!(unknown.reasons.len(), 1, "{unknown:?}");
        *reasons.entry(unknown.reasons[0].to_string()).or_default() += 1;
    }
    assert_eq!(
        reasons,
        BTreeMap::from([
            (
                "620184739501 eu-west-1 FlowLog denied: UnauthorizedOperation: not authorized to perform \
                 ec2:DescribeFlowLogs"
                    .to_owned(),
                7
            ),
            ("904571236688 us-east-1 FlowLog never collected".to_owned(), 1),
        ])
    );
    assert!(result.unknown_coverage.is_empty(), "{:?}", result.unknown_coverage);
    assert_eq!(
        result.rests_on.slices,
        Some(SliceCount { complete: 23, total: 25 }),
        "the one of the owner is needed too"
    );
}

#[test]
fn each_check_names_exactly_the_vpcs_that_fail_it() {
    let (engine, checks) = shipped();
    let graph = organisation(engine);
    let names = |short: &str| failing(&evaluate(find(&checks, short), engine, &graph, now()));
    let non_default = [
        "acquirer-link",
        "bastion",
        "hpc-burst",
        "notebooks",
        "payments-dev",
        "payments-us-staging",
        "scratch",
        "shared-services-dr",
        "spare",
        "training-cluster",
        "workshop-2024",
    ];
    assert_eq!(names("enabled-non-default"), non_default);
    let unlogged: Vec<String> =
        names("enabled").into_iter().filter(|name| !name.starts_with("default of")).collect();
    assert_eq!(unlogged, non_default, "without default VPCs the two checks agree");
    assert_eq!(
        names("delivering"),
        ["cloudfront-origins", "field-stations", "reconciliation", "settlement", "vpn-endpoints"]
    );
    let only = |stricter: &str, milder: &str| -> Vec<String> {
        let milder = names(milder);
        names(stricter).into_iter().filter(|name| !milder.contains(name)).collect()
    };
    assert_eq!(only("capture-rejects", "enabled"), ["chargebacks"]);
    assert_eq!(only("capture-all", "capture-rejects"), ["edge-staging", "fraud-scoring", "labelling"]);
}

#[test]
fn production_comes_first_among_the_findings() {
    let (engine, checks) = shipped();
    let result = evaluate(find(&checks, "enabled"), engine, &organisation(engine), now());
    let labels: Vec<bool> = result.findings.iter().map(|finding| !finding.priority.is_empty()).collect();
    assert_eq!(labels.iter().filter(|urgent| **urgent).count(), 3, "{:?}", result.findings);
    assert!(labels.is_sorted_by(|left, right| left >= right), "{labels:?}");
    let exposed = ["internet-exposed", "production"];
    let first: Vec<&[String]> = result.findings.iter().take(3).map(|finding| &*finding.priority).collect();
    assert_eq!(first, [&exposed[..], &exposed[..], &["production"][..]], "what is exposed comes first");
    let plain: Vec<_> = result.findings.iter().filter(|finding| finding.priority.is_empty()).collect();
    assert!(plain.is_sorted_by(|left, right| left.asset <= right.asset), "then account, region and id");
}

#[test]
fn an_empty_account_is_not_applicable_and_an_empty_store_is_unknown() {
    let (engine, checks) = shipped();
    let check = find(&checks, "enabled");
    let verdict = |slices| evaluate(check, engine, &graph_of(engine, &[], slices), now()).verdict;
    let complete = |kind| slice(kind, "1", "us-east-1", Outcome::Complete, None);
    assert_eq!(verdict(Some(vec![complete("Vpc"), complete("FlowLog")])), Verdict::NotApplicable);
    assert_eq!(verdict(None), Verdict::NotApplicable, "a file is complete as it stands");
    assert_eq!(verdict(Some(Vec::new())), Verdict::Unknown);
    let result = evaluate(check, engine, &graph_of(engine, &[], Some(Vec::new())), now());
    assert_eq!(result.unknown_coverage, [Reason::NothingCollected]);
    assert_eq!(verdict(Some(vec![complete("FlowLog")])), Verdict::Unknown, "VPCs were never collected");
}

#[test]
fn vpcs_never_collected_in_a_region_keep_a_check_from_passing() {
    let (engine, checks) = shipped();
    let complete = |kind, region| slice(kind, "1", region, Outcome::Complete, None);
    let slices = vec![
        complete("Vpc", "us-east-1"),
        complete("FlowLog", "us-east-1"),
        complete("FlowLog", "eu-west-1"),
    ];
    let result = evaluate(find(&checks, "enabled"), engine, &graph_of(engine, &[], Some(slices)), now());
    assert_eq!(result.verdict, Verdict::Unknown);
    assert_eq!(
        result.unknown_coverage,
        [Reason::NeverCollected { slice: SliceKey::new("1", "eu-west-1", "Vpc") }]
    );
}

#[test]
fn an_incomplete_list_of_vpcs_takes_nothing_from_a_fail() {
    let (engine, checks) = shipped();
    let slices = vec![
        slice("Vpc", "1", "us-east-1", Outcome::Complete, None),
        slice("FlowLog", "1", "us-east-1", Outcome::Complete, None),
        slice("Vpc", "1", "eu-west-1", Outcome::Throttled, None),
        slice("FlowLog", "1", "eu-west-1", Outcome::Complete, None),
    ];
    let graph = graph_of(engine, &[vpc("vpc-a")], Some(slices));
    let result = evaluate(find(&checks, "enabled"), engine, &graph, now());
    assert_eq!(result.verdict, Verdict::Fail);
    assert_eq!(result.unknown_coverage.len(), 1, "and what is not known is told all the same");
    assert_eq!(result.unknown_coverage[0].code(), "throttled");
}

#[test]
fn what_is_older_than_max_age_decides_nothing_and_the_age_of_the_oldest_is_told() {
    let (engine, checks) = shipped();
    let slices = |vpcs: &str, logs: &str| {
        Some(vec![
            slice("Vpc", "1", "us-east-1", Outcome::Complete, Some(vpcs)),
            slice("FlowLog", "1", "us-east-1", Outcome::Complete, Some(logs)),
        ])
    };
    let check = find(&checks, "enabled");
    let judge = |slices| evaluate(check, engine, &graph_of(engine, &[vpc("vpc-a")], slices), now());
    let fresh = judge(slices("2026-11-20T11:00:00Z", "2026-11-20T10:00:00Z"));
    assert_eq!(fresh.verdict, Verdict::Fail);
    assert_eq!(fresh.rests_on.oldest, Some("2026-11-20T10:00:00Z".parse().expect("a time")));
    let old = judge(slices("2026-11-20T11:00:00Z", "2026-11-19T11:59:59Z"));
    assert_eq!(old.verdict, Verdict::Unknown);
    assert_eq!(old.unknown[0].reasons[0].code(), "too_old");
    assert_eq!(old.rests_on.slices, Some(SliceCount { complete: 1, total: 2 }));
    let on_the_edge = judge(slices("2026-11-20T11:00:00Z", "2026-11-19T12:00:00Z"));
    assert_eq!(on_the_edge.verdict, Verdict::Fail, "as old as max_age is not too old");
}

#[test]
fn a_run_ends_with_the_code_that_its_verdicts_call_for() {
    let (engine, checks) = shipped();
    let graph = organisation(engine);
    let mut result = evaluate(find(&checks, "enabled"), engine, &graph, now());
    let mut ends = |verdicts: &[Verdict]| {
        let results: Vec<CheckResult> = verdicts
            .iter()
            .map(|verdict| {
                result.verdict = *verdict;
                result.clone()
            })
            .collect();
        ExitCode::of(&results).code()
    };
    assert_eq!(ends(&[]), 0);
    assert_eq!(ends(&[Verdict::Pass, Verdict::NotApplicable]), 0);
    assert_eq!(ends(&[Verdict::Pass, Verdict::Unknown]), 4);
    assert_eq!(ends(&[Verdict::Unknown, Verdict::Fail]), 2);
    assert_eq!(ends(&[Verdict::Fail, Verdict::Error, Verdict::Unknown]), 1);
}

#[test]
fn the_same_inventory_gives_the_same_result_in_any_order() {
    let (engine, checks) = shipped();
    let log = |id: &str, of: &str| {
        Asset::new("FlowLog", id)
            .with("flowLogId", id)
            .with("accountId", "1")
            .with("region", "us-east-1")
            .with("resourceId", of)
            .with("flowLogStatus", "ACTIVE")
            .with("tags", json!([{"key": "a", "value": "b"}]))
    };
    let mut assets =
        vec![vpc("vpc-c"), log("fl-1", "vpc-a"), vpc("vpc-a"), vpc("vpc-b"), log("fl-0", "vpc-a")];
    let check = find(&checks, "enabled");
    let first = evaluate(check, engine, &graph_of(engine, &assets, None), now());
    assets.reverse();
    assert_eq!(evaluate(check, engine, &graph_of(engine, &assets, None), now()), first);
    assert_eq!(failing_ids(&first), ["vpc-b", "vpc-c"]);
}

/// From 20,000 assets on checks are judged by several threads.
#[test]
fn a_large_inventory_gets_the_verdicts_that_each_check_gives_alone() {
    let (engine, checks) = shipped();
    let mut assets: Vec<Asset> = ORGANISATION
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|value: &Value| value["__typename"] != "Slice")
        .map(|value| Asset::from_json(value).expect("an asset"))
        .collect();
    assets.extend((0..20_001).map(|number| {
        let id = format!("subnet-{number:08x}");
        Asset::new("Subnet", id.as_str()).with("subnetId", id.as_str()).with("vpcId", "vpc-elsewhere")
    }));
    let graph = graph_of(engine, &assets, None);
    let alone: Vec<CheckResult> = checks.iter().map(|check| evaluate(check, engine, &graph, now())).collect();
    assert!(alone.iter().any(|result| !result.findings.is_empty()));
    assert_eq!(evaluate_all(&checks, engine, &graph, now()), alone);

    let mut remembered = RememberedVerdicts::default();
    let again = |remembered: &mut RememberedVerdicts| -> Vec<CheckResult> {
        let results = remembered.evaluate_all(&checks, engine, &graph, now());
        results.iter().map(|result| (**result).clone()).collect()
    };
    assert_eq!(again(&mut remembered), alone);
    assert_eq!(again(&mut remembered), alone);
    assert_eq!(remembered.evaluated(), checks.len() as u64);
}

fn failing_ids(result: &CheckResult) -> Vec<&str> {
    result.findings.iter().map(|finding| finding.asset.short_id()).collect()
}

#[test]
fn a_check_is_evaluated_again_only_where_something_it_rests_on_changed() {
    let (engine, checks) = shipped();
    let check = std::slice::from_ref(find(&checks, "enabled"));
    let at = |text: &str| -> Time { text.parse().expect("a time") };
    let complete =
        |asset_type: &str, completed| slice(asset_type, "1", "us-east-1", Outcome::Complete, Some(completed));
    let log = Asset::new("FlowLog", "fl-1")
        .with("flowLogId", "fl-1")
        .with("accountId", "1")
        .with("region", "us-east-1")
        .with("resourceId", "vpc-a")
        .with("flowLogStatus", "ACTIVE");
    let touches = |name: &str| check[0].touches.iter().any(|touched| touched == name);
    let mut types = engine.catalog().types().iter();
    let other = types.find(|of| of.find("accountId").is_some() && of.name != "Slice" && !touches(&of.name));
    let other = &other.expect("a type that the check doesn't touch").name;
    let slices = ["Vpc", "FlowLog", other].map(|name| complete(name, "2026-11-20T10:00:00Z"));
    let mut graph = graph_of(engine, &[vpc("vpc-a")], Some(slices.to_vec()));
    let mut remembered = RememberedVerdicts::default();
    let mut beside = RememberedVerdicts::default();
    let mut judge = |graph: &Graph, now: Time| {
        let before = remembered.evaluated();
        let results = remembered.evaluate_all(check, engine, graph, now);
        assert_eq!(*results[0], evaluate(&check[0], engine, graph, now), "as if nothing was remembered");
        let changed: Vec<usize> =
            beside.evaluate_changed(check, engine, graph, now).into_iter().map(|(place, _)| place).collect();
        let expected: &[usize] = if remembered.evaluated() > before { &[0] } else { &[] };
        assert_eq!(changed, expected, "what changed is what has to be evaluated");
        remembered.evaluated()
    };
    let patch = |graph: &Graph, put: Vec<Asset>, states: Vec<SliceState>| {
        let slices = states.into_iter().map(|state| (state.key.clone(), Some(state))).collect();
        graph.patched(&Changes { put, slices, ..Changes::default() }, now()).expect("a patch").graph
    };
    assert_eq!(judge(&graph, now()), 1);
    assert_eq!(judge(&graph, now()), 1, "nothing changed");
    assert_eq!(judge(&graph, at("2026-11-20T12:30:00Z")), 1, "and nothing became too old");
    graph = patch(&graph, Vec::new(), vec![complete(other, "2026-11-20T11:00:00Z")]);
    assert_eq!(judge(&graph, at("2026-11-20T12:30:00Z")), 1, "the verdict doesn't rest on {other}");
    graph = patch(&graph, vec![log.clone()], vec![complete("FlowLog", "2026-11-20T11:00:00Z")]);
    assert_eq!(judge(&graph, at("2026-11-20T12:30:00Z")), 2, "a flow log came");
    graph = patch(&graph, vec![log], Vec::new());
    assert_eq!(judge(&graph, at("2026-11-20T12:30:00Z")), 2, "put as it was");
    graph = patch(&graph, Vec::new(), vec![complete("FlowLog", "2026-11-20T11:30:00Z")]);
    assert_eq!(judge(&graph, at("2026-11-20T12:30:00Z")), 3, "collected again");
    assert_eq!(judge(&graph, at("2026-11-21T10:00:00Z")), 3, "as old as max_age is not too old");
    assert_eq!(judge(&graph, at("2026-11-21T10:00:01Z")), 4, "the VPCs' slice is too old");
    assert_eq!(judge(&graph, at("2026-11-21T10:00:00Z")), 5, "an earlier moment is another question");
    let built = graph_of(engine, &[vpc("vpc-a")], Some(slices.to_vec()));
    assert_eq!(judge(&built, at("2026-11-21T10:00:00Z")), 6, "another graph");
}

/// VPCs by id and name, none of which has a flow log, all collected.
fn unlogged(engine: &Engine, names: &[(&str, &str)]) -> Graph {
    let vpcs: Vec<Asset> = names.iter().map(|(id, name)| vpc(id).with("name", *name)).collect();
    let collected = ["Vpc", "FlowLog"]
        .map(|of| slice(of, "1", "us-east-1", Outcome::Complete, Some("2026-11-20T11:00:00Z")));
    graph_of(engine, &vpcs, Some(collected.to_vec()))
}

#[test]
fn a_finding_has_the_name_that_its_asset_has_in_the_graph_judged() {
    let (engine, checks) = shipped();
    let check = std::slice::from_ref(find(&checks, "enabled"));
    let before = unlogged(engine, &[("vpc-a", "one"), ("vpc-b", "two"), ("vpc-c", "three")]);
    let patch = |put: Vec<Asset>, removed: &[&str]| {
        let removed = removed.iter().map(|id| ("Vpc".to_owned(), (*id).to_owned())).collect();
        before.patched(&Changes { put, removed, ..Changes::default() }, now()).expect("a patch").graph
    };
    let renamed = |id: &str, name: &str| vpc(id).with("name", name);
    // Two futures of one graph: what each adds has the same number in both, and is not the same.
    let graphs = [
        patch(vec![renamed("vpc-a", "first"), renamed("vpc-d", "new here")], &[]),
        patch(vec![renamed("vpc-a", "second"), renamed("vpc-e", "new there")], &["vpc-b"]),
        patch(vec![renamed("vpc-c", "one"), vpc("vpc-b")], &[]),
        patch(vec![vpc("vpc-0").with("accountId", "0")], &[]),
    ];
    let mut remembered = RememberedVerdicts::default();
    let mut judge = |graph: &Graph| {
        let result = remembered.evaluate_all(check, engine, graph, now()).remove(0);
        assert_eq!(*result, evaluate(&check[0], engine, graph, now()), "as if no name was remembered");
        result.findings.iter().map(|finding| (finding.asset.id.clone(), finding.asset.name.clone())).collect()
    };
    let named = |names: &[(&str, Option<&str>)]| -> Vec<(String, Option<String>)> {
        names.iter().map(|(id, name)| ((*id).to_owned(), name.map(str::to_owned))).collect()
    };
    let all = named(&[("vpc-a", Some("one")), ("vpc-b", Some("two")), ("vpc-c", Some("three"))]);
    let told = [
        named(&[
            ("vpc-a", Some("first")),
            ("vpc-b", Some("two")),
            ("vpc-c", Some("three")),
            ("vpc-d", Some("new here")),
        ]),
        named(&[("vpc-a", Some("second")), ("vpc-c", Some("three")), ("vpc-e", Some("new there"))]),
        named(&[("vpc-a", Some("one")), ("vpc-b", None), ("vpc-c", Some("one"))]),
    ];
    let mut seen: Vec<Vec<(String, Option<String>)>> = vec![judge(&before)];
    seen.extend(graphs[..3].iter().map(&mut judge));
    assert_eq!(seen, [all, told[0].clone(), told[1].clone(), told[2].clone()]);
    let with_unknown = judge(&graphs[3]);
    assert_eq!(with_unknown.len(), 3, "of vpc-0 nothing is known: nobody collected account 0");
}

#[test]
fn findings_are_in_the_order_of_names_whatever_was_added_to_the_texts_since() {
    let (engine, checks) = shipped();
    let check = std::slice::from_ref(find(&checks, "enabled"));
    let mut graph = unlogged(engine, &[("vpc-m", "m"), ("vpc-t", "t")]);
    let mut remembered = RememberedVerdicts::default();
    for id in ["vpc-z", "vpc-a", "vpc-p"] {
        let changes = Changes { put: vec![vpc(id).with("name", id)], ..Changes::default() };
        graph = graph.patched(&changes, now()).expect("a patch").graph;
        let result = remembered.evaluate_all(check, engine, &graph, now()).remove(0);
        let mut sorted = failing_ids(&result);
        sorted.sort_unstable();
        assert_eq!(failing_ids(&result), sorted);
    }
    assert_eq!(remembered.evaluated(), 3);
}

#[test]
fn a_verdict_is_told_anew_once_an_asset_without_a_slice_of_its_own_was_seen_too_long_ago() {
    let (engine, checks) = shipped();
    let check = std::slice::from_ref(find(&checks, "enabled"));
    let shared = vpc("vpc-s").with("accountId", "9").with("lastSeenAt", "2026-11-20T10:00:00Z");
    let collected = ["Vpc", "FlowLog"]
        .map(|of| slice(of, "1", "us-east-1", Outcome::Complete, Some("2026-11-20T12:00:00Z")));
    let graph = graph_of(engine, &[vpc("vpc-a"), shared], Some(collected.to_vec()));
    let mut remembered = RememberedVerdicts::default();
    for (moment, evaluated) in [
        ("2026-11-20T12:30:00Z", 1),
        ("2026-11-21T10:00:00Z", 1),
        ("2026-11-21T10:00:01Z", 2),
        ("2026-11-21T11:00:00Z", 2),
        ("2026-11-21T12:00:01Z", 3),
    ] {
        let moment: Time = moment.parse().expect("a time");
        let result = remembered.evaluate_all(check, engine, &graph, moment).remove(0);
        assert_eq!(*result, evaluate(&check[0], engine, &graph, moment), "as if nothing was remembered");
        assert_eq!(remembered.evaluated(), evaluated, "at {moment}");
    }
}

#[test]
fn an_asset_that_comes_where_nothing_was_collected_is_unknown_beside_a_whole_inventory() {
    let (engine, checks) = shipped();
    let check = find(&checks, "enabled");
    let before = unlogged(engine, &[("vpc-a", "one")]);
    assert_eq!(evaluate(check, engine, &before, now()).counts, Counts { fail: 1, ..Counts::default() });
    let put = |asset: Asset| {
        before.patched(&Changes { put: vec![asset], ..Changes::default() }, now()).expect("a patch").graph
    };
    let here = evaluate(check, engine, &put(vpc("vpc-b")), now()).counts;
    assert_eq!(here, Counts { fail: 2, ..Counts::default() });
    for elsewhere in [vpc("vpc-b").with("region", "eu-west-1"), vpc("vpc-b").with("accountId", "2")] {
        let counts = evaluate(check, engine, &put(elsewhere), now()).counts;
        assert_eq!(counts, Counts { fail: 1, unknown: 1, ..Counts::default() });
    }
    let moved = evaluate(check, engine, &put(vpc("vpc-a").with("region", "eu-west-1")), now()).counts;
    assert_eq!(moved, Counts { unknown: 1, ..Counts::default() });
}

#[test]
fn assets_of_one_place_share_the_reasons_that_make_them_unknown() {
    let (engine, checks) = shipped();
    let vpcs: Vec<Asset> = (0..100)
        .map(|number| {
            let region = if number < 60 { "eu-west-1" } else { "us-east-1" };
            vpc(&format!("vpc-{number}")).with("region", region)
        })
        .collect();
    let collected = ["eu-west-1", "us-east-1"]
        .map(|region| slice("Vpc", "1", region, Outcome::Complete, Some("2026-11-20T11:00:00Z")));
    let graph = graph_of(engine, &vpcs, Some(collected.to_vec()));
    let result = evaluate(find(&checks, "enabled"), engine, &graph, now());
    assert_eq!(result.unknown.len(), 100, "nobody collected flow logs");
    let of_region = |region: &str| {
        let own = result.unknown.iter().filter(|unknown| unknown.asset.region.as_deref() == Some(region));
        own.map(|unknown| Arc::clone(&unknown.reasons)).collect::<Vec<_>>()
    };
    let (here, there) = (of_region("eu-west-1"), of_region("us-east-1"));
    assert_eq!((here.len(), there.len()), (60, 40));
    for shared in [&here, &there] {
        assert!(shared.iter().all(|reasons| Arc::ptr_eq(reasons, &shared[0])), "one list for all of a place");
    }
    assert_ne!(here[0], there[0]);
    assert_eq!(here[0][0].to_string(), "1 eu-west-1 FlowLog never collected");
    let rests_on = result.rests_on.slices.expect("slices");
    assert_eq!(
        (rests_on.complete, rests_on.total),
        (2, 4),
        "two that are missing, however many assets miss them"
    );
}
