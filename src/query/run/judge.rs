//! Verdicts: one filter over the type a check covers, in an open world. A row that must satisfy it fails, one that
//! can't passes, and for any other the reasons are named: slices, cells, stale rows.

use std::{cmp::Ordering, collections::BTreeMap, rc::Rc, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    super::Filters,
    bind::Bind,
    eval::{Bound, Evaluator},
    limits::{RunError, RunLimits},
    needed::Cause,
    node::Node,
    reasons::gaps,
    select::{FREE_ASKS, SCAN_SHARE},
    work::Visited,
    world::World,
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Graph, TableId},
    model::{SliceKey, SliceState, Time},
};

/// What a filter says of every asset of the covered type.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// For each asset type covered (one, or the implementors of an interface), in the order of the catalog.
    pub types: Vec<TypeJudgement>,
    /// What keeps the list of covered assets itself from being complete, sorted.
    pub gaps: Vec<Reason>,
    /// Every reason an [`UnknownRow`] refers to, sorted and distinct.
    pub reasons: Vec<Reason>,
}

/// What a filter says of the assets of one type.
#[derive(Clone, Debug)]
pub struct TypeJudgement {
    /// The type.
    pub of: TypeId,
    /// How many assets there are.
    pub assets: usize,
    /// How many can't satisfy the filter: they pass.
    pub passing: usize,
    /// The rows that must satisfy the filter: they fail. In the order of their ids.
    pub failing: Vec<u32>,
    /// The rows of which nobody can say. In the order of their ids.
    pub unknown: Vec<UnknownRow>,
}

/// An asset of which nobody can say whether it satisfies the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRow {
    /// Its row.
    pub row: u32,
    /// Places in [`Judgement::reasons`], ascending. Assets with the same reasons share them: of what may be anywhere
    /// there is one for each account and region.
    pub reasons: Arc<[usize]>,
}

/// Why something is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A slice is not complete, or not lately; without a state it was never collected.
    Slice {
        /// Which slice.
        key: SliceKey,
        /// What is known of it.
        state: Option<SliceState>,
    },
    /// The assets of a slice were seen whole, but too long ago.
    Stale {
        /// Which slice.
        key: SliceKey,
        /// When it was last complete.
        completed_at: Option<Time>,
    },
    /// The value of a field could not be seen.
    Cell {
        /// The type of the asset.
        typename: String,
        /// The asset.
        id: String,
        /// The field.
        field: String,
    },
    /// No more than the name of an asset is known.
    Stub {
        /// The type of the asset.
        typename: String,
        /// The asset.
        id: String,
        /// Its `stubReason`, e.g. `NOT_SCANNED`.
        why: String,
    },
}

impl Reason {
    fn order(&self) -> (u8, [&str; 3]) {
        match self {
            Self::Slice { key, .. } => (0, [&key.account_id, &key.region, &key.asset_type]),
            Self::Stale { key, .. } => (1, [&key.account_id, &key.region, &key.asset_type]),
            Self::Cell { typename, id, field } => (2, [typename, id, field]),
            Self::Stub { typename, id, why } => (3, [typename, id, why]),
        }
    }
}

impl PartialOrd for Reason {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Slices first, then stale ones, then cells, then stubs; each by name. A slice has one state in a graph, so the key decides.
impl Ord for Reason {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl Judgement {
    /// The reasons of an unknown row, sorted.
    pub fn reasons_of<'j>(&'j self, row: &'j UnknownRow) -> impl Iterator<Item = &'j Reason> {
        row.reasons.iter().filter_map(|&place| self.reasons.get(place))
    }
}

/// Judges every asset of `covers` (an asset type or an interface). What was not collected completely since `oldest`
/// could be anything; with no `oldest` only the latest attempt of each slice counts.
#[must_use]
pub fn judge(graph: &Graph, covers: TypeId, filters: &Filters, oldest: Option<Time>) -> Judgement {
    Judging::new(graph, oldest).judge(covers, filters)
}

/// Judgements over one graph, in one open world: what is found out about the world serves them all.
#[derive(Debug)]
pub struct Judging<'g>(Evaluator<'g, 'static>);

impl<'g> Judging<'g> {
    /// What was not collected completely since `oldest` could be anything; with no `oldest` only the latest attempt of
    /// each slice counts.
    #[must_use]
    pub fn new(graph: &'g Graph, oldest: Option<Time>) -> Self {
        let (world, limits) = (World::open(graph, oldest), RunLimits::unlimited());
        Self(Evaluator { world, given: &[], limits, work: Rc::default() })
    }

