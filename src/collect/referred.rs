//! What flow logs lead to: the log groups, buckets, streams and roles they name. Only these are read in the second pass.
//!
//! The names come from the store, so that a region which did not answer today still keeps what was known of it. They
//! are those of every account's flow logs, since a bucket is read where it belongs, not where its records come from.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::Asset,
    store::{Store, StoreError},
};

/// An account and a region.
type Place = (String, String);

/// The names that flow logs hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Referred {
    /// ARNs, by the place that they say.
    by_home: BTreeMap<Place, BTreeSet<Target>>,
    /// The same and buckets, by the place of the flow log that names them.
    by_flow_log: BTreeMap<Place, BTreeSet<Target>>,
    buckets: BTreeSet<String>,
}

/// The kinds of things that flow logs name by an ARN with an account in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    LogGroup,
    DeliveryStream,
    Role,
    Bucket,
}

/// One thing that a flow log names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    /// Its ARN, which is its id.
    pub(crate) arn: String,
    /// The account it belongs to; empty for a bucket, whose ARN does not say.
    pub(crate) account_id: String,
    /// Its name without account and region.
    pub(crate) name: String,
}

impl Referred {
    /// Reads the names from the flow logs of a store.
    pub(crate) fn read(store: &Store) -> Result<Self, StoreError> {
        let mut referred = Self::default();
        store.read_assets_of("FlowLog", &mut |log| referred.add(&log))?;
        Ok(referred)
    }

    /// Takes in what one flow log names.
    pub(crate) fn add(&mut self, log: &Asset) {
        let (Some(account), Some(region)) = (log.account_id(), log.region()) else { return };
        let at = (account.to_owned(), region.to_owned());
        let partition = log.text("partition").unwrap_or("aws");
        let named_group =
            log.text("logGroupName").map(|name| log_group_arn(partition, region, account, name));
        let fields = ["logDestination", "deliverLogsPermissionArn", "deliverCrossAccountRole"];
        let arns = fields.into_iter().filter_map(|field| log.text(field).map(str::to_owned));
        for target in arns.chain(named_group).filter_map(|arn| target_of(&arn)) {
            let home = (target.account_id.clone(), region_of(&target.arn).to_owned());
            self.by_home.entry(home).or_default().insert(target.clone());
            self.by_flow_log.entry(at.clone()).or_default().insert(target);
        }
        if let Some(bucket) = log.text("bucketName") {
            self.buckets.insert(bucket.to_owned());
            let arn = format!("arn:{partition}:s3:::{bucket}");
            let (account_id, name) = (String::new(), bucket.to_owned());
            let target = Target { kind: Kind::Bucket, arn, account_id, name };
            self.by_flow_log.entry(at).or_default().insert(target);
        }
    }

    /// What belongs to an account, in a region (empty for what has none), whoever's flow logs name it.
    pub(crate) fn own(&self, kind: Kind, account_id: &str, region: &str) -> Vec<&Target> {
        let home = (account_id.to_owned(), region.to_owned());
        self.by_home.get(&home).into_iter().flatten().filter(|target| target.kind == kind).collect()
    }

    /// What an account's flow logs of a region name and another account owns.
    pub(crate) fn foreign(&self, kind: Kind, account_id: &str, region: &str) -> Vec<&Target> {
        let at = (account_id.to_owned(), region.to_owned());
        let named = self.by_flow_log.get(&at).into_iter().flatten();
        named.filter(|target| target.kind == kind && target.account_id != account_id).collect()
    }

    /// The same for all regions of the account, each once.
    pub(crate) fn foreign_anywhere(&self, kind: Kind, account_id: &str) -> BTreeSet<&Target> {
        let places = self.by_flow_log.iter().filter(|((account, _), _)| account == account_id);
        let named = places.flat_map(|(_, targets)| targets);
        named.filter(|target| target.kind == kind && target.account_id != account_id).collect()
    }

    /// Everything, each once.
    pub(crate) fn all(&self) -> BTreeSet<&Target> {
        self.by_flow_log.values().flatten().collect()
    }

    /// Every bucket that any flow log names.
    pub(crate) fn buckets(&self) -> &BTreeSet<String> {
        &self.buckets
    }
}

/// The id of a log group.
pub(crate) fn log_group_arn(partition: &str, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:logs:{region}:{account_id}:log-group:{name}")
}

fn region_of(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// What an ARN names, if it is of a kind that is read.
fn target_of(arn: &str) -> Option<Target> {
    let mut parts = arn.splitn(6, ':');
    let (_, _, service) = (parts.next().filter(|word| *word == "arn")?, parts.next()?, parts.next()?);
    let (_region, account_id, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let (kind, name) = match service {
        "logs" => (Kind::LogGroup, resource.strip_prefix("log-group:")?),
        "firehose" => (Kind::DeliveryStream, resource.strip_prefix("deliverystream/")?),
        // The name comes after the path, which is part of the ARN only.
        "iam" => (Kind::Role, resource.strip_prefix("role/")?.rsplit('/').next()?),
        _ => return None,
    };
    if account_id.is_empty() || name.is_empty() {
        return None;
    }
    let (account_id, name) = (account_id.to_owned(), name.to_owned());
    Some(Target { kind, arn: arn.to_owned(), account_id, name })
}
