//! Collecting some of it: of some types, regions and accounts; the slices behind some assets; what was tried longest ago
//! first; and nothing at all, to see what would be done.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use passmuster::{
    collect::{
        CollectError, CollectOptions, CollectReport, Event, RoleOptions, collect, dry_run, least_policy,
        needed_actions,
    },
    model::{Asset, GLOBAL_REGION, Outcome, SliceKey, SliceState},
    store::{LedgerCommit, SliceCommit},
};

use super::{
    bench::{Bench, EARLIER, LATER, time},
    network::build_network,
};
use crate::support::{
    aws::{REGIONS, TestAccount, populate},
    fault_server::{Fault, FaultServer, Rule, denied},
    moto::moto,
};

const REGION: &str = "eu-west-1";

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

async fn collect_with(bench: &Bench, options: CollectOptions) -> Result<CollectReport, CollectError> {
    let events = Arc::clone(&bench.events);
    let on_event = Arc::new(move |event| events.lock().expect("events").push(event));
    collect(options, Arc::clone(&bench.store), bench.clock.clone(), on_event).await
}

async fn rescan(bench: &Bench, assets: &[&str]) -> Result<CollectReport, CollectError> {
    collect_with(bench, CollectOptions { assets: set(assets), ..bench.options(&[], &[]) }).await
}

/// Region and type of the slices that were tried at a moment, sorted.
fn tried_at(bench: &Bench, at: &str) -> Vec<(String, String)> {
    let of = |slice: SliceState| (slice.key.region, slice.key.asset_type);
    let tried = bench.store.slices().expect("slices").into_iter();
    tried.filter(|slice| slice.attempted_at == Some(time(at))).map(of).collect()
}

fn called(server: &FaultServer) -> Vec<String> {
    server.called().into_iter().map(|(action, region)| format!("{region} {action}")).collect()
}

/// An account with a VPC that is logged and collected as a whole, an hour ago.
async fn collected(server: &FaultServer) -> (Bench, String) {
    let account = TestAccount::new().await;
    let vpc = build_network(&account).await;
    let bench = Bench::new(account, &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    bench.clock.set(time(LATER));
    server.forget();
    (bench, vpc)
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_touched() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, _) = collected(&server).await;
    let before = bench.store.slices().expect("slices").len();
    let only = CollectOptions {
        only_accounts: set(&[&bench.account.id]),
        ..bench.options(&[REGION], &["Vpc", "FlowLog"])
    };
    let report = collect_with(&bench, only).await.expect("a collection");
    let expected =
        [(REGION, "FlowLog"), (REGION, "Vpc")].map(|(one, other)| (one.to_owned(), other.to_owned()));
    assert_eq!(tried_at(&bench, LATER), expected);
    assert_eq!((report.slices.len(), bench.store.slices().expect("slices").len()), (2, before));
    let expected = [
        "eu-west-1 DescribeFlowLogs",
        "us-east-1 DescribeRegions",
        "eu-west-1 DescribeVpcs",
        "us-east-1 GetCallerIdentity",
    ];
    assert_eq!(called(&server), expected);
}

#[tokio::test]
async fn the_slices_behind_an_asset_are_its_own_its_flow_logs_and_what_these_name() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, vpc) = collected(&server).await;
    let report = rescan(&bench, &[&vpc]).await.expect("a collection");
    assert!(report.is_complete(), "{report:?}");
    let behind = [
        (REGION, "FlowLog"),
        (REGION, "LogGroup"),
        (REGION, "SubscriptionFilter"),
        (REGION, "Vpc"),
        (GLOBAL_REGION, "IamRole"),
    ];
    assert_eq!(tried_at(&bench, LATER), behind.map(|(one, other)| (one.to_owned(), other.to_owned())));
    assert_eq!(report.accounts[0].regions, [REGION], "no other region was read");
    let calls: BTreeSet<String> = server.called().into_iter().map(|(action, _)| action).collect();
    for other in ["DescribeSubnets", "DescribeSecurityGroups", "ListBuckets"] {
        assert!(!calls.contains(other), "{calls:?}");
    }
    let events = bench.events.lock().expect("events");
    let Some(Event::SliceDone { done, of, .. }) = events.last() else { panic!("{events:?}") };
    assert_eq!((*done, *of), (5, 5), "as many as were told");
}

