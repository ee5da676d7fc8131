//! A table while rows come in, on each thread its own part.

use std::{cell::RefCell, collections::BTreeMap};

use rustc_hash::FxHashMap;

use super::{
    column::{Column, TableId},
    column_builder::ColumnBuilder,
    ids::{Composition, IdTexts, Ids},
    pieces::Pieces,
    table::Table,
    workspace::Workspace,
};
use crate::{
    catalog::{Catalog, Cell, FieldId, Given, Row, TypeId, TypeKind},
    model::parallel::{WORTH_A_THREAD, in_parallel_with},
};

/// A part of a table that is being filled.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    of: TypeId,
    pub(super) columns: Vec<ColumnBuilder>,
    rows: u32,
    /// The column of the id; nothing in a table of embedded objects.
    id: Option<FieldId>,
    /// The id of each row.
    pub(super) ids: IdTexts,
    /// The line of each row.
    pub(super) lines: Pieces<u32>,
    /// The columns that hold what another one holds in every row so far (`vpcId` and `nativeId`): nothing is put into
    /// them.
    same: Vec<Same>,
    /// Where the finished table stands.
    place: TableId,
}

/// A column that is the same as another one.
#[derive(Clone, Copy, Debug)]
struct Same {
    column: Place,
    other: Place,
}

/// A field, and where in a row it stood last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) field: FieldId,
    at: usize,
}

impl Place {
    pub(crate) fn new(field: FieldId) -> Self {
        Self { field, at: 0 }
    }

    /// The cell of the field; null where it is not given.
    #[inline]
    pub(crate) fn cell<'a>(&mut self, given: &[Given<'a>]) -> Cell<'a> {
        if given.get(self.at).is_none_or(|given| given.field != self.field) {
            match given.iter().position(|given| given.field == self.field) {
                Some(at) => self.at = at,
                None => return Cell::Null,
            }
        }
        given.get(self.at).map_or(Cell::Null, |given| given.cell)
    }
}

