//! The scripts that send records on and that part VPCs: run by a real shell against an AWS that moto plays.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Filter;

use super::remediating::Bench;
use crate::support::aws::{Situation, populate};

const FORWARDED: &str = "aws-vpc-flow-logs-siem";
const NOT_SHARED: &str = "aws-vpc-flow-logs-log-group-not-shared";

#[tokio::test(flavor = "multi_thread")]
async fn a_log_group_is_forwarded_once_for_all_vpcs_and_what_no_command_can_do_is_told() {
    let truth = populate().await;
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench { folder: scratch.path(), account: &truth.account };
    for region in ["eu-west-1", "us-east-1"] {
        truth.account.create_stream(region, "to-siem").await;
    }
    bench.collect();
    let before = bench.failing(FORWARDED);
    let logged = |situation| {
        use Situation::{AcceptPlusReject, AllToCloudWatch, AllToS3, DeliveryFailed, RejectOnly};
        matches!(situation, AcceptPlusReject | AllToCloudWatch | AllToS3 | DeliveryFailed | RejectOnly)
    };
    let expected: BTreeSet<String> =
        ["eu-west-1", "us-east-1"].iter().flat_map(|region| truth.ids(region, logged)).collect();
    assert_eq!(before, expected);

    let place = "forward:arn:aws:kinesis:{region}:{account}:stream/to-siem:cwl-to-kinesis";
    let script = bench.script_of(FORWARDED, &["--destination", place]);
    let back_out = bench.script_of(FORWARDED, &["--format", "back-out"]);
    assert_eq!(script.matches("put-subscription-filter").count(), 2, "one group in each region: {script}");
    let output = bench.sh(&script);
    assert!(output.status.success(), "{output:?}\n{script}");
    let filters = truth.account.logs("us-east-1").describe_subscription_filters().log_group_name("flow-logs");
    let filters = filters.send().await.unwrap().subscription_filters.unwrap();
    let [filter] = filters.as_slice() else { panic!("{filters:?}") };
    let account = &truth.account.id;
    assert_eq!(
        (filter.destination_arn().unwrap(), filter.role_arn().unwrap(), filter.filter_pattern()),
        (
            format!("arn:aws:kinesis:us-east-1:{account}:stream/to-siem").as_str(),
            format!("arn:aws:iam::{account}:role/cwl-to-kinesis").as_str(),
            Some(""),
        )
    );
    bench.collect();
    let by_hand = |situation| {
        use Situation::{AcceptPlusReject, AllToS3, DeliveryFailed};
        matches!(situation, AcceptPlusReject | AllToS3 | DeliveryFailed)
    };
    let rest: BTreeSet<String> =
        ["eu-west-1", "us-east-1"].iter().flat_map(|region| truth.ids(region, by_hand)).collect();
    assert_eq!(bench.failing(FORWARDED), rest);
    let told = String::from_utf8_lossy(&output.stderr);
    for vpc in &before {
        let lines = told.lines().filter(|line| line.contains(vpc.as_str())).count();
        assert_eq!(lines, usize::from(rest.contains(vpc)), "{vpc}: {told}");
    }
    let output = bench.sh(&back_out);
    assert!(output.status.success(), "{output:?}\n{back_out}");
    bench.collect();
    assert_eq!(bench.failing(FORWARDED), before);
    let again = bench.sh(&back_out);
    assert!(again.status.success(), "what is gone is not deleted twice: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_sent_to_from_a_region_or_an_account_is_left_out_with_the_reason() {
    let truth = populate().await;
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench { folder: scratch.path(), account: &truth.account };
    bench.collect();
    let told = |place: &str| {
        let told = bench.script_of(FORWARDED, &["--destination", place, "-o", "json"]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let regions: Vec<String> = told["batches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|batch| batch["region"].as_str().unwrap().to_owned())
            .collect();
        let reasons: BTreeSet<String> = told["leftOut"]
            .as_array()
            .unwrap()
            .iter()
            .map(|left| left["reason"].as_str().unwrap().to_owned())
            .collect();
        (regions, reasons.into_iter().collect::<Vec<_>>().join("; "))
    };
    let (regions, why) = told("forward:arn:aws:logs:eu-west-1:210987654321:destination:siem");
    assert_eq!(regions, ["eu-west-1"]);
    assert!(why.contains("only send to their own region, not to eu-west-1"), "{why}");
    let (regions, why) = told("forward:arn:aws:lambda:{region}:210987654321:function:siem");
    assert!(
        regions.is_empty() && why.contains("a lambda of their own account, not of 210987654321"),
        "{why}"
    );
    let (regions, why) = told("forward:arn:aws-cn:lambda:{region}:{account}:function:siem");
    assert!(regions.is_empty() && why.contains("`aws-cn`"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_deleted_only_when_the_one_in_its_place_was_made() {
    let truth = populate().await;
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench { folder: scratch.path(), account: &truth.account };
    bench.collect();
    let failed = |situation| situation == Situation::DeliveryFailed;
    let vpc = truth.ids("eu-west-1", failed).pop_first().unwrap();
    let script = bench.script_of("aws-vpc-flow-logs-delivering", &["--destination", "s3:no-such-bucket"]);
    let output = bench.sh(&script);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(groups_of(&bench, &vpc).await, BTreeSet::from(["no-such-group".to_owned()]));
    let place = format!("s3:flow-logs-{}", truth.account.id);
    let script = bench.script_of("aws-vpc-flow-logs-delivering", &["--destination", &place]);
    let output = bench.sh(&script);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(groups_of(&bench, &vpc).await, BTreeSet::new());
    bench.collect();
    assert_eq!(bench.failing("aws-vpc-flow-logs-delivering"), BTreeSet::new());
}

/// The log groups that the logs of a VPC deliver to.
async fn groups_of(bench: &Bench<'_>, vpc: &str) -> BTreeSet<String> {
    let of_vpc = Filter::builder().name("resource-id").values(vpc).build();
    let answer = bench.account.ec2("eu-west-1").describe_flow_logs().filter(of_vpc).send().await.unwrap();
    answer.flow_logs().iter().filter_map(|log| log.log_group_name()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_vpc_of_a_shared_group_gets_one_of_its_own_like_it_before_its_old_log_goes() {
    let truth = populate().await;
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench { folder: scratch.path(), account: &truth.account };
    let stream = truth.account.create_stream("eu-west-1", "to-siem").await;
    let logs = truth.account.logs("eu-west-1");
    logs.put_retention_policy().log_group_name("flow-logs").retention_in_days(400).send().await.unwrap();
    let filter = logs.put_subscription_filter().log_group_name("flow-logs").filter_name("siem");
    // What begins like this is the name of a file to the AWS CLI.
    let filter = filter.filter_pattern("[version, account != \"file://x\"]").destination_arn(stream.clone());
    filter.role_arn("arn:aws:iam::1:role/r").send().await.unwrap();
    bench.collect();
    assert_eq!(bench.failing(NOT_SHARED), BTreeSet::from(["flow-logs".to_owned()]));
    let sharing = truth.ids("eu-west-1", |situation| {
        use Situation::{AcceptPlusReject, AllToCloudWatch, RejectOnly};
        matches!(situation, AcceptPlusReject | AllToCloudWatch | RejectOnly)
    });
    assert_eq!(sharing.len(), 3);
    let capturing = bench.failing("aws-vpc-flow-logs-capture-all");

    let script = bench.script_of(NOT_SHARED, &[]);
    let back_out = bench.script_of(NOT_SHARED, &["--format", "back-out"]);
    let output = bench.sh(&script);
    assert!(output.status.success(), "{output:?}\n{script}");
    bench.collect();
    assert_eq!(bench.failing(NOT_SHARED), BTreeSet::new());
    assert_eq!(bench.failing("aws-vpc-flow-logs-capture-all"), capturing, "the same traffic is recorded");
    for vpc in &sharing {
        let own = format!("flow-logs/{vpc}");
        assert_eq!(groups_of(&bench, vpc).await.into_iter().filter(|group| *group == own).count(), 1);
        assert!(!groups_of(&bench, vpc).await.contains("flow-logs"), "{vpc}");
        let group = logs.describe_log_groups().log_group_name_prefix(&own).send().await.unwrap();
        assert_eq!(group.log_groups()[0].retention_in_days(), Some(400));
        let filters = logs.describe_subscription_filters().log_group_name(&own).send().await.unwrap();
        let [filter] = filters.subscription_filters() else { panic!("{filters:?}") };
        assert_eq!(filter.filter_name(), Some("siem"));
        assert_eq!(filter.destination_arn(), Some(stream.as_str()));
    }
    let again = bench.sh(&script);
    assert!(!again.status.success(), "AWS refuses a second log to one place, and nothing is deleted for it");
    assert!(String::from_utf8_lossy(&again.stderr).contains("FlowLogAlreadyExists"), "{again:?}");

    let output = bench.sh(&back_out);
    assert!(output.status.success(), "{output:?}\n{back_out}");
    bench.collect();
    assert_eq!(bench.failing(NOT_SHARED), BTreeSet::from(["flow-logs".to_owned()]));
    for vpc in &sharing {
        let groups = groups_of(&bench, vpc).await;
        assert!(groups.contains("flow-logs") && !groups.contains(&format!("flow-logs/{vpc}")), "{groups:?}");
    }
    let again = bench.sh(&back_out);
    assert!(again.status.success(), "nothing is made twice: {again:?}");
}
