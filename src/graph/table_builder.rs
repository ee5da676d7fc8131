//! A table while rows come in, on each thread its own part.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{
    arrivals::{AllTexts, Texts},
    column::{Column, Data, TableId},
    column_builder::ColumnBuilder,
    dictionary::{DictionaryBuilder, Form},
    table::Table,
    text::TextData,
};
use crate::catalog::{Catalog, FieldId, Given, Row, TypeId, TypeKind};

/// A part of a table that is being filled.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    of: TypeId,
    columns: Vec<ColumnBuilder>,
    rows: u32,
    /// The column of the id; nothing in a table of embedded objects.
    id: Option<FieldId>,
    /// The id of each row.
    ids: Texts,
    /// The line of each row.
    lines: Vec<u32>,
    /// Where the finished table stands.
    place: TableId,
}

/// The ids of all parts of a table, put in order.
#[derive(Debug)]
pub(crate) struct Ids {
    texts: AllTexts,
    /// The rows of all parts in the order of their ids; nothing where they are in it.
    order: Option<Vec<u32>>,
}

/// An id that stands twice, with the lines of both.
pub(crate) struct RepeatedId {
    pub(crate) id: String,
    pub(crate) first_line: u64,
    pub(crate) line: u64,
}

impl TableBuilder {
    pub(crate) fn new(of: TypeId, catalog: &Catalog) -> Self {
        let definition = catalog.get(of);
        let id = definition.find("id").map(|(id, _)| id).filter(|_| definition.kind == TypeKind::Asset);
        Self {
            of,
            columns: definition.fields.iter().map(ColumnBuilder::new).collect(),
            rows: 0,
            id,
            ids: Texts::plain(),
            lines: Vec::new(),
            place: TableId(0),
        }
    }

    /// The type of its rows.
    pub(crate) fn of(&self) -> TypeId {
        self.of
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Appends an asset.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>, catalog: &Catalog) {
        self.ids.append(row.id);
        self.lines.push(u32::try_from(row.line).unwrap_or(u32::MAX));
        self.push_object(row.given(), row, catalog);
    }

    /// Appends an embedded object of a row.
    pub(crate) fn push_object(&mut self, given: &[Given<'_>], row: &Row<'_, '_>, catalog: &Catalog) {
        for Given { field, cell } in given {
            if let Some(column) = self.columns.get_mut(field.0 as usize) {
                column.push(self.rows, *cell, row, catalog);
            }
        }
        // One row more than there can be is seen at the end.
        self.rows = self.rows.saturating_add(1);
    }

    /// Makes sure that it has the tables of embedded objects that another part has.
    pub(crate) fn match_tables(&mut self, other: &Self, catalog: &Catalog) {
        for (column, other) in self.columns.iter_mut().zip(&other.columns) {
            column.match_tables(other, catalog);
        }
    }

    /// Gives it and the tables of its embedded objects their places.
    pub(crate) fn number_tables(&mut self, next: &mut usize) {
        for column in &mut self.columns {
            column.number_tables(next);
        }
        self.place = TableId(*next);
        *next += 1;
    }

    /// Gives all parts the same tables of embedded objects, and these their places.
    pub(crate) fn place(parts: &mut [Self], next: &mut usize, catalog: &Catalog) {
        let Some((first, others)) = parts.split_first_mut() else { return };
        for other in others {
            first.match_tables(other, catalog);
        }
        first.number_tables(next);
    }

    /// How many rows hold each pair of texts; the first field must be there.
    pub(crate) fn count_texts(
        &self,
        one: FieldId,
        other: Option<FieldId>,
    ) -> BTreeMap<(&str, Option<&str>), u64> {
        let column = |field: FieldId| self.columns.get(field.0 as usize);
        let (Some(one), other) = (column(one), other.and_then(column)) else { return BTreeMap::new() };
        let mut by_code: FxHashMap<(u32, Option<u32>), u64> = FxHashMap::default();
        for row in 0..self.rows {
            if let Some(code) = one.code(row) {
                *by_code.entry((code, other.and_then(|other| other.code(row)))).or_default() += 1;
            }
        }
        let mut counts = BTreeMap::new();
        for ((one_code, other_code), count) in by_code {
            let other = other.zip(other_code).map(|(other, code)| other.text(code));
            *counts.entry((one.text(one_code), other)).or_default() += count;
        }
        counts
    }

    /// Takes the ids out of the parts of a table. Nothing where they are too many.
    pub(crate) fn take_ids(parts: &mut [Self]) -> Option<Ids> {
        let texts = AllTexts::new(parts.iter_mut().map(|part| std::mem::take(&mut part.ids)).collect())?;
        let order = texts.sorted();
        Some(Ids { texts, order })
    }

    /// The finished table of all parts, its rows in `order`, appended to `tables`: its place, and how many rows it has.
    /// Nothing where a column is too large.
    pub(crate) fn finish(
        parts: Vec<Self>,
        order: Option<&[u32]>,
        ids: Option<&Ids>,
        catalog: &Catalog,
        tables: &mut Vec<(TableId, Table)>,
    ) -> Option<(TableId, usize)> {
        let first = parts.first()?;
        let (of, id, place) = (first.of, first.id, first.place);
        let rows: Vec<u32> = parts.iter().map(|part| part.rows).collect();
        let total: u64 = rows.iter().map(|&rows| u64::from(rows)).sum();
        if total >= u64::from(u32::MAX) {
            return None;
        }
        let mut by_field: Vec<Vec<ColumnBuilder>> = Vec::new();
        for part in parts {
            by_field.resize_with(part.columns.len(), Vec::new);
            for (columns, column) in by_field.iter_mut().zip(part.columns) {
                columns.push(column);
            }
        }
        let mut columns = Vec::with_capacity(by_field.len());
        for (field, parts) in (0u32..).map(FieldId).zip(by_field) {
            columns.push(match ids {
                Some(ids) if Some(field) == id => ids.column()?,
                _ => ColumnBuilder::finish(parts, &rows, order, catalog, tables)?,
            });
        }
        let rows = usize::try_from(total).ok()?;
        tables.push((place, Table::new(of, rows, columns, id)));
        Some((place, rows))
    }
}

impl Ids {
    /// The rows of all parts in the order of their ids; nothing where they are in it.
    pub(crate) fn order(&self) -> Option<&[u32]> {
        self.order.as_deref()
    }

    /// The asset that is the first to have an id that stands on an earlier line already.
    pub(crate) fn repeated(&self, parts: &[TableBuilder]) -> Option<RepeatedId> {
        let lines: Vec<u32> = parts.iter().flat_map(|part| part.lines.iter().copied()).collect();
        let line = |row: u32| lines.get(row as usize).copied().map_or(0, u64::from);
        let groups = self.texts.repeated(self.order()).into_iter().filter_map(|group| {
            let number = *group.first()?;
            let mut lines: Vec<u64> = group.into_iter().map(line).collect();
            lines.sort_unstable();
            Some((*lines.get(1)?, *lines.first()?, number))
        });
        let (line, first_line, number) = groups.min()?;
        Some(RepeatedId { id: self.texts.text(number).to_owned(), first_line, line })
    }

    fn column(&self) -> Option<Column> {
        let mut dictionary = DictionaryBuilder::new(Form::Escaped);
        self.texts.rank(self.order(), |text| dictionary.push(text));
        let dictionary = dictionary.finish()?;
        let codes = (0u32..).take(dictionary.len()).collect();
        Some(Column { nulls: None, unknown: None, data: Data::Text(TextData::new(codes, dictionary)) })
    }
}
