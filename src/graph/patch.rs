//! The next graph from the one before: what changed is put in, everything else is shared. A row keeps its number as
//! long as its asset is there; new ones are appended, and rows of assets that went hold nothing. The cost grows with
//! the change and with the columns it touches, never with the number of relations, types or accounts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Graph, GraphBuilder, GraphError, Slices,
    column::{Column, Data, TableId},
    patch_cells::{CellPatch, RowChanges, TooLarge},
    patch_edges::{self, TableChanges},
    slices,
    table::Table,
};
use crate::{
    catalog::TypeId,
    model::{Asset, GLOBAL_REGION, SliceKey, SliceState, Time},
};

/// A table has its wear cut out by building it whole once that is more than one in so many of its rows,
const WORN_SHARE: usize = 8;
/// and more than this.
const WORN_LEAST: usize = 8192;

/// What became of an inventory: assets as they are now, assets that are gone, slices as they are now.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Assets that are new, or may differ from before; each at most once.
    pub put: Vec<Asset>,
    /// Type and id of assets that are no longer there (or never were), none of which is put.
    pub removed: Vec<(String, String)>,
    /// Slices that differ; nothing for one that is unknown now.
    pub slices: Vec<(SliceKey, Option<SliceState>)>,
}

/// What a patch took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchWork {
    /// Assets that came, changed or went.
    pub assets: u64,
    /// Tables that are not shared with the graph before, for their cells.
    pub tables: u64,
    /// Columns that are not shared, relations left out.
    pub columns: u64,
    /// Values copied, because one of them was set or the index over them changed.
    pub cells: u64,
    /// Rows whose related rows were looked for.
    pub joined: u64,
    /// Edges followed and copied.
    pub edges: u64,
    /// Relations that were joined as a whole, since their keys are not texts.
    pub whole_relations: u64,
}

/// A patched graph.
#[derive(Debug)]
pub struct Patched {
    /// The graph.
    pub graph: Graph,
    /// What it took.
    pub work: PatchWork,
    /// Whether so much was appended and left behind that a graph built whole would answer better.
    pub is_worn: bool,
}

impl Graph {
    /// The graph after a change, equal in every answer to one built whole.
    ///
    /// # Errors
    /// What [`GraphBuilder::push`] refuses; more texts or edges than can be numbered. This graph stays as it is.
    pub fn patched(&self, changes: &Changes, built_at: Time) -> Result<Patched, GraphError> {
        let mut builder = GraphBuilder::new(Arc::clone(&self.catalog));
        let states = changes.slices.iter().filter_map(|(_, state)| state.as_ref());
        let slices = states.filter_map(|state| slices::as_asset(state, &self.catalog));
        for asset in changes.put.iter().chain(&slices.collect::<Vec<_>>()) {
            builder.push(asset)?;
        }
        let (new, new_types) = builder.tables()?;
        let too_large = |TooLarge { of }| GraphError::TooLarge {
            typename: self.catalog.get(of).name.clone(),
            what: "the texts or edges",
            limit: u64::from(u32::MAX),
        };
        let mut patch = CellPatch {
            catalog: &self.catalog,
            tables: self.tables.clone(),
            new: &new,
            work: PatchWork::default(),
        };
        let mut changed: BTreeMap<TableId, TableChanges> = BTreeMap::new();
        for (&of, rows) in &self.rows_of_changes(&new, &new_types, changes) {
            let Some((id, table)) = self.table_of(of) else { continue };
            let cells = patch.patch_table(id, new_types.get(&of).copied(), rows).map_err(too_large)?;
            patch.work.assets += (rows.pairs.len() + rows.gone.len()) as u64;
            changed.insert(id, TableChanges::new(table.rows, rows, cells));
        }
        let CellPatch { mut tables, mut work, .. } = patch;
        patch_edges::patch(&self.catalog, &mut tables, &self.by_type, &changed, &mut work)
            .map_err(too_large)?;
        let slices = match &self.slices {
            None if changes.slices.is_empty() => None,
            None => Some(Slices::default().patched(&changes.slices)),
            Some(slices) => Some(slices.patched(&changes.slices)),
        };
        let is_worn = tables.iter().any(|table| is_worn(table));
        let graph = Self {
            catalog: Arc::clone(&self.catalog),
            tables,
            by_type: self.by_type.clone(),
            slices,
            built_at,
        };
        Ok(Patched { graph, work, is_worn })
    }

