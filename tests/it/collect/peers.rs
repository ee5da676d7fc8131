//! What other tools get wrong on one fake AWS, each situation with the verdict of the shipped checks. The table in
//! `docs/verdicts.md` is what these tests saw: each holds its own line of it. `PASSMUSTER_WRITE_VERDICTS=1` writes the
//! lines instead.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Mutex,
};

use passmuster::{
    check::{CheckResult, Verdict, evaluate},
    model::{Clock, Outcome},
};

use super::{
    bench::Bench,
    main_job::graph,
    network::{LISTS, owned_by_another},
};
use crate::{
    check::shipped,
    support::{
        Paging,
        aws::{REGIONS, Situation, TestAccount, Truth, populate},
        fault_server::{Fault, FaultServer, Rule, denied, throttled},
        moto::moto,
    },
};

/// The situations, in the order of the page, and what other tools made of them.
const PEERS: [(&str, &str); 10] = [
    ("DescribeFlowLogs is denied in one region", "prowler: 21 false FAILs; ScoutSuite: 14 false findings"),
    (
        "a region is throttled altogether",
        "cloud-audit's score rises from 20 to 60; prowler's region vanishes silently; c7n retries for 215 s",
    ),
    ("the region fails in the second run", "cloud-audit diff: \"Fixed (8)\", exit code 0"),
    ("answers come in pages of 5", "cloud-audit sees 8 of 40 VPCs, ScoutSuite 10 of 42"),
    ("an account without VPCs", "PASS, score 100, exit code 0 everywhere"),
    ("ACTIVE, and delivery FAILED", "passes in all defaults"),
    ("ACCEPT to S3 and REJECT to CloudWatch", "\"ACTIVE and ALL\" flags it"),
    ("a VPC with two flow logs", "one reports two rows"),
    ("a shared VPC whose owner was not collected", "a false alarm in three"),
    ("a VPC without interfaces", "prowler's default omits it"),
];

const ENABLED: &str = "aws-vpc-flow-logs-enabled";

fn judge(bench: &Bench, check: &str) -> CheckResult {
    let (engine, checks) = shipped();
    let check = checks.iter().find(|known| known.id == check).expect("a shipped check");
    evaluate(check, engine, &graph(engine, bench), bench.clock.now())
}

/// The native ids of the assets that fail, and of those that are unknown.
fn named(result: &CheckResult) -> (BTreeSet<String>, BTreeSet<String>) {
    let failing = result.findings.iter().map(|finding| finding.asset.short_id().to_owned());
    let unknown = result.unknown.iter().map(|unknown| unknown.asset.short_id().to_owned());
    (failing.collect(), unknown.collect())
}

fn everywhere(wanted: impl Fn(&str) -> BTreeSet<String>) -> BTreeSet<String> {
    REGIONS.iter().flat_map(|region| wanted(region)).collect()
}

/// A result as the page tells it: the verdict, the VPCs of each region, the reasons.
fn told(bench: &Bench, result: &CheckResult) -> String {
    let mut regions: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for vpc in bench.assets(passmuster::model::GLOBAL_REGION, "Vpc") {
        let id = vpc.text("nativeId").expect("an id");
        let (failing, unknown) = named(result);
        let place = if failing.contains(id) {
            0
        } else if unknown.contains(id) {
            1
        } else {
            2
        };
        regions.entry(vpc.region().expect("a region").to_owned()).or_default()[place] += 1;
    }
    let mut told = vec![format!("**{}**", result.verdict)];
    for (region, counts) in regions {
        let words = ["FAIL", "UNKNOWN", "PASS"].into_iter().zip(counts).filter(|(_, count)| *count > 0);
        let words: Vec<String> = words.map(|(word, count)| format!("{count} {word}")).collect();
        told.push(format!("{region}: {}", words.join(", ")));
    }
    let reasons = result.unknown.iter().flat_map(|unknown| unknown.reasons.iter());
    let reasons: BTreeSet<String> =
        reasons.chain(&result.unknown_coverage).map(ToString::to_string).collect();
    let account = |reason: String| reason.replace(&bench.account.id, "ACCOUNT");
    told.extend(reasons.into_iter().map(account));
    told.join("; ")
}

