//! How slices end, and that only a complete one takes anything away.

use passmuster::model::{Clock, Outcome, Time};

use super::bench::{Bench, EARLIER, LATER, time};
use crate::support::{
    aws::{REGIONS, TestAccount, populate},
    fault_server::{Fault, FaultServer, Rule, denied, throttled},
    moto::moto,
};

#[tokio::test]
async fn c3_a_denied_region_is_denied_and_the_other_is_complete() {
    let truth = populate().await;
    let rules = [Rule::on("DescribeFlowLogs", denied()).in_region("eu-west-1")];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(truth.account.clone(), &server.url);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");

    let slice = bench.slice("eu-west-1", "FlowLog");
    assert_eq!(slice.outcome, Outcome::Denied);
    assert_eq!(slice.reason.as_deref(), Some("ec2:DescribeFlowLogs: UnauthorizedOperation"));
    assert_eq!((slice.completed_at, slice.attempted_at), (None, Some(time(EARLIER))));
    assert_eq!(report.count(Outcome::Denied), 1);
    assert_eq!(report.count(Outcome::Complete), report.slices.len() - 1);
    assert_eq!(report.denied_calls().into_iter().collect::<Vec<_>>(), ["ec2:DescribeFlowLogs"]);
    assert_eq!(server.calls("DescribeFlowLogs", "eu-west-1"), 1, "a denial is not tried again");
    assert_eq!(bench.assets("us-east-1", "FlowLog").len() * 2, truth.flow_logs);
}

#[tokio::test]
async fn c3_a_second_run_that_is_denied_removes_nothing_and_keeps_when_it_was_whole() {
    let truth = populate().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let before = bench.assets("eu-west-1", "FlowLog");
    assert!(!before.is_empty());

    bench.clock.set(time(LATER));
    server.set_rules([Rule::on("DescribeFlowLogs", denied()).in_region("eu-west-1")]);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");
    assert_eq!(report.totals().removed, 0);
    assert_eq!(bench.assets("eu-west-1", "FlowLog"), before);
    let slice = bench.slice("eu-west-1", "FlowLog");
    assert_eq!(slice.outcome, Outcome::Denied);
    assert_eq!((slice.completed_at, slice.attempted_at), (Some(time(EARLIER)), Some(time(LATER))));
}

#[tokio::test]
async fn a_second_run_over_nothing_new_changes_nothing() {
    let truth = populate().await;
    let bench = Bench::new(truth.account.clone(), &moto().url);
    let first = bench.collect(&REGIONS, &[]).await.expect("a collection");
    let second = bench.collect(&REGIONS, &[]).await.expect("a collection");
    let totals = second.totals();
    assert_eq!((totals.added, totals.changed, totals.removed), (0, 0, 0));
    assert_eq!(totals.unchanged, first.totals().added);
    assert_eq!(totals.unchanged, second.assets());
}

#[tokio::test]
async fn a_deleted_flow_log_goes_with_the_next_complete_slice() {
    let truth = populate().await;
    let bench = Bench::new(truth.account.clone(), &moto().url);
    bench.collect(&["eu-west-1"], &["FlowLog"]).await.expect("a collection");
    let before = bench.native_ids("eu-west-1", "FlowLog");
    let doomed = before[0].clone();
    let ec2 = truth.account.ec2("eu-west-1");
    ec2.delete_flow_logs().flow_log_ids(&doomed).send().await.expect("a deletion");

    let report = bench.collect(&["eu-west-1"], &["FlowLog"]).await.expect("a collection");
    assert_eq!(report.totals().removed, 1);
    assert!(!bench.native_ids("eu-west-1", "FlowLog").contains(&doomed));
}

#[tokio::test]
async fn codes_of_aws_become_outcomes_without_its_words() {
    let cases = [
        ("AccessDenied", Outcome::Denied),
        ("AccessDeniedException", Outcome::Denied),
        ("AuthFailure", Outcome::Disabled),
        ("OptInRequired", Outcome::Disabled),
        ("UnrecognizedClientException", Outcome::Disabled),
        ("InvalidClientTokenId", Outcome::Disabled),
        ("ExpiredToken", Outcome::Failed),
        ("RegionDisabledException", Outcome::Failed),
        ("Throttling", Outcome::Throttled),
        ("TooManyRequestsException", Outcome::Throttled),
        ("SomethingNobodyHasSeen", Outcome::Failed),
    ];
    let account = TestAccount::new().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    for (code, outcome) in cases {
        let message = "User: arn:aws:iam::123456789012:user/secret-name may not; key AKIASECRET";
        server.set_rules([Rule::on("DescribeVpcs", Fault::Error { status: 400, code, message })]);
        bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
        let slice = bench.slice("eu-west-1", "Vpc");
        assert_eq!(slice.outcome, outcome, "{code}");
        let reason = slice.reason.expect("a reason");
        assert!(reason.starts_with(&format!("ec2:DescribeVpcs: {code}")), "{reason}");
        assert!(!reason.to_lowercase().contains("secret"), "{reason}");
    }
}

#[tokio::test]
async fn an_explicit_deny_of_an_scp_is_told_from_a_missing_permission() {
    let message = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized \
                   to perform: ec2:DescribeVpcs with an explicit deny in a service control policy";
    let scp = Fault::Error { status: 403, code: "UnauthorizedOperation", message };
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", scp)]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    let reason = "ec2:DescribeVpcs: UnauthorizedOperation (explicit deny in a service control policy)";
    assert_eq!(bench.slice("eu-west-1", "Vpc").reason.as_deref(), Some(reason));
}

#[tokio::test]
async fn c5_credentials_that_expire_on_the_way_fail_slices_and_do_not_disable_regions() {
    let invalid = Fault::Error { status: 401, code: "AuthFailure", message: "not able to validate" };
    let server = FaultServer::start(&moto().url, []);
    let account = TestAccount::new().await;
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");

    // The first look at the identity is answered, the second (when a region refuses) is not.
    let expired = Fault::Error { status: 403, code: "ExpiredToken", message: "expired" };
    server.set_rules([Rule::on("DescribeVpcs", invalid), Rule::on("GetCallerIdentity", expired).after(1)]);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    let slice = bench.slice("eu-west-1", "Vpc");
    assert_eq!(slice.outcome, Outcome::Failed);
    let reason = "ec2:DescribeVpcs: AuthFailure (the credentials are no longer accepted)";
    assert_eq!(slice.reason.as_deref(), Some(reason));
}

#[tokio::test]
async fn c1_a_region_that_throttles_for_ever_ends_throttled_after_bounded_attempts() {
    let rules = [Rule::on("DescribeVpcs", throttled()).in_region("eu-west-1")];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let report = bench.collect(&REGIONS, &["Vpc"]).await.expect("a collection");
    assert_eq!(report.count(Outcome::Throttled), 1);
    assert_eq!(server.calls("DescribeVpcs", "eu-west-1"), 3);
    assert_eq!(bench.slice("us-east-1", "Vpc").outcome, Outcome::Complete);
}

#[tokio::test]
async fn the_time_of_a_slice_is_the_clocks() {
    let bench = Bench::new(TestAccount::new().await, &moto().url);
    let before: Time = bench.clock.now();
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    assert_eq!(bench.slice("eu-west-1", "Vpc").completed_at, Some(before));
}
