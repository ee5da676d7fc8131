//! A table while assets come in.

use serde_json::{Map, Value};

use super::{
    column::TableId,
    column_builder::{ColumnBuilder, Refusal},
    table::Table,
};
use crate::{
    catalog::{Catalog, FieldId, TypeId},
    model::Asset,
};

/// A table that is being filled.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    of: TypeId,
    columns: Vec<ColumnBuilder>,
    rows: u32,
    id: Option<FieldId>,
}

impl TableBuilder {
    pub(crate) fn new(of: TypeId, catalog: &Catalog) -> Self {
        let definition = catalog.get(of);
        Self {
            of,
            columns: definition.fields.iter().map(ColumnBuilder::new).collect(),
            rows: 0,
            id: definition.find("id").map(|(id, _)| id),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Whether an asset of this id is there.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.id.and_then(|field| self.columns.get(field.0 as usize)).is_some_and(|column| column.contains(id))
    }

    /// Appends an asset. After a refusal the table is of no use any more.
    pub(crate) fn push_asset(&mut self, asset: &Asset, catalog: &Catalog) -> Result<(), Refusal> {
        for ((field_id, field), column) in catalog.get(self.of).iter().zip(&mut self.columns) {
            if Some(field_id) == self.id {
                column.push_text(&asset.id);
            } else if asset.unknown.contains(&field.name) {
                column.push_unknown();
            } else {
                column
                    .push(asset.fields.get(&field.name), catalog)
                    .map_err(|refusal| at(&field.name, refusal))?;
            }
        }
        self.count()
    }

    /// Appends an embedded object. After a refusal the table is of no use any more.
    pub(crate) fn push_object(
        &mut self,
        object: &Map<String, Value>,
        catalog: &Catalog,
    ) -> Result<(), Refusal> {
        for (field, column) in catalog.get(self.of).fields.iter().zip(&mut self.columns) {
            column
                .push(object.get(&field.name), catalog)
                .map_err(|(path, problem)| (format!(".{}{path}", field.name), problem))?;
        }
        self.count()
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.rows = self
            .rows
            .checked_add(1)
            .filter(|&rows| rows < u32::MAX)
            .ok_or((String::new(), "makes more rows than a table can hold"))?;
        Ok(())
    }

    /// The order that sorts the rows by id; nothing where they came sorted.
    pub(crate) fn order(&self) -> Option<Vec<u32>> {
        self.id.and_then(|id| self.columns.get(id.0 as usize)).and_then(ColumnBuilder::order)
    }

    /// Appends the finished table to `tables`, its rows in `order`. Nothing where a column is too large.
    pub(crate) fn finish(self, order: Option<&[u32]>, tables: &mut Vec<Table>) -> Option<TableId> {
        let Self { of, columns, rows, id } = self;
        let columns =
            columns.into_iter().map(|column| column.finish(order, tables)).collect::<Option<Vec<_>>>()?;
        tables.push(Table::new(of, rows as usize, columns, id));
        Some(TableId(tables.len() - 1))
    }
}

fn at(field: &str, (path, problem): Refusal) -> Refusal {
    (format!("{field}{path}"), problem)
}
