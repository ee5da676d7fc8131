//! AWS accounts for tests: each test gets its own (moto keeps accounts apart), filled through the real API with VPCs
//! in every situation the control knows, and a record of what is true about them.
#![allow(clippy::expect_used, reason = "what tests stand on fails by panicking, as they do")]

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::{
    Client,
    config::{Credentials, SharedCredentialsProvider},
    types::{
        Filter, FlowLogsResourceType, LogDestinationType, ResourceType, Tag, TagSpecification, TrafficType,
    },
};

use super::moto::moto;

/// The regions `populate` fills, sorted.
pub(crate) const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

const ROLE: &str = "arn:aws:iam::123456789012:role/flow-logs";

/// An account of a test's own, with credentials for it.
#[derive(Clone, Debug)]
pub(crate) struct TestAccount {
    /// Twelve digits.
    pub(crate) id: String,
    access_key: String,
    secret_key: String,
    token: String,
}

impl TestAccount {
    /// An account nobody else uses; AWS has put a default VPC into each of its regions.
    pub(crate) async fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = format!("{:012}", 220_000_000_000 + NEXT.fetch_add(1, Ordering::Relaxed));
        Self::of(id).await
    }

    /// An account that there is already, such as a member of an organisation.
    pub(crate) async fn of(id: String) -> Self {
        let anyone = Credentials::new("testing", "testing", None, None, "tests");
        let config = config(&moto().url, "us-east-1", anyone);
        let answer = aws_sdk_sts::Client::new(&config)
            .assume_role()
            .role_arn(format!("arn:aws:iam::{id}:role/reader"))
            .role_session_name("tests")
            .send()
            .await
            .expect("moto lets anyone in");
        let keys = answer.credentials().expect("credentials");
        Self {
            id,
            access_key: keys.access_key_id().to_owned(),
            secret_key: keys.secret_access_key().to_owned(),
            token: keys.session_token().to_owned(),
        }
    }

    /// The SDK's configuration for calls to `endpoint` (moto's URL, or that of a fault server).
    pub(crate) fn sdk_config(&self, endpoint: &str, region: &str) -> SdkConfig {
        let token = Some(self.token.clone());
        config(endpoint, region, Credentials::new(&self.access_key, &self.secret_key, token, None, "tests"))
    }

    /// The same for a command: the variables the AWS CLI reads, and none of the machine's own settings.
    pub(crate) fn environment(&self, endpoint: &str, region: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
            ("AWS_SESSION_TOKEN", self.token.clone()),
            ("AWS_REGION", region.to_owned()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// A client straight to moto.
    pub(crate) fn ec2(&self, region: &str) -> Client {
        Client::new(&self.sdk_config(&moto().url, region))
    }

    /// The same for CloudWatch Logs.
    pub(crate) fn logs(&self, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.sdk_config(&moto().url, region))
    }

    /// The same for IAM.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sdk_config(&moto().url, "us-east-1"))
    }

    /// Creates a VPC with a name; returns its id.
    pub(crate) async fn create_vpc(&self, ec2: &Client, name: &str) -> String {
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Vpc)
            .tags(Tag::builder().key("Name").value(name).build())
            .tags(Tag::builder().key("Environment").value("production").build())
            .build();
        let answer = ec2.create_vpc().cidr_block("10.1.0.0/16").tag_specifications(tags).send().await;
        answer.expect("a VPC").vpc().and_then(|vpc| vpc.vpc_id()).expect("its id").to_owned()
    }

    /// A call moto understands and the crate has no SDK for.
    async fn call(&self, request: reqwest::RequestBuilder, service: &str, region: &str) {
        let scope = format!("{}/20260101/{region}/{service}/aws4_request", self.access_key);
        let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let answer = request.header("authorization", authorization).send().await.expect("moto answers");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    }

    pub(crate) async fn create_log_group(&self, region: &str, name: &str) {
        let request = http()
            .post(&moto().url)
            .header("x-amz-target", "Logs_20140328.CreateLogGroup")
            .header("content-type", "application/x-amz-json-1.1")
            .body(format!("{{\"logGroupName\":\"{name}\"}}"));
        self.call(request, "logs", region).await;
    }

    /// Returns its ARN.
    pub(crate) async fn create_stream(&self, region: &str, name: &str) -> String {
        let request = http()
            .post(&moto().url)
            .header("x-amz-target", "Kinesis_20131202.CreateStream")
            .header("content-type", "application/x-amz-json-1.1")
            .body(format!("{{\"StreamName\":\"{name}\",\"ShardCount\":1}}"));
        self.call(request, "kinesis", region).await;
        format!("arn:aws:kinesis:{region}:{}:stream/{name}", self.id)
    }

    pub(crate) async fn create_bucket(&self, name: &str) {
        self.call(http().put(format!("{}/{name}", moto().url)), "s3", "us-east-1").await;
    }
}

