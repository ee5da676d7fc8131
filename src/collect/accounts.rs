//! Which accounts a collection reads, and as whom: those that were named, those of the organisation that were asked
//! for, else the caller's own.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    api::{Caller, Member},
    error::CollectError,
    options::{AccountOptions, CollectOptions, OrganizationOptions, RoleOptions},
    role::RoleRequest,
};
use crate::model::nearest;

/// An account that will be collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) account_id: String,
    /// What people call it, where they told.
    pub(crate) name: Option<String>,
    /// The role to take on; nothing for the caller's own account, which needs none.
    pub(crate) role: Option<RoleRequest>,
    /// The profile of the AWS configuration whose credentials everything of it begins with; the caller's unless one is
    /// named.
    pub(crate) profile: Option<String>,
    /// The regions that were asked for; empty means every region that is enabled.
    pub(crate) regions: BTreeSet<String>,
    /// What the organisation says of it, if that was asked.
    pub(crate) member: Option<Member>,
}

/// Decides on the accounts, sorted by id: those of the options, or of these the ones that are wanted. `members` are those of the organisation that were asked for.
pub(crate) fn choose(
    (options, wanted): (&CollectOptions, Option<BTreeSet<String>>),
    caller: &Caller,
    members: Vec<Member>,
) -> Result<Vec<Account>, CollectError> {
    let mut chosen: BTreeMap<String, (AccountOptions, Option<Member>)> = BTreeMap::new();
    for account in &options.accounts {
        chosen.insert(account.account_id.clone(), (account.clone(), None));
    }
    for member in members {
        let account_id = member.account_id.clone();
        let named = AccountOptions { account_id: account_id.clone(), ..AccountOptions::default() };
        chosen.entry(account_id).or_insert((named, None)).1 = Some(member);
    }
    if options.accounts.is_empty() && options.organization.is_none() {
        let own = AccountOptions { account_id: caller.account_id.clone(), ..AccountOptions::default() };
        chosen.insert(caller.account_id.clone(), (own, None));
    }
    for account_id in wanted.iter().flatten() {
        // An organisation says which accounts there are; without one, a role that is taken on in all is all it takes.
        if !chosen.contains_key(account_id) && (options.organization.is_some() || !is_account_id(account_id))
        {
            let nearest = nearest(account_id, chosen.keys().map(String::as_str)).map(str::to_owned);
            return Err(CollectError::UnknownAccount { given: account_id.clone(), nearest });
        }
        let named = AccountOptions { account_id: account_id.clone(), ..AccountOptions::default() };
        chosen.entry(account_id.clone()).or_insert((named, None));
    }
    if let Some(wanted) = &wanted {
        chosen.retain(|account_id, _| wanted.contains(account_id));
    }
    chosen.into_values().map(|(account, member)| account_of(options, caller, account, member)).collect()
}

fn account_of(
    options: &CollectOptions,
    caller: &Caller,
    account: AccountOptions,
    member: Option<Member>,
) -> Result<Account, CollectError> {
    // The caller's own account needs no role, and often has none, nor does one that a profile leads into; but one that
    // is named for it is taken on.
    let is_own = account.account_id == caller.account_id || account.profile.is_some();
    let wanted = account.role.as_ref().or(options.role.role.as_ref().filter(|_| !is_own));
    let role = match wanted {
        Some(wanted) => {
            let external_id = account.external_id.as_ref().or(options.role.external_id.as_ref());
            Some(request(wanted, external_id, (&caller.partition, &account.account_id), &options.role))
        }
        None if is_own => None,
        None => {
            return Err(CollectError::NoRole {
                account_id: account.account_id,
                caller: caller.account_id.clone(),
            });
        }
    };
    let regions = if account.regions.is_empty() { options.regions.clone() } else { account.regions };
    let AccountOptions { account_id, name, profile, .. } = account;
    Ok(Account { account_id, name, role, profile, regions, member })
}

/// A role in an account, as all roles are taken on.
fn request(
    role: &str,
    external_id: Option<&String>,
    (partition, account_id): (&str, &str),
    how: &RoleOptions,
) -> RoleRequest {
    RoleRequest {
        arn: role_arn(role, partition, account_id),
        external_id: external_id.cloned(),
        session_name: how.session_name.clone(),
        duration: how.session_duration,
        tags: how.session_tags.clone(),
    }
}

/// The role that the organisation is listed with, if one is named: by its name alone, one in the caller's account.
pub(crate) fn listing_role(
    organization: &OrganizationOptions,
    caller: &Caller,
    how: &RoleOptions,
) -> Option<RoleRequest> {
    let role = organization.role.as_ref()?;
    let external_id = organization.external_id.as_ref().or(how.external_id.as_ref());
    Some(request(role, external_id, (&caller.partition, &caller.account_id), how))
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name becomes the ARN of the account's role; in an ARN, the account and the partition are filled in.
fn role_arn(role: &str, partition: &str, account_id: &str) -> String {
    if role.starts_with("arn:") {
        role.replace("{partition}", partition).replace("{account}", account_id)
    } else {
        format!("arn:{partition}:iam::{account_id}:role/{}", role.trim_start_matches('/'))
    }
}
