//! Which regions are read, and what happens where AWS will not say which there are.

use passmuster::{
    collect::{CollectError, Event, collected_types},
    model::{GLOBAL_REGION, Outcome, SliceKey},
};

use super::{
    bench::{Bench, EARLIER, LATER, time},
    removals::hide,
};
use crate::support::{
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Rule, denied},
    moto::moto,
};

#[tokio::test]
async fn every_enabled_region_is_read_and_the_others_are_named() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let report = bench.collect(&[], &["FlowLog", "Region"]).await.expect("a collection");

    assert!(report.is_complete());
    let account = &report.accounts[0];
    assert!(account.regions.len() > 15, "{:?}", account.regions);
    assert!(account.not_opted_in.contains(&"ap-east-1".to_owned()));
    assert_eq!(server.regions_called("DescribeFlowLogs"), account.regions);
    let listed = bench.keys().iter().filter(|key| key.asset_type == "FlowLog").count();
    assert_eq!(listed, account.regions.len(), "a region that is not opted in has no slice");
}

#[tokio::test]
async fn a_region_that_was_asked_for_and_not_opted_in_is_disabled_without_a_call() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&["ap-east-1", "eu-west-1"], &["Vpc"]).await.expect("a collection");
    let slice = bench.slice("ap-east-1", "Vpc");
    assert_eq!(slice.outcome, Outcome::Disabled);
    assert_eq!(slice.reason.as_deref(), Some("ec2:DescribeVpcs: the region is not-opted-in"));
    assert_eq!(server.regions_called("DescribeVpcs"), ["eu-west-1"]);
}

#[tokio::test]
async fn without_a_list_of_regions_the_configured_or_named_ones_are_read_and_the_report_says_so() {
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeRegions", denied())]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let report = bench.collect(&[], &[]).await.expect("a collection");
    assert_eq!(report.accounts[0].regions, ["us-east-1"]);
    assert_eq!(
        report.notes,
        [format!(
            "the regions of account {} are not known (ec2:DescribeRegions: UnauthorizedOperation): only us-east-1 \
             was read; name others with `--regions`",
            bench.account.id
        )]
    );
    assert_eq!(bench.slice(GLOBAL_REGION, "Region").outcome, Outcome::Denied);
    assert_eq!(bench.slice("us-east-1", "Vpc").outcome, Outcome::Complete);

    let report = bench.collect(&["eu-west-1", "eu-west-2"], &["Vpc"]).await.expect("a collection");
    assert_eq!(report.accounts[0].regions, ["eu-west-1", "eu-west-2"]);
}

#[tokio::test]
async fn an_enabled_region_that_refuses_the_credentials_is_disabled() {
    let refuses = Fault::Error { status: 403, code: "OptInRequired", message: "You are not subscribed" };
    let rules = [Rule::on("DescribeVpcs", refuses).in_region("eu-west-1")];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&["eu-west-1", "us-east-1"], &["Vpc"]).await.expect("a collection");
    assert_eq!(bench.slice("eu-west-1", "Vpc").outcome, Outcome::Disabled);
    assert_eq!(bench.slice("us-east-1", "Vpc").outcome, Outcome::Complete);
}

#[tokio::test]
async fn a_region_or_type_that_does_not_exist_is_refused_with_the_nearest_one() {
    let bench = Bench::new(TestAccount::new().await, &moto().url);
    let error = bench.collect(&["eu-wst-1"], &[]).await.expect_err("no such region");
    assert_eq!(
        error.to_string(),
        "AWS has no region `eu-wst-1`, did you mean `eu-west-1`?: `aws ec2 describe-regions --all-regions` lists \
         them"
    );
    let error = bench.collect(&["eu-west-1"], &["Flowlogs"]).await.expect_err("no such type");
    assert_eq!(
        error.to_string(),
        format!(
            "`Flowlogs` is not a type that is collected, did you mean `FlowLog`?: write one of {}",
            collected_types().join(", ")
        )
    );
    assert!(bench.keys().is_empty());
}

#[tokio::test]
async fn a_caller_aws_does_not_accept_collects_nothing_and_is_told_what_to_do() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let cases = [
        ("ExpiredToken", "renew the credentials (`aws sso login`), then collect again"),
        ("InvalidClientTokenId", "check the access key and `AWS_REGION`"),
        ("AccessDenied", "allow the call (docs/aws-permissions.md)"),
    ];
    for (code, remedy) in cases {
        let refuses = Fault::Error { status: 403, code, message: "no" };
        server.set_rules([Rule::on("GetCallerIdentity", refuses)]);
        let error = bench.collect(&["eu-west-1"], &[]).await.expect_err("no caller");
        assert!(matches!(error, CollectError::UnknownCaller { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("sts:GetCallerIdentity: {code}")) && text.contains(remedy), "{text}");
    }
    assert!(bench.keys().is_empty());
    assert_eq!(server.calls("DescribeRegions", "us-east-1"), 0);
}

