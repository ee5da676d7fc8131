//! What a complete list no longer names is asked for once more, and removed only where both answers leave it out.

use std::sync::Arc;

use passmuster::{
    model::{Asset, Clock, Outcome, SliceKey},
    store::SliceCommit,
};

use super::{
    bench::{Bench, LATER, time},
    network::{LISTS, build_network},
};
use crate::support::{
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Filtered, Rule, denied, throttled},
    moto::moto,
    without_items,
};

const REGION: &str = "eu-west-1";

/// Leaves out the items that hold one of these texts.
pub(super) fn hide(texts: &[&str]) -> Fault {
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    Fault::Rewrite(Arc::new(move |answer: String| {
        without_items(&answer, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    }))
}

/// An account with these VPCs beside the default one, and their ids.
async fn with_vpcs(count: usize) -> (TestAccount, Vec<String>) {
    let account = TestAccount::new().await;
    let ec2 = account.ec2(REGION);
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(account.create_vpc(&ec2, &format!("number-{number}")).await);
    }
    ids.sort();
    (account, ids)
}

async fn delete_vpc(account: &TestAccount, vpc_id: &str) {
    account.ec2(REGION).delete_vpc().vpc_id(vpc_id).send().await.expect("a deletion");
}

#[tokio::test]
async fn what_is_gone_is_asked_for_once_by_a_filter_on_just_those_ids_and_removed() {
    let (account, ids) = with_vpcs(3).await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    assert_eq!(server.filtered(), [], "nothing was gone, so nothing was asked twice");
    let before = server.calls("DescribeVpcs", REGION);

    for gone in &ids[..2] {
        delete_vpc(&account, gone).await;
    }
    let report = bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    assert_eq!((report.totals().removed, report.is_complete()), (2, true));
    let asked =
        Filtered { action: "DescribeVpcs".into(), filter: "vpc-id".into(), values: ids[..2].to_vec() };
    assert_eq!(server.filtered(), [asked]);
    assert_eq!(server.calls("DescribeVpcs", REGION) - before, 2);
    assert!(!bench.native_ids(REGION, "Vpc").contains(&ids[0]));
}

#[tokio::test]
async fn what_a_list_leaves_out_and_the_second_answer_shows_stays_as_that_answer_has_it() {
    let (account, ids) = with_vpcs(3).await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    let before = bench.native_ids(REGION, "Vpc");

    // One is really gone, one is only missing from the list, and was renamed meanwhile.
    delete_vpc(&account, &ids[0]).await;
    let tag = aws_sdk_ec2::types::Tag::builder().key("Name").value("renamed").build();
    account.ec2(REGION).create_tags().resources(&ids[1]).tags(tag).send().await.expect("a tag");
    server.set_rules([Rule::on("DescribeVpcs", hide(&[&ids[1]])).on_unfiltered()]);
    let report = bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    assert_eq!((report.totals().removed, report.totals().changed), (1, 1));
    assert_eq!(bench.slice(REGION, "Vpc").outcome, Outcome::Complete);
    let expected: Vec<String> = before.into_iter().filter(|id| *id != ids[0]).collect();
    assert_eq!(bench.native_ids(REGION, "Vpc"), expected);
    let vpcs = bench.assets(REGION, "Vpc");
    let kept = vpcs.iter().find(|vpc| vpc.text("nativeId") == Some(&ids[1])).expect("it is kept");
    assert_eq!(kept.text("name"), Some("renamed"));
}

