//! What a user would write instead: async-graphql's derived resolvers over `Vec<struct>`, with hand-written filters
//! and indexes by id and by account.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{ComplexObject, Context, EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};
use passmuster::model::Asset;
use serde_json::Value;

#[derive(Clone, Debug, SimpleObject)]
struct Tag {
    key: String,
    value: Option<String>,
}

/// The fields that every asset has.
macro_rules! asset {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Clone, Debug, SimpleObject)]
        #[graphql(complex)]
        struct $name {
            id: String,
            provider: Option<String>,
            account_id: Option<String>,
            region: Option<String>,
            native_id: Option<String>,
            name: Option<String>,
            tags: Vec<Tag>,
            last_seen_at: Option<String>,
            source: Option<String>,
            $($field: $type),*
        }

        impl Searched for $name {
            const TYPENAME: &'static str = stringify!($name);

            fn texts(&self) -> (&str, Option<&str>, &[Tag]) {
                (&self.id, self.name.as_deref(), &self.tags)
            }
        }
    };
}

asset!(Account {
    email: Option<String>,
    state: Option<String>,
    joined_method: Option<String>,
    joined_at: Option<String>,
    organization_id: Option<String>,
});

asset!(Vpc {
    vpc_id: String,
    owner_id: Option<String>,
    state: Option<String>,
    cidr_block: Option<String>,
    is_default: Option<bool>,
    instance_tenancy: Option<String>,
    dhcp_options_id: Option<String>,
});

asset!(FlowLog {
    flow_log_id: String,
    flow_log_status: Option<String>,
    deliver_logs_status: Option<String>,
    resource_id: Option<String>,
    resource_type: Option<String>,
    traffic_type: Option<String>,
    log_destination_type: Option<String>,
    bucket_name: Option<String>,
});

asset!(Subnet {
    subnet_id: String,
    vpc_id: Option<String>,
    owner_id: Option<String>,
    state: Option<String>,
    cidr_block: Option<String>,
    availability_zone: Option<String>,
    map_public_ip_on_launch: Option<bool>,
});

/// What a search looks into: the id, the name and the tags.
trait Searched {
    const TYPENAME: &'static str;

    fn texts(&self) -> (&str, Option<&str>, &[Tag]);

    fn mentions(&self, needle: &str) -> Option<Hit> {
        let (id, name, tags) = self.texts();
        let tags = tags.iter().flat_map(|tag| [Some(tag.key.as_str()), tag.value.as_deref()]);
        let holds = |text: &str| text.to_lowercase().contains(needle);
        let found = holds(id) || name.is_some_and(holds) || tags.flatten().any(holds);
        found.then(|| Hit { typename: Self::TYPENAME, id: id.to_owned() })
    }
}

#[derive(Clone, Debug, SimpleObject)]
struct Hit {
    typename: &'static str,
    id: String,
}

#[derive(Clone, Debug, SimpleObject)]
struct RegionKey {
    region: Option<String>,
}

#[derive(Clone, Debug, SimpleObject)]
struct RegionCount {
    key: RegionKey,
    count: i32,
}

#[derive(Clone, Debug, SimpleObject)]
struct Count {
    count: i32,
}

/// The inventory, its assets sorted by id.
#[derive(Debug, Default)]
pub struct Inventory {
    accounts: Vec<Account>,
    vpcs: Vec<Vpc>,
    flow_logs: Vec<FlowLog>,
    subnets: Vec<Subnet>,
    by_vpc_id: HashMap<String, usize>,
    by_account: HashMap<String, Vec<usize>>,
    flow_logs_of: HashMap<String, Vec<usize>>,
    subnets_of: HashMap<String, Vec<usize>>,
}

/// The value of a field, out of an asset that is used up.
struct Fields(Asset);

