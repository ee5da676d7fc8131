//! Which rows of a list, in what order, which page.

use std::cmp::Ordering;

use super::{
    super::SortKey,
    eval::{Bound, Evaluator},
    limits::RunError,
    shape::{BoundNodes, Candidates},
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Column, Data, Link},
};

/// A row of one of several tables: the place among the candidates, and the row.
pub(super) type Pick = (usize, u32);

/// A table is scanned unless an index leaves less than one in so many of its rows.
const SCAN_SHARE: usize = 16;

/// So many rows of a table are asked one by one before the whole table is filtered at once, beside a share of it.
const FREE_ASKS: usize = 256;

impl Evaluator<'_, '_> {
    /// The page of a root list.
    pub(super) fn select_root(&self, nodes: &BoundNodes<'_>) -> Result<Vec<Pick>, RunError> {
        let needed = self.needed(nodes);
        let mut picks = Vec::new();
        for (place, candidates) in nodes.candidates.iter().enumerate() {
            let rows = self.passing_rows(candidates, needed)?;
            picks.extend(rows.into_iter().map(|row| (place, row)));
        }
        if nodes.sort.is_empty() && nodes.limit.is_none() && nodes.offset == 0 {
            return self.page(nodes, picks);
        }
        let found = picks.len();
        let step = self.work.begin(|| page_words(nodes));
        let picks = self.page(nodes, picks)?;
        self.work.end(step, found, picks.len(), 0);
        Ok(picks)
    }

    /// The page of a relation of one row.
    pub(super) fn select_related(
        &self,
        nodes: &BoundNodes<'_>,
        links: &[Link],
        row: u32,
        picks: &mut Vec<Pick>,
    ) -> Result<(), RunError> {
        for (place, (link, candidates)) in links.iter().zip(&nodes.candidates).enumerate() {
            let targets = link.adjacency.forward.of(row);
            self.work.add_edges(targets.len());
            for &target in targets {
                if self.passes(candidates, target)? {
                    picks.push((place, target));
                }
            }
        }
        if nodes.candidates.len() > 1 || !nodes.sort.is_empty() || nodes.limit.is_some() || nodes.offset > 0 {
            *picks = self.page(nodes, std::mem::take(picks))?;
        }
        Ok(())
    }

    /// Whether one row passes. After many questions about one table its whole filter is evaluated once: this is where
    /// a nested list goes from asking rows to scanning.
    pub(super) fn passes(&self, candidates: &Candidates<'_>, row: u32) -> Result<bool, RunError> {
        if candidates.node.is_always_true() {
            return Ok(true);
        }
        if let Some(passing) = candidates.passing.get() {
            return Ok(passing.get(row as usize));
        }
        let asked = candidates.asked.get() + 1;
        candidates.asked.set(asked);
        let rows = self.world.graph.table(candidates.table).rows;
        if asked <= FREE_ASKS + rows / SCAN_SHARE {
            return Ok(self.row(candidates.table, &candidates.node, row).must_true);
        }
        let passing = self.bits(candidates.table, &candidates.node, true, Bound::Known)?;
        Ok(candidates.passing.get_or_init(|| passing).get(row as usize))
    }

    /// The rows of a table that pass, ascending; of an unsorted list only as many as its page can hold.
    fn passing_rows(&self, candidates: &Candidates<'_>, needed: Option<usize>) -> Result<Vec<u32>, RunError> {
        let table = self.world.graph.table(candidates.table);
        let take = needed.unwrap_or(usize::MAX);
        if candidates.node.is_always_true() {
            return Ok((0u32..).take(table.rows.min(take)).collect());
        }
        if let Some(mut rows) = candidates.node.candidates(table, table.rows / SCAN_SHARE + 1) {
            let step = self.work.begin(|| {
                let of = &self.world.graph.catalog().get(table.of).name;
                format!("{of}: found by index")
            });
            let found = rows.len();
            rows.retain(|&row| self.row(candidates.table, &candidates.node, row).must_true);
            self.work.end(step, found, rows.len(), 0);
            return Ok(rows);
        }
        let passing = self.bits(candidates.table, &candidates.node, true, Bound::Known)?;
        Ok(passing.iter().take(take).collect())
    }

    /// How many rows of each table can be on the page, where the order is that of the rows.
    fn needed(&self, nodes: &BoundNodes<'_>) -> Option<usize> {
        let limit = nodes.limit.filter(|_| nodes.sort.is_empty())?;
        Some((limit as usize).saturating_add(nodes.offset as usize))
    }

