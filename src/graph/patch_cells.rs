//! The cells of a patch: the new assets come as tables of their own, built as any are, and their cells are put into
//! the tables that are there. Columns in which nothing differs are shared with the graph before.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    adjacency::Adjacency,
    bitmap::Bitmap,
    column::{Column, Data, Link, TableId},
    dictionary::{Form, NO_CODE},
    patch::PatchWork,
    table::Table,
    table_builder::TableBuilder,
    text::TextData,
};
use crate::catalog::{Catalog, FieldId, FieldKind, ScalarType, TypeId};

/// What can't be patched: a column or table has become too large for its numbers.
#[derive(Debug)]
pub(super) struct TooLarge {
    pub(super) of: TypeId,
}

/// The rows of one table that a patch concerns.
#[derive(Debug, Default)]
pub(super) struct RowChanges {
    /// Each row, and the row of the new table that it becomes. Rows to be appended come last, in their order.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Rows that hold nothing any more.
    pub(super) gone: Vec<u32>,
    /// Rows that held nothing, and do again.
    pub(super) back: Vec<u32>,
}

/// For each field, the rows (of those there were) whose cell differs.
pub(super) type ChangedCells = BTreeMap<FieldId, Vec<u32>>;

/// Tables that take in the cells of others.
#[derive(Debug)]
pub(super) struct CellPatch<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) tables: Vec<Arc<Table>>,
    /// The tables of the new assets.
    pub(super) new: &'a [Table],
    pub(super) work: PatchWork,
}