/// The SDK's configuration for an AWS that is made up, as the account named.
pub(crate) fn made_config(endpoint: &str, account_id: &str, region: &str) -> SdkConfig {
    config(endpoint, region, Credentials::new(format!("ASIA{account_id}"), "s", None, None, "tests"))
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

fn config(endpoint: &str, region: &str, credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// What is true of a VPC's flow logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Situation {
    /// AWS's own VPC, never logged.
    Default,
    /// No flow log at all.
    Nothing,
    /// ALL to a log group.
    AllToCloudWatch,
    /// ALL to a bucket.
    AllToS3,
    /// REJECT only.
    RejectOnly,
    /// ACCEPT to a bucket and REJECT to a log group.
    AcceptPlusReject,
    /// Only its subnet is logged.
    SubnetLevel,
    /// Only an interface is logged.
    InterfaceLevel,
    /// ACTIVE, but the log group is not there: delivery FAILED.
    DeliveryFailed,
    /// Had a flow log once.
    Deleted,
}

/// Every situation but the default VPC's, in the order `populate` makes them.
pub(crate) const SITUATIONS: [Situation; 9] = [
    Situation::Nothing,
    Situation::AllToCloudWatch,
    Situation::AllToS3,
    Situation::RejectOnly,
    Situation::AcceptPlusReject,
    Situation::SubnetLevel,
    Situation::InterfaceLevel,
    Situation::DeliveryFailed,
    Situation::Deleted,
];

/// A VPC, and what is true about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrueVpc {
    pub(crate) vpc_id: String,
    pub(crate) region: String,
    pub(crate) situation: Situation,
}

/// What is true of an account that was populated.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) account: TestAccount,
    pub(crate) vpcs: Vec<TrueVpc>,
    /// How many flow logs there are, of every kind.
    pub(crate) flow_logs: usize,
}

impl Truth {
    /// The ids of the VPCs in a region that no ACTIVE flow log covers at VPC level: what the check must name.
    pub(crate) fn without_active_flow_log(&self, region: &str) -> BTreeSet<String> {
        self.ids(region, |situation| {
            matches!(
                situation,
                Situation::Default
                    | Situation::Nothing
                    | Situation::SubnetLevel
                    | Situation::InterfaceLevel
                    | Situation::Deleted
            )
        })
    }

    /// The ids of the VPCs in a region whose situation is wanted.
    pub(crate) fn ids(&self, region: &str, wanted: impl Fn(Situation) -> bool) -> BTreeSet<String> {
        let chosen = self.vpcs.iter().filter(|vpc| vpc.region == region && wanted(vpc.situation));
        chosen.map(|vpc| vpc.vpc_id.clone()).collect()
    }
}

/// Fills a new account: in each of [`REGIONS`] the default VPC and one VPC in every situation.
pub(crate) async fn populate() -> Truth {
    let account = TestAccount::new().await;
    let bucket = format!("flow-logs-{}", account.id);
    account.create_bucket(&bucket).await;
    let (mut vpcs, mut flow_logs) = (Vec::new(), 0);
    for region in REGIONS {
        let ec2 = account.ec2(region);
        account.create_log_group(region, "flow-logs").await;
        let vpc_id = default_vpc(&ec2).await;
        vpcs.push(TrueVpc { vpc_id, region: region.to_owned(), situation: Situation::Default });
        let region = Populating { account: &account, ec2, bucket: &bucket };
        for situation in SITUATIONS {
            let vpc_id = region.account.create_vpc(&region.ec2, &format!("{situation:?}")).await;
            flow_logs += region.log(&vpc_id, situation).await;
            let region = region.ec2.config().region().map(ToString::to_string).unwrap_or_default();
            vpcs.push(TrueVpc { vpc_id, region, situation });
        }
    }
    Truth { account, vpcs, flow_logs }
}