    fn page(&self, nodes: &BoundNodes<'_>, mut picks: Vec<Pick>) -> Result<Vec<Pick>, RunError> {
        self.limits.check_stop()?;
        let offset = nodes.offset as usize;
        let end = nodes.limit.map_or(usize::MAX, |limit| offset.saturating_add(limit as usize));
        if nodes.candidates.len() > 1 || !nodes.sort.is_empty() {
            let order = Order::new(self, nodes);
            let compare = |left: &Pick, right: &Pick| order.compare(*left, *right);
            if end < picks.len() / 2 && end > 0 {
                picks.select_nth_unstable_by(end - 1, compare);
                picks.truncate(end);
            }
            // Stable, since rows of several tables come as sorted runs, which it merges.
            self.work.add_sorted(picks.len());
            picks.sort_by(compare);
        }
        picks.truncate(end);
        picks.drain(..offset.min(picks.len()));
        Ok(picks)
    }
}

/// What the step that makes a page of a root list is called.
fn page_words(nodes: &BoundNodes<'_>) -> String {
    match (nodes.limit, nodes.sort.is_empty()) {
        (Some(limit), false) if nodes.offset == 0 => format!("sort, first {limit}"),
        (Some(limit), false) => format!("sort, {limit} after {}", nodes.offset),
        (Some(limit), true) if nodes.offset == 0 => format!("first {limit}"),
        (Some(limit), true) => format!("{limit} after {}", nodes.offset),
        (None, false) => "sort".to_owned(),
        (None, true) => format!("all after {}", nodes.offset),
    }
}

/// An order over rows of several tables.
struct Order<'g> {
    /// For each sort key: for each table its column, and whether greatest first.
    keys: Vec<(Vec<Option<&'g Column>>, bool)>,
    ids: Vec<Option<&'g Column>>,
}

impl<'g> Order<'g> {
    fn new(evaluator: &Evaluator<'g, '_>, nodes: &BoundNodes<'_>) -> Self {
        let tables: Vec<_> =
            nodes.candidates.iter().map(|candidates| evaluator.world.graph.table(candidates.table)).collect();
        let field_of = |fields: &[(TypeId, FieldId)], of: TypeId| {
            fields.iter().find(|(id, _)| *id == of).map(|(_, field)| *field)
        };
        let key = |key: &SortKey| {
            let columns = tables
                .iter()
                .map(|table| field_of(&key.fields, table.of).map(|field| table.column(field)))
                .collect();
            (columns, key.descending)
        };
        Self {
            keys: nodes.sort.iter().map(key).collect(),
            ids: tables.iter().map(|table| table.id.map(|id| table.column(id))).collect(),
        }
    }

    fn compare(&self, left: Pick, right: Pick) -> Ordering {
        for (columns, descending) in &self.keys {
            let order = compare_cells(cell(columns, left), cell(columns, right));
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        if left.0 == right.0 {
            return left.1.cmp(&right.1);
        }
        compare_cells(cell(&self.ids, left), cell(&self.ids, right)).then(left.0.cmp(&right.0))
    }
}

fn cell<'g>(columns: &[Option<&'g Column>], (place, row): Pick) -> Option<(&'g Column, u32)> {
    let column = columns.get(place).copied().flatten()?;
    column.has_value(row).then_some((column, row))
}

/// Null is greatest; what can't be ordered is equal.
fn compare_cells(left: Option<(&Column, u32)>, right: Option<(&Column, u32)>) -> Ordering {
    let ((left, left_row), (right, right_row)) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.is_none().cmp(&right.is_none()),
    };
    let (left_place, right_place) = (left_row as usize, right_row as usize);
    match (&left.data, &right.data) {
        (Data::Text(one), Data::Text(other))
        | (Data::Net { text: one, .. }, Data::Net { text: other, .. }) => {
            if std::ptr::eq(left, right) {
                return one.code(left_row).cmp(&other.code(right_row));
            }
            match (&left.data, &right.data) {
                (Data::Net { nets: one_nets, .. }, Data::Net { nets: other_nets, .. }) => {
                    let net = |nets: &[ipnet::IpNet], code: Option<u32>| nets.get(code? as usize).copied();
                    net(one_nets, one.code(left_row)).cmp(&net(other_nets, other.code(right_row)))
                }
                _ => left.text(left_row).cmp(&right.text(right_row)),
            }
        }
        (Data::Int { values: one, .. }, Data::Int { values: other, .. }) => {
            one.get(left_place).cmp(&other.get(right_place))
        }
        (Data::Float(one), Data::Float(other)) => {
            let (one, other) = (one.get(left_place), other.get(right_place));
            one.copied().unwrap_or(0.0).total_cmp(&other.copied().unwrap_or(0.0))
        }
        (Data::Bool(one), Data::Bool(other)) => one.get(left_place).cmp(&other.get(right_place)),
        _ => Ordering::Equal,
    }
}
