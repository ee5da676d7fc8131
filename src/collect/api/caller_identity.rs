//! `sts:GetCallerIdentity`: which account and which partition the credentials belong to.

use crate::{
    collect::{
        failure::Failure,
        shape::{Origin, Shape, required},
    },
    model::{Asset, GLOBAL_REGION},
};

/// The call as a policy names it.
pub(crate) const ACTION: &str = "sts:GetCallerIdentity";

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account_id: String,
    pub(crate) partition: String,
}

/// Asks AWS who the caller is.
pub(crate) async fn identify(client: &aws_sdk_sts::Client) -> Result<Caller, Failure> {
    let answer = client.get_caller_identity().send().await.map_err(|error| Failure::of(&error))?;
    let account_id = required(answer.account(), "the answer has no account")?;
    let partition = required(answer.arn().and_then(partition_of), "the answer has no ARN with a partition")?;
    Ok(Caller { account_id: account_id.to_owned(), partition: partition.to_owned() })
}

/// `arn:aws-cn:sts::..` is of `aws-cn`.
fn partition_of(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    (parts.next() == Some("arn")).then(|| parts.next()).flatten()
}

/// The account, as far as its own credentials can see it; the rest is the organisation's to say, and the name, where
/// the configuration gives one, the user's.
pub(crate) fn shape(caller: &Caller, name: Option<&str>) -> Asset {
    let origin = Origin {
        partition: caller.partition.clone(),
        caller: caller.account_id.clone(),
        region: GLOBAL_REGION.to_owned(),
    };
    let id = format!("arn:{}:iam::{}:root", caller.partition, caller.account_id);
    let shape = Shape::new("Account", id, &caller.account_id, &caller.account_id, &origin);
    let shape = if name.is_some() { shape.text("name", name) } else { shape.unseen(&["name"]) };
    shape
        .unseen(&[
            "tags",
            "createdAt",
            "email",
            "state",
            "joinedMethod",
            "joinedAt",
            "organizationId",
            "organizationalUnits",
        ])
        .build()
}
