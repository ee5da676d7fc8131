//! The reasons behind an unknown verdict, one by one, and the gaps in what a check covers.

use super::{super::AggregateFilter, eval::Evaluator, judge::Reason, needed::Cause, world::World};
use crate::{
    catalog::{FieldId, FieldKind, RelationKeys, TypeId},
    graph::{Graph, Need, Slices, TableId, is_own_type},
    model::{GLOBAL_REGION, Outcome, SliceKey},
};

impl World<'_> {
    /// What a slice that is not complete is called: stale if it was whole the last time it was tried, too long ago.
    pub(super) fn reason(&self, Need { key, state }: Need) -> Reason {
        match state {
            Some(state) if state.outcome == Outcome::Complete && state.completed_at.is_some() => {
                Reason::Stale { key, completed_at: state.completed_at }
            }
            state => Reason::Slice { key, state },
        }
    }
}

impl Evaluator<'_, '_> {
    /// Adds the slice of a stale row, or the name of a stub; nothing for any other.
    pub(super) fn add_stale(&self, id: TableId, row: u32, found: &mut Vec<Cause>) {
        // A stub is stale as well; mostly nothing is.
        if !self.world.is_stale(id, row) {
            return;
        }
        match self.world.stub_reason(id, row) {
            Some(why) => {
                let table = self.world.graph.table(id);
                let typename = self.world.graph.catalog().get(table.of).name.clone();
                found.push(Cause::own(Reason::Stub { typename, id: table.id_of(row).into_owned(), why }));
            }
            None => self.world.add_own_slice(id, row, found),
        }
    }

    /// Adds a cell that could not be seen; nothing for any other, nor for a stub, which is a reason by itself.
    pub(super) fn add_cell(&self, id: TableId, field: FieldId, row: u32, found: &mut Vec<Cause>) {
        let graph = self.world.graph;
        let table = graph.table(id);
        if table.column(field).is_unknown(row) && self.world.stub_reason(id, row).is_none() {
            let definition = graph.catalog().get(table.of);
            found.push(Cause::own(Reason::Cell {
                typename: definition.name.clone(),
                id: table.id_of(row).into_owned(),
                field: definition.get(field).name.clone(),
            }));
        }
    }

    /// Adds what keeps a relation of a row from being complete: slices of the target, keys that could not be seen.
    pub(super) fn add_unseen(&self, id: TableId, field: FieldId, row: u32, found: &mut Vec<Cause>) {
        if !self.world.is_incomplete(id, field, row) {
            return;
        }
        self.add_cell(id, field, row, found);
        let graph = self.world.graph;
        let of = graph.table(id).of;
        let FieldKind::Relation { target, keys, .. } = &graph.catalog().get(of).get(field).kind else {
            return;
        };
        match keys {
            RelationKeys::Fields(keys) => {
                self.world.add_needs((id, field), *target, keys, row, found);
                self.add_unknown_keys((id, field), *target, &keys.pairs, row, found);
            }
            RelationKeys::Paths(paths) => {
                for path in paths {
                    self.add_unseen_along(id, row, path, found);
                }
            }
        }
    }

    fn add_unseen_along(&self, id: TableId, row: u32, path: &[String], found: &mut Vec<Cause>) {
        let graph = self.world.graph;
        let Some((hop, rest)) = path.split_first() else { return };
        let Some((field, _)) = graph.catalog().get(graph.table(id).of).find(hop) else { return };
        self.add_unseen(id, field, row, found);
        for link in graph.table(id).column(field).links() {
            for &target in link.adjacency.forward.of(row) {
                self.add_stale(link.table, target, found);
                self.add_unseen_along(link.table, target, rest, found);
            }
        }
    }

    fn add_unknown_keys(
        &self,
        (id, field): (TableId, FieldId),
        target: TypeId,
        pairs: &[(String, String)],
        row: u32,
        found: &mut Vec<Cause>,
    ) {
        let graph = self.world.graph;
        let own = graph.catalog().get(graph.table(id).of);
        for (own_key, _) in pairs {
            if let Some((field, _)) = own.find(own_key) {
                self.add_cell(id, field, row, found);
            }
        }
        for (other, other_row) in self.world.possible_targets((id, field), target, pairs, row) {
            let definition = graph.catalog().get(graph.table(other).of);
            for (_, reference) in pairs {
                if let Some((field, _)) = definition.find(reference) {
                    self.add_cell(other, field, other_row, found);
                }
            }
        }
    }

    /// Adds the cells of related rows that an aggregate needs and that could not be seen.
    pub(super) fn add_aggregated_cells(
        &self,
        id: TableId,
        field: FieldId,
        filter: &AggregateFilter,
        row: u32,
        found: &mut Vec<Cause>,
    ) {
        match filter {
            AggregateFilter::All(filters) | AggregateFilter::Any(filters) => {
                for filter in filters {
                    self.add_aggregated_cells(id, field, filter, row, found);
                }
            }
            AggregateFilter::Not(inner) => self.add_aggregated_cells(id, field, inner, row, found),
            AggregateFilter::Count(..) => {}
            AggregateFilter::Node { fields, .. } => {
                for link in self.world.graph.table(id).column(field).links() {
                    let Some((_, of_node)) = fields.iter().find(|(of, _)| *of == link.of) else { continue };
                    for &target in link.adjacency.forward.of(row) {
                        self.add_cell(link.table, *of_node, target, found);
                    }
                }
            }
        }
    }
}

/// What keeps the list of all assets of a type from being complete: its slices that are not, and the places where
/// other types were collected and it was not. Sorted and distinct.
pub(super) fn gaps(world: &World<'_>, covers: TypeId) -> Vec<Reason> {
    let graph: &Graph = world.graph;
    let Some(slices) = graph.slices() else { return Vec::new() };
    let mut found = Vec::new();
    for of in graph.catalog().concrete(covers) {
        let asset_type = graph.catalog().get(of).name.as_str();
        if slices.is_whole_since(asset_type, world.oldest()) {
            continue;
        }
        for state in slices.of_type(asset_type) {
            if !world.is_complete(state) {
                found.push(world.reason(Need { key: state.key.clone(), state: Some(state.clone()) }));
            }
        }
        for account_id in slices.accounts() {
            found.extend(never_collected(slices, asset_type, account_id));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The places of an account where a type should have been collected and never was.
fn never_collected(slices: &Slices, asset_type: &str, account_id: &str) -> Vec<Reason> {
    if is_own_type(asset_type) || slices.find(asset_type, account_id, GLOBAL_REGION).is_some() {
        return Vec::new();
    }
    let mut regions: Vec<&str> = Vec::new();
    if !slices.is_account_wide(asset_type) {
        regions.extend(slices.regions_of(account_id));
    }
    if regions.is_empty() {
        regions.push(GLOBAL_REGION);
    }
    regions
        .into_iter()
        .filter(|region| slices.find(asset_type, account_id, region).is_none())
        .map(|region| Reason::Slice { key: SliceKey::new(account_id, region, asset_type), state: None })
        .collect()
}
