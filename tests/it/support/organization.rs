//! An organisation for tests: a management account and 24 members in units, filled through the real API. One for the
//! whole test process, since faults and stores are each test's own and nobody changes it.
#![allow(clippy::expect_used, reason = "what tests stand on fails by panicking, as they do")]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{FlowLogsResourceType, TrafficType};
use aws_sdk_organizations::{Client, types::Tag};
use futures_util::{StreamExt, stream};
use tokio::sync::OnceCell;

use super::{aws::TestAccount, moto::moto};

/// The regions that hold anything, sorted.
pub(crate) const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// How many accounts there are, the management account included.
pub(crate) const ACCOUNTS: usize = 25;

/// A member, and what is true of it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The native ids of its VPCs in `eu-west-1` and `us-east-1` that an ACTIVE flow log covers.
    pub(crate) logged: BTreeSet<String>,
    /// Those that none covers.
    pub(crate) unlogged: BTreeSet<String>,
}

/// The organisation, and what is true of it.
#[derive(Clone, Debug)]
pub(crate) struct TestOrganization {
    pub(crate) management: TestAccount,
    /// All accounts sorted by id, the management account included.
    pub(crate) accounts: Vec<Member>,
    /// The ids of its units by path; the root under the empty one.
    pub(crate) units: BTreeMap<String, String>,
}

impl TestOrganization {
    /// The account of that name.
    pub(crate) fn account(&self, name: &str) -> &Member {
        self.accounts.iter().find(|member| member.name == name).expect("a member of that name")
    }
}

/// The organisation of this test process, made on first use.
pub(crate) async fn organization() -> &'static TestOrganization {
    static ORGANIZATION: OnceCell<TestOrganization> = OnceCell::const_new();
    ORGANIZATION.get_or_init(make).await
}

/// `member-01` to `member-12` are in `Workloads/Production`, of which the first three are tagged `env=prod`;
/// `member-13` to `member-20` in `Workloads/Test`, `member-21` in `Suspended`, the others right below the root.
async fn make() -> TestOrganization {
    let management = TestAccount::new().await;
    let client = Client::new(&management.sdk_config(&moto().url, "us-east-1"));
    client.create_organization().send().await.expect("an organisation");
    let roots = client.list_roots().send().await.expect("roots");
    let root = roots.roots().first().and_then(|root| root.id()).expect("a root").to_owned();
    let mut units = BTreeMap::from([(String::new(), root.clone())]);
    for path in ["Workloads", "Workloads/Production", "Workloads/Test", "Suspended"] {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let call = client.create_organizational_unit().parent_id(&units[above]).name(name);
        let made = call.send().await.expect("a unit");
        let id = made.organizational_unit().and_then(|unit| unit.id()).expect("its id").to_owned();
        units.insert(path.to_owned(), id);
    }
    let mut members = vec![(management.id.clone(), "management".to_owned())];
    for number in 1..ACCOUNTS {
        let name = format!("member-{number:02}");
        let email = format!("{name}@example.com");
        let made = client.create_account().account_name(&name).email(email).send().await;
        let made = made.expect("an account");
        let id = made.create_account_status().and_then(|status| status.account_id()).expect("its id");
        let unit = match number {
            1..=12 => "Workloads/Production",
            13..=20 => "Workloads/Test",
            21 => "Suspended",
            _ => "",
        };
        if !unit.is_empty() {
            let call = client.move_account().account_id(id).source_parent_id(&root);
            call.destination_parent_id(&units[unit]).send().await.expect("a move");
        }
        if number <= 3 {
            let tag = Tag::builder().key("env").value("prod").build().expect("a tag");
            client.tag_resource().resource_id(id).tags(tag).send().await.expect("tags");
        }
        members.push((id.to_owned(), name));
    }
    let filled = stream::iter(members).map(|(id, name)| fill(id, name)).buffer_unordered(4);
    let mut accounts: Vec<Member> = filled.collect().await;
    accounts.sort_by(|one, other| one.id.cmp(&other.id));
    TestOrganization { management, accounts, units }
}

/// Puts a VPC with and one without a flow log beside the default VPC of the first region; the second has only its
/// default VPC.
async fn fill(id: String, name: String) -> Member {
    let account = TestAccount::of(id.clone()).await;
    let ec2 = account.ec2(REGIONS[0]);
    account.create_log_group(REGIONS[0], "flow-logs").await;
    let logged = account.create_vpc(&ec2, "logged").await;
    account.create_vpc(&ec2, "unlogged").await;
    let call = ec2.create_flow_logs().resource_ids(&logged).resource_type(FlowLogsResourceType::Vpc);
    let call = call.traffic_type(TrafficType::All).log_group_name("flow-logs");
    let role = format!("arn:aws:iam::{id}:role/flow-logs");
    call.deliver_logs_permission_arn(role).send().await.expect("a flow log");
    let mut unlogged = BTreeSet::new();
    for region in REGIONS {
        let answer = account.ec2(region).describe_vpcs().send().await.expect("VPCs");
        unlogged.extend(answer.vpcs().iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned)));
    }
    unlogged.remove(&logged);
    Member { id, name, logged: BTreeSet::from([logged]), unlogged }
}
