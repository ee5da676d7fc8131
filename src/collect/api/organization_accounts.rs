//! `organizations:ListAccounts`, and what else the organisation says of its accounts: the units they are in, their tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_organizations::{Client, types::Account};

use crate::{
    collect::{
        failure::Failure,
        pages::Tokens,
        shape::{Origin, Shape, required},
    },
    model::{Asset, GLOBAL_REGION},
};

/// The call as a policy names it.
pub(crate) const ACTION: &str = "organizations:ListAccounts";

/// The largest page these calls give.
const PAGE_SIZE: i32 = 20;

/// An account of the organisation, as the organisation sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) account_id: String,
    /// Its ARN as an account of the organisation.
    pub(crate) arn: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// `ACTIVE`, `SUSPENDED`..; from `Status` where AWS does not give `State` yet.
    pub(crate) state: Option<String>,
    pub(crate) joined_method: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) joined_at: Option<i64>,
    /// The ids of the root and the units it is in, from the root on; nothing where that is not known.
    pub(crate) units: Option<Vec<String>>,
    /// Nothing where they were not read.
    pub(crate) tags: Option<BTreeSet<(String, String)>>,
}

/// Lists all accounts, sorted by id.
pub(crate) async fn list(client: &Client) -> Result<Vec<Member>, Failure> {
    let mut members = BTreeMap::new();
    let (mut tokens, mut token) = (Tokens::default(), None);
    loop {
        let answer = client.list_accounts().max_results(PAGE_SIZE).set_next_token(token).send().await?;
        for account in answer.accounts() {
            let member = member_of(account)?;
            members.insert(member.account_id.clone(), member);
        }
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(members.into_values().collect());
        }
    }
}

fn member_of(account: &Account) -> Result<Member, Failure> {
    let account_id = required(account.id(), "an account without `Id`")?;
    let arn = required(account.arn(), "an account without `Arn`")?;
    let status = account.status().map(|status| status.as_str());
    let state = account.state().map(|state| state.as_str()).or(status);
    // `o-../r-../ou-../`: of several, the first.
    let path =
        account.paths().first().map(|path| path.split('/').filter(|id| is_unit(id)).map(str::to_owned));
    Ok(Member {
        account_id: account_id.to_owned(),
        arn: arn.to_owned(),
        name: account.name().map(str::to_owned),
        email: account.email().map(str::to_owned),
        state: state.map(str::to_owned),
        joined_method: account.joined_method().map(|method| method.as_str().to_owned()),
        joined_at: account.joined_timestamp().and_then(|time| time.to_millis().ok()),
        units: path.map(Iterator::collect),
        tags: None,
    })
}

/// Whether a text is the id of a root or a unit.
pub(crate) fn is_unit(id: &str) -> bool {
    id.starts_with("ou-") || id.starts_with("r-")
}

/// A root or a unit of the organisation, and all it is below of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// From the root on, its own last.
    pub(crate) ids: Vec<String>,
    /// The names below the root, joined by `/`; empty for the root itself.
    pub(crate) path: String,
    /// The accounts right in it; empty unless they were asked for.
    pub(crate) accounts: BTreeSet<String>,
}

/// Walks all units from the root down, in the order of their paths; two lists a unit with the accounts, one without.
pub(crate) async fn walk(client: &Client, with_accounts: bool) -> Result<Vec<Unit>, Failure> {
    let roots = list_roots(client).await.map_err(|failure| failure.during("organizations:ListRoots"))?;
    let mut open: Vec<Unit> = roots
        .into_iter()
        .map(|id| Unit { ids: vec![id], path: String::new(), accounts: BTreeSet::new() })
        .collect();
    let mut units = Vec::new();
    while let Some(mut unit) = open.pop() {
        let id = unit.ids.last().cloned().unwrap_or_default();
        if with_accounts {
            let listed = list_accounts_in(client, &id).await;
            unit.accounts =
                listed.map_err(|failure| failure.during("organizations:ListAccountsForParent"))?;
        }
        let below = list_units_in(client, &id).await;
        let below =
            below.map_err(|failure| failure.during("organizations:ListOrganizationalUnitsForParent"))?;
        for (id, name) in below {
            let ids = unit.ids.iter().cloned().chain([id]).collect();
            let path = if unit.path.is_empty() { name } else { format!("{}/{name}", unit.path) };
            open.push(Unit { ids, path, accounts: BTreeSet::new() });
        }
        units.push(unit);
    }
    units.sort_by(|one, other| one.path.cmp(&other.path).then_with(|| one.ids.cmp(&other.ids)));
    Ok(units)
}

