//! Relations whose keys name another account or region than the asset's own: what is hidden there is unknown here.

use std::{collections::BTreeMap, sync::Arc};

use passmuster::{
    catalog::{Catalog, shipped},
    graph::GraphBuilder,
    model::{Asset, Outcome, SliceKey, SliceState},
    query::{Engine, GuardLimits, run::Reason},
};
use serde_json::{Value, json};

use super::support::{asset, slice, time};

const PEERING: &str = "arn:aws:ec2:us-east-1:111111111111:vpc-peering-connection/pcx-1";
/// From a VPC of the first account to one of the second, in another region.
const ENDS: [(&str, &str, &str); 2] =
    [("vpc-1", "111111111111", "us-east-1"), ("vpc-2", "222222222222", "eu-west-1")];

fn peering(fields: Value) -> Asset {
    let mut peering = json!({
        "__typename": "VpcPeeringConnection", "id": PEERING, "accountId": "111111111111", "region": "us-east-1",
        "vpcPeeringConnectionId": "pcx-1",
        "requesterVpcId": "vpc-1", "requesterOwnerId": "111111111111", "requesterRegion": "us-east-1",
        "accepterVpcId": "vpc-2", "accepterOwnerId": "222222222222", "accepterRegion": "eu-west-1",
    });
    peering.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    asset(peering)
}

fn peering_without_owner() -> Asset {
    let mut peering = peering(json!({}));
    peering.fields.remove("accepterOwnerId");
    peering.unknown.insert("accepterOwnerId".to_owned());
    peering
}

fn vpc((vpc_id, account, region): (&str, &str, &str)) -> Asset {
    asset(json!({
        "__typename": "Vpc", "id": format!("arn:aws:ec2:{region}:{account}:vpc/{vpc_id}"),
        "accountId": account, "region": region, "vpcId": vpc_id,
    }))
}

fn state(asset_type: &str, account: &str, region: &str, outcome: Outcome) -> SliceState {
    let completed_at = (outcome == Outcome::Complete).then_some(1000);
    SliceState { key: SliceKey::new(account, region, asset_type), ..slice(asset_type, outcome, completed_at) }
}

/// The verdict over the only peering there is, and why it is unknown.
fn verdict(query: &str, assets: Vec<Asset>, mut slices: Vec<SliceState>) -> (&'static str, Vec<String>) {
    slices.push(state("VpcPeeringConnection", "111111111111", "us-east-1", Outcome::Complete));
    let catalog = Arc::new(Catalog::read(&shipped()).unwrap());
    let engine = Engine::new(Arc::clone(&catalog), BTreeMap::new(), GuardLimits::default()).unwrap();
    let mut builder = GraphBuilder::new(catalog);
    for asset in &assets {
        builder.push(asset).unwrap();
    }
    let graph = builder.finish(Some(slices), time(0)).unwrap();
    let judgement = engine.judge(&graph, query, None).unwrap();
    let judged = &judgement.types[0];
    let verdict = match (judged.failing.len(), judged.passing, judged.unknown.len()) {
        (1, 0, 0) => "FAIL",
        (0, 1, 0) => "PASS",
        (0, 0, 1) => "UNKNOWN",
        other => panic!("not one verdict: {other:?}"),
    };
    let reasons = judgement.reasons.iter().map(Reason::to_string).collect();
    (verdict, reasons)
}

const NO_ACCEPTER: &str = "vpcPeeringConnections(where: {accepterVpc: null}) { id }";
const NO_REQUESTER: &str = "vpcPeeringConnections(where: {requesterVpc: null}) { id }";

#[test]
fn the_far_end_of_a_peering_is_unknown_until_its_account_is_collected_in_its_region() {
    let near = || state("Vpc", "111111111111", "us-east-1", Outcome::Complete);
    let never = "Vpc of 222222222222 in eu-west-1 was never collected";
    let denied = "Vpc of 222222222222 in eu-west-1: denied";
    let far = |region: &str, outcome| state("Vpc", "222222222222", region, outcome);
    for (slices, expected) in [
        (vec![near()], ("UNKNOWN", vec![never])),
        (vec![near(), far("us-east-1", Outcome::Complete)], ("UNKNOWN", vec![never])),
        (vec![near(), far("eu-west-1", Outcome::Denied)], ("UNKNOWN", vec![denied])),
        // The near account's region of that name is not the far account's.
        (
            vec![near(), state("Vpc", "111111111111", "eu-west-1", Outcome::Complete)],
            ("UNKNOWN", vec![never]),
        ),
        (vec![near(), far("eu-west-1", Outcome::Complete)], ("FAIL", vec![])),
        // Nor does the far end need the near account.
        (vec![far("eu-west-1", Outcome::Complete)], ("FAIL", vec![])),
    ] {
        let expected = (expected.0, expected.1.into_iter().map(str::to_owned).collect());
        let told = format!("{slices:?}");
        assert_eq!(verdict(NO_ACCEPTER, vec![peering(json!({})), vpc(ENDS[0])], slices), expected, "{told}");
    }
}

#[test]
fn an_end_that_is_seen_is_there_whatever_else_is_hidden() {
    let assets = || vec![peering(json!({})), vpc(ENDS[0]), vpc(ENDS[1])];
    for query in [NO_ACCEPTER, NO_REQUESTER] {
        assert_eq!(verdict(query, assets(), Vec::new()).0, "PASS");
    }
}

#[test]
fn a_peering_whose_far_account_is_not_known_or_null_goes_by_what_is_known_of_it() {
    let whole = || vec![state("Vpc", "222222222222", "eu-west-1", Outcome::Complete)];
    assert_eq!(verdict(NO_ACCEPTER, vec![peering_without_owner()], whole()).0, "UNKNOWN");
    let nobody = peering(json!({"accepterOwnerId": null}));
    assert_eq!(verdict(NO_ACCEPTER, vec![nobody], Vec::new()).0, "FAIL", "null is related to nothing");
}

#[test]
fn an_arn_of_another_account_needs_that_account_s_slice_as_well() {
    let query = "flowLogs(where: {logGroupByArn: null}) { id }";
    let log = asset(json!({
        "__typename": "FlowLog", "id": "fl-1", "flowLogId": "fl-1", "accountId": "111111111111",
        "region": "us-east-1", "logDestination": "arn:aws:logs:eu-west-1:222222222222:log-group:central",
    }));
    let flow_logs = || state("FlowLog", "111111111111", "us-east-1", Outcome::Complete);
    let near = || state("LogGroup", "111111111111", "us-east-1", Outcome::Complete);
    let far = |outcome| state("LogGroup", "222222222222", "eu-west-1", outcome);
    let told = |slices| verdict(query, vec![log.clone()], slices);
    let never = "LogGroup of 222222222222 in eu-west-1 was never collected".to_owned();
    assert_eq!(told(vec![flow_logs(), near()]), ("UNKNOWN", vec![never]));
    assert_eq!(told(vec![flow_logs(), near(), far(Outcome::Complete)]).0, "FAIL");
    // A stub of what is another account's stands in the slice of its own account.
    assert_eq!(told(vec![flow_logs(), far(Outcome::Complete)]).0, "UNKNOWN");
}
