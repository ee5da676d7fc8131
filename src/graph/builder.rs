//! From rows to a graph: each thread takes rows apart into columns of its own; at the end these are put together, rows
//! are sorted by id and relations derived.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Graph, GraphError, column::TableId, ids::Ids, relate, slice_rows::SliceRows, slices::Slices,
    table::Table, table_builder::TableBuilder,
};
use crate::{
    catalog::{Catalog, RepeatedAsset, Row, RowBuffer, RowShard, RowTarget, TypeId, TypeKind},
    model::{
        Asset, GLOBAL_REGION, SliceState, Time,
        parallel::{WORTH_A_THREAD, beside, in_parallel, threads},
    },
};

/// A graph that is being filled. After an error it is to be dropped: nothing of that batch is kept.
#[derive(Debug)]
pub struct GraphBuilder {
    catalog: Arc<Catalog>,
    /// What assets are put into one by one.
    own: GraphShard,
    /// The parts of all threads, once they are there.
    joined: Vec<JoinedTable>,
}

/// The parts of one table.
#[derive(Debug)]
struct JoinedTable {
    of: TypeId,
    parts: Vec<TableBuilder>,
    /// Nothing where there are too many.
    ids: Option<Ids>,
}

/// What one thread has of a graph that is being filled.
#[derive(Debug)]
pub struct GraphShard {
    catalog: Arc<Catalog>,
    /// By [`TypeId`]; nothing for what is no asset type.
    tables: Vec<Option<TableBuilder>>,
}

impl GraphShard {
    fn new(catalog: &Arc<Catalog>) -> Self {
        let tables = catalog.iter().map(|(id, definition)| {
            (definition.kind == TypeKind::Asset).then(|| TableBuilder::new(id, catalog))
        });
        Self { catalog: Arc::clone(catalog), tables: tables.collect() }
    }
}

impl RowShard for GraphShard {
    fn push(&mut self, row: &Row<'_, '_>) {
        if let Some(Some(table)) = self.tables.get_mut(row.of.0 as usize) {
            table.push(row, &self.catalog);
        }
    }
}

impl RowTarget for GraphBuilder {
    type Shard = GraphShard;

    fn shard(&self) -> GraphShard {
        GraphShard::new(&self.catalog)
    }

    fn join(&mut self, shards: Vec<GraphShard>) -> Option<RepeatedAsset> {
        let own = std::mem::replace(&mut self.own, GraphShard::new(&self.catalog));
        let mut by_type: Vec<Vec<TableBuilder>> = Vec::new();
        by_type.resize_with(self.catalog.types().len(), Vec::new);
        for shard in shards.into_iter().chain([own]) {
            for (parts, table) in by_type.iter_mut().zip(shard.tables) {
                parts.extend(table.filter(|table| table.rows() > 0));
            }
        }
        let mut unordered = Vec::new();
        let mut repeated: Option<RepeatedAsset> = None;
        for ((of, definition), mut parts) in self.catalog.iter().zip(by_type) {
            if definition.kind != TypeKind::Asset {
                continue;
            }
            if parts.is_empty() {
                parts.push(TableBuilder::new(of, &self.catalog));
            }
            TableBuilder::align_same(&mut parts);
            unordered.push((of, parts));
        }
        let rows: usize = unordered.iter().map(|(_, parts)| rows_of(parts)).sum();
        // The long ones first, so that no thread is left alone with one.
        unordered.sort_by_key(|(_, parts)| std::cmp::Reverse(rows_of(parts)));
        let mut joined = in_parallel(unordered, rows > WORTH_A_THREAD, |(of, mut parts)| {
            let ids = Ids::of(&mut parts);
            JoinedTable { of, parts, ids }
        });
        joined.sort_by_key(|joined| joined.of);
        for JoinedTable { of, parts, ids } in &joined {
            if let Some((id, line, first_line)) = ids.as_ref().and_then(|ids| ids.repeated(parts)) {
                let found =
                    RepeatedAsset { typename: self.catalog.get(*of).name.clone(), id, line, first_line };
                repeated = repeated.into_iter().chain([found]).min_by_key(|repeated| repeated.line);
            }
        }
        self.joined = joined;
        repeated
    }

    fn count_assets(&self, slices: &mut [SliceState]) {
        let parts = self.joined.iter().flat_map(|joined| joined.parts.iter().map(|part| (joined.of, part)));
        let counted = in_parallel(parts.collect(), slices.len() > WORTH_A_THREAD, |(of, part)| {
            let definition = self.catalog.get(of);
            let field = |name: &str| definition.find(name).map(|(field, _)| field);
            let mut counts: Vec<((&str, &str), u64)> = Vec::new();
            if let Some(account) = field("accountId") {
                part.count_texts(account, field("region"), |account_id, region, count| {
                    counts.push(((account_id, region.unwrap_or(GLOBAL_REGION)), count));
                });
            }
            (definition.name.as_str(), counts)
        });
        let mut counts: FxHashMap<&str, FxHashMap<(&str, &str), u64>> = FxHashMap::default();
        for (of, counted) in counted {
            let of_type = counts.entry(of).or_default();
            for (place, count) in counted {
                *of_type.entry(place).or_default() += count;
            }
        }
        for slice in slices {
            let of_type = counts.get(slice.key.asset_type.as_str());
            let place = (slice.key.account_id.as_str(), slice.key.region.as_str());
            slice.assets = of_type.and_then(|of_type| of_type.get(&place)).copied().unwrap_or(0);
        }
    }
}