#[tokio::test]
async fn what_is_on_record_of_an_asset_is_nothing_to_read_again() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, vpc) = collected(&server).await;
    let finding = Asset::new("Finding", "a-check/of-a-vpc").with("nativeId", vpc.as_str());
    let at = time(LATER);
    let commit = LedgerCommit { at, puts: vec![finding], removes: Vec::new() };
    bench.store.begin_ledger().commit(&commit).expect("a commit");
    let report = rescan(&bench, &[&vpc]).await.expect("a collection");
    assert_eq!(report.slices.len(), 5, "{report:?}");
    let error = rescan(&bench, &["a-check/of-a-vpc"]).await.expect_err("no asset of the inventory");
    assert!(error.to_string().contains("the store has no asset `a-check/of-a-vpc`"), "{error}");
}

#[tokio::test]
async fn a_flow_log_that_was_made_since_is_found_with_the_group_it_names() {
    let truth = populate().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&[REGION], &[]).await.expect("a collection");
    bench.clock.set(time(LATER));
    let bare = truth.ids(REGION, |situation| situation == crate::support::aws::Situation::Nothing);
    let vpc = bare.first().expect("a VPC without flow logs");
    let vpcs = bench.assets(REGION, "Vpc");
    let arn = &vpcs.iter().find(|known| known.text("vpcId") == Some(vpc)).expect("the VPC").id;
    truth.account.create_log_group(REGION, "remediated").await;
    let ec2 = truth.account.ec2(REGION);
    let call = ec2.create_flow_logs().resource_ids(vpc).log_group_name("remediated");
    let call = call.resource_type("VPC".into()).traffic_type("ALL".into());
    let call = call.deliver_logs_permission_arn("arn:aws:iam::123456789012:role/flow-logs");
    call.send().await.expect("a flow log");

    rescan(&bench, &[arn]).await.expect("a collection");
    let logs = bench.assets(REGION, "FlowLog");
    assert!(logs.iter().any(|log| log.text("resourceId") == Some(vpc)), "by its ARN, too");
    assert!(bench.native_ids(REGION, "LogGroup").contains(&"remediated".to_owned()));
}

#[tokio::test]
async fn an_asset_that_no_flow_log_records_has_its_own_slice_behind_it() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, _) = collected(&server).await;
    let group = bench.native_ids(REGION, "SecurityGroup").remove(0);
    let log_group = bench.native_ids(REGION, "LogGroup").remove(0);
    rescan(&bench, &[&group, &log_group]).await.expect("a collection");
    let expected = [(REGION, "LogGroup"), (REGION, "SecurityGroup")]
        .map(|(one, other)| (one.to_owned(), other.to_owned()));
    assert_eq!(tried_at(&bench, LATER), expected);
}

#[tokio::test]
async fn an_asset_that_the_store_does_not_have_is_refused_with_the_nearest_one() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, vpc) = collected(&server).await;
    let slip = format!("{}x", &vpc[..vpc.len() - 1]);
    let error = rescan(&bench, &[&vpc, &slip]).await.expect_err("there is no such VPC");
    let CollectError::UnknownAsset { given, nearest } = &error else { panic!("{error:?}") };
    assert_eq!((given, nearest), (&slip, &Some(vpc)));
    assert!(matches!(
        rescan(&bench, &["nothing of the kind"]).await,
        Err(CollectError::UnknownAsset { nearest: None, .. })
    ));
    assert_eq!(server.called(), [], "nothing was asked of AWS");
}

