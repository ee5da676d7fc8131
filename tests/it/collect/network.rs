//! What lies around a VPC: interfaces, gateways, routes, groups, peerings; each of its own API, all read alike.

use std::sync::Arc;

use aws_sdk_ec2::{Client, types::DomainType};
use passmuster::{
    model::{GLOBAL_REGION, Outcome},
    query::{Request, run::RunLimits},
};

use super::{
    bench::Bench,
    main_job::{engine, graph},
};
use crate::support::{
    Paging,
    aws::TestAccount,
    fault_server::{Fault, FaultServer, Rule, denied, throttled},
    moto::moto,
};

const REGION: &str = "eu-west-1";

/// Every API of the region with the type it lists.
pub(super) const LISTS: [(&str, &str); 11] = [
    ("DescribeVpcs", "Vpc"),
    ("DescribeFlowLogs", "FlowLog"),
    ("DescribeSubnets", "Subnet"),
    ("DescribeNetworkInterfaces", "NetworkInterface"),
    ("DescribeRouteTables", "RouteTable"),
    ("DescribeInternetGateways", "InternetGateway"),
    ("DescribeNatGateways", "NatGateway"),
    ("DescribeSecurityGroups", "SecurityGroup"),
    ("DescribeTransitGateways", "TransitGateway"),
    ("DescribeTransitGatewayAttachments", "TransitGatewayAttachment"),
    ("DescribeVpcPeeringConnections", "VpcPeeringConnection"),
];

/// Makes one VPC that the internet reaches, with one of everything; returns its id.
pub(super) async fn build_network(account: &TestAccount) -> String {
    let ec2 = account.ec2(REGION);
    let vpc = account.create_vpc(&ec2, "exposed").await;
    let made = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.1.1.0/24").send().await.expect("a subnet");
    let subnet = made.subnet().and_then(|subnet| subnet.subnet_id()).expect("its id").to_owned();
    open_to_internet(&ec2, &vpc).await;
    give_public_addresses(&ec2, &subnet).await;
    join_to_others(account, &ec2, &vpc, &subnet).await;
    account.create_log_group(REGION, "network-logs").await;
    let call = ec2.create_flow_logs().resource_ids(&vpc).log_group_name("network-logs");
    let call = call.resource_type("VPC".into()).traffic_type("ALL".into());
    let call = call.deliver_logs_permission_arn("arn:aws:iam::123456789012:role/flow-logs");
    call.send().await.expect("a flow log");
    vpc
}

async fn open_to_internet(ec2: &Client, vpc: &str) {
    let made = ec2.create_internet_gateway().send().await.expect("a gateway");
    let gateway = made.internet_gateway().and_then(|made| made.internet_gateway_id()).expect("its id");
    ec2.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await.expect("attached");
    let tables = ec2.describe_route_tables().send().await.expect("route tables");
    let mut tables = tables.route_tables().iter().filter(|table| table.vpc_id() == Some(vpc));
    let table = tables.next().and_then(|table| table.route_table_id()).expect("the main one");
    let route = ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0");
    route.gateway_id(gateway).send().await.expect("a route");
}

async fn give_public_addresses(ec2: &Client, subnet: &str) {
    let made = ec2.create_network_interface().subnet_id(subnet).description("a door").send().await;
    let made = made.expect("an interface");
    let interface = made.network_interface().and_then(|made| made.network_interface_id()).expect("its id");
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let made = ec2.allocate_address().domain(DomainType::Vpc).send().await.expect("an address");
        addresses.push(made.allocation_id().expect("its id").to_owned());
    }
    let call = ec2.associate_address().allocation_id(&addresses[0]).network_interface_id(interface);
    call.send().await.expect("associated");
    ec2.create_nat_gateway().subnet_id(subnet).allocation_id(&addresses[1]).send().await.expect("a gateway");
}

async fn join_to_others(account: &TestAccount, ec2: &Client, vpc: &str, subnet: &str) {
    let made = ec2.create_transit_gateway().description("the hub").send().await.expect("a transit gateway");
    let hub = made.transit_gateway().and_then(|made| made.transit_gateway_id()).expect("its id");
    let call = ec2.create_transit_gateway_vpc_attachment().transit_gateway_id(hub).vpc_id(vpc);
    call.subnet_ids(subnet).send().await.expect("an attachment");
    let other = account.create_vpc(ec2, "other").await;
    ec2.create_vpc_peering_connection().vpc_id(vpc).peer_vpc_id(other).send().await.expect("a peering");
}

/// Shows an account what it lists as what another one shares with it.
pub(super) fn owned_by_another(account: &TestAccount) -> Fault {
    let own = format!("<ownerId>{}</ownerId>", account.id);
    Fault::Rewrite(Arc::new(move |text: String| text.replace(&own, "<ownerId>999999999999</ownerId>")))
}

fn ask(bench: &Bench, query: &str) -> serde_json::Value {
    let engine = engine();
    let answer = engine.execute(&graph(&engine, bench), &Request::new(query), &RunLimits::unlimited());
    serde_json::from_slice(&answer.body).expect("JSON")
}

