//! The same filters asked of single rows: where few rows are in question a table is not scanned, and where a verdict
//! is unknown the reasons are found on the way down. Says the same as `eval`, which a test holds.

use super::{
    super::Quantifier,
    eval::{Bound, Evaluator},
    node::Node,
};
use crate::{
    catalog::FieldId,
    graph::{Column, TableId},
};

/// What a predicate can be for one row. In a closed world "must" and "may" are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Possible {
    pub(super) must_true: bool,
    pub(super) may_true: bool,
    pub(super) must_false: bool,
    pub(super) may_false: bool,
}

impl Possible {
    /// Certainly TRUE or certainly FALSE.
    pub(super) fn certain(value: bool) -> Self {
        Self { must_true: value, may_true: value, must_false: !value, may_false: !value }
    }

    /// Certainly neither: a null decides.
    pub(super) const NEITHER: Self =
        Self { must_true: false, may_true: false, must_false: false, may_false: false };

    /// Anything: it could not be seen.
    pub(super) const ANYTHING: Self =
        Self { must_true: false, may_true: true, must_false: false, may_false: true };

    /// TRUE or FALSE, never neither.
    pub(super) fn two_valued(must: bool, may: bool) -> Self {
        Self { must_true: must, may_true: may, must_false: !may, may_false: !must }
    }

    pub(super) fn not(self) -> Self {
        Self {
            must_true: self.must_false,
            may_true: self.may_false,
            must_false: self.must_true,
            may_false: self.may_true,
        }
    }

    /// Asks no more where one is certainly FALSE: so are all together.
    pub(super) fn all(of: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::certain(true);
        for one in of {
            all = Self {
                must_true: all.must_true && one.must_true,
                may_true: all.may_true && one.may_true,
                must_false: all.must_false || one.must_false,
                may_false: all.may_false || one.may_false,
            };
            if all == Self::certain(false) {
                break;
            }
        }
        all
    }

    pub(super) fn any(of: impl Iterator<Item = Self>) -> Self {
        Self::all(of.map(Self::not)).not()
    }

    /// Whether what is unseen makes no difference.
    pub(super) fn is_decided(self) -> bool {
        self.must_true == self.may_true && self.must_false == self.may_false
    }

    pub(super) fn get(self, want: bool, bound: Bound) -> bool {
        match (want, bound) {
            (true, Bound::May) => self.may_true,
            (true, _) => self.must_true,
            (false, Bound::May) => self.may_false,
            (false, _) => self.must_false,
        }
    }
}

impl Evaluator<'_, '_> {
    /// What a node can be for one row.
    pub(super) fn row(&self, id: TableId, node: &Node<'_>, row: u32) -> Possible {
        let table = self.world.graph.table(id);
        match node {
            Node::Constant(value) => Possible::certain(*value),
            Node::All(nodes) => Possible::all(nodes.iter().map(|node| self.row(id, node, row))),
            Node::Any(nodes) => Possible::any(nodes.iter().map(|node| self.row(id, node, row))),
            Node::Not(inner) => self.row(id, inner, row).not(),
            Node::Holds(inner) => {
                let inner = self.row(id, inner, row);
                Possible::two_valued(inner.must_true, inner.may_true)
            }
            Node::IsNull(field) => {
                let column = table.column(*field);
                self.hidden(id, column, row).unwrap_or_else(|| Possible::certain(column.is_null(row)))
            }
            Node::Test { field, matcher, never_false, .. } => {
                self.work.add_rows(1);
                let column = table.column(*field);
                let mut possible = match self.hidden(id, column, row) {
                    Some(hidden) => hidden,
                    None if column.is_null(row) => Possible::NEITHER,
                    None if matcher.row(column, row, self.patience()) => Possible::certain(true),
                    None if matcher.is_undecided(column, row) => Possible::NEITHER,
                    None => Possible::certain(false),
                };
                if *never_false {
                    (possible.must_false, possible.may_false) = (false, false);
                }
                possible
            }
            Node::Related { .. } | Node::NoneRelated(_) if self.world.is_stale(id, row) => Possible::ANYTHING,
            Node::Related { field, quantifier, of } => self.related_row(id, *field, *quantifier, of, row),
            Node::NoneRelated(field) => {
                let (mut is_seen, mut may_be_seen) = (false, self.world.is_incomplete(id, *field, row));
                for link in table.column(*field).links() {
                    for &target in link.adjacency.forward.of(row) {
                        may_be_seen = true;
                        is_seen = is_seen || self.is_there(id, *field, row, (link.table, target));
                    }
                }
                Possible::two_valued(!may_be_seen, !is_seen)
            }
            Node::Aggregate { field, filter } => self.aggregate(id, *field, filter, row),
        }
    }

