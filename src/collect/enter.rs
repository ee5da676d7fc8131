//! Into an account: as the caller, by a profile, by a role, or by a role that a profile may take on.

use super::{accounts::Account, api, connect::Connection, failure::Failure, role};

/// An account that lets nobody in.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) failure: Failure,
    /// The call that failed.
    pub(crate) action: &'static str,
    /// What came of it, e.g. `the role Audit could not be taken on`.
    consequence: String,
}

impl Closed {
    /// Why there is nothing new of the account.
    pub(crate) fn reason(&self) -> String {
        format!("{}, so {}", self.failure.reason(self.action), self.consequence)
    }
}

/// What an account is read with. Whose credentials a profile has is asked, since what is read with them would be
/// stored as the account's.
pub(crate) async fn enter(home: &Connection, account: &Account) -> Result<Connection, Closed> {
    let base = match &account.profile {
        Some(name) => home.with_profile(name),
        None => home.clone(),
    };
    match (&account.role, &account.profile) {
        (Some(request), _) => Box::pin(base.assume(request)).await.map_err(|failure| Closed {
            failure,
            action: role::ACTION,
            consequence: format!("the role {} could not be taken on", request.name()),
        }),
        (None, None) => Ok(base),
        (None, Some(name)) => {
            let closed = |failure| Closed {
                failure,
                action: api::CALLER_IDENTITY,
                consequence: format!("the profile {name} could not be used"),
            };
            let caller = Box::pin(api::identify(&base.sts())).await.map_err(closed)?;
            if caller.account_id != account.account_id {
                let detail = format!("the credentials are of account {}", caller.account_id);
                return Err(closed(Failure::other(detail)));
            }
            Ok(base)
        }
    }
}
