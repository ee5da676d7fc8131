//! Expectations: what the result of a check's query must be. Written as text (`eq []`, `count lt 5`), bound to the plan
//! of the query when a check is loaded, decided in an open world when it is run.
//!
//! `read` splits the text, `shape` says what the answer of a plan can be, `bind` holds the one against the other.

mod bind;
mod read;
mod shape;

use std::{cmp::Ordering, fmt, sync::Arc};

use super::rego::Policy;
use crate::{catalog::TypeId, query::Filters};

pub(super) use bind::{Fault, bind, whole_answer};
pub(super) use read::Written;
pub(super) use shape::as_number;

/// What the result of the query must be.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As written, blanks around it left out.
    pub(super) text: String,
    pub(super) demand: Demand,
}

impl Expectation {
    /// Whether each asset has a verdict of its own; otherwise the check has one verdict as a whole.
    #[must_use]
    pub fn is_each(&self) -> bool {
        matches!(self.demand, Demand::NoAsset { .. })
    }
}

impl Expectation {
    /// Tells whether two expectations demand the same: as written, with the text of a policy.
    pub(super) fn identity(&self) -> String {
        match &self.demand {
            Demand::Rego(policy) => format!("{} {}", self.text, policy.digest),
            _ => self.text.clone(),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// An expectation with its meaning.
#[derive(Clone, Debug)]
pub(super) enum Demand {
    /// No asset may satisfy the filters: each has a verdict of its own.
    NoAsset {
        /// The covered type.
        of: TypeId,
        /// What makes an asset fail.
        violating: Filters,
        /// Whether these are the filters of the query's own list, and nothing more.
        is_query: bool,
    },
    /// How many assets satisfy filters. Decided by the least and the most that it may be.
    Count { of: TypeId, filters: Filters, order: Order, wanted: f64 },
    /// Nothing may be denied by a policy. Decided only where nothing that the query looks at was left unseen.
    Rego(Arc<Policy>),
    /// A part of the answer. Decided only where nothing that the query looks at was left unseen.
    Value { path: Vec<Step>, order: Order, wanted: serde_json::Value },
}

/// One step into an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The entry of an object.
    Key(String),
    /// How many entries a list has.
    Length,
}

/// How two values must compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Whether values that compare like this satisfy it.
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// Whether it asks which of two comes first.
    pub(super) fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether a count satisfies it, of which only the least and the most are known; nothing where that doesn't say.
    #[expect(clippy::cast_precision_loss, reason = "no inventory has 2^53 assets")]
    pub(super) fn decide(self, least: u64, most: Option<u64>, wanted: f64) -> Option<bool> {
        let compare = |count: u64| (count as f64).total_cmp(&wanted);
        let low = self.holds(compare(least));
        let high = match most {
            Some(most) => self.holds(compare(most)),
            // Any number whatever is beyond what is wanted.
            None => self.holds(Ordering::Greater),
        };
        let may_equal = compare(least).is_le() && most.is_none_or(|most| compare(most).is_ge());
        let is_certain = most == Some(least);
        match self {
            Self::Equal if !may_equal => Some(false),
            Self::NotEqual if !may_equal => Some(true),
            Self::Equal | Self::NotEqual => is_certain.then_some(low),
            _ => (low == high).then_some(low),
        }
    }
}
