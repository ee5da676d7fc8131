//! Faults in one account or one region of many: what was known is still known, what isn't is unknown, the others go on,
//! and the next clean run converges.

use std::{sync::Arc, time::Duration};

use passmuster::{
    collect::{CollectOptions, CollectReport, Patience},
    model::Outcome,
};

use super::{
    bench::{EARLIER, LATER, quick, time},
    fleet::{FleetBench, words},
};
use crate::support::{
    Paging,
    fault_server::{Fault, Rule, denied, throttled},
    organization::ACCOUNTS,
};

const REFUSED: Fault = Fault::Error {
    status: 403,
    code: "AccessDenied",
    message: "User: arn:aws:iam::123456789012:user/secret-name is not authorized to perform: sts:AssumeRole",
};

/// After a collection without a fault: collects with one, and without again. What could not be read anew of `hidden` is
/// unknown where only the new counts; what was read before is still there.
async fn survives(bench: &FleetBench, rules: Vec<Rule>, hidden: &[&str]) -> CollectReport {
    let later = time(LATER);
    bench.clock.set(later);
    bench.server.set_rules(rules);
    let report = bench.collect().await;
    assert_eq!(report.accounts.len(), ACCOUNTS);
    assert!(!report.is_complete());
    assert_eq!(
        bench.verdicts(Some(time(EARLIER))),
        bench.truth(),
        "what was read before the fault still stands"
    );
    assert_eq!(bench.verdicts(Some(later)), bench.truth_without(hidden));
    bench.server.set_rules([]);
    assert!(bench.collect().await.is_complete());
    assert_eq!(bench.verdicts(Some(later)), bench.truth());
    report
}

#[tokio::test]
async fn an_account_whose_role_is_denied_keeps_what_was_known_as_unknown_and_stops_no_other() {
    let bench = FleetBench::new([]).await;
    bench.collect().await;
    let denied = bench.organization.account("member-04").id.as_str();
    let rules = vec![Rule::on("AssumeRole", REFUSED).in_account(denied)];
    let report = survives(&bench, rules, &[denied]).await;
    let missing: Vec<_> = report.slices.iter().filter(|slice| slice.outcome != Outcome::Complete).collect();
    let reason = "sts:AssumeRole: AccessDenied, so the role Passmuster could not be taken on";
    for slice in &missing {
        assert_eq!((slice.outcome, slice.reason.as_deref()), (Outcome::Denied, Some(reason)));
        assert_eq!(slice.key.account_id, denied);
    }
    // Both types in both regions; the organisation still says what the account is.
    assert_eq!(missing.len(), 4);
    assert_eq!(report.denied_calls().into_iter().collect::<Vec<_>>(), ["sts:AssumeRole"]);
}

#[tokio::test]
async fn an_account_that_never_let_anybody_in_is_unknown_in_the_regions_of_the_caller() {
    let bench = FleetBench::new([]).await;
    let denied = bench.organization.account("member-04").id.clone();
    bench.server.set_rules([Rule::on("AssumeRole", REFUSED).in_account(&denied)]);
    let options = CollectOptions { regions: words(&[]), only: words(&["Vpc"]), ..bench.options() };
    let only_it = passmuster::collect::OrganizationOptions {
        include: passmuster::collect::AccountFilter { accounts: words(&[&denied]), ..Default::default() },
        ..Default::default()
    };
    let report =
        bench.collect_as(CollectOptions { organization: Some(only_it), ..options }).await.expect("a report");
    assert!(report.is_nothing());
    assert!(report.slices.len() > 15, "one in each region: {:?}", report.slices);
    assert!(report.slices.iter().all(|slice| slice.outcome == Outcome::Denied));
    assert!(bench.slices().keys().any(|key| key.region == "eu-west-1"));
}

