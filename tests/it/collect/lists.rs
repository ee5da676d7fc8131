//! Lists of many pages: only the token says whether more follows, and a token that leads nowhere is a failure.

use std::sync::Arc;

use passmuster::model::Outcome;

use super::bench::Bench;
use crate::support::{
    Paging,
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Rule, throttled},
    moto::moto,
};

/// An account with 41 VPCs and the default one in eu-west-1, and their ids, sorted.
async fn forty_two_vpcs() -> (TestAccount, Vec<String>) {
    let account = TestAccount::new().await;
    let ec2 = account.ec2("eu-west-1");
    for number in 0..41 {
        account.create_vpc(&ec2, &format!("number-{number}")).await;
    }
    let answer = ec2.describe_vpcs().send().await.expect("VPCs");
    let mut ids: Vec<String> =
        answer.vpcs().iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned)).collect();
    ids.sort();
    assert_eq!(ids.len(), 42);
    (account, ids)
}

#[tokio::test]
async fn c10_all_vpcs_come_in_pages_of_any_size_even_none_and_more_than_asked() {
    let (account, expected) = forty_two_vpcs().await;
    let server = FaultServer::start(&moto().url, []);
    for (sizes, calls) in [(vec![5], 9), (vec![5, 0, 0, 17, 5], 8), (vec![0, 42], 2)] {
        let before = server.calls("DescribeVpcs", "eu-west-1");
        server.set_rules([Rule::on("DescribeVpcs", Fault::Pages(Paging::of(sizes.clone())))]);
        let bench = Bench::new(account.clone(), &server.url);
        let report = bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
        assert!(report.is_complete());
        assert_eq!(bench.native_ids("eu-west-1", "Vpc"), expected, "pages of {sizes:?}");
        assert_eq!(server.calls("DescribeVpcs", "eu-west-1") - before, calls, "pages of {sizes:?}");
    }
}

#[tokio::test]
async fn c10_flow_logs_and_subnets_come_in_pages_too() {
    let truth = crate::support::aws::populate().await;
    let pages = || Fault::Pages(Paging::of([2]));
    let rules = [Rule::on("DescribeFlowLogs", pages()), Rule::on("DescribeSubnets", pages())];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&["eu-west-1", "us-east-1"], &[]).await.expect("a collection");
    let logs = bench.assets("eu-west-1", "FlowLog").len() + bench.assets("us-east-1", "FlowLog").len();
    assert_eq!(logs, truth.flow_logs);
    assert_eq!(bench.assets("eu-west-1", "Subnet").len(), 5, "three default ones, two made");
}

#[tokio::test]
async fn c2_a_token_that_comes_again_fails_the_slice_and_removes_nothing() {
    let (account, expected) = forty_two_vpcs().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");

    let stuck = Paging { stuck_at: Some(3), ..Paging::of([5]) };
    let looping = Paging { loop_at: Some(4), ..Paging::of([5]) };
    for paging in [stuck, looping] {
        server.set_rules([Rule::on("DescribeVpcs", Fault::Pages(paging))]);
        bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
        let slice = bench.slice("eu-west-1", "Vpc");
        assert_eq!(slice.outcome, Outcome::Failed);
        let reason = "ec2:DescribeVpcs: a page token came twice, the list has no end";
        assert_eq!(slice.reason.as_deref(), Some(reason));
        assert_eq!(bench.native_ids("eu-west-1", "Vpc"), expected);
    }
}

#[tokio::test]
async fn an_item_that_two_pages_show_is_one_asset() {
    let overlap = Fault::Rewrite(Arc::new(|text: String| match text.split_once("<item><ownerId>") {
        Some(_) => text.replace("</vpcSet>", &format!("{}</vpcSet>", first_item(&text))),
        None => text,
    }));
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeVpcs", overlap)]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let report = bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    assert_eq!((report.assets(), report.totals().added), (1, 1));
}

fn first_item(text: &str) -> String {
    let start = text.find("<vpcSet>").expect("a list") + "<vpcSet>".len();
    text[start..text.find("</vpcSet>").expect("its end")].to_owned()
}

#[tokio::test]
async fn c1_throttling_on_a_later_page_is_waited_out() {
    let (account, expected) = forty_two_vpcs().await;
    let rules = [
        Rule::on("DescribeVpcs", throttled()).on_page(4).times(2),
        Rule::on("DescribeVpcs", Fault::Pages(Paging::of([5]))),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account, &server.url);
    let report = bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
    assert!(report.is_complete());
    assert_eq!(bench.native_ids("eu-west-1", "Vpc"), expected);
    assert_eq!(server.calls("DescribeVpcs", "eu-west-1"), 9 + 2);
}

#[tokio::test]
async fn c1_pages_seen_before_an_error_do_not_make_a_list() {
    let (account, expected) = forty_two_vpcs().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");

    let server_error = Fault::Error { status: 500, code: "InternalError", message: "An internal error" };
    let cases = [
        (throttled(), Outcome::Throttled, "ec2:DescribeVpcs: RequestLimitExceeded"),
        (server_error, Outcome::Failed, "ec2:DescribeVpcs: InternalError"),
        (Fault::Garbage { status: 503 }, Outcome::Throttled, "ec2:DescribeVpcs: HTTP 503"),
        (Fault::Garbage { status: 200 }, Outcome::Failed, "ec2:DescribeVpcs: the answer was cut short"),
        (Fault::CutShort, Outcome::Failed, "ec2:DescribeVpcs: the answer was cut short"),
        (Fault::BreakOff, Outcome::Failed, "ec2:DescribeVpcs: the answer could not be read"),
        (Fault::Drop, Outcome::Failed, "ec2:DescribeVpcs: the connection failed"),
    ];
    for (fault, outcome, reason) in cases {
        let before = server.calls("DescribeVpcs", "eu-west-1");
        server.set_rules([
            Rule::on("DescribeVpcs", fault).on_page(4),
            Rule::on("DescribeVpcs", Fault::Pages(Paging::of([5]))),
        ]);
        let report = bench.collect(&["eu-west-1"], &["Vpc"]).await.expect("a collection");
        assert!(report.is_nothing());
        let slice = bench.slice("eu-west-1", "Vpc");
        assert_eq!((slice.outcome, slice.reason.as_deref()), (outcome, Some(reason)));
        assert_eq!(bench.native_ids("eu-west-1", "Vpc"), expected, "{reason}");
        let calls = server.calls("DescribeVpcs", "eu-west-1") - before;
        assert_eq!(calls, 3 + 3, "three pages, then three attempts: {reason}");
    }
}
