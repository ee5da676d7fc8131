//! The accounts of the caller's organisation: listed, and chosen by id, unit, state and tag.

use std::collections::BTreeSet;

use aws_sdk_organizations::Client;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    api::{self, Member, Unit},
    error::CollectError,
    failure::{Failure, FailureKind},
    options::{AccountFilter, OrganizationOptions},
    role,
};
use crate::model::nearest;

/// How many accounts are asked for their tags at the same time.
const TAG_CALLS: usize = 4;

/// What a listing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The accounts that were asked for, sorted by id.
    pub(crate) members: Vec<Member>,
    /// Accounts that the conditions name and the organisation does not have, sorted.
    pub(crate) missing: Vec<String>,
}

/// Lists the organisation and keeps the accounts that were asked for.
pub(crate) async fn list(client: &Client, options: &OrganizationOptions) -> Result<Listing, CollectError> {
    let mut members = api::list_members(client).await.map_err(|failure| refuse(&failure))?;
    let missing = options.include.accounts.iter().filter(|id| !members.iter().any(|m| m.account_id == **id));
    let missing = missing.cloned().collect();
    let units = place_in_units(client, options, &mut members).await?;
    let chosen: Vec<Member> =
        members.into_iter().filter(|member| is_asked_for(member, options, &units)).collect();
    let members = if wants_tags(options) {
        let tagged = stream::iter(chosen).map(|member| async move {
            let tags = Box::pin(api::list_member_tags(client, &member.account_id)).await?;
            Ok(Member { tags: Some(tags), ..member })
        });
        let tagged: Vec<Member> =
            tagged.buffered(TAG_CALLS).try_collect().await.map_err(|f: Failure| refuse(&f))?;
        tagged.into_iter().filter(|member| has_wanted_tags(member, options)).collect()
    } else {
        chosen
    };
    Ok(Listing { members, missing })
}

fn wants_tags(options: &OrganizationOptions) -> bool {
    options.read_tags || !options.include.tags.is_empty() || !options.exclude.tags.is_empty()
}

/// Fills in the units of accounts whose list does not say them, if units are asked for. Returns the units whose names
/// had to be looked up.
async fn place_in_units(
    client: &Client,
    options: &OrganizationOptions,
    members: &mut [Member],
) -> Result<Vec<Unit>, CollectError> {
    let asked: BTreeSet<&String> = options.include.units.iter().chain(&options.exclude.units).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let is_placed = members.iter().all(|member| member.units.is_some());
    if is_placed && asked.iter().all(|unit| api::is_unit(unit)) {
        return Ok(Vec::new());
    }
    let units = api::walk_units(client, !is_placed).await.map_err(|failure| refuse(&failure))?;
    for member in members.iter_mut().filter(|member| member.units.is_none()) {
        let home = units.iter().find(|unit| unit.accounts.contains(&member.account_id));
        member.units = home.map(|unit| unit.ids.clone());
    }
    for given in asked {
        if !units.iter().any(|unit| is_named(unit, given)) {
            let paths = units.iter().map(|unit| unit.path.as_str()).filter(|path| !path.is_empty());
            let nearest = nearest(given, paths).map(str::to_owned);
            return Err(CollectError::UnknownUnit { given: given.clone(), nearest });
        }
    }
    Ok(units)
}

fn is_named(unit: &Unit, given: &str) -> bool {
    unit.ids.last().is_some_and(|id| id == given) || (!unit.path.is_empty() && unit.path == given)
}

/// Whether everything but its tags speaks for an account.
fn is_asked_for(member: &Member, options: &OrganizationOptions, units: &[Unit]) -> bool {
    let (include, exclude) = (&options.include, &options.exclude);
    let holds = |given: &BTreeSet<String>, matches: &dyn Fn(&BTreeSet<String>) -> bool| {
        given.is_empty() || matches(given)
    };
    let has_state = |states: &BTreeSet<String>| {
        let state = member.state.as_deref();
        state.is_some_and(|state| states.iter().any(|given| given.eq_ignore_ascii_case(state)))
    };
    let is_included = holds(&include.accounts, &|ids| ids.contains(&member.account_id))
        && holds(&include.units, &|given| is_in_units(member, given, units))
        && if include.states.is_empty() { is_active(member) } else { has_state(&include.states) };
    let is_excluded = exclude.accounts.contains(&member.account_id)
        || is_in_units(member, &exclude.units, units)
        || has_state(&exclude.states);
    is_included && !is_excluded
}

/// What no state is known of is tried.
fn is_active(member: &Member) -> bool {
    member.state.as_deref().is_none_or(|state| state.eq_ignore_ascii_case("ACTIVE"))
}

fn is_in_units(member: &Member, given: &BTreeSet<String>, units: &[Unit]) -> bool {
    let in_unit = |id: &String| member.units.as_ref().is_some_and(|of| of.contains(id));
    given.iter().any(|given| {
        let named = units.iter().filter(|unit| unit.path == *given && !given.is_empty());
        in_unit(given) || named.filter_map(|unit| unit.ids.last()).any(in_unit)
    })
}

fn has_wanted_tags(member: &Member, options: &OrganizationOptions) -> bool {
    let has_any = |filter: &AccountFilter| {
        let tags = member.tags.as_ref();
        tags.is_some_and(|tags| filter.tags.iter().any(|tag| tags.contains(tag)))
    };
    (options.include.tags.is_empty() || has_any(&options.include)) && !has_any(&options.exclude)
}

/// Why an organisation can't be listed whose role lets nobody in.
pub(crate) fn refuse_role(failure: &Failure) -> CollectError {
    let reason = failure.reason(role::ACTION);
    let remedy = "check `role` and `external_id` of `[organization]`, and whether the caller may take it on";
    CollectError::NoOrganization { reason, remedy }
}

fn refuse(failure: &Failure) -> CollectError {
    let reason = failure.reason(api::ACCOUNTS);
    let is_none = failure.code.as_deref() == Some("AWSOrganizationsNotInUseException");
    let remedy = match failure.kind {
        _ if is_none => {
            "the account belongs to no organisation: take `[organization]` out of the configuration"
        }
        FailureKind::Denied => {
            "collect from the management account or a delegated administrator, and allow the calls \
             (docs/aws-permissions.md)"
        }
        FailureKind::Credentials | FailureKind::RegionOrCredentials | FailureKind::NotSent => {
            "renew the credentials, then collect again"
        }
        FailureKind::Throttled => "collect again in a while",
        FailureKind::NotFound | FailureKind::TimedOut | FailureKind::GivenUp | FailureKind::Other => {
            "collect again, or name the accounts in `[[accounts]]`"
        }
    };
    CollectError::NoOrganization { reason, remedy }
}
