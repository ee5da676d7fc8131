//! The immutable graph in memory: one table of typed columns for each asset type, hidden tables for embedded objects,
//! and the edges of every relation in both directions. Built whole, or from the graph before by what changed; shared by
//! every query that begins while it is the newest, never changed.

mod added;
mod adjacency;
mod arrivals;
mod bitmap;
mod builder;
mod cache;
mod cells;
mod column;
mod column_builder;
mod compared;
mod completions;
mod dictionary;
mod error;
mod fences;
mod ids;
mod image;
mod join;
mod known;
mod lists;
mod marks;
mod moment;
mod needle;
mod packed;
mod patch;
mod patch_cells;
mod patch_edges;
mod pieces;
mod relate;
mod renew;
mod slice_rows;
mod slices;
mod stamps;
mod table;
mod table_builder;
mod text;
mod text_fields;
mod whole;
mod workspace;

use std::{borrow::Cow, sync::Arc};

pub use bitmap::Bitmap;
pub use builder::{GraphBuilder, GraphShard};
pub use cache::GraphCache;
pub use compared::values_compared;
pub use error::GraphError;
pub use image::{GraphImage, Image, ImageError, ImageSource};
pub use patch::{Changes, PatchWork, Patched};
pub use slices::Slices;
pub use stamps::Stamps;
pub use text_fields::TextFields;
pub(crate) use {
    bitmap::rows_of_word,
    column::{Column, Data, IntForm, Link, TableId, write_float, write_int},
    dictionary::NO_CODE,
    needle::Needle,
    slices::{Need, is_own_type},
    table::Table,
    text::{Codes, Nets, TextData, TextPlace},
};

use crate::{
    catalog::{Catalog, FieldKind, TypeId},
    model::{Time, parallel::WORTH_A_THREAD},
};

/// The inventory at one moment.
#[derive(Debug)]
pub struct Graph {
    catalog: Arc<Catalog>,
    tables: Vec<Arc<Table>>,
    by_type: Vec<Option<TableId>>,
    slices: Option<Slices>,
    built_at: Time,
}

impl Graph {
    /// The schema it is of.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The slices it was built from; nothing for a file without any, which is complete as it stands.
    #[must_use]
    pub fn slices(&self) -> Option<&Slices> {
        self.slices.as_ref()
    }

    /// When it was built.
    #[must_use]
    pub fn built_at(&self) -> Time {
        self.built_at
    }

    /// Whether there is so much in it that work over all of it is worth another thread.
    pub(crate) fn is_large(&self) -> bool {
        self.tables.iter().any(|table| table.rows > WORTH_A_THREAD)
    }

    /// How many assets of a type there are; of an interface, of all its types together.
    #[must_use]
    pub fn count(&self, of: TypeId) -> usize {
        self.catalog
            .concrete(of)
            .into_iter()
            .filter_map(|of| self.table_of(of))
            .map(|(_, table)| table.count())
            .sum()
    }

    /// The row of an asset.
    #[must_use]
    pub fn find(&self, of: TypeId, id: &str) -> Option<u32> {
        self.table_of(of)?.1.find(id)
    }

    /// The id of a row.
    #[must_use]
    pub fn id(&self, of: TypeId, row: u32) -> Cow<'_, str> {
        self.table_of(of).map(|(_, table)| table.id_of(row)).unwrap_or_default()
    }

    /// The text of a String, ID or enum field by name (`name`, `accountId`, `region`); nothing where it is null or
    /// unknown, or the type has no such field.
    #[must_use]
    pub fn text(&self, of: TypeId, row: u32, field: &str) -> Option<Cow<'_, str>> {
        let (_, table) = self.table_of(of)?;
        let (field, _) = self.catalog.get(of).find(field)?;
        table.column(field).text(row)
    }

    /// Appends an asset as one JSON object: `__typename`, `id`, then every stored field in the order of the schema;
    /// nulls are left out, what could not be seen is listed in `__unknown`.
    pub fn write_asset(&self, of: TypeId, row: u32, out: &mut Vec<u8>) {
        let Some((_, table)) = self.table_of(of) else {
            out.extend_from_slice(b"null");
            return;
        };
        out.extend_from_slice(b"{\"__typename\":\"");
        out.extend_from_slice(self.catalog.get(of).name.as_bytes());
        out.push(b'"');
        self.write_fields(table, row, true, out);
        out.push(b'}');
    }

    fn write_fields(&self, table: &Table, row: u32, mut has_fields: bool, out: &mut Vec<u8>) {
        let mut unknown: Vec<&str> = Vec::new();
        for (id, field) in self.catalog.get(table.of).iter() {
            let column = table.column(id);
            if column.is_unknown(row) {
                unknown.push(&field.name);
            }
            if matches!(field.kind, FieldKind::Relation { .. } | FieldKind::Computed { .. })
                || !column.has_value(row)
            {
                continue;
            }
            let start = out.len();
            if has_fields {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\":");
            let written = match &column.data {
                Data::Links { links, many } => {
                    self.write_embedded(links, *many, row, out);
                    true
                }
                _ => column.write_json(row, out),
            };
            if written {
                has_fields = true;
            } else {
                out.truncate(start);
            }
        }
        if !unknown.is_empty() {
            out.extend_from_slice(if has_fields { b",\"__unknown\":[" } else { b"\"__unknown\":[" });
            for (place, name) in unknown.into_iter().enumerate() {
                out.extend_from_slice(if place > 0 { b",\"" } else { b"\"" });
                out.extend_from_slice(name.as_bytes());
                out.push(b'"');
            }
            out.push(b']');
        }
    }

    fn write_embedded(&self, links: &[Link], many: bool, row: u32, out: &mut Vec<u8>) {
        let objects = links.iter().flat_map(|link| {
            link.adjacency.forward.of(row).iter().map(|&object| (self.table(link.table), object))
        });
        if many {
            out.push(b'[');
        }
        let start = out.len();
        for (table, object) in objects {
            if out.len() > start {
                out.push(b',');
            }
            out.push(b'{');
            self.write_fields(table, object, false, out);
            out.push(b'}');
        }
        if many {
            out.push(b']');
        } else if out.len() == start {
            out.extend_from_slice(b"null");
        }
    }

    /// The table of an asset type.
    pub(crate) fn table_of(&self, of: TypeId) -> Option<(TableId, &Table)> {
        let id = (*self.by_type.get(of.0 as usize)?)?;
        Some((id, self.table(id)))
    }

    /// The tables of a type: one of an asset type; of an embedded one, one for each field that holds it.
    pub(crate) fn tables_of(&self, of: TypeId) -> impl Iterator<Item = &Table> {
        self.tables.iter().map(|table| &**table).filter(move |table| table.of == of)
    }

    /// A table by its place.
    #[expect(clippy::indexing_slicing, reason = "a TableId is only ever made by the graph it indexes")]
    pub(crate) fn table(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }
}
