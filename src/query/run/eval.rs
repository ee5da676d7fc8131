//! Filters over whole tables: bitmaps of the rows that are TRUE or FALSE, one pass over values and edges each. Asked
//! for a bound, since in an open world there are two answers: what must be so, and what may be.

use std::rc::Rc;

use super::{
    super::{Quantifier, Test},
    bind::Bind,
    limits::{RunError, RunLimits},
    loose::Loose,
    node::Node,
    work::Work,
    world::World,
};
use crate::{
    catalog::FieldId,
    graph::{Bitmap, Column, Link, Table, TableId},
};

/// Which answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Closed world: what is known is all there is.
    Known,
    /// Open world: so whatever the unseen turns out to be.
    Must,
    /// Open world: so for something that the unseen could turn out to be.
    May,
}

impl Bound {
    fn opposite(self) -> Self {
        match self {
            Self::Known => Self::Known,
            Self::Must => Self::May,
            Self::May => Self::Must,
        }
    }
}

/// Evaluates bound filters over one graph.
#[derive(Debug)]
pub(super) struct Evaluator<'g, 'r> {
    pub(super) world: World<'g>,
    /// What fills the blanks of the plan.
    pub(super) given: &'r [Test],
    pub(super) limits: RunLimits<'r>,
    pub(super) work: Rc<Work>,
}

/// So many rows of a whole table are scanned for the work of one row elsewhere.
pub(super) const ROWS_A_STEP: usize = 16;

impl<'g, 'r> Evaluator<'g, 'r> {
    /// What plans are bound to.
    pub(super) fn bind(&self) -> Bind<'g, 'r> {
        Bind::new(self.world.graph, self.given)
    }
}

impl Evaluator<'_, '_> {
    /// Whether this much more work is within the limit.
    pub(super) fn afford(&self, more: usize) -> Result<(), RunError> {
        let limit = self.limits.max_work;
        if limit == u64::MAX {
            return Ok(());
        }
        let done = self.work.visited();
        let done = done.rows / ROWS_A_STEP as u64 + done.edges + done.sorted;
        if done + more as u64 > limit { Err(RunError::TooMuchWork { limit }) } else { Ok(()) }
    }

    /// The rows of a table for which the node is TRUE (or FALSE, where `want` says so) within the bound.
    pub(super) fn bits(
        &self,
        id: TableId,
        node: &Node<'_>,
        want: bool,
        bound: Bound,
    ) -> Result<Bitmap, RunError> {
        self.limits.check_stop()?;
        self.afford(self.world.graph.table(id).rows / ROWS_A_STEP)?;
        if !self.work.is_traced() {
            return self.bits_of(id, node, want, bound);
        }
        let graph = self.world.graph;
        let table = graph.table(id);
        let step = self.work.begin(|| {
            let words = node.words(graph, table);
            let of = &graph.catalog().get(table.of).name;
            if want { format!("{of}: {words}") } else { format!("{of}: {words} is FALSE") }
        });
        let rows = self.bits_of(id, node, want, bound)?;
        self.work.end(step, table.count(), rows.count(), 0);
        Ok(rows)
    }

