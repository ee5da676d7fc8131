//! The questions that both sides are asked, each as a document of ours and of theirs, with the same response keys: the
//! answers are the same bytes.

use serde_json::{Map, Value, json};

use crate::generator::{RARE_TEXT, Skew, account_id, vpc_id};

/// One question.
pub struct Question {
    /// As `docs/performance.md` calls it.
    pub name: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// The inventory that it is asked of.
    pub skew: Skew,
    pub ours: &'static str,
    pub theirs: &'static str,
    /// Values of the variables, one set a request in turn.
    pub variables: Vec<Map<String, Value>>,
    /// Whether the two orders are comparable, or only how many rows there are.
    pub same_bytes: bool,
}

const CHECK_OURS: &str = r#"{ rows: vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}]}) {
    id vpcId accountId region name cidrBlock state isDefault } }"#;
const CHECK_THEIRS: &str =
    "{ rows: vpcsWithoutActiveFlowLog { id vpcId accountId region name cidrBlock state isDefault } }";

/// All questions over an inventory of so many VPCs.
pub fn questions(vpcs: usize) -> Vec<Question> {
    let once = || vec![Map::new()];
    let question = |name, title, ours, theirs| Question {
        name,
        title,
        skew: Skew::Healthy,
        ours,
        theirs,
        variables: once(),
        same_bytes: true,
    };
    let object = |value: Value| match value {
        Value::Object(object) => object,
        other => panic!("variables are an object, not {other}"),
    };
    vec![
        question("Q1", "the stored check, 0.1 % violate", CHECK_OURS, CHECK_THEIRS),
        Question {
            skew: Skew::Neglected,
            ..question("Q2", "the same, 40 % violate", CHECK_OURS, CHECK_THEIRS)
        },
        Question {
            variables: (0..64)
                .map(|place| object(json!({"id": vpc_id((place * 2_654_435_761_usize) % vpcs)})))
                .collect(),
            ..question(
                "Q3",
                "one VPC with flow logs and subnets",
                "query ($id: String!) { rows: vpcs(where: {vpcId: $id}) { id vpcId name
                    hasFlowLog { flowLogId flowLogStatus trafficType }
                    subnets { subnetId cidrBlock availabilityZone } } }",
                "query ($id: String!) { rows: vpcsByVpcId(vpcId: $id) { id vpcId name
                    hasFlowLog { flowLogId flowLogStatus trafficType }
                    subnets { subnetId cidrBlock availabilityZone } } }",
            )
        },
        Question {
            variables: (10..42)
                .map(|rank| {
                    let regions = ["us-east-1", "eu-west-1", "eu-central-1"];
                    object(json!({"account": account_id(rank % (vpcs / 20)), "regions": regions}))
                })
                .collect(),
            ..question(
                "Q4",
                "filtered, sorted, the first 50",
                r#"query ($account: String!, $regions: [String!]!) {
                    rows: vpcs(
                        where: {accountId: $account, region_IN: $regions, cidrBlock_WITHIN: "10.0.0.0/8"}
                        sort: [{name: ASC}] limit: 50
                    ) { id vpcId name region cidrBlock hasFlowLog { flowLogId flowLogStatus } } }"#,
                r#"query ($account: String!, $regions: [String!]!) {
                    rows: vpcsOfAccount(accountId: $account, regions: $regions, cidrPrefix: "10.", limit: 50) {
                        id vpcId name region cidrBlock hasFlowLog { flowLogId flowLogStatus } } }"#,
            )
        },
        question(
            "Q5",
            "accounts by VPCs by flow logs",
            r#"{ rows: accounts(where: {vpcs_SOME: {region: "eu-west-1",
                hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}}) { id accountId name } }"#,
            r#"{ rows: accountsWithoutActiveFlowLogs(region: "eu-west-1") { id accountId name } }"#,
        ),
        question(
            "Q6",
            "a count, and counts by region",
            r#"{ total: vpcsAggregate(where: {isDefault: false, cidrBlock_WITHIN: "10.0.0.0/8"}) { count }
                rows: vpcsGroup(by: [region], where: {isDefault: false, cidrBlock_WITHIN: "10.0.0.0/8"},
                    sort: [{key: {region: ASC}}]) { key { region } count } }"#,
            "{ total: vpcsAggregate { count } rows: vpcsByRegion { key { region } count } }",
        ),
        Question {
            variables: vec![object(json!({"text": RARE_TEXT}))],
            ..question(
                "Q7",
                "a text in a name or a tag",
                "query ($text: String!) { rows: vpcs(where: {OR: [{name_CONTAINS: $text},
                    {tags_SOME: {value_CONTAINS: $text}}]}) { id name tags { key value } } }",
                "query ($text: String!) { rows: vpcsMentioning(text: $text) { id name tags { key value } } }",
            )
        },
        Question {
            variables: vec![object(json!({"text": RARE_TEXT}))],
            same_bytes: false,
            ..question(
                "search",
                "a text anywhere, whatever its case",
                "query ($text: String!) { rows: search(text: $text) { typename id } }",
                "query ($text: String!) { rows: search(text: $text) { typename id } }",
            )
        },
        question(
            "JSON",
            "10,000 VPCs, 8 fields, no filter",
            "{ rows: vpcs(limit: 10000) { id vpcId accountId region name cidrBlock state isDefault } }",
            "{ rows: firstVpcs(limit: 10000) { id vpcId accountId region name cidrBlock state isDefault } }",
        ),
    ]
}
