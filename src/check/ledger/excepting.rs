//! Which failing assets an exception is about: by what they are called, or by a filter, judged in an open world. Where
//! nobody can say whether a filter is true, the exception accepts nothing new, and lets go of nothing that it accepts.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    definition::Check,
    exception::{Exception, Scope},
    result::AssetName,
};
use crate::{
    graph::Graph,
    model::Time,
    query::{Engine, QueryError, run::TypeJudgement},
};

/// Ids of assets.
type Ids = BTreeSet<String>;

/// What the filters of exceptions say of the assets of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// By exception, the assets of which its filter is certainly true.
    pub certain: BTreeMap<String, Ids>,
    /// By exception, the assets of which nobody can say.
    pub possible: BTreeMap<String, Ids>,
}

impl Matches {
    /// Whether an exception is certainly about an asset.
    #[must_use]
    pub fn is_certain(&self, exception: &Exception, asset: &AssetName) -> bool {
        match &exception.scope {
            Scope::Asset { asset_id } => asset.id == *asset_id,
            Scope::Account { account_id } => asset.account_id.as_ref() == Some(account_id),
            Scope::Filter { .. } => {
                self.certain.get(&exception.id).is_some_and(|assets| assets.contains(&asset.id))
            }
            Scope::Whole => false,
        }
    }

    /// Whether nobody can say whether an exception is about an asset.
    #[must_use]
    pub fn is_possible(&self, exception: &Exception, asset: &AssetName) -> bool {
        self.possible.get(&exception.id).is_some_and(|assets| assets.contains(&asset.id))
    }
}

/// Evaluates the filters of the exceptions that hold for a check. One whose filter can no longer be understood (the
/// schema has changed) accepts nothing.
#[must_use]
pub fn match_exceptions(
    check: &Check,
    exceptions: &[Exception],
    engine: &Engine,
    graph: &Graph,
    now: Time,
) -> Matches {
    let mut matches = Matches::default();
    let oldest = Some(now.before(check.max_age.0));
    let plural = &engine.catalog().get(check.covers).plural;
    for exception in exceptions.iter().filter(|exception| exception.is_for(&check.id, now)) {
        let Some(query) = exception.query(check, plural) else { continue };
        let Ok((certain, possible)) = assets_of(&query, engine, graph, oldest) else { continue };
        matches.certain.insert(exception.id.clone(), certain);
        matches.possible.insert(exception.id.clone(), possible);
    }
    matches
}

/// The assets of which a filter is certainly true, and those of which nobody can say.
///
/// # Errors
/// Where the query can't be understood.
pub(in crate::check) fn assets_of(
    query: &str,
    engine: &Engine,
    graph: &Graph,
    oldest: Option<Time>,
) -> Result<(Ids, Ids), Vec<QueryError>> {
    let judgement = engine.judge(graph, query, oldest)?;
    let id = |judged: &TypeJudgement, row: u32| graph.id(judged.of, row).into_owned();
    let certain =
        |judged: &TypeJudgement| judged.failing.iter().map(|row| id(judged, *row)).collect::<Vec<_>>();
    let possible = |judged: &TypeJudgement| {
        judged.unknown.iter().map(|unknown| id(judged, unknown.row)).collect::<Vec<_>>()
    };
    Ok((
        judgement.types.iter().flat_map(certain).collect(),
        judgement.types.iter().flat_map(possible).collect(),
    ))
}