    fn bits_of(&self, id: TableId, node: &Node<'_>, want: bool, bound: Bound) -> Result<Bitmap, RunError> {
        let table = self.world.graph.table(id);
        match node {
            Node::Constant(value) => Ok(if *value == want { table.all() } else { table.none() }),
            Node::All(nodes) if want => self.intersection(id, nodes, true, bound),
            Node::All(nodes) => self.union(id, nodes, false, bound),
            Node::Any(nodes) if want => self.union(id, nodes, true, bound),
            Node::Any(nodes) => self.intersection(id, nodes, false, bound),
            Node::Not(inner) => self.bits(id, inner, !want, bound),
            Node::IsNull(field) => {
                let column = table.column(*field);
                let mut rows = column.nulls.clone().unwrap_or_else(|| table.none());
                if want {
                    table.keep_held(&mut rows);
                } else {
                    rows = table.complement(rows);
                }
                Ok(self.bounded(id, column, rows, bound))
            }
            Node::Test { field, matcher, never_false, .. } => {
                let column = table.column(*field);
                if !want && *never_false {
                    return Ok(table.none());
                }
                self.work.add_rows(table.rows);
                let distinct = matcher.distinct_to_ask(column);
                self.afford(distinct)?;
                self.work.add_distinct(distinct);
                let mut rows = matcher.scan(column, table.rows, self.patience());
                self.patience().check()?;
                if want {
                    table.keep_held(&mut rows);
                } else {
                    rows = table.complement(rows);
                    if column.is_list() {
                        let mut decided = table.none();
                        for row in rows.iter().filter(|row| !matcher.is_undecided(column, *row)) {
                            decided.set(row as usize);
                        }
                        rows = decided;
                    }
                }
                if let Some(nulls) = &column.nulls {
                    rows.and_not(nulls);
                }
                Ok(self.bounded(id, column, rows, bound))
            }
            Node::Holds(_) | Node::Related { .. } | Node::NoneRelated(_) if !want => {
                Ok(table.complement(self.bits(id, node, true, bound.opposite())?))
            }
            Node::Holds(inner) => self.bits(id, inner, true, bound),
            Node::Related { field, quantifier, of } => self.related(id, *field, *quantifier, of, bound),
            Node::NoneRelated(field) => Ok(self.none_related(id, *field, bound)),
            Node::Aggregate { field, filter } => {
                self.work.add_rows(table.rows);
                let mut rows = table.none();
                for (place, row) in table.all().iter().enumerate() {
                    if place % 4096 == 0 {
                        self.limits.check_stop()?;
                    }
                    if self.aggregate(id, *field, filter, row).get(want, bound) {
                        rows.set(row as usize);
                    }
                }
                Ok(rows)
            }
        }
    }

    /// Whether everything was seen that a node asks: then what must be so and what may be so are the same.
    pub(super) fn sees_all(&self, id: TableId, node: &Node<'_>) -> bool {
        let column = |field: FieldId| self.world.graph.table(id).column(field);
        let leads_to_all = |field: FieldId| {
            self.world.incomplete(id, field).is_none()
                && self.world.loose(id, field).is_none()
                && column(field).links().iter().all(|link| self.world.stale(link.table).is_none())
        };
        match node {
            Node::Constant(_) => true,
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().all(|node| self.sees_all(id, node)),
            Node::Not(inner) | Node::Holds(inner) => self.sees_all(id, inner),
            _ if self.world.stale(id).is_some() => false,
            Node::IsNull(field) | Node::Test { field, .. } => {
                column(*field).unknown.as_ref().is_none_or(Bitmap::is_empty)
            }
            Node::NoneRelated(field) => leads_to_all(*field),
            Node::Related { field, of, .. } => {
                let mut linked = column(*field).links().iter().zip(of);
                leads_to_all(*field) && linked.all(|(link, node)| self.sees_all(link.table, node))
            }
            Node::Aggregate { .. } => false,
        }
    }