#[tokio::test]
async fn a_second_answer_that_fails_makes_the_slice_incomplete_and_removes_nothing() {
    let (account, ids) = with_vpcs(2).await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    let before = bench.assets(REGION, "Vpc");
    let completed_at = bench.slice(REGION, "Vpc").completed_at;
    delete_vpc(&account, &ids[0]).await;

    bench.clock.set(time(LATER));
    let when = "when asked again for what the list no longer names";
    for (fault, outcome, code) in [
        (denied(), Outcome::Denied, "UnauthorizedOperation"),
        (throttled(), Outcome::Throttled, "RequestLimitExceeded"),
        (Fault::Drop, Outcome::Failed, "the connection failed"),
        (Fault::CutShort, Outcome::Failed, "the answer was cut short"),
    ] {
        server.set_rules([Rule::on("DescribeVpcs", fault).on_filtered()]);
        let report = bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
        assert_eq!(report.totals().removed, 0);
        let slice = bench.slice(REGION, "Vpc");
        assert_eq!((slice.outcome, slice.completed_at), (outcome, completed_at));
        assert_eq!(slice.reason, Some(format!("ec2:DescribeVpcs: {code}, {when}")));
        assert_eq!(bench.assets(REGION, "Vpc"), before);
    }

    server.set_rules([]);
    bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    assert!(!bench.native_ids(REGION, "Vpc").contains(&ids[0]), "the next clean run converges");
}

#[tokio::test]
async fn every_list_is_narrowed_by_a_filter_that_the_api_knows() {
    let account = TestAccount::new().await;
    build_network(&account).await;
    let types = LISTS.map(|(_, asset_type)| asset_type);
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    let first = bench.collect(&[REGION], &types).await.expect("a collection");

    // Every list comes back empty, and every second answer knows better.
    server.set_rules(LISTS.map(|(action, _)| Rule::on(action, hide(&[""])).on_unfiltered()));
    let second = bench.collect(&[REGION], &types).await.expect("a collection");
    assert!(second.is_complete(), "{second:?}");
    assert_eq!((second.totals().removed, second.assets()), (0, first.assets()));
    let asked = server.filtered();
    for (action, asset_type) in LISTS {
        let asked: Vec<&Filtered> = asked.iter().filter(|asked| asked.action == action).collect();
        assert_eq!(asked.len(), 1, "{action}");
        assert_eq!(asked[0].values, bench.native_ids(REGION, asset_type), "{action}");
    }
}

#[tokio::test]
async fn more_ids_than_a_filter_takes_are_asked_for_in_several_calls() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let once_there = (0..401).map(|number| {
        let vpc_id = format!("vpc-{number:017}");
        Asset::new("Vpc", format!("arn:aws:ec2:{REGION}:{}:vpc/{vpc_id}", bench.account.id))
            .with("accountId", bench.account.id.as_str())
            .with("region", REGION)
            .with("nativeId", vpc_id.as_str())
            .with("vpcId", vpc_id.as_str())
    });
    let commit: SliceCommit = SliceCommit {
        key: SliceKey::new(&bench.account.id, REGION, "Vpc"),
        api: "ec2:DescribeVpcs".to_owned(),
        outcome: Outcome::Complete,
        reason: None,
        at: bench.clock.now(),
        assets: once_there.collect(),
    };
    bench.store.commit_slice(commit).expect("a commit");

    let report = bench.collect(&[REGION], &["Vpc"]).await.expect("a collection");
    assert_eq!(report.totals().removed, 401);
    let sizes: Vec<usize> = server.filtered().iter().map(|asked| asked.values.len()).collect();
    assert_eq!(sizes, [200, 200, 1]);
}

#[tokio::test]
async fn what_flow_logs_name_is_read_again_before_it_is_removed() {
    let account = TestAccount::new().await;
    build_network(&account).await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&[REGION], &["FlowLog", "LogGroup"]).await.expect("a collection");
    assert_eq!(bench.assets(REGION, "LogGroup").len(), 1);

    // Once the group is missing from an answer, and then it is there again.
    let none = Fault::Answer(r#"{"logGroups": []}"#);
    server.set_rules([Rule::on("DescribeLogGroups", none.clone()).times(1)]);
    let before = server.calls("DescribeLogGroups", REGION);
    let report = bench.collect(&[REGION], &["LogGroup"]).await.expect("a collection");
    assert_eq!((report.totals().removed, report.is_complete()), (0, true));
    assert_eq!(server.calls("DescribeLogGroups", REGION) - before, 2);

    server.set_rules([Rule::on("DescribeLogGroups", none)]);
    let report = bench.collect(&[REGION], &["LogGroup"]).await.expect("a collection");
    assert_eq!(report.totals().removed, 1, "both answers leave it out");
}