/// Holds the line of a situation in the page, or writes it.
fn hold(situation: &str, check: &str, told: &str) {
    static PAGE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = PAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verdicts.md");
    let page = fs::read_to_string(&path).expect("docs/verdicts.md");
    let peers = PEERS.iter().find(|(known, _)| *known == situation).expect("a known situation").1;
    let line = format!("| {situation} | {peers} | `{check}` | {told} |");
    let begins = format!("| {situation} |");
    let found = page.lines().find(|line| line.starts_with(&begins)).expect("a line for each situation");
    if std::env::var_os("PASSMUSTER_WRITE_VERDICTS").is_some() {
        fs::write(&path, page.replace(found, &line)).expect("docs/verdicts.md can be written");
    } else {
        assert_eq!(found, line, "PASSMUSTER_WRITE_VERDICTS=1 cargo test peers:: writes docs/verdicts.md");
    }
}

#[test]
fn the_page_has_a_line_for_each_situation_and_no_other() {
    let page = include_str!("../../../docs/verdicts.md");
    let lines = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let situations: Vec<&str> =
        lines.filter_map(|line| line.split(" | ").next()?.strip_prefix("| ")).collect();
    assert_eq!(situations, PEERS.map(|(situation, _)| situation));
}

#[tokio::test]
async fn c3_flow_logs_denied_in_one_region_make_its_vpcs_unknown_with_the_reason() {
    let truth = populate().await;
    let server =
        FaultServer::start(&moto().url, [Rule::on("DescribeFlowLogs", denied()).in_region("eu-west-1")]);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let result = judge(&bench, ENABLED);
    let expected = (truth.without_active_flow_log("us-east-1"), truth.ids("eu-west-1", |_| true));
    assert_eq!(named(&result), expected);
    hold(PEERS[0].0, ENABLED, &told(&bench, &result));
}

/// Every call of a region, but for those that answer for the whole account.
fn all_of(region: &'static str, fault: &Fault) -> Vec<Rule> {
    LISTS.iter().map(|(action, _)| Rule::on(action, fault.clone()).in_region(region)).collect()
}

#[tokio::test]
async fn a_throttled_region_is_a_gap_after_bounded_attempts_and_the_others_are_judged() {
    let truth = populate().await;
    let server = FaultServer::start(&moto().url, all_of("eu-west-1", &throttled()));
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    for (action, _) in LISTS {
        assert_eq!(server.calls(action, "eu-west-1"), 3, "{action}: no more attempts than allowed");
    }
    let result = judge(&bench, ENABLED);
    assert_eq!(named(&result), (truth.without_active_flow_log("us-east-1"), BTreeSet::new()));
    let gaps: Vec<_> = result.unknown_coverage.iter().filter_map(|reason| reason.slice()).collect();
    assert_eq!(gaps.iter().map(|slice| slice.region.as_str()).collect::<Vec<_>>(), ["eu-west-1"]);
    hold(PEERS[1].0, ENABLED, &told(&bench, &result));
}

#[tokio::test]
async fn a_region_that_fails_in_the_second_run_resolves_nothing() {
    let truth = populate().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let first = judge(&bench, ENABLED);
    server.set_rules(all_of("eu-west-1", &denied()));
    bench.clock.set(super::bench::time("2026-11-20T13:00:00Z"));
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let second = judge(&bench, ENABLED);
    assert_eq!((second.verdict, &second.findings), (Verdict::Fail, &first.findings));
    let fixed = named(&first).0.difference(&named(&second).0).count();

    bench.clock.set(super::bench::time("2026-11-21T14:00:00Z"));
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let later = judge(&bench, ENABLED);
    let expected = (truth.without_active_flow_log("us-east-1"), truth.ids("eu-west-1", |_| true));
    assert_eq!(named(&later), expected, "too old to be believed, and not resolved either");
    let told = format!("{fixed} fixed, the same findings as before; a day later {}", told(&bench, &later));
    hold(PEERS[2].0, ENABLED, &told);
}

#[tokio::test]
async fn pages_of_five_are_read_to_the_end() {
    let truth = populate().await;
    let pages = LISTS.map(|(action, _)| Rule::on(action, Fault::Pages(Paging::of([5]))));
    let server = FaultServer::start(&moto().url, pages);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let result = judge(&bench, ENABLED);
    let expected = everywhere(|region| truth.without_active_flow_log(region));
    assert_eq!(named(&result), (expected, BTreeSet::new()));
    assert_eq!(result.counts.total(), truth.vpcs.len() as u64);
    let told = format!("all {} of {}; {}", result.counts.total(), truth.vpcs.len(), told(&bench, &result));
    hold(PEERS[3].0, ENABLED, &told);
}

/// Deletes the default VPC of a region and what is in it.
async fn empty(account: &TestAccount, region: &str) {
    let ec2 = account.ec2(region);
    let subnets = ec2.describe_subnets().send().await.expect("subnets");
    for subnet in subnets.subnets().iter().filter_map(|subnet| subnet.subnet_id()) {
        ec2.delete_subnet().subnet_id(subnet).send().await.expect("a deletion");
    }
    let vpcs = ec2.describe_vpcs().send().await.expect("VPCs");
    for vpc in vpcs.vpcs().iter().filter_map(|vpc| vpc.vpc_id()) {
        ec2.delete_vpc().vpc_id(vpc).send().await.expect("a deletion");
    }
}