    fn intersection(
        &self,
        id: TableId,
        nodes: &[Node<'_>],
        want: bool,
        bound: Bound,
    ) -> Result<Bitmap, RunError> {
        let mut rows = self.world.graph.table(id).all();
        for (place, node) in nodes.iter().enumerate() {
            if place > 0 && rows.is_empty() {
                break;
            }
            rows.and(&self.bits(id, node, want, bound)?);
        }
        Ok(rows)
    }

    fn union(&self, id: TableId, nodes: &[Node<'_>], want: bool, bound: Bound) -> Result<Bitmap, RunError> {
        let mut rows = self.world.graph.table(id).none();
        for node in nodes {
            rows.or(&self.bits(id, node, want, bound)?);
        }
        Ok(rows)
    }

    /// A cell that could not be seen decides nothing in what must be, and may be anything.
    fn bounded(&self, id: TableId, column: &Column, mut rows: Bitmap, bound: Bound) -> Bitmap {
        let stale = self.world.stale(id);
        for hidden in [column.unknown.as_ref(), stale.as_deref()].into_iter().flatten() {
            match bound {
                Bound::Known | Bound::Must => rows.and_not(hidden),
                Bound::May => rows.or(hidden),
            }
        }
        if bound == Bound::May {
            self.world.graph.table(id).keep_held(&mut rows);
        }
        rows
    }

    /// The rows for which a quantifier is TRUE. It is two-valued: FALSE is what is not TRUE, within the opposite bound.
    fn related(
        &self,
        id: TableId,
        field: FieldId,
        quantifier: Quantifier,
        of: &[Node<'_>],
        bound: Bound,
    ) -> Result<Bitmap, RunError> {
        if quantifier == Quantifier::None {
            let some = self.related(id, field, Quantifier::Some, of, bound.opposite())?;
            return Ok(self.world.graph.table(id).complement(some));
        }
        let table = self.world.graph.table(id);
        let links = table.column(field).links();
        let unseen = self.world.incomplete(id, field);
        let matching = self.targets(links, of, true, bound)?;
        let mut rows = self.any(table, links, &matching);
        let loose = self.world.loose(id, field);
        if bound == Bound::Must
            && let Some(loose) = &loose
        {
            rows = certain(loose, links, &matching, rows, 1);
        }
        if bound == Bound::May
            && let Some(unseen) = &unseen
        {
            rows.or(unseen);
        }
        match quantifier {
            Quantifier::Some | Quantifier::None => {}
            Quantifier::All => {
                let counterexamples = self.targets(links, of, false, bound.opposite())?;
                let mut with_any = self.any(table, links, &counterexamples);
                if bound == Bound::May
                    && let Some(loose) = &loose
                {
                    with_any = certain(loose, links, &counterexamples, with_any, 1);
                }
                rows.and_not(&with_any);
            }
            Quantifier::Single if bound == Bound::Known => {
                rows.and_not(&twice(table, links, &matching, &self.work));
            }
            Quantifier::Single => {
                let possible = self.targets(links, of, true, bound.opposite())?;
                let mut with_two = twice(table, links, &possible, &self.work);
                if bound == Bound::May
                    && let Some(loose) = &loose
                {
                    with_two = certain(loose, links, &possible, with_two, 2);
                }
                rows.and_not(&with_two);
            }
        }
        if bound == Bound::Must
            && quantifier != Quantifier::Some
            && let Some(unseen) = &unseen
        {
            rows.and_not(unseen);
        }
        Ok(self.without_stale(id, rows, bound))
    }

    /// The rows of each linked table that satisfy its node. What must be so is never a stale row.
    fn targets(
        &self,
        links: &[Link],
        of: &[Node<'_>],
        want: bool,
        bound: Bound,
    ) -> Result<Vec<Bitmap>, RunError> {
        let mut sets = Vec::with_capacity(links.len());
        for (link, node) in links.iter().zip(of) {
            let mut rows = self.bits(link.table, node, want, bound)?;
            if bound == Bound::Must
                && let Some(stale) = self.world.stale(link.table)
            {
                rows.and_not(&stale);
            }
            sets.push(rows);
        }
        Ok(sets)
    }

    fn none_related(&self, id: TableId, field: FieldId, bound: Bound) -> Bitmap {
        let table = self.world.graph.table(id);
        let links = table.column(field).links();
        // What may be gone (a stale row) keeps "none" from being certain; only what is there makes it impossible.
        let seen: Vec<Bitmap> = links
            .iter()
            .map(|link| {
                let mut rows = self.world.graph.table(link.table).all();
                if bound == Bound::May
                    && let Some(stale) = self.world.stale(link.table)
                {
                    rows.and_not(&stale);
                }
                rows
            })
            .collect();
        let mut with_any = self.any(table, links, &seen);
        if bound == Bound::May
            && let Some(loose) = self.world.loose(id, field)
        {
            with_any = certain(&loose, links, &seen, with_any, 1);
        }
        let mut rows = table.complement(with_any);
        if bound == Bound::Must
            && let Some(unseen) = self.world.incomplete(id, field)
        {
            rows.and_not(&unseen);
        }
        self.without_stale(id, rows, bound)
    }

    fn without_stale(&self, id: TableId, mut rows: Bitmap, bound: Bound) -> Bitmap {
        if let Some(stale) = self.world.stale(id) {
            match bound {
                Bound::Known => {}
                Bound::Must => rows.and_not(&stale),
                Bound::May => rows.or(&stale),
            }
        }
        rows
    }

    /// The rows with at least one neighbour in the sets: scattered from the neighbours that are in them, since a
    /// filtered side is the smaller one; where the set is everything, having a neighbour is enough.
    fn any(&self, table: &Table, links: &[Link], sets: &[Bitmap]) -> Bitmap {
        let mut rows = table.none();
        for (link, set) in links.iter().zip(sets) {
            let targets = self.world.graph.table(link.table);
            if targets.is_all(set) {
                self.add_with_neighbours(table, link, &mut rows);
            } else if set.count() > targets.count() / 2 {
                rows.or(&self.any_of_most(table, link, set));
            } else {
                self.scatter(link, set, &mut rows);
            }
        }
        rows
    }

    /// Adds the rows with any neighbour.
    fn add_with_neighbours(&self, table: &Table, link: &Link, rows: &mut Bitmap) {
        self.work.add_rows(table.rows);
        link.adjacency.forward.add_with_any(rows);
    }

    /// Adds the rows that the neighbours in a set are neighbours of.
    fn scatter(&self, link: &Link, set: &Bitmap, rows: &mut Bitmap) {
        let mut followed = 0;
        set.for_each(|target| {
            let sources = link.adjacency.backward.of(target);
            followed += sources.len();
            for &row in sources {
                rows.set(row as usize);
            }
        });
        self.work.add_edges(followed);
    }

    /// The rows with a neighbour in a set that leaves few out: those with any, but for the rows beside what is left
    /// out that have nothing else.
    fn any_of_most(&self, table: &Table, link: &Link, set: &Bitmap) -> Bitmap {
        let left_out = self.world.graph.table(link.table).complement(set.clone());
        let mut beside = table.none();
        self.scatter(link, &left_out, &mut beside);
        let mut rows = table.none();
        self.add_with_neighbours(table, link, &mut rows);
        let mut followed = 0;
        beside.for_each(|row| {
            let targets = link.adjacency.forward.of(row);
            followed += targets.len();
            if !targets.iter().any(|&target| set.get(target as usize)) {
                rows.clear(row as usize);
            }
        });
        self.work.add_edges(followed);
        rows
    }
}

/// Of rows with neighbours in the sets those that have so many of them for certain.
fn certain(loose: &Loose, links: &[Link], sets: &[Bitmap], mut rows: Bitmap, least: usize) -> Bitmap {
    for row in loose.rows.iter() {
        if loose.certain(links, sets, row) < least {
            rows.clear(row as usize);
        }
    }
    rows
}

/// The rows with two neighbours or more in the sets.
fn twice(table: &Table, links: &[Link], sets: &[Bitmap], work: &Work) -> Bitmap {
    let (mut once, mut twice) = (table.none(), table.none());
    let mut followed = 0;
    for (link, set) in links.iter().zip(sets) {
        for target in set.iter() {
            let sources = link.adjacency.backward.of(target);
            followed += sources.len();
            for &row in sources {
                if once.get(row as usize) {
                    twice.set(row as usize);
                } else {
                    once.set(row as usize);
                }
            }
        }
    }
    work.add_edges(followed);
    twice
}
