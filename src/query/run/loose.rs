//! Edges over rows that may not be there: a relation by paths leads through rows between, and where such a row is too old
//! or a stub, what lies behind it is related for certain only if another way leads there too.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::world::World;
use crate::{
    catalog::{FieldId, FieldKind, RelationKeys},
    graph::{Bitmap, Link, Table, TableId},
};

/// The edges of a relation that may not be there.
#[derive(Debug)]
pub(super) struct Loose {
    /// The rows that have any.
    pub(super) rows: Bitmap,
    /// Their targets, sorted.
    targets: FxHashMap<u32, Vec<(TableId, u32)>>,
}

impl Loose {
    fn holds(&self, row: u32, target: (TableId, u32)) -> bool {
        self.targets.get(&row).is_some_and(|targets| targets.binary_search(&target).is_ok())
    }

    /// How many of the targets in the sets (one for each link) a row is related to for certain.
    pub(super) fn certain(&self, links: &[Link], sets: &[Bitmap], row: u32) -> usize {
        let each = links.iter().zip(sets).flat_map(|(link, set)| {
            let targets = link.adjacency.forward.of(row).iter();
            targets.filter(|target| set.get(**target as usize)).map(|target| (link.table, *target))
        });
        each.filter(|target| !self.holds(row, *target)).count()
    }
}

impl World<'_> {
    /// The edges of a relation that may not be there. Nothing where all are certain, as in a closed world.
    pub(super) fn loose(&self, id: TableId, field: FieldId) -> Option<Rc<Loose>> {
        let definition = self.graph.catalog().get(self.graph.table(id).of).get(field);
        let FieldKind::Relation { keys: RelationKeys::Paths(paths), .. } = &definition.kind else {
            return None;
        };
        self.remembered_loose((id, field), || {
            let table = self.graph.table(id);
            let mut rows = table.none();
            for path in paths {
                if let Some(over) = self.leading_over_stale(id, path) {
                    rows.or(&over);
                }
            }
            let mut targets = FxHashMap::default();
            for row in rows.iter() {
                let certain = self.certain_targets(id, row, paths);
                let all = table.column(field).links().iter().flat_map(|link| {
                    link.adjacency.forward.of(row).iter().map(|&target| (link.table, target))
                });
                let mut loose: Vec<_> = all.filter(|target| !certain.contains(target)).collect();
                loose.sort_unstable();
                if !loose.is_empty() {
                    targets.insert(row, loose);
                }
            }
            let rows = Bitmap::from_rows(table.rows, targets.keys().copied());
            (!targets.is_empty()).then(|| Rc::new(Loose { rows, targets }))
        })
    }

    pub(super) fn is_loose(&self, id: TableId, field: FieldId, row: u32, target: (TableId, u32)) -> bool {
        self.loose(id, field).is_some_and(|loose| loose.holds(row, target))
    }

    /// The rows from which a path leads over a row that may not be there, or an edge.
    fn leading_over_stale(&self, id: TableId, path: &[String]) -> Option<Bitmap> {
        let (hop, rest) = path.split_first()?;
        let table = self.graph.table(id);
        let (field, _) = self.graph.catalog().get(table.of).find(hop)?;
        let mut rows = self.loose(id, field).map_or_else(|| table.none(), |loose| loose.rows.clone());
        if rest.is_empty() {
            return Some(rows);
        }
        for link in table.column(field).links() {
            let mut over = self.leading_over_stale(link.table, rest)?;
            if let Some(stale) = self.stale(link.table) {
                over.or(&stale);
            }
            scatter(link, &over, &mut rows);
        }
        Some(rows)
    }

    /// What the paths of a row reach without any doubt.
    fn certain_targets(&self, id: TableId, row: u32, paths: &[Vec<String>]) -> Vec<(TableId, u32)> {
        let mut found = Vec::new();
        for path in paths {
            let mut reached = vec![(id, row)];
            for (place, hop) in path.iter().enumerate() {
                let mut next = Vec::new();
                for (at, row) in reached {
                    let table = self.graph.table(at);
                    let Some((field, _)) = self.graph.catalog().get(table.of).find(hop) else { continue };
                    for (of, target) in edges(table, field, row) {
                        if !self.is_loose(at, field, row, (of, target))
                            && (place + 1 == path.len() || !self.is_stale(of, target))
                        {
                            next.push((of, target));
                        }
                    }
                }
                next.sort_unstable();
                next.dedup();
                reached = next;
            }
            found.extend(reached);
        }
        found
    }
}

fn edges(table: &Table, field: FieldId, row: u32) -> impl Iterator<Item = (TableId, u32)> {
    let links = table.column(field).links().iter();
    links.flat_map(move |link| link.adjacency.forward.of(row).iter().map(|&target| (link.table, target)))
}

fn scatter(link: &Link, targets: &Bitmap, rows: &mut Bitmap) {
    for target in targets.iter() {
        for &row in link.adjacency.backward.of(target) {
            rows.set(row as usize);
        }
    }
}
