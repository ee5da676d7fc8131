//! The bucket of calls, over moments of the tests' own.

use std::time::Duration;

use passmuster::collect::{Bucket, Quota, budget_of};

use super::bench::Bench;
use crate::support::{
    aws::populate,
    fault_server::{Fault, FaultServer, Rule, throttled},
    moto::moto,
};

const QUOTA: Quota = Quota { burst: 3.0, per_second: 2.0 };

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_full_bucket_lets_a_burst_through_and_then_one_call_at_a_time() {
    let mut bucket = Bucket::full(QUOTA, at(0));
    let waits: Vec<Duration> = (0..6).map(|_| bucket.take(at(0))).collect();
    assert_eq!(waits, [at(0), at(0), at(0), at(500), at(1_000), at(1_500)]);
}

#[test]
fn a_bucket_refills_with_time_and_never_beyond_its_burst() {
    let mut bucket = Bucket::full(QUOTA, at(0));
    for _ in 0..3 {
        assert_eq!(bucket.take(at(0)), at(0));
    }
    assert_eq!(bucket.take(at(250)), at(250), "half a call has come in");
    assert_eq!(bucket.take(at(1_500)), at(0));
    let much_later = at(3_600_000);
    let waits: Vec<Duration> = (0..4).map(|_| bucket.take(much_later)).collect();
    assert_eq!(waits, [at(0), at(0), at(0), at(500)]);
}

#[test]
fn calls_that_wait_are_promised_their_own_time() {
    let mut bucket = Bucket::full(Quota { burst: 1.0, per_second: 10.0 }, at(0));
    assert_eq!(bucket.take(at(0)), at(0));
    // Who comes later waits behind those who wait already.
    assert_eq!((bucket.take(at(0)), bucket.take(at(0)), bucket.take(at(50))), (at(100), at(200), at(250)));
}

#[test]
fn a_clock_that_goes_back_gives_no_calls_away() {
    let mut bucket = Bucket::full(QUOTA, at(10_000));
    for _ in 0..3 {
        assert_eq!(bucket.take(at(10_000)), at(0));
    }
    assert_eq!(bucket.take(at(0)), at(500));
    assert_eq!(bucket.take(at(10_000)), at(1_000), "the way back counts for nothing");
}

#[test]
fn a_bucket_for_less_than_one_call_still_lets_one_through() {
    let mut bucket = Bucket::full(Quota { burst: 0.5, per_second: 0.5 }, at(0));
    assert_eq!(bucket.take(at(0)), at(0));
    assert_eq!(bucket.take(at(0)), at(2_000));
}

#[test]
fn half_of_what_aws_documents_is_used_and_what_it_does_not_count_is_not_spaced() {
    let half = |burst, per_second| Some(Quota { burst, per_second });
    for (action, budget) in [
        ("ec2:DescribeVpcs", half(50.0, 10.0)),
        ("ec2:DescribeNetworkInterfaces", half(25.0, 5.0)),
        ("ec2:DescribeSecurityGroups", half(25.0, 5.0)),
        ("logs:DescribeLogGroups", half(5.0, 5.0)),
        ("logs:DescribeSubscriptionFilters", half(2.5, 2.5)),
        ("firehose:DescribeDeliveryStream", half(2.5, 2.5)),
        ("sts:AssumeRole", None),
        ("iam:GetRole", None),
    ] {
        assert_eq!(budget_of(action), budget, "{action}");
    }
}

#[tokio::test]
async fn what_the_sdk_tries_again_comes_out_of_the_budget_as_well() {
    let truth = populate().await;
    let slow = Fault::Error { status: 400, code: "ThrottlingException", message: "slow down" };
    let rules = [
        Rule::on("DescribeVpcs", throttled()).times(2),
        Rule::on("DescribeSubnets", Fault::Drop).times(1),
        Rule::on("DescribeLogGroups", slow).times(1),
    ];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(truth.account.clone(), &server.url);
    let report = bench.collect(&["eu-west-1"], &[]).await.expect("a collection");
    assert!(report.is_complete(), "{:?}", report.slices);
    assert_eq!(server.calls("DescribeVpcs", "eu-west-1"), 3);
    assert_eq!(server.calls("DescribeLogGroups", "eu-west-1"), 2);
    for action in ["ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeRegions", "logs:DescribeLogGroups"]
    {
        assert!(report.metered.contains_key(action), "{action}: {:?}", report.metered);
    }
    for (action, calls) in &report.metered {
        let (_, name) = action.split_once(':').expect("a service");
        let seen: usize = ["eu-west-1", "us-east-1"].iter().map(|region| server.calls(name, region)).sum();
        assert_eq!(*calls, seen as u64, "{action}");
    }
}
