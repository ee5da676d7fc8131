//! An exception: failing assets that someone accepts, for a reason, until some date. All three are required.

use std::fmt;

use super::{
    definition::Check,
    ledger::{Misfit, finding_id},
};
use crate::model::{Asset, EXCEPTION_TYPE, Time};

use super::ledger::fields::{Fields, moment};

/// The longest owner or reason, in bytes.
const MOST_WORDS: usize = 2_000;

/// What an exception is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One asset, by its id.
    Asset {
        /// The id.
        asset_id: String,
    },
    /// The assets of a type of which a filter is certainly true.
    Filter {
        /// The type.
        typename: String,
        /// The filter, as in a query's `where`.
        filter: String,
    },
    /// Every asset of an account.
    Account {
        /// The account.
        account_id: String,
    },
    /// A check as a whole, such as a count that is too high; none of the assets that it judges one by one.
    Whole,
}

impl Scope {
    /// The query that asks for the assets of which a filter is true, of the type with this plural name.
    #[must_use]
    pub fn query(plural: &str, filter: &str) -> String {
        format!("{plural}(where: {filter}) {{ id }}")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asset { asset_id } => formatter.write_str(asset_id),
            Self::Filter { typename, filter } => write!(formatter, "{typename} {filter}"),
            Self::Account { account_id } => write!(formatter, "account {account_id}"),
            Self::Whole => formatter.write_str("as a whole"),
        }
    }
}

/// Whether an exception holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionStatus {
    /// It does.
    Active,
    /// Its date has passed.
    Expired,
    /// Someone took it back.
    Revoked,
}

impl ExceptionStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Expired, Self::Revoked];

    /// The form files and GraphQL use, e.g. `ACTIVE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// What somebody wants to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionRequest {
    /// The check; nothing for all.
    pub check_id: Option<String>,
    /// Which assets.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires_at: Time,
}

/// Failing assets that someone accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Stable, and short enough to type.
    pub id: String,
    /// The check; nothing for all.
    pub check_id: Option<String>,
    /// Which assets.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub created_at: Time,
    /// When it ends: from then on it doesn't hold.
    pub expires_at: Time,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
    /// Whether it holds, as far as was written down: see [`Exception::status_at`].
    pub status: ExceptionStatus,
}

/// Why something can't be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExceptionError {
    /// The owner, the reason, or what it is about is missing.
    #[error("an exception needs {what}: say {how}")]
    Missing {
        /// What is missing, e.g. `an owner`.
        what: &'static str,
        /// What to say, e.g. `who answers for it`.
        how: &'static str,
    },
    /// A text is too long.
    #[error("{what} has {bytes} bytes: it must have at most {limit}")]
    TooLong {
        /// Which one.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// It would be over before it begins.
    #[error("an exception ends in the future: {expires_at} has passed")]
    Past {
        /// When it would end.
        expires_at: Time,
    },
}

impl ExceptionRequest {
    /// The exception, as of now.
    ///
    /// # Errors
    /// What is missing, too long or past. Whether its filter can be understood is for the engine to say.
    pub fn accept(self, now: Time) -> Result<Exception, ExceptionError> {
        let Self { check_id, scope, owner, reason, expires_at } = self;
        let (owner, reason) = (owner.trim().to_owned(), reason.trim().to_owned());
        let of_scope = match &scope {
            Scope::Asset { asset_id } => asset_id.as_str(),
            Scope::Filter { filter, .. } => filter,
            Scope::Account { account_id } => account_id,
            // Of all checks at once nobody means that.
            Scope::Whole => check_id.as_deref().unwrap_or_default(),
        };
        let required = [
            (owner.as_str(), "an owner", "who answers for it"),
            (reason.as_str(), "a reason", "why it is accepted"),
            (of_scope, "a scope", "which asset, filter, account or check it is about"),
        ];
        for (text, what, how) in required {
            if text.trim().is_empty() {
                return Err(ExceptionError::Missing { what, how });
            }
            if text.len() > MOST_WORDS {
                return Err(ExceptionError::TooLong { what, bytes: text.len(), limit: MOST_WORDS });
            }
        }
        if expires_at <= now {
            return Err(ExceptionError::Past { expires_at });
        }
        let id = short_id(&[
            check_id.as_deref().unwrap_or_default(),
            &scope.to_string(),
            &owner,
            &now.to_string(),
        ]);
        Ok(Exception {
            id,
            check_id,
            scope,
            owner,
            reason,
            created_at: now,
            expires_at,
            revoked_at: None,
            status: ExceptionStatus::Active,
        })
    }
}