async fn list_roots(client: &Client) -> Result<BTreeSet<String>, Failure> {
    let mut roots = BTreeSet::new();
    let (mut tokens, mut token) = (Tokens::default(), None);
    loop {
        let answer = client.list_roots().max_results(PAGE_SIZE).set_next_token(token).send().await?;
        roots.extend(answer.roots().iter().filter_map(|root| root.id().map(str::to_owned)));
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(roots);
        }
    }
}

async fn list_accounts_in(client: &Client, parent: &str) -> Result<BTreeSet<String>, Failure> {
    let mut accounts = BTreeSet::new();
    let (mut tokens, mut token) = (Tokens::default(), None);
    loop {
        let call = client.list_accounts_for_parent().parent_id(parent).max_results(PAGE_SIZE);
        let answer = call.set_next_token(token).send().await?;
        accounts.extend(answer.accounts().iter().filter_map(|account| account.id().map(str::to_owned)));
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(accounts);
        }
    }
}

/// Ids and names.
async fn list_units_in(client: &Client, parent: &str) -> Result<BTreeSet<(String, String)>, Failure> {
    let mut units = BTreeSet::new();
    let (mut tokens, mut token) = (Tokens::default(), None);
    loop {
        let call = client.list_organizational_units_for_parent().parent_id(parent).max_results(PAGE_SIZE);
        let answer = call.set_next_token(token).send().await?;
        for unit in answer.organizational_units() {
            let id = required(unit.id(), "an organisational unit without `Id`")?;
            units.insert((id.to_owned(), unit.name().unwrap_or(id).to_owned()));
        }
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(units);
        }
    }
}

/// The tags of an account.
pub(crate) async fn list_tags(
    client: &Client,
    account_id: &str,
) -> Result<BTreeSet<(String, String)>, Failure> {
    let mut tags = BTreeSet::new();
    let (mut tokens, mut token) = (Tokens::default(), None);
    loop {
        let call = client.list_tags_for_resource().resource_id(account_id).set_next_token(token);
        let answer = call
            .send()
            .await
            .map_err(|error| Failure::from(error).during("organizations:ListTagsForResource"))?;
        tags.extend(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())));
        token = tokens.next(answer.next_token)?;
        if token.is_none() {
            return Ok(tags);
        }
    }
}

/// The account as its organisation sees it.
pub(crate) fn shape(member: &Member, partition: &str) -> Asset {
    let origin = Origin {
        partition: partition.to_owned(),
        caller: member.account_id.clone(),
        region: GLOBAL_REGION.to_owned(),
    };
    let id = member.arn.clone();
    let mut shape = Shape::new("Account", id, &member.account_id, &member.account_id, &origin)
        .text("name", member.name.as_deref())
        .unseen(&["createdAt"])
        .text("email", member.email.as_deref())
        .text("state", member.state.as_deref())
        .text("joinedMethod", member.joined_method.as_deref())
        .millis("joinedAt", member.joined_at)
        .text("organizationId", organization_of(&member.arn));
    shape = match &member.tags {
        // The name is the organisation's, not a tag.
        Some(tags) => shape.tag_list(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        None => shape.unseen(&["tags"]),
    };
    shape = match &member.units {
        Some(units) => shape.list("organizationalUnits", units.iter().map(|id| id.as_str().into()).collect()),
        None => shape.unseen(&["organizationalUnits"]),
    };
    shape.build()
}

/// `arn:P:organizations::MGMT:account/o-../ACCT`.
fn organization_of(arn: &str) -> Option<&str> {
    let (_, resource) = arn.rsplit_once(":account/")?;
    resource.split('/').next().filter(|id| id.starts_with("o-"))
}
