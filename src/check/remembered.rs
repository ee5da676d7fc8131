//! Verdicts that are remembered: a check is evaluated again only where the types it rests on have changed, or where a
//! collection it rests on has become too old in the meantime.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{definition::Check, evaluate::evaluate_each, names::Names, result::CheckResult};
use crate::{
    catalog::TypeId,
    graph::{Graph, Stamps},
    model::{MaxAge, Time, parallel::in_parallel},
    query::{Engine, QueryError, run::touched_by_filters},
};

/// The last verdict of each check.
#[derive(Debug, Default)]
pub struct RememberedVerdicts {
    by_check: BTreeMap<String, Remembered>,
    /// The names of assets that were told last.
    names: Names,
    evaluated: u64,
}

#[derive(Debug)]
struct Remembered {
    /// What the check was: its query, what it expects, its priority rules and its age.
    query: Arc<str>,
    expect: String,
    priority: Vec<String>,
    max_age: MaxAge,
    /// The types that it rests on.
    types: BTreeSet<TypeId>,
    stamps: Stamps,
    /// When it was evaluated: for an earlier moment it says nothing.
    at: Time,
    /// The first collection that will become too old; nothing where none can.
    first_collected: Option<Time>,
    result: Arc<CheckResult>,
}

impl Remembered {
    /// Whether the verdict is that of this check over this graph at this moment.
    fn holds(&self, check: &Check, graph: &Graph, now: Time) -> bool {
        let oldest = now.before(check.max_age.0);
        self.query == check.query
            && self.result.title == check.title
            && self.result.severity == check.severity
            && self.expect == check.expect.identity()
            && self.max_age == check.max_age
            && self.priority.iter().eq(check.priority.iter().map(|rule| &rule.query))
            && self.at <= now
            && self.first_collected.is_none_or(|first| first >= oldest)
            && self.stamps == graph.stamps(self.types.iter().copied())
    }
}

impl RememberedVerdicts {
    /// How many evaluations there were so far.
    #[must_use]
    pub fn evaluated(&self) -> u64 {
        self.evaluated
    }

    /// The verdicts of the checks, in their order: the same as [`evaluate`](super::evaluate()) gives, most of them remembered.
    pub fn evaluate_all(
        &mut self,
        checks: &[Check],
        engine: &Engine,
        graph: &Graph,
        now: Time,
    ) -> Vec<Arc<CheckResult>> {
        let ids: BTreeSet<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        self.by_check.retain(|id, _| ids.contains(id.as_str()));
        self.evaluate_some(checks, engine, graph, now)
    }

    /// The same of some checks of several: what is remembered of the others stays.
    pub fn evaluate_some(
        &mut self,
        checks: &[Check],
        engine: &Engine,
        graph: &Graph,
        now: Time,
    ) -> Vec<Arc<CheckResult>> {
        let mut changed: BTreeMap<usize, Arc<CheckResult>> =
            self.evaluate_changed(checks, engine, graph, now).into_iter().collect();
        let verdict = |(place, check): (usize, &Check)| {
            let known = || self.by_check.get(&check.id).map(|known| Arc::clone(&known.result));
            changed.remove(&place).or_else(known)
        };
        checks.iter().enumerate().filter_map(verdict).collect()
    }

    /// The verdicts of those checks of which none is remembered that holds, with their places in the list: what they rest
    /// on has changed or has become too old, or they are new.
    pub fn evaluate_changed(
        &mut self,
        checks: &[Check],
        engine: &Engine,
        graph: &Graph,
        now: Time,
    ) -> Vec<(usize, Arc<CheckResult>)> {
        let places = checks.iter().enumerate();
        let (places, changed): (Vec<usize>, Vec<&Check>) = places
            .filter(|(_, check)| {
                !self.by_check.get(&check.id).is_some_and(|known| known.holds(check, graph, now))
            })
            .unzip();
        let results = self.judge(&changed, engine, graph, now);
        places.into_iter().zip(results).collect()
    }

    /// Judges checks, and remembers what is said of each.
    fn judge(
        &mut self,
        checks: &[&Check],
        engine: &Engine,
        graph: &Graph,
        now: Time,
    ) -> Vec<Arc<CheckResult>> {
        if checks.is_empty() {
            return Vec::new();
        }
        let (results, names) = evaluate_each(checks, engine, graph, now, &self.names);
        self.names = names;
        let results = checks.iter().zip(results.into_iter().map(Arc::new)).collect();
        let told = in_parallel(results, graph.is_large(), |(check, result)| {
            (check, remembered(check, engine, graph, now, &result), result)
        });
        let keep = |(check, remembered, result): (&&Check, Option<Remembered>, Arc<CheckResult>)| {
            self.remember(check, remembered);
            result
        };
        told.into_iter().map(keep).collect()
    }

    fn remember(&mut self, check: &Check, judged: Option<Remembered>) {
        self.evaluated += 1;
        match judged {
            Some(remembered) => self.by_check.insert(check.id.clone(), remembered),
            // A check that can't be run is tried again.
            None => self.by_check.remove(&check.id),
        };
    }
}

/// What is remembered of the verdict of a check; nothing where it can't be run.
fn remembered(
    check: &Check,
    engine: &Engine,
    graph: &Graph,
    now: Time,
    result: &Arc<CheckResult>,
) -> Option<Remembered> {
    let types = rests_on(check, engine).ok()?;
    Some(Remembered {
        query: Arc::clone(&check.query),
        expect: check.expect.identity(),
        priority: check.priority.iter().map(|rule| rule.query.clone()).collect(),
        max_age: check.max_age,
        stamps: graph.stamps(types.iter().copied()),
        at: now,
        first_collected: graph.first_collected_since(types.iter().copied(), now.before(check.max_age.0)),
        result: Arc::clone(result),
        types,
    })
}

/// The types that the verdict of a check and its priorities rest on.
pub(super) fn rests_on(check: &Check, engine: &Engine) -> Result<BTreeSet<TypeId>, Vec<QueryError>> {
    let catalog = engine.catalog();
    let touched = check.touches.iter().filter_map(|name| catalog.find(name));
    let mut types: BTreeSet<TypeId> = touched.map(|(of, _)| of).collect();
    for rule in &check.priority {
        let nodes = engine.plan_check(&rule.query)?;
        types.extend(touched_by_filters(catalog, nodes.of, &nodes.filters));
    }
    Ok(types.into_iter().flat_map(|of| catalog.concrete(of)).collect())
}
