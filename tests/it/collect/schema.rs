//! That the collector and the shipped schema agree: what is collected fits, and nothing of the schema is forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    sync::Arc,
};

use passmuster::{
    catalog::{Catalog, FieldKind, shipped},
    collect::{collected_types, least_policy, needed_actions},
    model::{Asset, GLOBAL_REGION},
};

use super::{
    bench::Bench,
    network::{LISTS, build_network},
};
use crate::support::{
    aws::{REGIONS, populate},
    fault_server::{Fault, FaultServer, Rule},
    moto::{moto, python},
};

#[tokio::test]
async fn every_asset_fits_the_shipped_schema_and_no_field_of_it_is_forgotten() {
    let truth = populate().await;
    let named = |action| {
        let name = "<tagSet><item><key>Name</key><value>its name</value></item></tagSet>";
        Rule::on(action, Fault::Rewrite(Arc::new(move |text: String| text.replace("<tagSet/>", name))))
    };
    let mut rules = LISTS.map(|(action, _)| named(action)).to_vec();
    rules.extend([
        Rule::on("DescribeVpcs", insert_before("</item></vpcSet>", MORE_OF_A_VPC)),
        Rule::on("DescribeFlowLogs", insert_before("</item></flowLogSet>", MORE_FLOW_LOGS)),
        Rule::on("DescribeSubnets", insert_before("</item></subnetSet>", MORE_OF_A_SUBNET)),
        Rule::on(
            "DescribeTransitGatewayAttachments",
            insert_before("</item></transitGatewayAttachments>", MORE_OF_A_SUBNET),
        ),
        Rule::on("DescribeNatGateways", insert_before("</item></natGatewaySet>", MORE_OF_A_NAT_GATEWAY)),
        Rule::on(
            "DescribeNetworkInterfaces",
            insert_before("</item></networkInterfaceSet>", MORE_OF_AN_INTERFACE),
        ),
        Rule::on("DescribeSubscriptionFilters", Fault::Answer(FILTERS)),
        Rule::on("?versioning", Fault::Answer(VERSIONING)),
        Rule::on("?lifecycle", Fault::Answer(LIFECYCLE)),
        Rule::on("?object-lock", Fault::Answer(OBJECT_LOCK)),
        Rule::on("?encryption", Fault::Answer(ENCRYPTION)),
    ]);
    let server = FaultServer::start(&moto().url, rules);
    build_network(&truth.account).await;
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let catalog = Catalog::read(&shipped()).expect("the shipped schema");

    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for asset_type in collected_types() {
        for asset in bench.assets(GLOBAL_REGION, asset_type) {
            catalog.check_asset(&asset).unwrap_or_else(|misfit| panic!("{}: {misfit}", asset.id));
            check_stub(&catalog, &asset);
            let fields = given.entry(asset.typename.clone()).or_default();
            fields.extend(asset.fields.into_iter().map(|(field, _)| field));
            fields.extend(asset.unknown);
        }
    }
    let mut forgotten = Vec::new();
    for asset_type in collected_types() {
        let (_, definition) = catalog.find(asset_type).expect("a type of the schema");
        let stored = definition
            .fields
            .iter()
            .filter(|field| matches!(field.kind, FieldKind::Scalar { .. } | FieldKind::Embedded { .. }));
        let missing = stored
            .map(|field| field.name.as_str())
            .filter(|name| !given.get(asset_type).is_some_and(|given| given.contains(*name)))
            .filter(|name| !NOT_FROM_AWS.contains(name));
        forgotten.extend(missing.map(|name| format!("{asset_type}.{name}")));
    }
    assert_eq!(forgotten, NOT_GIVEN, "fields that the collector never gives");
}

#[test]
fn every_call_that_the_collector_names_is_in_the_permissions_it_asks_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let granted = fs::read_to_string(root.join("docs/aws-permissions.md")).expect("the page");
    let policy =
        granted.split_once("\"Action\": [").and_then(|(_, rest)| rest.split_once(']')).expect("a policy").0;
    let granted: BTreeSet<&str> = policy.split('"').filter(|word| word.contains(':')).collect();
    let mut named = BTreeSet::new();
    for file in fs::read_dir(root.join("src/collect/api")).expect("the folder") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        let words = text.split('"').filter(|word| word.split_once(':').is_some_and(is_action));
        named.extend(words.map(str::to_owned));
    }
    // The role's delivery is what it asks of roles, not of its own caller.
    named.retain(|action| {
        !["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"].contains(&action.as_str())
    });
    assert!(named.len() > 20, "{named:?}");
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    assert_eq!(named, granted);
    assert_eq!(needed_actions(&BTreeSet::new()), granted, "the registry of actions");
}

#[test]
fn the_audit_role_allows_just_what_collecting_takes_and_its_pages_show_the_same_policy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let template = fs::read_to_string(root.join("docs/audit-role.yaml")).expect("the template");
    let policies = template.split_once("Policies:").expect("policies").1;
    let actions = policies.split_once("Action:").and_then(|(_, rest)| rest.split_once("Resource:"));
    let actions =
        actions.expect("a list of actions").0.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let needed = needed_actions(&BTreeSet::new());
    assert_eq!(actions.collect::<Vec<_>>(), needed.iter().copied().collect::<Vec<_>>());

    let page = fs::read_to_string(root.join("docs/aws-permissions.md")).expect("the page");
    let start = page.find("    {\n      \"Version\"").expect("the policy");
    let shown = page[start..].split("\n    }\n").next().expect("its end").to_owned() + "}";
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown, least_policy(&needed));
}