    /// Whether a node is TRUE for one row: [`row`](Self::row) for lists, which stops at what decides.
    pub(super) fn is_true(&self, id: TableId, node: &Node<'_>, row: u32) -> bool {
        if self.world.is_open() {
            return self.row(id, node, row).must_true;
        }
        match node {
            Node::Constant(value) => *value,
            Node::All(nodes) => nodes.iter().all(|node| self.is_true(id, node, row)),
            Node::Any(nodes) => nodes.iter().any(|node| self.is_true(id, node, row)),
            Node::Holds(inner) => self.is_true(id, inner, row),
            Node::Test { field, matcher, .. } => {
                self.work.add_rows(1);
                let column = self.world.graph.table(id).column(*field);
                column.has_value(row) && matcher.row(column, row, self.patience())
            }
            Node::Related { field, quantifier: Quantifier::Some, of } => {
                self.is_any_related(id, *field, of, row)
            }
            Node::Related { field, quantifier: Quantifier::None, of } => {
                !self.is_any_related(id, *field, of, row)
            }
            _ => self.row(id, node, row).must_true,
        }
    }

    fn is_any_related(&self, id: TableId, field: FieldId, of: &[Node<'_>], row: u32) -> bool {
        let links = self.world.graph.table(id).column(field).links();
        links.iter().zip(of).any(|(link, node)| {
            link.adjacency.forward.of(row).iter().any(|&target| {
                self.work.add_edges(1);
                self.is_true(link.table, node, target)
            })
        })
    }

    /// What a cell that could not be seen makes of any predicate on it: anything in an open world, neither in a
    /// closed one. Nothing for a cell that was seen.
    fn hidden(&self, id: TableId, column: &Column, row: u32) -> Option<Possible> {
        if self.world.is_stale(id, row) {
            return Some(Possible::ANYTHING);
        }
        column.is_unknown(row).then_some(if self.world.is_open() {
            Possible::ANYTHING
        } else {
            Possible::NEITHER
        })
    }

    /// Whether a row is related to a target for certain: the target is there, and a way to it.
    pub(super) fn is_there(&self, id: TableId, field: FieldId, row: u32, target: (TableId, u32)) -> bool {
        !self.world.is_stale(target.0, target.1) && !self.world.is_loose(id, field, row, target)
    }

    pub(super) fn related_row(
        &self,
        id: TableId,
        field: FieldId,
        quantifier: Quantifier,
        of: &[Node<'_>],
        row: u32,
    ) -> Possible {
        let unseen = self.world.is_incomplete(id, field, row);
        let (mut must_match, mut may_match) = (0usize, 0usize);
        let (mut must_differ, mut may_differ) = (false, false);
        for (link, node) in self.world.graph.table(id).column(field).links().iter().zip(of) {
            for &target in link.adjacency.forward.of(row) {
                self.work.add_edges(1);
                let one = self.row(link.table, node, target);
                let is_there = self.is_there(id, field, row, (link.table, target));
                must_match += usize::from(one.must_true && is_there);
                may_match += usize::from(one.may_true);
                must_differ |= one.must_false && is_there;
                may_differ |= one.may_false;
                let is_decided = match quantifier {
                    Quantifier::Some | Quantifier::None => must_match > 0,
                    Quantifier::All => must_differ,
                    Quantifier::Single => must_match > 1,
                };
                if is_decided {
                    break;
                }
            }
        }
        match quantifier {
            Quantifier::Some => Possible::two_valued(must_match > 0, may_match > 0 || unseen),
            Quantifier::None => Possible::two_valued(must_match > 0, may_match > 0 || unseen).not(),
            Quantifier::All => Possible::two_valued(
                must_match > 0 && !may_differ && !unseen,
                (may_match > 0 || unseen) && !must_differ,
            ),
            Quantifier::Single => Possible::two_valued(
                must_match == 1 && may_match == 1 && !unseen,
                must_match <= 1 && (may_match > 0 || unseen),
            ),
        }
    }
}
