//! From assets to a graph: each asset is checked against the catalog and taken apart into columns; at the end rows are
//! sorted by id and relations derived.

use std::{collections::BTreeMap, sync::Arc};

use super::{Graph, GraphError, Slices, column::TableId, relate, table::Table, table_builder::TableBuilder};
use crate::{
    catalog::{Catalog, TypeId, TypeKind},
    model::{Asset, SliceState, Time},
};

/// A graph that is being filled. After an error it is to be dropped: nothing of that batch is kept.
#[derive(Debug)]
pub struct GraphBuilder {
    catalog: Arc<Catalog>,
    types: BTreeMap<String, TypeId>,
    tables: BTreeMap<TypeId, TableBuilder>,
}

impl GraphBuilder {
    /// An empty graph of the types of a catalog.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        let assets = || catalog.iter().filter(|(_, definition)| definition.kind == TypeKind::Asset);
        let types = assets().map(|(id, definition)| (definition.name.clone(), id)).collect();
        let tables = assets().map(|(id, _)| (id, TableBuilder::new(id, &catalog))).collect();
        Self { catalog, types, tables }
    }

    /// Adds one asset. The order of assets makes no difference, though sorted by id is fastest.
    ///
    /// # Errors
    /// An asset that does not fit its type, by name and field; a second one with the same type and id.
    pub fn push(&mut self, asset: &Asset) -> Result<(), GraphError> {
        let Asset { typename, id, .. } = asset;
        self.catalog.check_asset(asset)?;
        let table = self.types.get(typename).and_then(|of| self.tables.get_mut(of));
        let Some(table) = table else {
            return Err(GraphError::UnknownType { typename: typename.clone(), id: id.clone() });
        };
        if table.contains(id) {
            return Err(GraphError::Duplicate { typename: typename.clone(), id: id.clone() });
        }
        table.push_asset(asset, &self.catalog).map_err(|(field, problem)| GraphError::BadField {
            typename: typename.clone(),
            id: id.clone(),
            field,
            problem,
        })
    }

    /// The graph of everything added. `slices` says how well it was collected; without any it is complete as it
    /// stands (a file). `built_at` is the moment it was built from the store or file.
    ///
    /// # Errors
    /// More texts or edges than the columns can number.
    pub fn finish(self, slices: Option<Vec<SliceState>>, built_at: Time) -> Result<Graph, GraphError> {
        let catalog = Arc::clone(&self.catalog);
        let (mut tables, by_type) = self.tables()?;
        relate::relate(&catalog, &mut tables, &by_type)
            .map_err(|excess| too_large(&catalog, excess.of, "the edges of a relation"))?;
        let by_type =
            (0u32..).take(catalog.types().len()).map(|of| by_type.get(&TypeId(of)).copied()).collect();
        let tables = tables.into_iter().map(Arc::new).collect();
        Ok(Graph { catalog, tables, by_type, slices: slices.map(Slices::new), built_at })
    }

    /// The tables of everything added, before any relation is derived.
    pub(super) fn tables(self) -> Result<(Vec<Table>, BTreeMap<TypeId, TableId>), GraphError> {
        let Self { catalog, tables: builders, .. } = self;
        let mut tables = Vec::new();
        let mut by_type: BTreeMap<TypeId, TableId> = BTreeMap::new();
        for (of, builder) in builders {
            let order = builder.order();
            let table = builder.finish(order.as_deref(), &mut tables);
            by_type.insert(of, table.ok_or_else(|| too_large(&catalog, of, "the texts of a field"))?);
        }
        Ok((tables, by_type))
    }
}

fn too_large(catalog: &Catalog, of: TypeId, what: &'static str) -> GraphError {
    GraphError::TooLarge { typename: catalog.get(of).name.clone(), what, limit: u64::from(u32::MAX) }
}