#[tokio::test]
async fn an_account_without_vpcs_is_not_applicable() {
    let account = TestAccount::new().await;
    for region in REGIONS {
        empty(&account, region).await;
    }
    let bench = Bench::new(account, &moto().url);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");
    assert!(report.is_complete());
    let result = judge(&bench, ENABLED);
    assert_eq!(result.verdict, Verdict::NotApplicable);
    hold(PEERS[4].0, ENABLED, &told(&bench, &result));
}

/// Collects what `populate` makes, and judges it.
async fn judge_all(check: &str) -> (Truth, Bench, CheckResult) {
    let truth = populate().await;
    let bench = Bench::new(truth.account.clone(), &moto().url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let result = judge(&bench, check);
    (truth, bench, result)
}

#[tokio::test]
async fn a_flow_log_that_delivers_nothing_fails_a_check_of_its_own() {
    let check = "aws-vpc-flow-logs-delivering";
    let (truth, bench, result) = judge_all(check).await;
    let failed = everywhere(|region| truth.ids(region, |situation| situation == Situation::DeliveryFailed));
    assert_eq!(named(&result), (failed, BTreeSet::new()));
    hold(PEERS[5].0, check, &told(&bench, &result));
}

#[tokio::test]
async fn accept_and_reject_apart_count_as_all() {
    let check = "aws-vpc-flow-logs-capture-all";
    let (truth, bench, result) = judge_all(check).await;
    let (failing, unknown) = named(&result);
    let apart = everywhere(|region| truth.ids(region, |situation| situation == Situation::AcceptPlusReject));
    let reject = everywhere(|region| truth.ids(region, |situation| situation == Situation::RejectOnly));
    assert!(failing.is_disjoint(&apart) && unknown.is_empty());
    assert!(failing.is_superset(&reject), "rejected traffic alone is not all");
    let told = format!("none of its {} VPCs fails; {}", apart.len(), told(&bench, &result));
    hold(PEERS[6].0, check, &told);
}

#[tokio::test]
async fn a_vpc_with_two_flow_logs_is_one_asset_with_one_verdict() {
    let (truth, bench, result) = judge_all(ENABLED).await;
    let vpcs = everywhere(|region| truth.ids(region, |_| true));
    assert_eq!(result.counts.total(), vpcs.len() as u64);
    let two = everywhere(|region| truth.ids(region, |situation| situation == Situation::AcceptPlusReject));
    assert!(named(&result).0.is_disjoint(&two));
    let logs = bench.assets("eu-west-1", "FlowLog");
    let of = |id: &String| logs.iter().filter(|log| log.text("resourceId") == Some(id)).count();
    let most = two.iter().map(of).max().expect("a VPC with two");
    let told = format!("{} verdicts for {} VPCs, one of them with {most}", result.counts.total(), vpcs.len());
    hold(PEERS[7].0, ENABLED, &told);
}

#[tokio::test]
async fn c9_a_shared_vpc_is_unknown_until_its_owner_is_collected() {
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", owned_by_another(&account))]);
    let bench = Bench::new(account, &server.url);
    bench.collect(&["eu-west-1"], &[]).await.expect("a collection");
    let result = judge(&bench, ENABLED);
    assert_eq!((result.verdict, result.counts.unknown, result.counts.fail), (Verdict::Unknown, 1, 0));
    hold(PEERS[8].0, ENABLED, &told(&bench, &result));
}

#[tokio::test]
async fn a_vpc_without_interfaces_is_judged_like_any_other() {
    let (truth, bench, result) = judge_all(ENABLED).await;
    let interfaces = bench.assets(passmuster::model::GLOBAL_REGION, "NetworkInterface");
    let bare = everywhere(|region| truth.ids(region, |situation| situation == Situation::Nothing));
    assert!(interfaces.iter().all(|found| found.text("vpcId").is_none_or(|vpc| !bare.contains(vpc))));
    let failing = named(&result).0.intersection(&bare).count();
    assert_eq!(failing, bare.len());
    assert_eq!(bench.slice("eu-west-1", "NetworkInterface").outcome, Outcome::Complete);
    let told = format!(
        "{failing} of {} without interfaces and flow logs FAIL; {}",
        bare.len(),
        told(&bench, &result)
    );
    hold(PEERS[9].0, ENABLED, &told);
}