impl Fields {
    fn text(&mut self, field: &str) -> Option<String> {
        match self.0.fields.remove(field) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    fn truth(&mut self, field: &str) -> Option<bool> {
        self.0.fields.get(field).and_then(Value::as_bool)
    }

    fn tags(&mut self) -> Vec<Tag> {
        let Some(Value::Array(tags)) = self.0.fields.remove("tags") else { return Vec::new() };
        let text = |tag: &Value, key| tag.get(key).and_then(Value::as_str).map(str::to_owned);
        tags.iter()
            .map(|tag| Tag { key: text(tag, "key").unwrap_or_default(), value: text(tag, "value") })
            .collect()
    }
}

/// A struct from the fields of an asset: those that every one has, and its own.
macro_rules! read {
    ($name:ident, $fields:ident, { $($field:ident: $value:expr),* $(,)? }) => {
        $name {
            id: std::mem::take(&mut $fields.0.id),
            provider: $fields.text("provider"),
            account_id: $fields.text("accountId"),
            region: $fields.text("region"),
            native_id: $fields.text("nativeId"),
            name: $fields.text("name"),
            tags: $fields.tags(),
            last_seen_at: $fields.text("lastSeenAt"),
            source: $fields.text("source"),
            $($field: $value),*
        }
    };
}

impl Inventory {
    pub fn push(&mut self, asset: Asset) {
        let typename = asset.typename.clone();
        let mut of = Fields(asset);
        match typename.as_str() {
            "Account" => self.accounts.push(read!(Account, of, {
                email: of.text("email"),
                state: of.text("state"),
                joined_method: of.text("joinedMethod"),
                joined_at: of.text("joinedAt"),
                organization_id: of.text("organizationId"),
            })),
            "Vpc" => self.vpcs.push(read!(Vpc, of, {
                vpc_id: of.text("vpcId").unwrap_or_default(),
                owner_id: of.text("ownerId"),
                state: of.text("state"),
                cidr_block: of.text("cidrBlock"),
                is_default: of.truth("isDefault"),
                instance_tenancy: of.text("instanceTenancy"),
                dhcp_options_id: of.text("dhcpOptionsId"),
            })),
            "FlowLog" => self.flow_logs.push(read!(FlowLog, of, {
                flow_log_id: of.text("flowLogId").unwrap_or_default(),
                flow_log_status: of.text("flowLogStatus"),
                deliver_logs_status: of.text("deliverLogsStatus"),
                resource_id: of.text("resourceId"),
                resource_type: of.text("resourceType"),
                traffic_type: of.text("trafficType"),
                log_destination_type: of.text("logDestinationType"),
                bucket_name: of.text("bucketName"),
            })),
            "Subnet" => self.subnets.push(read!(Subnet, of, {
                subnet_id: of.text("subnetId").unwrap_or_default(),
                vpc_id: of.text("vpcId"),
                owner_id: of.text("ownerId"),
                state: of.text("state"),
                cidr_block: of.text("cidrBlock"),
                availability_zone: of.text("availabilityZone"),
                map_public_ip_on_launch: of.truth("mapPublicIpOnLaunch"),
            })),
            // No question is about them.
            "S3Bucket" => {}
            other => panic!("the generator makes no {other}"),
        }
    }

    /// Sorts by id and makes the indexes.
    pub fn index(&mut self) {
        self.accounts.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        self.vpcs.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        self.flow_logs.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        self.subnets.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        for (place, vpc) in self.vpcs.iter().enumerate() {
            self.by_vpc_id.insert(vpc.vpc_id.clone(), place);
            self.by_account.entry(vpc.account_id.clone().unwrap_or_default()).or_default().push(place);
        }
        for (place, log) in self.flow_logs.iter().enumerate() {
            self.flow_logs_of.entry(log.resource_id.clone().unwrap_or_default()).or_default().push(place);
        }
        for (place, subnet) in self.subnets.iter().enumerate() {
            self.subnets_of.entry(subnet.vpc_id.clone().unwrap_or_default()).or_default().push(place);
        }
    }

    fn flow_logs_of(&self, vpc: &Vpc) -> impl Iterator<Item = &FlowLog> {
        self.flow_logs_of.get(&vpc.vpc_id).into_iter().flatten().map(|&place| &self.flow_logs[place])
    }

    fn has_active_flow_log(&self, vpc: &Vpc) -> bool {
        self.flow_logs_of(vpc).any(|log| log.flow_log_status.as_deref() == Some("ACTIVE"))
    }

    /// The filter of the counts.
    fn counted(&self) -> impl Iterator<Item = &Vpc> {
        self.vpcs.iter().filter(|vpc| {
            vpc.is_default == Some(false)
                && vpc.cidr_block.as_deref().is_some_and(|cidr| cidr.starts_with("10."))
        })
    }
}

fn inventory<'c>(context: &Context<'c>) -> &'c Inventory {
    context.data_unchecked()
}

#[ComplexObject]
impl Account {}

#[ComplexObject]
impl FlowLog {}

#[ComplexObject]
impl Subnet {}