#[tokio::test]
async fn an_account_that_is_not_known_is_refused() {
    let bench = Bench::new(TestAccount::new().await, &moto().url);
    for (accounts, is_refused) in [(&["12"][..], true), (&[bench.account.id.as_str()][..], false)] {
        let options = CollectOptions { only_accounts: set(accounts), ..bench.options(&[REGION], &["Vpc"]) };
        let refused = matches!(collect_with(&bench, options).await, Err(CollectError::UnknownAccount { .. }));
        assert_eq!(refused, is_refused, "{accounts:?}");
    }
    // Nor can an account be read as nobody.
    let options =
        CollectOptions { only_accounts: set(&["111111111111"]), ..bench.options(&[REGION], &["Vpc"]) };
    assert!(matches!(collect_with(&bench, options).await, Err(CollectError::NoRole { .. })));
}

#[tokio::test]
async fn c4_a_collection_after_one_that_was_cut_short_begins_with_what_that_one_did_not_come_to() {
    let regions = ["eu-west-1", "eu-west-2", "us-east-1"];
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    let types = ["Vpc", "FlowLog", "Subnet"];
    let one_at_a_time = || CollectOptions { concurrency: 1, ..bench.options(&regions, &types) };
    bench.clock.set(time(EARLIER));
    collect_with(&bench, one_at_a_time()).await.expect("a collection");

    // An hour later only some of the slices are tried before somebody stops it.
    bench.clock.set(time(LATER));
    server.set_rules([Rule::on("DescribeSubnets", Fault::Hang)]);
    let stopped = Arc::new(tokio::sync::Notify::new());
    let (stop, seen) = (Arc::clone(&stopped), Mutex::new(0));
    let on_event = Arc::new(move |event| {
        if let Event::SliceDone { .. } = event {
            *seen.lock().expect("a number") += 1;
            if *seen.lock().expect("a number") == 4 {
                stop.notify_one();
            }
        }
    });
    tokio::select! {
        _ = collect(one_at_a_time(), bench.store.clone(), bench.clock.clone(), on_event) => panic!("it hangs"),
        () = stopped.notified() => {}
    }
    let done: BTreeSet<(String, String)> = tried_at(&bench, LATER).into_iter().collect();
    assert_eq!(done.len(), 4);

    server.set_rules([]);
    let order: Arc<Mutex<Vec<SliceKey>>> = Arc::default();
    let told = Arc::clone(&order);
    let on_event = Arc::new(move |event| {
        if let Event::SliceDone { slice, .. } = event {
            told.lock().expect("a list").push(slice.key);
        }
    });
    bench.clock.set(time("2026-11-20T14:00:00Z"));
    let report = collect(one_at_a_time(), bench.store.clone(), bench.clock.clone(), on_event).await;
    assert!(report.expect("a collection").is_complete());
    let order = order.lock().expect("a list");
    // Its first list finds out whether a region answers at all, and that is one that was not come to.
    let first = order.iter().take(3).map(|key| (key.region.clone(), key.asset_type.clone()));
    assert!(first.clone().all(|slice| !done.contains(&slice)), "{done:?} were done, and {order:?} came");
    assert_eq!(order.len(), 9, "nothing is left out");
}

#[tokio::test]
async fn a_dry_run_tells_the_calls_and_the_policy_and_collects_nothing() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, _) = collected(&server).await;
    let planned = dry_run(bench.options(&[REGION], &[]), Arc::clone(&bench.store)).await.expect("a plan");
    assert_eq!(called(&server), ["us-east-1 DescribeRegions", "us-east-1 GetCallerIdentity"]);
    assert_eq!(tried_at(&bench, LATER), []);
    assert_eq!(planned.policy, least_policy(&needed_actions(&BTreeSet::new())));
    let [account] = planned.accounts.as_slice() else { panic!("{planned:?}") };
    assert_eq!(
        (&account.account_id, account.regions.as_slice()),
        (&bench.account.id, &[REGION.to_owned()][..])
    );

    // The collection then makes just these calls, since no list has a second page.
    server.forget();
    bench.collect(&[REGION], &[]).await.expect("a collection");
    assert_eq!(account.at_least(), server.all_calls(), "{account:?} and {:?}", called(&server));
}

