//! What the answer of a plan may lack or get wrong, because it was not collected, not lately, or not seen: where there is
//! nothing of the kind, the answer is the answer in an open world, too.

use std::collections::BTreeSet;

use super::{judge::Reason, places::Places, reasons::gaps, touched::touched_types, world::World};
use crate::{
    catalog::{FieldKind, RelationKeys, TypeId},
    graph::{Graph, TableId},
    model::Time,
    query::Plan,
};

/// The most assets of one field that are named as not seen. More of them are no other reason.
const MOST_CELLS: usize = 20;

/// Everything that keeps the answer of a plan from being certain, sorted and distinct; more is named than may matter to
/// it. What was not collected completely since `oldest` could be anything.
#[must_use]
pub fn unseen(plan: &Plan, graph: &Graph, oldest: Option<Time>) -> Vec<Reason> {
    let world = World::open(graph, oldest);
    let touched = touched_types(graph.catalog(), plan);
    let mut found = BTreeSet::new();
    for of in &touched {
        found.extend(gaps(&world, *of));
        let Some((id, table)) = graph.table_of(*of) else { continue };
        let definition = graph.catalog().get(*of);
        for (field, named) in definition.iter() {
            let Some(unknown) = &table.column(field).unknown else { continue };
            found.extend(unknown.iter().take(MOST_CELLS).map(|row| Reason::Cell {
                typename: definition.name.clone(),
                id: table.id_of(row).into_owned(),
                field: named.name.clone(),
            }));
        }
        found.extend(world.stale_slices(id));
        found.extend(world.not_listed_beside(id, &touched));
    }
    found.into_iter().collect()
}

impl World<'_> {
    /// The slices of the stale rows of a table.
    fn stale_slices(&self, id: TableId) -> BTreeSet<Reason> {
        let mut found = BTreeSet::new();
        for row in self.stale(id).iter().flat_map(|stale| stale.iter()) {
            if let Some((key, completed_at)) = self.own_slice(id, row) {
                found.insert(Reason::Stale { key, completed_at });
            }
        }
        found
    }

    /// The slices of other types that are missing where rows of a table are, and where what they relate to is.
    fn not_listed_beside(&self, id: TableId, types: &BTreeSet<TypeId>) -> Vec<Reason> {
        if self.graph.slices().is_none() {
            return Vec::new();
        }
        let catalog = self.graph.catalog();
        let mut needs = Vec::new();
        let mut add = |places: &Places, of: TypeId| {
            for (account, region) in places.distinct() {
                needs.extend(self.missing_at(of, account.as_deref(), region.as_deref()));
            }
        };
        if let Some(places) = self.places(id) {
            types.iter().for_each(|of| add(&places, *of));
        }
        for (_, field) in catalog.get(self.graph.table(id).of).iter() {
            let FieldKind::Relation { target, keys: RelationKeys::Fields(keys), .. } = &field.kind else {
                continue;
            };
            let touched = catalog.concrete(*target).into_iter().filter(|of| types.contains(of));
            for of in touched {
                self.places_needed(id, keys).iter().for_each(|places| add(places, of));
            }
        }
        needs.into_iter().map(|need| self.reason(need)).collect()
    }
}