impl CellPatch<'_> {
    /// Takes the rows in. `new` is the table they come from; without it rows only go.
    pub(super) fn patch_table(
        &mut self,
        id: TableId,
        new: Option<TableId>,
        changes: &RowChanges,
    ) -> Result<ChangedCells, TooLarge> {
        let mut changed = ChangedCells::new();
        let Some(table) = self.tables.get(id.0).map(Arc::clone) else { return Ok(changed) };
        let new = new.and_then(|new| self.new.get(new.0));
        let RowChanges { pairs, gone, back } = changes;
        let rows = pairs.last().map_or(0, |(row, _)| *row as usize + 1).max(table.rows);
        let mut columns = table.columns.clone();
        let mut is_touched = !gone.is_empty() || !back.is_empty();
        for ((field, definition), slot) in self.catalog.get(table.of).iter().zip(&mut columns) {
            let old = Arc::clone(slot);
            let fresh = new.map(|new| new.column(field));
            let target = Target { column: &old, old_rows: table.rows, rows, form: form_of(&definition.kind) };
            let patched = match definition.kind {
                FieldKind::Embedded { of, .. } => self.patch_embedded(&target, fresh, changes, of)?,
                _ => match fresh {
                    Some(fresh) => {
                        self.patch_column(&target, fresh, pairs).ok_or(TooLarge { of: table.of })?
                    }
                    None => None,
                },
            };
            if let Some((column, cells)) = patched {
                self.work.columns += 1;
                *slot = Arc::new(column);
                is_touched = true;
                changed.insert(field, cells);
            }
        }
        if is_touched {
            self.work.tables += 1;
            if let Some(slot) = self.tables.get_mut(id.0) {
                *slot = Arc::new(table.patched(rows, columns, gone, back));
            }
        }
        Ok(changed)
    }

    /// A column with some cells of another; nothing where none differs. With it, the rows of those that do.
    fn patch_column(
        &mut self,
        target: &Target<'_>,
        fresh: &Column,
        pairs: &[(u32, u32)],
    ) -> Option<Option<(Column, Vec<u32>)>> {
        let old = target.column;
        let differs =
            |(row, new): &&(u32, u32)| target.is_appended(*row) || !is_same_cell(old, *row, fresh, *new);
        let differing: Vec<(u32, u32)> = pairs.iter().filter(differs).copied().collect();
        if differing.is_empty() {
            return Some(None);
        }
        let copied = &mut self.work.cells;
        let data = match (&old.data, &fresh.data) {
            (Data::Text(text), Data::Text(new)) => {
                let (set, texts) = target.codes(text, new, &differing)?;
                Data::Text(text.patched(&set, &texts, target.form, copied)?)
            }
            (Data::Net { text, nets }, Data::Net { text: new, .. }) => {
                let (set, texts) = target.codes(text, new, &differing)?;
                let nets = nets.with(&texts);
                Data::Net { text: text.patched(&set, &texts, target.form, copied)?, nets }
            }
            (Data::Int { values, form }, Data::Int { values: new, .. }) => {
                let set = differing.iter().map(|(row, from)| (*row, value_of(new.get(*from as usize))));
                Data::Int { values: values.patched(set, copied), form: *form }
            }
            (Data::Float(values), Data::Float(new)) => {
                let set = differing.iter().map(|(row, from)| (*row, value_of(new.get(*from as usize))));
                Data::Float(values.patched(set, copied))
            }
            (Data::Bool(values), Data::Bool(new)) => {
                let mut values = values.clone().resized(target.rows);
                for (row, from) in &differing {
                    put(&mut values, *row, new.get(*from as usize));
                }
                Data::Bool(values)
            }
            (Data::List { lists, items }, Data::List { items: new, .. }) => {
                let mut item = lists.items();
                let mut item_pairs = Vec::new();
                let mut lengths = Vec::with_capacity(differing.len());
                for (row, from) in &differing {
                    let range = fresh.items(*from).map_or(0..0, |(range, _)| range);
                    lengths.push((*row, range.len()));
                    for from in range {
                        item_pairs.push((item, from));
                        item = item.checked_add(1)?;
                    }
                }
                let of_items = Target {
                    column: items,
                    old_rows: lists.items() as usize,
                    rows: item as usize,
                    form: target.form,
                };
                let lists = lists.with(lengths);
                let items = match self.patch_column(&of_items, new, &item_pairs)? {
                    Some((items, _)) => Box::new(items),
                    None => items.clone(),
                };
                Data::List { lists, items }
            }
            (other, _) => other.clone(),
        };
        Some(Some((target.finish(fresh, &differing, data), target.known(&differing))))
    }

    /// The objects of one field: those of an owner whose objects differ go, and the new ones are appended.
    fn patch_embedded(
        &mut self,
        target: &Target<'_>,
        fresh: Option<&Column>,
        changes: &RowChanges,
        of: TypeId,
    ) -> Result<Option<(Column, Vec<u32>)>, TooLarge> {
        let (old_link, new_link) =
            (target.column.links().first(), fresh.and_then(|fresh| fresh.links().first()));
        let old_of = |row: u32| old_link.map_or(&[][..], |link| link.adjacency.forward.of(row));
        let mut owners: Vec<(u32, &[u32])> =
            changes.gone.iter().filter(|row| !old_of(**row).is_empty()).map(|row| (*row, &[][..])).collect();
        let mut differing = Vec::new();
        if let Some(fresh) = fresh {
            for &(row, from) in &changes.pairs {
                let new = new_link.map_or(&[][..], |link| link.adjacency.forward.of(from));
                let has_same = is_same_cell(target.column, row, fresh, from)
                    && self.is_same_objects((old_link, old_of(row)), (new_link, new));
                if target.is_appended(row) || !has_same {
                    differing.push((row, from));
                    owners.push((row, new));
                }
            }
        }
        if owners.is_empty() && differing.is_empty() {
            return Ok(None);
        }
        let mut links = target.column.links().to_vec();
        if old_link.is_some() || owners.iter().any(|(_, new)| !new.is_empty()) {
            let table = match old_link {
                Some(link) => link.table,
                None => self.new_table(of)?,
            };
            let mut child = RowChanges::default();
            let mut next = self.tables.get(table.0).map_or(0, |table| table.rows);
            let mut lists = Vec::with_capacity(owners.len());
            for (row, new) in owners {
                child.gone.extend_from_slice(old_of(row));
                let mut list = Vec::with_capacity(new.len());
                for from in new {
                    let object = u32::try_from(next).map_err(|_| TooLarge { of })?;
                    next += 1;
                    child.pairs.push((object, *from));
                    list.push(object);
                }
                lists.push((row, list));
            }
            self.patch_table(table, new_link.map(|link| link.table), &child)?;
            let known = old_link.map_or_else(Adjacency::default, |link| link.adjacency.clone());
            let adjacency = known.with(lists, &mut self.work.edges);
            links = vec![Link { of, table, adjacency }];
        }
        let many = matches!(target.column.data, Data::Links { many: true, .. });
        let data = Data::Links { links, many };
        let column = match fresh {
            Some(fresh) => target.finish(fresh, &differing, data),
            None => Column { data, ..target.column.clone() },
        };
        Ok(Some((column, target.known(&differing))))
    }

    fn is_same_objects(
        &self,
        (old_link, old): (Option<&Link>, &[u32]),
        (new_link, new): (Option<&Link>, &[u32]),
    ) -> bool {
        if old.len() != new.len() {
            return false;
        }
        let tables = old_link
            .zip(new_link)
            .and_then(|(old, new)| Some((self.tables.get(old.table.0)?, self.new.get(new.table.0)?)));
        let Some((old_table, new_table)) = tables else { return old.is_empty() };
        old.iter().zip(new).all(|(&old_row, &new_row)| {
            old_table.columns.iter().zip(&new_table.columns).all(|(old, new)| {
                let objects = |column: &Column, row: u32| -> Vec<u32> {
                    let link = column.links().first();
                    link.map_or_else(Vec::new, |link| link.adjacency.forward.of(row).to_vec())
                };
                is_same_cell(old, old_row, new, new_row)
                    && self.is_same_objects(
                        (old.links().first(), &objects(old, old_row)),
                        (new.links().first(), &objects(new, new_row)),
                    )
            })
        })
    }

    /// An empty table of embedded objects.
    fn new_table(&mut self, of: TypeId) -> Result<TableId, TooLarge> {
        let empty = TableBuilder::new(of, self.catalog);
        let mut made = Vec::new();
        TableBuilder::finish(vec![empty], None, None, self.catalog, &mut made).ok_or(TooLarge { of })?;
        self.tables.extend(made.into_iter().map(|(_, table)| Arc::new(table)));
        Ok(TableId(self.tables.len() - 1))
    }
}