#[tokio::test]
async fn c1_throttling_on_a_later_page_of_one_account_touches_no_other() {
    let bench = FleetBench::new([]).await;
    bench.collect().await;
    let account = bench.organization.account("member-09");
    let rules = vec![
        Rule::on("DescribeFlowLogs", throttled()).in_account(&account.id),
        Rule::on("DescribeVpcs", Fault::Pages(Paging::of([1, 0, 5]))).in_account(&account.id),
    ];
    bench.server.set_rules(rules);
    bench.collect().await;
    assert_eq!(bench.slice(&account.id, "eu-west-1", "FlowLog").outcome, Outcome::Throttled);
    assert_eq!(bench.slice(&account.id, "eu-west-1", "Vpc").outcome, Outcome::Complete);
    bench.server.set_rules([]);
    let rules = vec![
        Rule::on("DescribeFlowLogs", throttled()).in_account(&account.id),
        Rule::on("DescribeVpcs", Fault::Pages(Paging::of([1]))).in_account(&account.id),
        Rule::on("DescribeVpcs", throttled()).in_account(&account.id).on_page(2),
    ];
    survives(&bench, rules, &[&account.id]).await;
}

#[tokio::test]
async fn c2_a_repeated_token_in_one_account_is_no_end_of_its_list() {
    let bench = FleetBench::new([]).await;
    bench.collect().await;
    let account = bench.organization.account("member-10");
    let stuck = Paging { sizes: vec![1], stuck_at: Some(2), loop_at: None };
    let rules = vec![
        Rule::on("DescribeVpcs", Fault::Pages(stuck)).in_account(&account.id),
        Rule::on("DescribeFlowLogs", denied()).in_account(&account.id),
    ];
    survives(&bench, rules, &[&account.id]).await;
}

#[tokio::test]
async fn c5_credentials_that_expire_on_the_way_fail_the_rest_of_their_account_alone() {
    let bench = FleetBench::new([]).await;
    bench.collect().await;
    let account = bench.organization.account("member-11");
    let expired =
        Fault::Error { status: 400, code: "ExpiredToken", message: "The security token has expired" };
    let rules = vec![
        Rule::on("DescribeVpcs", expired.clone()).in_account(&account.id).after(1),
        Rule::on("DescribeFlowLogs", expired).in_account(&account.id),
    ];
    bench.server.set_rules(rules);
    let report = bench.collect().await;
    let missing: Vec<_> = report.slices.iter().filter(|slice| slice.outcome != Outcome::Complete).collect();
    assert_eq!(missing.len(), 3, "{missing:?}");
    for slice in missing {
        assert_eq!((slice.key.account_id.as_str(), slice.outcome), (account.id.as_str(), Outcome::Failed));
        assert!(
            slice.reason.as_deref().is_some_and(|reason| reason.contains("the credentials have expired"))
        );
    }
}

#[tokio::test]
async fn c5_a_session_that_ends_before_its_time_is_begun_anew() {
    let bench = FleetBench::new([]).await;
    let account = bench.organization.account("member-11");
    let expired = Fault::Error { status: 400, code: "RequestExpired", message: "Request has expired." };
    bench.server.set_rules([Rule::on("DescribeFlowLogs", expired).in_account(&account.id).times(1)]);
    assert!(bench.collect().await.is_complete());
    assert_eq!(bench.verdicts(None), bench.truth());
    assert_eq!(bench.server.calls("AssumeRole", "us-east-1"), ACCOUNTS, "one of them twice");
}

#[tokio::test]
async fn c6_an_unknown_enum_value_is_kept_as_it_came() {
    let bench = FleetBench::new([]).await;
    let account = bench.organization.account("member-12");
    let novel =
        |text: String| text.replace("<trafficType>ALL</trafficType>", "<trafficType>NOVEL</trafficType>");
    let rule = Rule::on("DescribeFlowLogs", Fault::Rewrite(Arc::new(novel))).in_account(&account.id);
    bench.server.set_rules([rule]);
    assert!(bench.collect().await.is_complete());
    let mut kinds = Vec::new();
    let mut keep = |log: passmuster::model::Asset| {
        if log.account_id() == Some(&account.id) {
            kinds.extend(log.text("trafficType").map(str::to_owned));
        }
    };
    bench.store.read_assets_of("FlowLog", &mut keep).expect("flow logs");
    assert_eq!(kinds, ["NOVEL"]);
    assert_eq!(bench.verdicts(None), bench.truth(), "its status is ACTIVE all the same");
}