    /// Judges every asset of `covers` (an asset type or an interface).
    #[must_use]
    pub fn judge(&self, covers: TypeId, filters: &Filters) -> Judgement {
        let Self(evaluator) = self;
        let graph = evaluator.world.graph;
        let mut judgement = Judgement { gaps: gaps(&evaluator.world, covers), ..Judgement::default() };
        let mut reasons = Reasons::default();
        for of in graph.catalog().concrete(covers) {
            let Some((id, table)) = graph.table_of(of) else { continue };
            let node = Node::of_table(Bind::whole(graph), table, filters);
            // Without a limit nothing stops the evaluation.
            if let Ok(judged) = evaluator.judge_type(of, id, &node, &mut reasons) {
                judgement.types.push(judged);
            }
        }
        judgement.reasons = reasons.settle(&mut judgement.types);
        judgement
    }

    /// Of some rows of a type, those that certainly satisfy filters: the ones that a judgement by them would say fail.
    /// Few rows are asked one by one, not the whole table.
    #[must_use]
    pub fn certain(&self, of: TypeId, rows: &[u32], filters: &Filters) -> Vec<u32> {
        let Self(evaluator) = self;
        let graph = evaluator.world.graph;
        let Some((id, table)) = graph.table_of(of) else { return Vec::new() };
        if !filters.0.iter().any(|(bound, _)| *bound == of) {
            return Vec::new();
        }
        let node = Node::of_table(Bind::whole(graph), table, filters);
        let is_there = |row: &u32| !evaluator.world.is_stale(id, *row);
        if rows.len() <= FREE_ASKS + table.rows / SCAN_SHARE {
            let holds = |row: &u32| evaluator.row(id, &node, *row).must_true && is_there(row);
            return rows.iter().copied().filter(holds).collect();
        }
        // Without a limit nothing stops the evaluation.
        let certain = evaluator.bits(id, &node, true, Bound::Must).unwrap_or_else(|_| table.none());
        rows.iter().copied().filter(|row| certain.get(*row as usize) && is_there(row)).collect()
    }

    /// What was visited so far.
    #[must_use]
    pub fn visited(&self) -> Visited {
        self.0.work.visited()
    }
}

/// The reasons of a place, and their numbers.
type Numbered = (Rc<[Reason]>, Rc<[usize]>);

/// The numbers of reasons, and the places that stand for them in the end.
type Settled = (Arc<[usize]>, Arc<[usize]>);

/// Reasons by number while rows are judged.
#[derive(Debug, Default)]
struct Reasons {
    numbers: BTreeMap<Reason, usize>,
    /// Those of a place, by where they stand in memory: they are looked up once, not for each row.
    of_places: FxHashMap<*const Reason, Numbered>,
    /// Those of several places together.
    lists: FxHashMap<Vec<*const Reason>, Arc<[usize]>>,
}

impl Reasons {
    fn number(&mut self, reason: Reason) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(reason).or_insert(next)
    }

    /// The numbers of what makes a row unknown, in any order.
    fn of(&mut self, causes: Vec<Cause>) -> Arc<[usize]> {
        let mut places = Vec::with_capacity(causes.len());
        for cause in &causes {
            match cause {
                Cause::OfPlace(reasons) => places.push(reasons.as_ptr()),
                Cause::Own(_) => return self.numbers_of(causes).into(),
            }
        }
        places.sort_unstable();
        places.dedup();
        if let Some(known) = self.lists.get(&places) {
            return Arc::clone(known);
        }
        let list: Arc<[usize]> = self.numbers_of(causes).into();
        self.lists.insert(places, Arc::clone(&list));
        list
    }

    fn numbers_of(&mut self, causes: Vec<Cause>) -> Vec<usize> {
        let mut numbers = Vec::new();
        for cause in causes {
            match cause {
                Cause::Own(reason) => numbers.push(self.number(*reason)),
                Cause::OfPlace(reasons) => {
                    let known = self.of_places.get(&reasons.as_ptr()).map(|(_, known)| Rc::clone(known));
                    let known = known.unwrap_or_else(|| {
                        let known: Rc<[usize]> =
                            reasons.iter().map(|reason| self.number(reason.clone())).collect();
                        // Kept with them, so that nothing else comes to stand there.
                        self.of_places.insert(reasons.as_ptr(), (reasons, Rc::clone(&known)));
                        known
                    });
                    numbers.extend_from_slice(&known);
                }
            }
        }
        numbers
    }