async fn default_vpc(ec2: &Client) -> String {
    let only = Filter::builder().name("is-default").values("true").build();
    let answer = ec2.describe_vpcs().filters(only).send().await.expect("VPCs");
    answer.vpcs().first().and_then(|vpc| vpc.vpc_id()).expect("a default VPC").to_owned()
}

struct Populating<'a> {
    account: &'a TestAccount,
    ec2: Client,
    bucket: &'a str,
}

impl Populating<'_> {
    /// Makes a situation true; returns how many flow logs that leaves.
    async fn log(&self, vpc_id: &str, situation: Situation) -> usize {
        use FlowLogsResourceType::{NetworkInterface, Subnet, Vpc};
        match situation {
            Situation::Default | Situation::Nothing => return 0,
            Situation::AllToCloudWatch => {
                drop(self.to_logs(vpc_id, Vpc, TrafficType::All, "flow-logs").await)
            }
            Situation::AllToS3 => self.to_bucket(vpc_id, TrafficType::All).await,
            Situation::RejectOnly => {
                drop(self.to_logs(vpc_id, Vpc, TrafficType::Reject, "flow-logs").await);
            }
            Situation::AcceptPlusReject => {
                self.to_bucket(vpc_id, TrafficType::Accept).await;
                self.to_logs(vpc_id, Vpc, TrafficType::Reject, "flow-logs").await;
                return 2;
            }
            Situation::SubnetLevel => {
                let subnet = self.create_subnet(vpc_id).await;
                self.to_logs(&subnet, Subnet, TrafficType::All, "flow-logs").await;
            }
            Situation::InterfaceLevel => {
                let subnet = self.create_subnet(vpc_id).await;
                let made = self.ec2.create_network_interface().subnet_id(subnet).send().await;
                let made = made.expect("an interface");
                let interface = made.network_interface().and_then(|made| made.network_interface_id());
                let interface = interface.expect("its id");
                self.to_logs(interface, NetworkInterface, TrafficType::All, "flow-logs").await;
            }
            Situation::DeliveryFailed => {
                drop(self.to_logs(vpc_id, Vpc, TrafficType::All, "no-such-group").await);
            }
            Situation::Deleted => {
                let id = self.to_logs(vpc_id, Vpc, TrafficType::All, "flow-logs").await;
                self.ec2.delete_flow_logs().flow_log_ids(id).send().await.expect("a deletion");
                return 0;
            }
        }
        1
    }

    async fn create_subnet(&self, vpc_id: &str) -> String {
        let made = self.ec2.create_subnet().vpc_id(vpc_id).cidr_block("10.1.1.0/24").send().await;
        made.expect("a subnet").subnet().and_then(|subnet| subnet.subnet_id()).expect("its id").to_owned()
    }

    async fn to_logs(
        &self,
        resource_id: &str,
        kind: FlowLogsResourceType,
        traffic: TrafficType,
        group: &str,
    ) -> String {
        let call = self.ec2.create_flow_logs().resource_ids(resource_id).resource_type(kind);
        let call = call.traffic_type(traffic).log_group_name(group).deliver_logs_permission_arn(ROLE);
        let answer = call.send().await.expect("a flow log");
        answer.flow_log_ids().first().expect("its id").clone()
    }

    async fn to_bucket(&self, vpc_id: &str, traffic: TrafficType) {
        let call = self.ec2.create_flow_logs().resource_ids(vpc_id).resource_type(FlowLogsResourceType::Vpc);
        let call = call.traffic_type(traffic).log_destination_type(LogDestinationType::S3);
        let answer = call.log_destination(format!("arn:aws:s3:::{}", self.bucket)).send().await;
        assert!(!answer.expect("a flow log").flow_log_ids().is_empty(), "the bucket exists");
    }
}