#[tokio::test]
async fn c7_a_hanging_region_costs_one_deadline_and_not_one_a_call() {
    let bench = FleetBench::new([]).await;
    let account = bench.organization.account("member-13").id.clone();
    bench.server.set_rules([Rule::on("*", Fault::Hang).in_account(&account).in_region("eu-west-1")]);
    // Long enough for the region that answers, on a busy machine too.
    let patience = Patience { attempt_timeout: Duration::from_secs(8), attempts: 1, ..quick() };
    let only_it = passmuster::collect::OrganizationOptions {
        include: passmuster::collect::AccountFilter { accounts: words(&[&account]), ..Default::default() },
        ..Default::default()
    };
    let options = CollectOptions {
        organization: Some(only_it),
        only: words(&[]),
        patience,
        account_concurrency: 1,
        ..bench.options()
    };
    let report = bench.collect_as(options.clone()).await.expect("a collection");
    // One call has waited; of the others in the region none was made.
    let called: usize = ["DescribeVpcs", "DescribeFlowLogs", "DescribeSubnets", "DescribeRouteTables"]
        .iter()
        .map(|action| bench.server.calls(action, "eu-west-1"))
        .sum();
    assert_eq!(called, 1);
    let vpcs = bench.slice(&account, "eu-west-1", "Vpc");
    assert_eq!(vpcs.reason.as_deref(), Some("ec2:DescribeVpcs: no answer in time"));
    let logs = bench.slice(&account, "eu-west-1", "FlowLog");
    let reason = "eu-west-1 gave no answer to ec2:DescribeVpcs in time, so nothing more was asked there";
    assert_eq!((logs.outcome, logs.reason.as_deref()), (Outcome::Failed, Some(reason)));
    let groups = bench.slice(&account, "eu-west-1", "LogGroup");
    assert_eq!(groups.reason.as_deref(), Some(reason));
    let elsewhere = report.slices.iter().filter(|slice| slice.key.region == "us-east-1");
    assert!(
        elsewhere.clone().count() > 10 && elsewhere.clone().all(|slice| slice.outcome == Outcome::Complete)
    );

    // The next run asks again.
    bench.server.set_rules([]);
    assert!(bench.collect_as(options).await.expect("a collection").is_complete());
}

#[tokio::test]
async fn c9_a_shared_vpc_is_judged_by_its_owners_flow_logs_once_the_owner_is_collected() {
    let bench = FleetBench::new([]).await;
    let (participant, owner) =
        (bench.organization.account("member-01"), bench.organization.account("member-02"));
    let shared = owner.logged.first().expect("a VPC").clone();
    let item = format!(
        "<item><vpcId>{shared}</vpcId><ownerId>{}</ownerId><state>available</state></item></vpcSet>",
        owner.id
    );
    let share = Fault::Rewrite(Arc::new(move |text: String| text.replace("</vpcSet>", &item)));
    let share = Rule::on("DescribeVpcs", share).in_account(&participant.id).in_region("eu-west-1");
    let refuse = Rule::on("AssumeRole", REFUSED).in_account(&owner.id);
    bench.server.set_rules([share.clone(), refuse]);
    bench.collect().await;
    let verdicts = bench.verdicts(None);
    assert_eq!(
        verdicts.unknown.into_iter().collect::<Vec<_>>(),
        [shared.as_str()],
        "no flow log is not none"
    );

    bench.server.set_rules([share]);
    assert!(bench.collect().await.is_complete());
    assert_eq!(bench.verdicts(None), bench.truth(), "one asset, whoever sees it");
}