#[tokio::test]
async fn events_tell_the_plan_first_and_then_every_slice_as_it_is_done() {
    let bench = Bench::new(TestAccount::new().await, &moto().url);
    let report = bench.collect(&["eu-west-1"], &[]).await.expect("a collection");
    let events = bench.events.lock().expect("events");
    let Event::Planned { account_id, accounts: 1, regions, slices } = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!((account_id, regions), (&bench.account.id, &vec!["eu-west-1".to_owned()]));
    let keys: Vec<SliceKey> = report.slices.iter().map(|slice| slice.key.clone()).collect();
    assert_eq!(*slices, keys);
    let done: Vec<(usize, usize)> = events[1..]
        .iter()
        .map(|event| match event {
            Event::SliceDone { done, of, .. } => (*done, *of),
            Event::Planned { .. } => panic!("planned twice"),
        })
        .collect();
    assert_eq!(done, (1..=keys.len()).map(|done| (done, keys.len())).collect::<Vec<_>>());
}

/// The list of regions without one of them.
fn without(name: &str) -> Fault {
    hide(&[&format!("<regionName>{name}<")])
}

#[tokio::test]
async fn a_region_that_the_list_lacks_is_asked_for_by_its_name_and_read_all_the_same() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&[], &["Vpc", "Region"]).await.expect("a collection");
    let (regions, vpcs) = (bench.assets(GLOBAL_REGION, "Region"), bench.assets("eu-west-1", "Vpc"));

    bench.clock.set(time(LATER));
    server.forget();
    server.set_rules([Rule::on("DescribeRegions", without("eu-west-1")).on_unfiltered()]);
    let report = bench.collect(&[], &["Vpc", "Region"]).await.expect("a collection");
    assert!(report.is_complete() && report.notes.is_empty(), "{report:?}");
    assert_eq!(report.totals().removed, 0);
    assert_eq!(bench.slice("eu-west-1", "Vpc").completed_at, Some(time(LATER)), "it was read");
    assert_eq!(bench.assets(GLOBAL_REGION, "Region").len(), regions.len());
    assert_eq!(bench.assets("eu-west-1", "Vpc").len(), vpcs.len());
    assert_eq!(server.calls("DescribeRegions", "us-east-1"), 2);
    let asked: Vec<_> =
        server.filtered().into_iter().filter(|call| call.action == "DescribeRegions").collect();
    let [asked] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((asked.filter.as_str(), &asked.values[..]), ("region-name", &["eu-west-1".to_owned()][..]));
}

#[tokio::test]
async fn a_region_that_two_answers_leave_out_goes_and_what_is_in_it_only_grows_old() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&[], &["Vpc", "Region"]).await.expect("a collection");
    let vpcs = bench.assets("eu-west-1", "Vpc");
    assert!(!vpcs.is_empty());

    bench.clock.set(time(LATER));
    server.set_rules([Rule::on("DescribeRegions", without("eu-west-1"))]);
    let report = bench.collect(&[], &["Vpc", "Region"]).await.expect("a collection");
    assert_eq!(report.totals().removed, 1, "the region itself");
    assert!(!bench.native_ids(GLOBAL_REGION, "Region").contains(&"eu-west-1".to_owned()));
    assert_eq!(bench.assets("eu-west-1", "Vpc"), vpcs, "nobody has looked there");
    let slice = bench.slice("eu-west-1", "Vpc");
    assert_eq!((slice.attempted_at, slice.completed_at), (Some(time(EARLIER)), Some(time(EARLIER))));
    assert_eq!(
        report.notes,
        [format!(
            "AWS no longer names of account {}: eu-west-1; what is known of them stays, and grows too old for checks",
            bench.account.id
        )]
    );
}

#[tokio::test]
async fn where_the_second_look_at_the_regions_fails_those_known_before_are_read() {
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let first = bench.collect(&[], &["Vpc", "Region"]).await.expect("a collection");
    bench.clock.set(time(LATER));
    server.set_rules([
        Rule::on("DescribeRegions", without("eu-west-1")).on_unfiltered(),
        Rule::on("DescribeRegions", denied()).on_filtered(),
    ]);
    let report = bench.collect(&[], &["Vpc", "Region"]).await.expect("a collection");
    let slice = bench.slice(GLOBAL_REGION, "Region");
    assert_eq!(slice.outcome, Outcome::Denied);
    let reason = slice.reason.expect("a reason");
    assert!(reason.ends_with("when asked again for what the list no longer names"), "{reason}");
    assert_eq!(report.totals().removed, 0);
    assert_eq!(report.accounts[0].regions, first.accounts[0].regions);
    assert_eq!(bench.slice("eu-west-1", "Vpc").completed_at, Some(time(LATER)));
}