#[tokio::test]
async fn a_dry_run_needs_no_permission_and_names_the_least() {
    let rules = [Rule::on("DescribeRegions", denied())];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let planned = dry_run(bench.options(&[], &["FlowLog"]), Arc::clone(&bench.store)).await.expect("a plan");
    let account = &planned.accounts[0];
    let note = "its regions are not known (ec2:DescribeRegions: UnauthorizedOperation)";
    assert_eq!((account.note.as_deref(), account.at_least()), (Some(note), 3));
    let actions = &planned.policy["Statement"][0]["Action"];
    assert_eq!(
        *actions,
        serde_json::json!(["ec2:DescribeFlowLogs", "ec2:DescribeRegions", "sts:GetCallerIdentity"])
    );
    assert_eq!(
        bench
            .store
            .slices()
            .expect("slices")
            .iter()
            .filter(|slice| slice.outcome == Outcome::Complete)
            .count(),
        0
    );
}

#[tokio::test]
async fn c8_a_vpc_that_vanishes_between_two_calls_is_no_error_and_goes_with_the_next_list() {
    let account = TestAccount::new().await;
    let vpc = account.create_vpc(&account.ec2(REGION), "soon gone").await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account.clone(), &server.url);
    // The list of VPCs is read while the VPC is there, everything else when it is gone.
    bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    account.ec2(REGION).delete_vpc().vpc_id(&vpc).send().await.expect("a deletion");
    let others = ["FlowLog", "Subnet", "NetworkInterface", "RouteTable", "SecurityGroup"];
    let report = bench.collect(&[REGION], &others).await.expect("a collection");
    assert!(report.is_complete());
    assert!(bench.native_ids(REGION, "Vpc").contains(&vpc), "its own list says when it goes");
    let report = bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    assert_eq!((report.totals().removed, report.is_complete()), (1, true));
}

#[tokio::test]
async fn what_a_flow_log_names_is_read_again_where_another_account_lists_it() {
    let server = FaultServer::start(&moto().url, []);
    let (bench, vpc) = collected(&server).await;
    // The role that the flow log delivers with, as its own account lists it.
    let owner = SliceKey::new("123456789012", GLOBAL_REGION, "IamRole");
    let role =
        Asset::new("IamRole", "arn:aws:iam::123456789012:role/flow-logs").with("accountId", "123456789012");
    let known: SliceCommit = SliceCommit {
        key: owner.clone(),
        api: "iam:GetRole".to_owned(),
        outcome: Outcome::Complete,
        reason: None,
        at: time(EARLIER),
        assets: vec![role],
    };
    bench.store.commit_slice(known).expect("a commit");
    let options = CollectOptions {
        assets: set(&[&vpc]),
        role: RoleOptions { role: Some("Audit".to_owned()), ..RoleOptions::default() },
        ..bench.options(&[], &[])
    };
    let report = collect_with(&bench, options).await.expect("a collection");
    assert!(report.slices.iter().any(|slice| slice.key == owner), "{report:?}");
    assert_eq!(report.accounts.len(), 2);
}

#[tokio::test]
async fn of_several_regions_the_one_that_was_tried_longest_ago_is_read_first() {
    let bench = Bench::new(TestAccount::new().await, &moto().url);
    bench.collect(&["us-east-1"], &["Vpc"]).await.expect("a collection");
    bench.clock.set(time(LATER));
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    bench.events.lock().expect("events").clear();
    let regions = ["eu-west-1", "us-east-1", "us-west-2"];
    let options = CollectOptions { concurrency: 1, ..bench.options(&regions, &["Vpc"]) };
    collect_with(&bench, options).await.expect("a collection");
    let events = bench.events.lock().expect("events");
    let read = events.iter().filter_map(|event| match event {
        Event::SliceDone { slice, .. } => Some(slice.key.region.as_str()),
        Event::Planned { .. } => None,
    });
    assert_eq!(
        read.collect::<Vec<_>>(),
        ["us-west-2", "us-east-1", "eu-west-1"],
        "what was never tried first"
    );
}
