//! What AWS must allow: the calls of the APIs that are read, and the least policy with them. `docs/aws-permissions.md` and
//! `docs/audit-role.yaml` are held against this by a test.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{api, plan};

/// Every call that collecting these types may take, as a policy names it; all types where none is given.
#[must_use]
pub fn needed_actions(only: &BTreeSet<String>) -> BTreeSet<&'static str> {
    // Asked whatever is collected: who it is, and where.
    let mut actions = BTreeSet::from([api::CALLER_IDENTITY, api::REGIONS]);
    actions.extend(plan::wanted_apis(only).iter().map(|api| api.action()));
    for api in plan::wanted_referred(only) {
        actions.insert(api.action());
        actions.extend(api.more_actions());
    }
    actions
}

/// The policy that allows these calls and nothing else.
#[must_use]
pub fn least_policy(actions: &BTreeSet<&'static str>) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "PassmusterCollect",
            "Effect": "Allow",
            "Action": actions,
            "Resource": "*",
        }],
    })
}