    /// The reasons sorted, with the numbers in the rows replaced by places.
    fn settle(self, types: &mut [TypeJudgement]) -> Vec<Reason> {
        let mut places = vec![0; self.numbers.len()];
        let mut sorted = Vec::with_capacity(self.numbers.len());
        for (place, (reason, number)) in self.numbers.into_iter().enumerate() {
            if let Some(slot) = places.get_mut(number) {
                *slot = place;
            }
            sorted.push(reason);
        }
        // By where the numbers stand, which are kept until all are replaced.
        let mut settled: FxHashMap<*const usize, Settled> = FxHashMap::default();
        for row in types.iter_mut().flat_map(|judged| &mut judged.unknown) {
            let (_, reasons) = settled.entry(row.reasons.as_ptr()).or_insert_with(|| {
                let place = |number: &usize| places.get(*number).copied().unwrap_or(0);
                let mut reasons: Vec<usize> = row.reasons.iter().map(place).collect();
                reasons.sort_unstable();
                reasons.dedup();
                (Arc::clone(&row.reasons), reasons.into())
            });
            row.reasons = Arc::clone(reasons);
        }
        sorted
    }
}

impl Evaluator<'_, '_> {
    fn judge_type(
        &self,
        of: TypeId,
        id: TableId,
        node: &Node<'_>,
        reasons: &mut Reasons,
    ) -> Result<TypeJudgement, RunError> {
        let table = self.world.graph.table(id);
        let assets = table.count();
        let mut failing = self.bits(id, node, true, Bound::Must)?;
        let mut unknown =
            if self.sees_all(id, node) { table.none() } else { self.bits(id, node, true, Bound::May)? };
        if let Some(stale) = self.world.stale(id) {
            failing.and_not(&stale);
            unknown.or(&stale);
        }
        unknown.and_not(&failing);
        let unknown: Vec<UnknownRow> = table
            .in_id_order(&unknown)
            .map(|row| {
                let mut found = Vec::new();
                self.add_stale(id, row, &mut found);
                self.explain(id, node, row, &mut found);
                UnknownRow { row, reasons: reasons.of(found) }
            })
            .collect();
        let failing: Vec<u32> = table.in_id_order(&failing).collect();
        Ok(TypeJudgement { of, assets, passing: assets - failing.len() - unknown.len(), failing, unknown })
    }

    /// Adds why a node is undecided for a row; nothing where it is decided.
    pub(super) fn explain(&self, id: TableId, node: &Node<'_>, row: u32, found: &mut Vec<Cause>) {
        if self.row(id, node, row).is_decided() {
            return;
        }
        match node {
            Node::Constant(_) => {}
            Node::All(nodes) | Node::Any(nodes) => {
                for node in nodes {
                    self.explain(id, node, row, found);
                }
            }
            Node::Not(inner) | Node::Holds(inner) => self.explain(id, inner, row, found),
            Node::IsNull(field) | Node::Test { field, .. } => {
                self.add_stale(id, row, found);
                self.add_cell(id, *field, row, found);
            }
            Node::Related { field, of, .. } => {
                self.add_stale(id, row, found);
                self.add_unseen(id, *field, row, found);
                self.explain_targets(id, *field, of, row, found);
            }
            Node::NoneRelated(field) | Node::Aggregate { field, .. } => {
                self.add_stale(id, row, found);
                self.add_unseen(id, *field, row, found);
                for link in self.world.graph.table(id).column(*field).links() {
                    for &target in link.adjacency.forward.of(row) {
                        self.add_stale(link.table, target, found);
                    }
                }
                if let Node::Aggregate { filter, .. } = node {
                    self.add_aggregated_cells(id, *field, filter, row, found);
                }
            }
        }
    }

    fn explain_targets(
        &self,
        id: TableId,
        field: FieldId,
        of: &[Node<'_>],
        row: u32,
        found: &mut Vec<Cause>,
    ) {
        for (link, node) in self.world.graph.table(id).column(field).links().iter().zip(of) {
            for &target in link.adjacency.forward.of(row) {
                self.add_stale(link.table, target, found);
                self.explain(link.table, node, target, found);
            }
        }
    }
}
