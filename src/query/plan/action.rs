//! What a mutation does and what a subscription waits for, bound to the catalog. Doing and waiting are for whoever asks
//! the engine; it prints what came of them.

use super::{Filters, Output};
use crate::{catalog::TypeId, model::Time};

/// A mutation or a subscription, planned.
#[derive(Clone, Debug)]
pub enum Action {
    /// What is to be done, one after the other.
    Mutation(Vec<MutationField>),
    /// What is to be told.
    Subscription(SubscriptionField),
}

/// One root field of a mutation.
#[derive(Clone, Debug)]
pub struct MutationField {
    /// The response key.
    pub key: String,
    /// What to do; nothing for `__typename`.
    pub command: Option<Command>,
    /// The type of what comes of it.
    pub of: TypeId,
    /// What to print of that.
    pub output: Output,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `runCheck(id: ..)`: a run of the check comes of it.
    RunCheck {
        /// The check.
        id: String,
    },
    /// `addException(..)`: an exception comes of it.
    AddException(NewException),
    /// `revokeException(id: ..)`: the exception as it is then.
    RevokeException {
        /// The exception.
        id: String,
    },
    /// `collect(..)`: the job that collects.
    Collect(Collection),
}

/// An exception that is asked for. What it needs and what goes together is for whoever makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewException {
    /// For one check alone.
    pub check: Option<String>,
    /// For one asset.
    pub asset: Option<String>,
    /// For all assets of an account.
    pub account: Option<String>,
    /// For the assets of a filter, as text.
    pub filter: Option<String>,
    /// The type the filter is of, where no check says it.
    pub asset_type: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires_at: Time,
}

/// What is to be collected; nothing named means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// Only these accounts.
    pub accounts: Vec<String>,
    /// Only these regions.
    pub regions: Vec<String>,
    /// Only these types.
    pub only: Vec<String>,
}

/// The root field of a subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionField {
    /// The response key.
    pub key: String,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// The type of the assets it tells of.
    pub of: TypeId,
    /// Which of them.
    pub filters: Filters,
    /// What to print.
    pub told: Told,
}

/// What a subscription waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// `findingChanged(where: ..)`
    FindingChanged,
    /// `checkRunFinished(check: ..)`
    CheckRunFinished {
        /// Only this check.
        check: Option<String>,
    },
}

/// What a subscription prints of an asset.
#[derive(Clone, Debug)]
pub enum Told {
    /// The asset itself.
    Asset(Output),
    /// An object around it.
    Change(Vec<ChangeField>),
}

/// One entry of the object around a finding.
#[derive(Clone, Debug)]
pub struct ChangeField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: ChangeFieldKind,
}

/// What stands behind a key of the object around a finding.
#[derive(Clone, Debug)]
pub enum ChangeFieldKind {
    /// `__typename`
    Typename,
    /// How the finding changed.
    Kind,
    /// When.
    At,
    /// The finding.
    Finding(Output),
}
