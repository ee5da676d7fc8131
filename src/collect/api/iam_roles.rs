//! `iam:GetRole` and the policies of a role: only the roles that flow logs deliver with. What a policy allows is asked
//! of the documents alone: conditions, boundaries and the organisation's policies are not weighed.

use aws_sdk_iam::{Client, types::Role};
use futures_util::future::BoxFuture;

use super::{Asked, ReferredApi};
use crate::{
    collect::{
        failure::{Failure, FailureKind},
        pages::Tokens,
        policy::Policies,
        referred::{Kind, Referred, Target},
        shape::{Origin, Shape, StubReason, stub},
    },
    model::{Asset, GLOBAL_REGION},
};

/// Reads `IamRole`.
#[derive(Debug)]
pub(crate) struct GetRole;

/// Who takes the role on.
const SERVICE: &str = "vpc-flow-logs.amazonaws.com";

/// What it must be allowed to do.
const DELIVERY: [&str; 3] = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

/// What else is called for what is named.
const MORE_ACTIONS: [&str; 5] = [
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
];

impl ReferredApi for GetRole {
    fn asset_type(&self) -> &'static str {
        "IamRole"
    }

    fn action(&self) -> &'static str {
        "iam:GetRole"
    }

    fn more_actions(&self) -> &'static [&'static str] {
        &MORE_ACTIONS
    }

    fn least_calls(&self, origin: &Origin, referred: &Referred) -> usize {
        referred.own(Kind::Role, &origin.caller, "").len()
    }

    fn is_account_wide(&self) -> bool {
        true
    }

    fn read<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Vec<Asset>, Failure>> {
        Box::pin(async move {
            let Asked { connection, origin, referred } = asked;
            let foreign = referred.foreign_anywhere(Kind::Role, &origin.caller);
            let mut assets: Vec<Asset> = foreign.into_iter().map(|target| stub_of(target, origin)).collect();
            let own = referred.own(Kind::Role, &origin.caller, "");
            if own.is_empty() {
                return Ok(assets);
            }
            let client = connection.iam(&origin.caller);
            for target in own {
                assets.extend(Box::pin(read_role(&client, target, origin)).await?);
            }
            Ok(assets)
        })
    }
}

/// Nothing where there is no such role.
async fn read_role(client: &Client, target: &Target, origin: &Origin) -> Result<Option<Asset>, Failure> {
    let answer = match client.get_role().role_name(&target.name).send().await.map_err(Failure::from) {
        Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
        answer => answer?,
    };
    let Some(role) = answer.role() else { return Err(Failure::other("an answer without a role")) };
    // Another path is another role: the one that was named is gone.
    if role.arn() != target.arn {
        return Ok(None);
    }
    let policies = match Box::pin(read_policies(client, &target.name)).await {
        Ok(policies) => Some(policies),
        Err(failure) if failure.kind == FailureKind::Denied => None,
        // It vanished between two calls.
        Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
        Err(failure) => return Err(failure),
    };
    Ok(Some(shape(role, target, policies.as_ref(), origin)))
}

async fn read_policies(client: &Client, role: &str) -> Result<Policies, Failure> {
    let mut policies = Policies::default();
    for name in inline_names(client, role).await.map_err(|failure| failure.during("iam:ListRolePolicies"))? {
        let call = client.get_role_policy().role_name(role).policy_name(name).send();
        let answer = call.await.map_err(|error| Failure::from(error).during("iam:GetRolePolicy"))?;
        policies.add_encoded(answer.policy_document());
    }
    let attached = attached_arns(client, role).await;
    for arn in attached.map_err(|failure| failure.during("iam:ListAttachedRolePolicies"))? {
        let call = client.get_policy().policy_arn(&arn).send();
        let answer = call.await.map_err(|error| Failure::from(error).during("iam:GetPolicy"))?;
        let version = answer.policy().and_then(|policy| policy.default_version_id());
        let call = client.get_policy_version().policy_arn(&arn).set_version_id(version.map(str::to_owned));
        let answer =
            call.send().await.map_err(|error| Failure::from(error).during("iam:GetPolicyVersion"))?;
        let document = answer.policy_version().and_then(|version| version.document());
        policies.add_encoded(document.unwrap_or_default());
    }
    Ok(policies)
}

async fn inline_names(client: &Client, role: &str) -> Result<Vec<String>, Failure> {
    let (mut names, mut tokens, mut marker) = (Vec::new(), Tokens::default(), None);
    loop {
        let answer = client.list_role_policies().role_name(role).set_marker(marker).send().await?;
        names.extend(answer.policy_names);
        marker = tokens.next(answer.marker)?;
        if marker.is_none() {
            return Ok(names);
        }
    }
}

async fn attached_arns(client: &Client, role: &str) -> Result<Vec<String>, Failure> {
    let (mut arns, mut tokens, mut marker) = (Vec::new(), Tokens::default(), None);
    loop {
        let answer = client.list_attached_role_policies().role_name(role).set_marker(marker).send().await?;
        let attached = answer.attached_policies.unwrap_or_default();
        arns.extend(attached.into_iter().filter_map(|policy| policy.policy_arn));
        marker = tokens.next(answer.marker)?;
        if marker.is_none() {
            return Ok(arns);
        }
    }
}

fn shape(role: &Role, target: &Target, policies: Option<&Policies>, origin: &Origin) -> Asset {
    let mut trust = Policies::default();
    trust.add_encoded(role.assume_role_policy_document().unwrap_or_default());
    let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
    let shape = begin(target, origin)
        .tag_pairs(tags)
        .text("name", Some(&target.name))
        .time("createdAt", Some(role.create_date()));
    let shape = match trust.lets_take_on(SERVICE) {
        Some(trusts) => shape.flag("trustsVpcFlowLogs", Some(trusts)),
        None => shape.unseen(&["trustsVpcFlowLogs"]),
    };
    let allowed = policies.and_then(|policies| {
        DELIVERY.iter().map(|action| policies.allow(action)).try_fold(true, |all, one| Some(all && one?))
    });
    match allowed {
        Some(allowed) => shape.flag("canPutLogEvents", Some(allowed)),
        None => shape.unseen(&["canPutLogEvents"]),
    }
    .build()
}

fn begin(target: &Target, origin: &Origin) -> Shape {
    let origin = origin.within(GLOBAL_REGION);
    Shape::new("IamRole", target.arn.clone(), &target.name, &target.account_id, &origin)
        .text("roleName", Some(&target.name))
}

fn stub_of(target: &Target, origin: &Origin) -> Asset {
    stub("IamRole", target, &origin.within(GLOBAL_REGION), StubReason::NotScanned)
        .text("roleName", Some(&target.name))
        .unseen(&["createdAt", "trustsVpcFlowLogs", "canPutLogEvents"])
        .build()
}