/// cfn-lint comes with moto.
#[test]
fn the_audit_role_is_a_template_without_a_mistake() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit-role.yaml");
    let linter = python().with_file_name("cfn-lint");
    let told = Command::new(linter).arg(template).output().expect("cfn-lint");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stdout));
}

#[test]
fn fewer_types_need_fewer_permissions() {
    let only = |types: &[&str]| needed_actions(&types.iter().map(|&name| name.to_owned()).collect());
    let flow_logs = ["ec2:DescribeFlowLogs", "ec2:DescribeRegions", "sts:GetCallerIdentity"];
    assert_eq!(only(&["FlowLog"]).into_iter().collect::<Vec<_>>(), flow_logs);
    let filters = only(&["SubscriptionFilter"]);
    assert!(filters.contains("logs:DescribeAccountPolicies") && !filters.contains("logs:DescribeLogGroups"));
}

fn is_action((service, name): (&str, &str)) -> bool {
    matches!(service, "ec2" | "firehose" | "iam" | "logs" | "s3" | "sts")
        && name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// What is known only by its name says so of every field, or an empty one would be taken for null.
fn check_stub(catalog: &Catalog, asset: &Asset) {
    if asset.text("stubReason").is_none() {
        return;
    }
    let (_, definition) = catalog.find(&asset.typename).expect("a type of the schema");
    let stored = definition
        .fields
        .iter()
        .filter(|field| matches!(field.kind, FieldKind::Scalar { .. } | FieldKind::Embedded { .. }));
    let silent: Vec<&str> = stored
        .map(|field| field.name.as_str())
        .filter(|name| !NOT_FROM_AWS.contains(name))
        .filter(|name| !asset.fields.contains_key(*name) && !asset.unknown.contains(*name))
        .collect();
    assert_eq!(silent, [""; 0], "{}", asset.id);
}

/// What the store adds, and the id, which is no field of an asset's own.
const NOT_FROM_AWS: [&str; 3] = ["id", "firstSeenAt", "lastSeenAt"];

/// What no answer of AWS has; and what marks stubs and shared assets, of which there are none here.
const NOT_GIVEN: [&str; 12] = [
    "InternetGateway.createdAt",
    "NetworkInterface.createdAt",
    "Region.createdAt",
    "RouteTable.createdAt",
    "S3Bucket.stubReason",
    "SecurityGroup.createdAt",
    "Subnet.createdAt",
    "Subnet.isShared",
    "SubscriptionFilter.stubReason",
    "Vpc.createdAt",
    "Vpc.isShared",
    "VpcPeeringConnection.createdAt",
];

/// What AWS can say and moto doesn't.
const MORE_OF_A_VPC: &str = "<blockPublicAccessStates><internetGatewayBlockMode>block-ingress</internetGatewayBlockMode>\
     </blockPublicAccessStates>";
/// The rest of the last flow log, and two more, to places in another account.
const MORE_FLOW_LOGS: &str = "<deliverCrossAccountRole>arn:aws:iam::1:role/r</deliverCrossAccountRole>\
     <destinationOptions><fileFormat>parquet</fileFormat><hiveCompatiblePartitions>true</hiveCompatiblePartitions>\
     <perHourPartition>false</perHourPartition></destinationOptions>\
     <tagSet><item><key>Name</key><value>central</value></item></tagSet></item>\
     <item><flowLogId>fl-firehose</flowLogId><logDestination>arn:aws:firehose:eu-west-1:999999999999:deliverystream/s\
     </logDestination></item><item><flowLogId>fl-elsewhere</flowLogId>\
     <logDestination>arn:aws:logs:eu-west-1:999999999999:log-group:central</logDestination>";
const MORE_OF_A_SUBNET: &str = "<tagSet><item><key>Name</key><value>private</value></item></tagSet>";

const MORE_OF_A_NAT_GATEWAY: &str = "<connectivityType>public</connectivityType>";
const MORE_OF_AN_INTERFACE: &str = "<attachment><instanceId>i-0123456789abcdef0</instanceId></attachment>";
const FILTERS: &str = r#"{"subscriptionFilters": [{"filterName": "to-siem", "logGroupName": "flow-logs",
    "filterPattern": "", "destinationArn": "arn:aws:firehose:eu-west-1:1:deliverystream/siem",
    "roleArn": "arn:aws:iam::1:role/r", "creationTime": 1700000000000}]}"#;
const VERSIONING: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const LIFECYCLE: &str = "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>400</Days>\
     </Expiration></Rule></LifecycleConfiguration>";
const OBJECT_LOCK: &str = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>\
     <DefaultRetention><Mode>GOVERNANCE</Mode><Days>400</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
const ENCRYPTION: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
     <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:eu-west-1:1:key/k</KMSMasterKeyID>\
     </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";

fn insert_before(place: &'static str, more: &'static str) -> Fault {
    Fault::Rewrite(Arc::new(move |text: String| text.replace(place, &format!("{more}{place}"))))
}