impl Same {
    fn holds(&mut self, given: &[Given<'_>]) -> bool {
        match (self.column.cell(given), self.other.cell(given)) {
            (Cell::Text(one), Cell::Text(other)) => one == other,
            (Cell::Null, Cell::Null) => true,
            _ => false,
        }
    }

    fn fields(&self) -> (FieldId, FieldId) {
        (self.column.field, self.other.field)
    }
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
            ids: IdTexts::default(),
            lines: Pieces::default(),
            same: Vec::new(),
            place: TableId(0),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Appends an asset.
    pub(crate) fn push(&mut self, row: &Row<'_, '_>, catalog: &Catalog) {
        if self.rows == 0 {
            self.compare_fields(row);
        }
        for at in (0..self.same.len()).rev() {
            if self.same.get_mut(at).is_some_and(|same| !same.holds(row.given())) {
                let same = self.same.remove(at);
                self.part_with(same);
            }
        }
        self.ids.push(row, &self.columns);
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

    /// Takes from the first row which columns may be the same, and which fields the ids may be put together from.
    fn compare_fields(&mut self, row: &Row<'_, '_>) {
        let mut different: Vec<(FieldId, &str)> = Vec::new();
        for Given { field, cell } in row.given() {
            let Cell::Text(text) = *cell else { continue };
            if !self.columns.get(field.0 as usize).is_some_and(ColumnBuilder::is_plain_text) {
                continue;
            }
            match different.iter().find(|(_, other)| *other == text) {
                Some(&(other, _)) => {
                    self.same.push(Same { column: Place::new(*field), other: Place::new(other) });
                    if let Some(column) = self.columns.get_mut(field.0 as usize) {
                        column.make_copy();
                    }
                }
                None => different.push((*field, text)),
            }
        }
        if let Some(composition) = Composition::of(row.id, &different) {
            self.ids = IdTexts::composed(composition);
        }
    }

    /// Gives a column what it held as another one.
    fn part_with(&mut self, same: Same) {
        let (column, other) = same.fields();
        let Some(copy) = self.columns.get(other.0 as usize).and_then(ColumnBuilder::copied) else { return };
        if let Some(column) = self.columns.get_mut(column.0 as usize) {
            *column = copy;
        }
    }

    /// Gives all parts the same tables of embedded objects, and these their places.
    pub(crate) fn align(parts: &mut [Self], next: &mut usize, catalog: &Catalog) {
        if let Some((first, others)) = parts.split_first_mut() {
            for other in others {
                first.match_tables(other, catalog);
            }
            first.number_tables(next);
        }
    }

    /// Parts columns that are the same in some parts only.
    pub(crate) fn align_same(parts: &mut [Self]) {
        let all: Vec<Vec<(FieldId, FieldId)>> =
            parts.iter().map(|part| part.same.iter().map(Same::fields).collect()).collect();
        for part in parts {
            let is_common = |same: &Same| all.iter().all(|fields| fields.contains(&same.fields()));
            let (common, parted): (Vec<Same>, Vec<Same>) = part.same.iter().copied().partition(is_common);
            part.same = common;
            for same in parted {
                part.part_with(same);
            }
        }
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

    /// Hands on each pair of texts that rows hold, and how many do, as often as it comes; the first field must be there.
    pub(crate) fn count_texts<'t>(
        &'t self,
        one: FieldId,
        other: Option<FieldId>,
        mut take: impl FnMut(&'t str, Option<&'t str>, u64),
    ) {
        let column = |field: FieldId| {
            let same = self.same.iter().find(|same| same.column.field == field);
            self.columns.get(same.map_or(field, |same| same.other.field).0 as usize)
        };
        let (Some(one), other) = (column(one), other.and_then(column)) else { return };
        let mut by_code: FxHashMap<(u32, Option<u32>), u64> = FxHashMap::default();
        // What comes one after the other is mostly of one place.
        let codes = |row| Some((one.code(row)?, other.and_then(|other| other.code(row))));
        let mut run: Option<((u32, Option<u32>), u64)> = None;
        for codes in (0..self.rows).filter_map(codes) {
            match &mut run {
                Some((before, count)) if *before == codes => *count += 1,
                _ => {
                    if let Some((before, count)) = run.replace((codes, 1)) {
                        *by_code.entry(before).or_default() += count;
                    }
                }
            }
        }
        if let Some((codes, count)) = run {
            *by_code.entry(codes).or_default() += count;
        }
        for ((one_code, other_code), count) in by_code {
            let other = other.zip(other_code).map(|(other, code)| other.text(code));
            take(one.text(one_code), other, count);
        }
    }

    /// The finished table of all parts, its rows in the order of `ids` (of embedded objects, in `order`), appended to
    /// `tables`: its place, and how many rows it has. Nothing where a column is too large.
    pub(crate) fn finish(
        parts: Vec<Self>,
        order: Option<&[u32]>,
        ids: Option<Ids>,
        catalog: &Catalog,
        tables: &mut Vec<(TableId, Table)>,
    ) -> Option<(TableId, usize)> {
        let first = parts.first()?;
        let (of, id, place) = (first.of, first.id, first.place);
        let same: BTreeMap<FieldId, FieldId> = first.same.iter().map(Same::fields).collect();
        let rows: Vec<u32> = parts.iter().map(|part| part.rows).collect();
        let total = rows.iter().map(|&rows| u64::from(rows)).sum::<u64>();
        let total = usize::try_from(total).ok().filter(|&total| total < u32::MAX as usize)?;
        let id_order = ids.as_ref().and_then(Ids::order).map(<[u32]>::to_vec);
        let order = if ids.is_some() { id_order.as_deref() } else { order };
        let mut finished: BTreeMap<FieldId, Column> = BTreeMap::new();
        if let Some((ids, id)) = ids.zip(id) {
            let (column, fields) = ids.columns(&parts)?;
            finished.insert(id, column);
            finished.extend(fields);
        }
        let mut by_field: BTreeMap<FieldId, Vec<ColumnBuilder>> = BTreeMap::new();
        for part in parts {
            for (field, column) in (0u32..).map(FieldId).zip(part.columns) {
                if !finished.contains_key(&field) && !same.contains_key(&field) {
                    by_field.entry(field).or_default().push(column);
                }
            }
        }
        let mut by_field: Vec<(FieldId, Vec<ColumnBuilder>)> = by_field.into_iter().collect();
        // Embedded objects are tables of their own: whoever begins with them is not waited for at the end.
        by_field.sort_by_key(|(_, parts)| parts.iter().all(|part| !part.is_embedded()));
        let workspace = || RefCell::new(Workspace::default());
        let columns =
            in_parallel_with(by_field, total > WORTH_A_THREAD, workspace, |work, (field, parts)| {
                let mut tables = Vec::new();
                let work = &mut work.borrow_mut();
                let column = ColumnBuilder::finish(parts, &rows, order, catalog, &mut tables, work)?;
                Some((field, column, tables))
            });
        for column in columns {
            let (field, column, embedded) = column?;
            finished.insert(field, column);
            tables.extend(embedded);
        }
        for (field, other) in same {
            let column = finished.get(&other)?.clone();
            finished.insert(field, column);
        }
        tables.push((place, Table::new(of, total, finished.into_values().collect(), id)));
        Some((place, total))
    }
}