#[tokio::test]
async fn one_of_everything_is_collected_and_related() {
    let account = TestAccount::new().await;
    let vpc = build_network(&account).await;
    let bench = Bench::new(account, &moto().url);
    let report = bench.collect(&[REGION], &[]).await.expect("a collection");
    let incomplete: Vec<_> =
        report.slices.iter().filter(|slice| slice.outcome != Outcome::Complete).collect();
    assert!(incomplete.is_empty(), "{incomplete:?}");

    let answer = ask(
        &bench,
        &format!(
            "vpcs(where: {{vpcId: \"{vpc}\"}}) {{
                isInternetExposed isProduction isFullyCovered isPartlyCovered isShared
                subnets {{ networkInterfaces {{ description publicIp vpc {{ vpcId }} }} }}
                routeTables {{ isMain routes {{ destination gatewayId state }} }}
                internetGateways {{ attachedVpcIds }}
                natGateways {{ state publicIps subnet {{ subnetId }} }}
                securityGroups {{ groupName egress {{ protocol cidrs }} }}
                transitGatewayAttachments {{ resourceType transitGateway {{ description }} }}
                requestedPeerings {{ accepterVpc {{ name }} }}
                effectiveFlowLogs {{ logGroups {{ logGroupName }} }}
            }}"
        ),
    );
    let found = &answer["data"]["vpcs"][0];
    for field in ["isInternetExposed", "isProduction", "isFullyCovered"] {
        assert_eq!(found[field], true, "{field}: {answer}");
    }
    assert_eq!((&found["isPartlyCovered"], &found["isShared"]), (&false.into(), &serde_json::Value::Null));
    let interfaces = found["subnets"][0]["networkInterfaces"].as_array().expect("interfaces");
    let door = interfaces.iter().find(|interface| interface["description"] == "a door").expect("the door");
    assert!(door["publicIp"].is_string() && door["vpc"]["vpcId"] == vpc.as_str(), "{door}");
    let routes = found["routeTables"][0]["routes"].as_array().expect("routes");
    assert_eq!(routes[0]["destination"], "0.0.0.0/0");
    assert!(routes[0]["gatewayId"].as_str().expect("a gateway").starts_with("igw-"), "{routes:?}");
    assert_eq!(found["internetGateways"][0]["attachedVpcIds"][0], vpc.as_str());
    assert_eq!(found["natGateways"][0]["publicIps"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(found["securityGroups"][0]["egress"][0]["cidrs"][0], "0.0.0.0/0");
    assert_eq!(found["transitGatewayAttachments"][0]["transitGateway"]["description"], "the hub");
    assert_eq!(found["requestedPeerings"][0]["accepterVpc"]["name"], "other");
    assert_eq!(found["effectiveFlowLogs"][0]["logGroups"][0]["logGroupName"], "network-logs");
}

#[tokio::test]
async fn a_vpc_is_exposed_only_with_a_route_an_address_and_nothing_that_blocks() {
    let account = TestAccount::new().await;
    let vpc = build_network(&account).await;
    let changes: [(&'static str, &'static str, &'static str); 3] = [
        ("DescribeRouteTables", "<gatewayId>igw-", "<gatewayId>vgw-"),
        ("DescribeNetworkInterfaces", "publicIp>", "somethingElse>"),
        (
            "DescribeVpcs",
            "</item></vpcSet>",
            "<blockPublicAccessStates><internetGatewayBlockMode>block-bidirectional</internetGatewayBlockMode>\
             </blockPublicAccessStates></item></vpcSet>",
        ),
    ];
    for (action, from, to) in changes {
        let change = Fault::Rewrite(Arc::new(move |text: String| text.replace(from, to)));
        let server = FaultServer::start(&moto().url, [Rule::on(action, change)]);
        let bench = Bench::new(account.clone(), &server.url);
        let types = ["Vpc", "RouteTable", "NetworkInterface"];
        bench.collect(&[REGION], &types).await.expect("a collection");
        let answer = ask(&bench, "vpcs(where: {isInternetExposed: true}) { vpcId }");
        let exposed = answer["data"]["vpcs"].as_array().expect("a list");
        // Only the last VPC of the list is blocked, and that is the other one of the peering.
        let expected =
            usize::from(action == "DescribeVpcs" && exposed.iter().any(|found| found["vpcId"] == *vpc));
        assert_eq!(exposed.len(), expected, "{action}: {answer}");
    }
}

#[tokio::test]
async fn c10_every_list_comes_in_pages_of_any_size() {
    let account = TestAccount::new().await;
    build_network(&account).await;
    let types = LISTS.map(|(_, asset_type)| asset_type);
    let whole = Bench::new(account.clone(), &moto().url);
    whole.collect(&[REGION], &types).await.expect("a collection");
    let server = FaultServer::start(&moto().url, []);
    for sizes in [vec![1], vec![0, 5, 1]] {
        let pages = |(action, _)| Rule::on(action, Fault::Pages(Paging::of(sizes.clone())));
        server.set_rules(LISTS.map(pages));
        let bench = Bench::new(account.clone(), &server.url);
        let report = bench.collect(&[REGION], &types).await.expect("a collection");
        assert!(report.is_complete(), "{report:?}");
        for asset_type in types {
            let expected = whole.native_ids(REGION, asset_type);
            assert!(!expected.is_empty(), "{asset_type}");
            assert_eq!(bench.native_ids(REGION, asset_type), expected, "{asset_type} in pages of {sizes:?}");
        }
    }
}

#[tokio::test]
async fn c1_c2_c3_every_list_that_fails_says_how_and_keeps_what_was_known() {
    let account = TestAccount::new().await;
    build_network(&account).await;
    let types = LISTS.map(|(_, asset_type)| asset_type);
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(account, &server.url);
    let first = bench.collect(&[REGION], &types).await.expect("a collection");
    let stuck = Fault::Pages(Paging { stuck_at: Some(1), ..Paging::of([1]) });
    let cases = [
        (denied(), Outcome::Denied, "UnauthorizedOperation"),
        (throttled(), Outcome::Throttled, "RequestLimitExceeded"),
        (stuck, Outcome::Failed, "a page token came twice, the list has no end"),
    ];
    for (fault, outcome, reason) in cases {
        server.set_rules(LISTS.map(|(action, _)| Rule::on(action, fault.clone())));
        let report = bench.collect(&[REGION], &types).await.expect("a collection");
        assert_eq!((report.count(outcome), report.totals().removed), (LISTS.len(), 0));
        for (action, asset_type) in LISTS {
            let slice = bench.slice(REGION, asset_type);
            assert_eq!(slice.reason, Some(format!("ec2:{action}: {reason}")));
        }
    }
    let kept: usize = types.iter().map(|asset_type| bench.assets(GLOBAL_REGION, asset_type).len()).sum();
    assert_eq!(kept as u64, first.assets());
}

#[tokio::test]
async fn c9_a_participant_sees_a_shared_vpc_and_its_own_interfaces_in_it() {
    let account = TestAccount::new().await;
    build_network(&account).await;
    let rules =
        ["DescribeVpcs", "DescribeSubnets"].map(|action| Rule::on(action, owned_by_another(&account)));
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(account.clone(), &server.url);
    bench.collect(&[REGION], &[]).await.expect("a collection");
    let answer = ask(
        &bench,
        "vpcs(where: {isShared: true, networkInterfaces_SOME: {}, name: \"exposed\"}) {
            accountId networkInterfaces(where: {description: \"a door\"}) { accountId }
        }",
    );
    let found = &answer["data"]["vpcs"][0];
    assert_eq!(found["accountId"], "999999999999");
    assert_eq!(found["networkInterfaces"][0]["accountId"], account.id.as_str());
}

#[tokio::test]
async fn c6_an_unknown_value_of_any_kind_is_kept_as_it_came() {
    let account = TestAccount::new().await;
    build_network(&account).await;
    let future = |from: &'static str, to: &'static str| {
        Fault::Rewrite(Arc::new(move |text: String| text.replace(from, to)))
    };
    let cases = [
        ("DescribeNatGateways", "NatGateway", "<state>available", "<state>levitating", "state"),
        ("DescribeTransitGateways", "TransitGateway", "<state>available", "<state>levitating", "state"),
    ];
    for (action, asset_type, from, to, field) in cases {
        let server = FaultServer::start(&moto().url, [Rule::on(action, future(from, to))]);
        let bench = Bench::new(account.clone(), &server.url);
        bench.collect(&[REGION], &[asset_type]).await.expect("a collection");
        assert_eq!(bench.assets(REGION, asset_type)[0].text(field), Some("levitating"));
    }
}

#[tokio::test]
async fn slices_are_assets_of_the_graph() {
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeFlowLogs", denied())]);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    bench.collect(&[REGION], &["Account", "Vpc", "FlowLog"]).await.expect("a collection");
    let answer = ask(
        &bench,
        "{ slices(where: {outcome_NOT: \"COMPLETE\"}) { id assetType region api outcome reason completedAt assetCount }
           accounts { slices(where: {assetType: \"Vpc\"}) { assetCount account { accountId } } } }",
    );
    let account = &bench.account.id;
    let denied = serde_json::json!([{
        "id": format!("{account}/eu-west-1/FlowLog"), "assetType": "FlowLog", "region": "eu-west-1",
        "api": "ec2:DescribeFlowLogs", "outcome": "DENIED",
        "reason": "ec2:DescribeFlowLogs: UnauthorizedOperation", "completedAt": null, "assetCount": "0",
    }]);
    assert_eq!(answer["data"]["slices"], denied, "{answer}");
    let expected = serde_json::json!([{"assetCount": "1", "account": {"accountId": account}}]);
    assert_eq!(answer["data"]["accounts"][0]["slices"], expected);
}