#[ComplexObject]
impl Vpc {
    async fn has_flow_log<'c>(&self, context: &Context<'c>) -> Vec<&'c FlowLog> {
        inventory(context).flow_logs_of(self).collect()
    }

    async fn subnets<'c>(&self, context: &Context<'c>) -> Vec<&'c Subnet> {
        let inventory = inventory(context);
        let places = inventory.subnets_of.get(&self.vpc_id).into_iter().flatten();
        places.map(|&place| &inventory.subnets[place]).collect()
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn first_vpcs<'c>(&self, context: &Context<'c>, limit: usize) -> Vec<&'c Vpc> {
        inventory(context).vpcs.iter().take(limit).collect()
    }

    async fn vpcs_without_active_flow_log<'c>(&self, context: &Context<'c>) -> Vec<&'c Vpc> {
        let inventory = inventory(context);
        inventory.vpcs.iter().filter(|vpc| !inventory.has_active_flow_log(vpc)).collect()
    }

    async fn vpcs_by_vpc_id<'c>(&self, context: &Context<'c>, vpc_id: String) -> Vec<&'c Vpc> {
        let inventory = inventory(context);
        inventory.by_vpc_id.get(&vpc_id).map(|&place| &inventory.vpcs[place]).into_iter().collect()
    }

    async fn vpcs_of_account<'c>(
        &self,
        context: &Context<'c>,
        account_id: String,
        regions: Vec<String>,
        cidr_prefix: String,
        limit: usize,
    ) -> Vec<&'c Vpc> {
        let inventory = inventory(context);
        let places = inventory.by_account.get(&account_id).into_iter().flatten();
        let mut vpcs: Vec<&Vpc> = places
            .map(|&place| &inventory.vpcs[place])
            .filter(|vpc| vpc.region.as_ref().is_some_and(|region| regions.contains(region)))
            .filter(|vpc| vpc.cidr_block.as_ref().is_some_and(|cidr| cidr.starts_with(&cidr_prefix)))
            .collect();
        vpcs.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        vpcs.truncate(limit);
        vpcs
    }

    async fn accounts_without_active_flow_logs<'c>(
        &self,
        context: &Context<'c>,
        region: String,
    ) -> Vec<&'c Account> {
        let inventory = inventory(context);
        let is_silent = |account: &&Account| {
            let places = inventory.by_account.get(account.account_id.as_deref().unwrap_or_default());
            places.into_iter().flatten().map(|&place| &inventory.vpcs[place]).any(|vpc| {
                vpc.region.as_deref() == Some(region.as_str()) && !inventory.has_active_flow_log(vpc)
            })
        };
        inventory.accounts.iter().filter(is_silent).collect()
    }

    async fn vpcs_aggregate(&self, context: &Context<'_>) -> Count {
        Count { count: i32::try_from(inventory(context).counted().count()).unwrap() }
    }

    async fn vpcs_by_region(&self, context: &Context<'_>) -> Vec<RegionCount> {
        let mut counts: BTreeMap<Option<&str>, i32> = BTreeMap::new();
        for vpc in inventory(context).counted() {
            *counts.entry(vpc.region.as_deref()).or_default() += 1;
        }
        let counts = counts.into_iter();
        counts
            .map(|(region, count)| RegionCount {
                key: RegionKey { region: region.map(str::to_owned) },
                count,
            })
            .collect()
    }

    async fn vpcs_mentioning<'c>(&self, context: &Context<'c>, text: String) -> Vec<&'c Vpc> {
        let holds = |other: &Option<String>| other.as_ref().is_some_and(|other| other.contains(&text));
        let vpcs = inventory(context).vpcs.iter();
        vpcs.filter(|vpc| holds(&vpc.name) || vpc.tags.iter().any(|tag| holds(&tag.value))).collect()
    }

    async fn search(&self, context: &Context<'_>, text: String) -> Vec<Hit> {
        fn hits<T: Searched>(assets: &[T], needle: &str) -> impl Iterator<Item = Hit> {
            assets.iter().filter_map(move |asset| asset.mentions(needle))
        }
        let (inventory, needle) = (inventory(context), text.to_lowercase());
        hits(&inventory.accounts, &needle)
            .chain(hits(&inventory.flow_logs, &needle))
            .chain(hits(&inventory.subnets, &needle))
            .chain(hits(&inventory.vpcs, &needle))
            .collect()
    }
}

pub type PeerSchema = Schema<Query, EmptyMutation, EmptySubscription>;

pub fn schema(inventory: Inventory) -> PeerSchema {
    Schema::build(Query, EmptyMutation, EmptySubscription).data(inventory).finish()
}