/// `exc-` and ten letters that differ wherever the parts do.
fn short_id(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let hex = hasher.finalize().to_hex();
    format!("exc-{}", hex.as_str().chars().take(10).collect::<String>())
}

impl Exception {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn status_at(&self, now: Time) -> ExceptionStatus {
        if self.revoked_at.is_some_and(|at| at <= now) {
            ExceptionStatus::Revoked
        } else if self.expires_at <= now {
            ExceptionStatus::Expired
        } else {
            ExceptionStatus::Active
        }
    }

    /// Whether it holds for a check at a moment.
    #[must_use]
    pub fn is_for(&self, check_id: &str, now: Time) -> bool {
        self.status_at(now) == ExceptionStatus::Active
            && self.check_id.as_deref().is_none_or(|of| of == check_id)
    }

    /// The exception as it is known once a moment has come.
    #[must_use]
    pub fn as_of(&self, now: Time) -> Self {
        Self { status: self.status_at(now), ..self.clone() }
    }

    /// Taken back. One that is over stays as it ended.
    #[must_use]
    pub fn revoked(&self, now: Time) -> Self {
        if self.status_at(now) != ExceptionStatus::Active {
            return self.as_of(now);
        }
        Self { revoked_at: Some(now), status: ExceptionStatus::Revoked, ..self.clone() }
    }

    /// The query that asks for the assets a filter is true of; nothing for any other scope, or where the filter is of
    /// another type than the check judges.
    pub(super) fn query(&self, check: &Check, plural: &str) -> Option<String> {
        match &self.scope {
            Scope::Filter { typename, filter } if *typename == check.covers_name => {
                Some(Scope::query(plural, filter))
            }
            _ => None,
        }
    }

    /// The id of the one finding it can be about; nothing where it can be about several.
    #[must_use]
    pub fn finding_id(&self) -> Option<String> {
        match (&self.check_id, &self.scope) {
            (Some(check_id), Scope::Asset { asset_id }) => Some(finding_id(check_id, Some(asset_id))),
            (Some(check_id), Scope::Whole) => Some(finding_id(check_id, None)),
            _ => None,
        }
    }

    /// The exception as an asset.
    #[must_use]
    pub fn to_asset(&self) -> Asset {
        let (mut asset_id, mut typename, mut filter, mut account_id) = (None, None, None, None);
        match &self.scope {
            Scope::Asset { asset_id: id } => asset_id = Some(id.as_str()),
            Scope::Filter { typename: of, filter: text } => {
                (typename, filter) = (Some(of.as_str()), Some(text.as_str()));
            }
            Scope::Account { account_id: id } => account_id = Some(id.as_str()),
            Scope::Whole => {}
        }
        Asset::new(EXCEPTION_TYPE, &*self.id)
            .with("checkId", self.check_id.clone())
            .with("assetId", asset_id)
            .with("assetType", typename)
            .with("filter", filter)
            .with("accountId", account_id)
            .with("owner", &*self.owner)
            .with("reason", &*self.reason)
            .with("status", self.status.as_str())
            .with("createdAt", moment(Some(self.created_at)))
            .with("expiresAt", moment(Some(self.expires_at)))
            .with("revokedAt", moment(self.revoked_at))
    }

    /// Reads the asset back.
    ///
    /// # Errors
    /// Which field makes no sense.
    pub fn from_asset(asset: &Asset) -> Result<Self, Misfit> {
        let fields = Fields(asset);
        let scope =
            match (fields.optional("assetId"), fields.optional("filter"), fields.optional("accountId")) {
                (Some(asset_id), _, _) => Scope::Asset { asset_id },
                (None, Some(filter), _) => {
                    Scope::Filter { typename: fields.text("assetType")?.to_owned(), filter }
                }
                (None, None, Some(account_id)) => Scope::Account { account_id },
                (None, None, None) if fields.optional("checkId").is_some() => Scope::Whole,
                (None, None, None) => return Err(fields.misfit("assetId")),
            };
        let read = |text: &str| ExceptionStatus::ALL.into_iter().find(|status| status.as_str() == text);
        Ok(Self {
            id: asset.id.clone(),
            check_id: fields.optional("checkId"),
            scope,
            owner: fields.text("owner")?.to_owned(),
            reason: fields.text("reason")?.to_owned(),
            created_at: fields.time("createdAt")?,
            expires_at: fields.time("expiresAt")?,
            revoked_at: fields.optional_time("revokedAt")?,
            status: fields.word("status", read)?,
        })
    }
}
