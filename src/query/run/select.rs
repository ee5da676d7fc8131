//! Which rows of a list, in what order, which page.

use super::{
    eval::{Bound, Evaluator, ROWS_A_STEP},
    limits::RunError,
    order::Order,
    shape::{BoundNodes, Candidates},
};
use crate::graph::{Bitmap, Link};

/// A row of one of several tables: the place among the candidates, and the row.
pub(super) type Pick = (usize, u32);

/// A table is scanned unless an index leaves less than one in so many of its rows.
pub(super) const SCAN_SHARE: usize = 16;

/// So many rows of a table are asked one by one before the whole table is filtered at once, beside a share of it.
pub(super) const FREE_ASKS: usize = 256;

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
        self.add_related(&nodes.candidates, links, row, picks)?;
        if nodes.candidates.len() > 1 || !nodes.sort.is_empty() || nodes.limit.is_some() || nodes.offset > 0 {
            *picks = self.page(nodes, std::mem::take(picks))?;
        }
        Ok(())
    }

    /// Adds the related rows of one row that pass, in the order of the links.
    pub(super) fn add_related(
        &self,
        candidates: &[Candidates<'_>],
        links: &[Link],
        row: u32,
        picks: &mut Vec<Pick>,
    ) -> Result<(), RunError> {
        for (place, (link, candidates)) in links.iter().zip(candidates).enumerate() {
            let targets = link.adjacency.forward.of(row);
            self.work.add_edges(targets.len());
            self.afford(0)?;
            for &target in targets {
                if self.passes(candidates, target)? {
                    picks.push((place, target));
                }
            }
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
            return Ok(self.is_true(candidates.table, &candidates.node, row));
        }
        let passing = self.bits(candidates.table, &candidates.node, true, Bound::Known)?;
        Ok(candidates.passing.get_or_init(|| passing).get(row as usize))
    }

    /// The rows of a table that pass, in the order of their ids; of an unsorted list only as many as its page can hold.
    fn passing_rows(&self, candidates: &Candidates<'_>, needed: Option<usize>) -> Result<Vec<u32>, RunError> {
        let table = self.world.graph.table(candidates.table);
        let take = needed.unwrap_or(usize::MAX);
        if candidates.node.is_always_true() {
            self.afford(table.rows.min(take) / ROWS_A_STEP)?;
            return Ok(table.all_in_id_order().take(take).collect());
        }
        if let Some(mut rows) = self.indexed_rows(candidates)? {
            table.sort_by_id(&mut rows);
            return Ok(rows);
        }
        let passing = self.bits(candidates.table, &candidates.node, true, Bound::Known)?;
        Ok(table.in_id_order(&passing).take(take).collect())
    }

    /// The rows of a table that pass where an index leaves few to ask.
    fn indexed_rows(&self, candidates: &Candidates<'_>) -> Result<Option<Vec<u32>>, RunError> {
        let table = self.world.graph.table(candidates.table);
        let Some(mut rows) = candidates.node.candidates(table, table.rows / SCAN_SHARE + 1) else {
            return Ok(None);
        };
        self.afford(rows.len())?;
        let step = self.work.begin(|| {
            let of = &self.world.graph.catalog().get(table.of).name;
            format!("{of}: found by index")
        });
        let found = rows.len();
        rows.retain(|&row| self.is_true(candidates.table, &candidates.node, row));
        self.work.end(step, found, rows.len(), 0);
        Ok(Some(rows))
    }

    /// How many rows of each table can be on the page, where the order is that of the ids.
    fn needed(&self, nodes: &BoundNodes<'_>) -> Option<usize> {
        let limit = nodes.limit.filter(|_| nodes.sort.is_empty())?;
        Some((limit as usize).saturating_add(nodes.offset as usize))
    }

    fn page(&self, nodes: &BoundNodes<'_>, picks: Vec<Pick>) -> Result<Vec<Pick>, RunError> {
        let offset = nodes.offset as usize;
        let end = nodes.limit.map_or(usize::MAX, |limit| offset.saturating_add(limit as usize));
        let mut picks = self.order_first(nodes, picks, end)?;
        picks.drain(..offset.min(picks.len()));
        Ok(picks)
    }

    /// The first of some rows in the order of a list, at most `end`: the rest is never sorted.
    pub(super) fn order_first(
        &self,
        nodes: &BoundNodes<'_>,
        mut picks: Vec<Pick>,
        end: usize,
    ) -> Result<Vec<Pick>, RunError> {
        self.limits.check_stop()?;
        self.afford(picks.len())?;
        if end > 0 && (nodes.candidates.len() > 1 || !nodes.sort.is_empty()) {
            self.prepare_order(nodes, picks.len())?;
            self.count_order_edges(nodes, &picks);
            let order = Order::new(self, nodes);
            let mut led: Vec<(u64, Pick)> = order.leading(&picks).into_iter().zip(picks).collect();
            let compare = |(left, left_pick): &(u64, Pick), (right, right_pick): &(u64, Pick)| {
                left.cmp(right).then_with(|| order.compare(*left_pick, *right_pick))
            };
            if end < led.len() / 2 {
                led.select_nth_unstable_by(end - 1, compare);
                led.truncate(end);
            }
            // Stable, since rows of several tables come as sorted runs, which it merges.
            self.work.add_sorted(led.len());
            led.sort_by(compare);
            picks = led.into_iter().map(|(_, pick)| pick).collect();
        }
        picks.truncate(end);
        Ok(picks)
    }

    /// The rows of a table that pass, as a set.
    pub(super) fn passing_set(&self, candidates: &Candidates<'_>) -> Result<Bitmap, RunError> {
        let table = self.world.graph.table(candidates.table);
        if candidates.node.is_always_true() {
            return Ok(table.all());
        }
        if let Some(rows) = self.indexed_rows(candidates)? {
            return Ok(Bitmap::from_rows(table.rows, rows));
        }
        self.bits(candidates.table, &candidates.node, true, Bound::Known)
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