impl GraphBuilder {
    /// An empty graph of the types of a catalog.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        let own = GraphShard::new(&catalog);
        Self { catalog, own, joined: Vec::new() }
    }

    /// Adds one asset. The order of assets makes no difference, though sorted by id is fastest.
    ///
    /// # Errors
    /// An asset that does not fit its type, by name and field.
    pub fn push(&mut self, asset: &Asset) -> Result<(), GraphError> {
        let mut buffer = RowBuffer::default();
        self.own.push(&self.catalog.row_of(asset, 0, &mut buffer)?);
        Ok(())
    }

    /// Joins the slices as assets to tables that were joined before.
    fn join_slices(&mut self, slices: &[SliceState]) -> Result<(), GraphError> {
        let Some(rows) = SliceRows::of(&self.catalog).filter(|_| !slices.is_empty()) else { return Ok(()) };
        let is_large = slices.len() > WORTH_A_THREAD;
        let share = if is_large { slices.len().div_ceil(threads()) } else { slices.len() };
        let parts = in_parallel(slices.chunks(share).collect(), is_large, |slices| {
            let mut part = TableBuilder::new(rows.of_type(), &self.catalog);
            rows.each(slices, &self.catalog, &mut |row| part.push(row, &self.catalog)).map(|()| part)
        });
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let Some(joined) = self.joined.iter_mut().find(|joined| joined.of == rows.of_type()) else {
            return Ok(());
        };
        joined.parts.retain(|part| part.rows() > 0);
        joined.parts.extend(parts);
        TableBuilder::align_same(&mut joined.parts);
        joined.ids = Ids::of(&mut joined.parts);
        Ok(())
    }

    /// The graph of everything added. `slices` says how well it was collected; without any it is complete as it
    /// stands (a file); where the catalog has a type `Slice`, they are assets of it too. `built_at` is the moment it
    /// was built from the store or file.
    ///
    /// # Errors
    /// Two assets of one type and id; more rows, texts or edges than the columns can number.
    pub fn finish(mut self, slices: Option<Vec<SliceState>>, built_at: Time) -> Result<Graph, GraphError> {
        self.join_all()?;
        self.join_slices(slices.as_deref().unwrap_or_default())?;
        let catalog = Arc::clone(&self.catalog);
        let is_large = slices.as_ref().is_some_and(|slices| slices.len() > WORTH_A_THREAD);
        let (slices, tables) = beside(is_large, || slices.map(Slices::new), || self.tables());
        let (mut tables, by_type) = tables?;
        relate::relate(&catalog, &mut tables, &by_type)
            .map_err(|excess| too_large(&catalog, excess.of, "the edges of a relation"))?;
        let by_type =
            (0u32..).take(catalog.types().len()).map(|of| by_type.get(&TypeId(of)).copied()).collect();
        let tables = tables.into_iter().map(Arc::new).collect();
        Ok(Graph { catalog, tables, by_type, slices, built_at })
    }

    /// Joins what was put in one by one, where no threads were.
    fn join_all(&mut self) -> Result<(), GraphError> {
        if self.joined.is_empty()
            && let Some(RepeatedAsset { typename, id, .. }) = self.join(Vec::new())
        {
            return Err(GraphError::Duplicate { typename, id });
        }
        Ok(())
    }

    /// The tables of everything added, before any relation is derived.
    pub(super) fn tables(mut self) -> Result<(Vec<Table>, BTreeMap<TypeId, TableId>), GraphError> {
        self.join_all()?;
        let Self { catalog, joined, .. } = self;
        let mut places = 0;
        let mut waiting = Vec::with_capacity(joined.len());
        for mut table in joined {
            TableBuilder::align(&mut table.parts, &mut places, &catalog);
            waiting.push(table);
        }
        // The long ones first, so that no thread is left alone with one.
        waiting.sort_by_key(|table| std::cmp::Reverse(rows_of(&table.parts)));
        let is_large = waiting.first().is_some_and(|table| rows_of(&table.parts) > WORTH_A_THREAD);
        let finished = in_parallel(waiting, is_large, |JoinedTable { of, parts, ids }| {
            let mut tables = Vec::new();
            let table =
                ids.and_then(|ids| TableBuilder::finish(parts, None, Some(ids), &catalog, &mut tables));
            let (place, _) = table.ok_or_else(|| too_large(&catalog, of, "the rows or texts"))?;
            Ok::<_, GraphError>((of, place, tables))
        });
        let mut tables: Vec<(TableId, Table)> = Vec::new();
        let mut by_type: BTreeMap<TypeId, TableId> = BTreeMap::new();
        for table in finished {
            let (of, place, made) = table?;
            by_type.insert(of, place);
            tables.extend(made);
        }
        tables.sort_by_key(|(place, _)| *place);
        Ok((tables.into_iter().map(|(_, table)| table).collect(), by_type))
    }
}

fn rows_of(parts: &[TableBuilder]) -> usize {
    parts.iter().map(TableBuilder::rows).sum()
}

fn too_large(catalog: &Catalog, of: TypeId, what: &'static str) -> GraphError {
    GraphError::TooLarge { typename: catalog.get(of).name.clone(), what, limit: u64::from(u32::MAX) }
}
