//! The mutations and subscriptions there are: one list, for the schema that declares them and the planner that reads
//! them. Each is there where the catalog has the type of what comes of it.

use crate::catalog::{Catalog, TypeId};

/// The mutation root.
pub(super) const MUTATION: &str = "Mutation";
/// The subscription root.
pub(super) const SUBSCRIPTION: &str = "Subscription";
/// The object around a finding that changed.
pub(super) const FINDING_CHANGE: &str = "FindingChange";
/// How a finding changed.
pub(super) const FINDING_CHANGE_KIND: &str = "FindingChangeKind";
/// The finding, within that object.
pub(super) const FINDING: &str = "finding";
/// The fields of that object.
pub(super) const CHANGE_FIELDS: [&str; 3] = ["kind", "at", FINDING];
/// What a schema must have for them all.
pub(super) const WATCHED: &str = "`CheckRun`, `Exception`, `Finding` and `ScheduledJob`";

/// The ways a finding changes, with what each means. As `check::ledger` names them; a test holds the two together.
pub const FINDING_CHANGE_KINDS: [(&str, &str); 10] = [
    ("OPENED", "It opened for the first time."),
    ("REOPENED", "It was resolved and fails again."),
    ("RESOLVED", "It no longer fails, or is gone."),
    ("EXCEPTED", "An exception accepts it now."),
    ("EXCEPTION_EXPIRED", "The exception that accepted it has expired: it is open again."),
    ("EXCEPTION_REVOKED", "The exception that accepted it was taken back: it is open again."),
    ("EXCEPTION_LEFT", "The exception that accepted it is no longer about it: it is open again."),
    ("BECAME_UNKNOWN", "Nobody can say any more whether it still fails."),
    ("SEEN_AGAIN", "It was not known, and certainly fails after all."),
    ("CHECK_GONE", "Its check is gone: it is closed, and whether it still fails is not known."),
];

/// A field of the mutation root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    RunCheck,
    AddException,
    RevokeException,
    Collect,
}

/// A field of the subscription root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    FindingChanged,
    CheckRunFinished,
}

impl Act {
    pub(super) const ALL: [Self; 4] =
        [Self::RunCheck, Self::AddException, Self::RevokeException, Self::Collect];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RunCheck => "runCheck",
            Self::AddException => "addException",
            Self::RevokeException => "revokeException",
            Self::Collect => "collect",
        }
    }

    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::RunCheck | Self::RevokeException => &["id"],
            Self::AddException => {
                &["check", "asset", "account", "filter", "assetType", "owner", "reason", "expiresAt"]
            }
            Self::Collect => &["accounts", "regions", "only"],
        }
    }

    /// The type of what comes of it; nothing where the catalog lacks it.
    pub(super) fn of(self, catalog: &Catalog) -> Option<TypeId> {
        let name = match self {
            Self::RunCheck => "CheckRun",
            Self::AddException | Self::RevokeException => "Exception",
            Self::Collect => "ScheduledJob",
        };
        catalog.find(name).map(|(of, _)| of)
    }

    /// Those there are in a catalog.
    pub(super) fn all(catalog: &Catalog) -> impl Iterator<Item = (Self, TypeId)> {
        Self::ALL.into_iter().filter_map(|act| Some((act, act.of(catalog)?)))
    }

    pub(super) fn find(catalog: &Catalog, name: &str) -> Option<(Self, TypeId)> {
        Self::all(catalog).find(|(act, _)| act.name() == name)
    }
}

impl Watch {
    pub(super) const ALL: [Self; 2] = [Self::FindingChanged, Self::CheckRunFinished];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FindingChanged => "findingChanged",
            Self::CheckRunFinished => "checkRunFinished",
        }
    }

    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::FindingChanged => &["where"],
            Self::CheckRunFinished => &["check"],
        }
    }

    /// The type of the assets it tells of; nothing where the catalog lacks it.
    pub(super) fn of(self, catalog: &Catalog) -> Option<TypeId> {
        let name = match self {
            Self::FindingChanged => "Finding",
            Self::CheckRunFinished => "CheckRun",
        };
        catalog.find(name).map(|(of, _)| of)
    }

    /// Those there are in a catalog.
    pub(super) fn all(catalog: &Catalog) -> impl Iterator<Item = (Self, TypeId)> {
        Self::ALL.into_iter().filter_map(|watch| Some((watch, watch.of(catalog)?)))
    }

    pub(super) fn find(catalog: &Catalog, name: &str) -> Option<(Self, TypeId)> {
        Self::all(catalog).find(|(watch, _)| watch.name() == name)
    }
}