/// A column that takes cells in.
#[derive(Debug)]
struct Target<'a> {
    column: &'a Column,
    old_rows: usize,
    /// How many rows it has afterwards.
    rows: usize,
    form: Form,
}

impl Target<'_> {
    fn is_appended(&self, row: u32) -> bool {
        row as usize >= self.old_rows
    }

    fn known(&self, differing: &[(u32, u32)]) -> Vec<u32> {
        differing.iter().map(|(row, _)| *row).filter(|row| !self.is_appended(*row)).collect()
    }

    /// Codes for the texts of cells: the row, the code it had and the one it gets; and the texts that are new.
    #[expect(clippy::type_complexity, reason = "codes, and the texts of new ones")]
    fn codes(
        &self,
        text: &TextData,
        fresh: &TextData,
        differing: &[(u32, u32)],
    ) -> Option<(Vec<(u32, u32, u32)>, Vec<String>)> {
        let mut known: FxHashMap<u32, u32> = FxHashMap::default();
        let mut texts = Vec::new();
        let mut set = Vec::with_capacity(differing.len());
        for &(row, from) in differing {
            let code = match fresh.code(from) {
                None => NO_CODE,
                Some(new) => match known.get(&new) {
                    Some(&code) => code,
                    None => {
                        let words = fresh.text(new);
                        let code = match self.column.find_text(&words) {
                            Some(code) => code,
                            None => {
                                texts.push(words.into_owned());
                                u32::try_from(text.distinct() + texts.len() - 1).ok()?
                            }
                        };
                        if code == NO_CODE {
                            return None;
                        }
                        known.insert(new, code);
                        code
                    }
                },
            };
            set.push((row, text.code(row).unwrap_or(NO_CODE), code));
        }
        Some((set, texts))
    }

    fn finish(&self, fresh: &Column, differing: &[(u32, u32)], data: Data) -> Column {
        let set = |known: Option<&Bitmap>, is_in: &dyn Fn(u32) -> bool| {
            if known.is_none() && !differing.iter().any(|(_, from)| is_in(*from)) {
                return None;
            }
            let known = known.cloned().unwrap_or_else(|| Bitmap::zeros(self.rows));
            let mut rows = known.resized(self.rows);
            for (row, from) in differing {
                put(&mut rows, *row, is_in(*from));
            }
            Some(rows)
        };
        Column {
            nulls: set(self.column.nulls.as_ref(), &|row| fresh.is_null(row)),
            unknown: set(self.column.unknown.as_ref(), &|row| fresh.is_unknown(row)),
            data,
        }
    }
}

fn put(rows: &mut Bitmap, row: u32, is_in: bool) {
    if is_in {
        rows.set(row as usize);
    } else {
        rows.clear(row as usize);
    }
}

fn value_of<T: Copy + Default>(value: Option<&T>) -> T {
    value.copied().unwrap_or_default()
}

fn form_of(kind: &FieldKind) -> Form {
    match kind {
        FieldKind::Scalar { scalar: ScalarType::Json, .. } => Form::Verbatim,
        _ => Form::Escaped,
    }
}

/// Whether two cells are the same; of embedded objects and relations only whether they are null or unknown.
fn is_same_cell(old: &Column, row: u32, new: &Column, from: u32) -> bool {
    if old.is_null(row) != new.is_null(from) || old.is_unknown(row) != new.is_unknown(from) {
        return false;
    }
    let (place, from_place) = (row as usize, from as usize);
    match (&old.data, &new.data) {
        (
            Data::Text(one) | Data::Net { text: one, .. },
            Data::Text(other) | Data::Net { text: other, .. },
        ) => match (one.code(row), other.code(from)) {
            (Some(code), Some(other_code)) => one.text(code) == other.text(other_code),
            (code, other_code) => code.is_none() && other_code.is_none(),
        },
        (Data::Int { values, .. }, Data::Int { values: new, .. }) => values.get(place) == new.get(from_place),
        (Data::Float(values), Data::Float(new)) => {
            values.get(place).map(|value| value.to_bits()) == new.get(from_place).map(|value| value.to_bits())
        }
        (Data::Bool(values), Data::Bool(new)) => values.get(place) == new.get(from_place),
        (Data::List { .. }, Data::List { .. }) => match (old.items(row), new.items(from)) {
            (Some((range, items)), Some((new_range, new_items))) => {
                range.len() == new_range.len()
                    && range
                        .zip(new_range)
                        .all(|(item, new_item)| is_same_cell(items, item, new_items, new_item))
            }
            _ => false,
        },
        _ => true,
    }
}