    /// For each type, which rows change to which of the new tables, and which go.
    fn rows_of_changes(
        &self,
        new: &[Table],
        new_types: &BTreeMap<TypeId, TableId>,
        changes: &Changes,
    ) -> BTreeMap<TypeId, RowChanges> {
        let mut rows: BTreeMap<TypeId, RowChanges> = BTreeMap::new();
        let with_rows = new_types.iter().filter_map(|(of, id)| Some((of, new.get(id.0)?)));
        for (of, new) in with_rows.filter(|(_, new)| new.rows > 0) {
            let Some((_, table)) = self.table_of(*of) else { continue };
            let of = rows.entry(*of).or_default();
            let mut appended = Vec::new();
            for from in new.all_in_id_order() {
                match table.slot(&new.id_of(from)) {
                    Some(row) => {
                        if !table.holds(row) {
                            of.back.push(row);
                        }
                        of.pairs.push((row, from));
                    }
                    None => appended.push(from),
                }
            }
            of.pairs.sort_unstable();
            of.pairs.extend((table.rows as u32..).zip(appended));
        }
        let names: BTreeMap<&str, TypeId> =
            self.catalog.iter().map(|(of, definition)| (definition.name.as_str(), of)).collect();
        let find =
            |typename: &str, id: &str| names.get(typename).and_then(|of| Some((*of, self.find(*of, id)?)));
        let removed = changes.removed.iter().filter_map(|(typename, id)| find(typename, id));
        let unknown = changes.slices.iter().filter(|(_, state)| state.is_none());
        let slices = unknown.filter_map(|(key, _)| find(slices::SLICE_TYPE, &slices::asset_id(key)));
        let gone: BTreeSet<(TypeId, u32)> = removed.chain(slices).collect();
        for (of, row) in gone {
            rows.entry(of).or_default().gone.push(row);
        }
        rows
    }

    /// The ids of the assets of a type in an account and region; those without a region are among them, and for a slice
    /// of a whole account those of every region.
    #[must_use]
    pub fn ids_in(&self, of: TypeId, account_id: &str, region: &str) -> Vec<String> {
        let Some((_, table)) = self.table_of(of) else { return Vec::new() };
        let column = |name| self.catalog.get(of).find(name).map(|(field, _)| table.column(field));
        let Some(accounts) = column("accountId").and_then(Column::text_data) else { return Vec::new() };
        let Some(account) = accounts.find(account_id) else { return Vec::new() };
        let regions = column("region").filter(|_| region != GLOBAL_REGION);
        let is_in = |row: u32| {
            let text = regions.and_then(|regions| regions.text(row));
            table.holds(row) && text.is_none_or(|text| text == region)
        };
        let rows = accounts.rows_of(account).iter().copied().filter(|row| is_in(*row));
        rows.map(|row| table.id_of(row).into_owned()).collect()
    }

    /// How many assets there are of all types.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.by_type.iter().flatten().map(|id| self.table(*id).count()).sum()
    }

    /// Makes the indexes that a patch needs, so that the first one does not wait for them. They cost a pass over each
    /// column that is a key of a relation.
    pub fn index_keys(&self) {
        patch_edges::index_keys(&self.catalog, &self.tables, &self.by_type);
    }
}

fn is_worn(table: &Table) -> bool {
    let is_much = |much: usize, of: usize| much > WORN_LEAST.max(of / WORN_SHARE);
    is_much(table.wear(), table.built)
        || table.columns.iter().any(|column| match &column.data {
            Data::Text(text) | Data::Net { text, .. } => is_much(text.added_len(), table.built),
            Data::List { lists, .. } => is_much(lists.moved(), table.built),
            Data::Links { links, .. } => links.iter().any(|link| {
                let adjacency = &link.adjacency;
                is_much(adjacency.forward.replaced().max(adjacency.backward.replaced()), table.built)
            }),
            _ => false,
        })
}
