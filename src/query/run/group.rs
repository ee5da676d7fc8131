//! Groups: how many rows there are for each combination of values. Rows are numbered by group, one pass over a column
//! for each value, through dense tables where the values are few and hash tables where they are many.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::{
    super::{GroupKeyKind, GroupKind, GroupedBy, Groups, names},
    eval::Evaluator,
    figures::candidates,
    limits::RunError,
    order::{Cell, KeyOf},
    shape::Part,
    write::{Halt, Writer},
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Bitmap, Column, Data, Graph, NO_CODE, TableId, TextData, rows_of_word},
};

/// The most entries of a dense table from group and value to group.
const DENSE: usize = 1 << 20;

/// The most distinct texts that are counted in a table with a place for each.
const COUNTED: usize = 1 << 16;

/// How many rows a group has, and one of them.
#[derive(Clone, Copy, Default)]
struct Tally {
    count: u64,
    example: u32,
}

impl Tally {
    #[inline]
    fn add(&mut self, rows: u32, example: u32) {
        self.count += u64::from(rows);
        self.example = example;
    }
}

/// One group.
struct GroupOf<'g> {
    key: Vec<Cell<'g>>,
    count: u64,
}

/// What a value of a row is told apart by, within one table.
enum Values<'v> {
    /// The same for all rows.
    Same,
    /// Numbers below a bound; the last stands for null.
    Few(Box<dyn Fn(u32) -> usize + 'v>, usize),
    /// Any number; nothing for null.
    Many(Box<dyn Fn(u32) -> Option<u64> + 'v>),
}

impl<'v> Values<'v> {
    fn of_column(column: &'v Column) -> Self {
        match &column.data {
            Data::Text(text) | Data::Net { text, .. } => {
                let null = text.distinct();
                Self::Few(
                    Box::new(move |row| {
                        let code = text.codes.get(row as usize).copied().unwrap_or(NO_CODE);
                        (code as usize).min(null)
                    }),
                    null + 1,
                )
            }
            Data::Bool(values) => Self::Few(
                Box::new(
                    move |row| {
                        if column.has_value(row) { usize::from(values.get(row as usize)) } else { 2 }
                    },
                ),
                3,
            ),
            Data::Int { values, .. } => Self::Many(Box::new(move |row| {
                let value = values.get(row as usize).filter(|_| column.has_value(row));
                value.map(|value| value.cast_unsigned())
            })),
            Data::Float(values) => Self::Many(Box::new(move |row| {
                let value = values.get(row as usize).filter(|_| column.has_value(row));
                // The two zeros are one value.
                value.map(|value| if *value == 0.0 { 0 } else { value.to_bits() })
            })),
            Data::List { .. } | Data::Links { .. } | Data::Computed => Self::Same,
        }
    }

    fn of_key(evaluator: &'v Evaluator<'_, '_>, id: TableId, key: Option<&'v KeyOf<'v>>) -> Self {
        match key {
            None | Some(KeyOf::Nothing) => Self::Same,
            Some(KeyOf::Column(field)) => Self::of_column(evaluator.world.graph.table(id).column(*field)),
            Some(key) => Self::Few(
                Box::new(move |row| match evaluator.cell(id, key, row) {
                    Cell::Truth(value) => usize::from(value),
                    _ => 2,
                }),
                3,
            ),
        }
    }
}

/// Splits groups by one more value: `groups` holds the group of each row, and how many there are is returned.
fn split(rows: &[u32], groups: &mut [u32], count: u32, values: &Values<'_>) -> u32 {
    let mut next = 0;
    match values {
        Values::Same => return count,
        Values::Few(value, bound) if (count as usize).saturating_mul(*bound) <= DENSE => {
            let mut dense = vec![NO_CODE; count as usize * bound];
            for (group, row) in groups.iter_mut().zip(rows) {
                if let Some(slot) = dense.get_mut(*group as usize * bound + value(*row)) {
                    if *slot == NO_CODE {
                        *slot = next;
                        next += 1;
                    }
                    *group = *slot;
                }
            }
        }
        Values::Few(value, _) => {
            let mut known = FxHashMap::default();
            for (group, row) in groups.iter_mut().zip(rows) {
                *group = *known.entry((*group, value(*row))).or_insert_with(|| number(&mut next));
            }
        }
        Values::Many(value) => {
            let mut known = FxHashMap::default();
            for (group, row) in groups.iter_mut().zip(rows) {
                *group = *known.entry((*group, value(*row))).or_insert_with(|| number(&mut next));
            }
        }
    }
    next
}

fn number(next: &mut u32) -> u32 {
    *next += 1;
    *next - 1
}

impl<'g> Evaluator<'g, '_> {
    /// The groups in their order, no more than asked for.
    fn grouped(&self, groups: &Groups) -> Result<Vec<GroupOf<'g>>, RunError> {
        let graph: &'g Graph = self.world.graph;
        let types: Vec<TypeId> = graph.catalog().concrete(groups.of);
        let tables: Vec<TableId> =
            types.into_iter().filter_map(|of| graph.table_of(of)).map(|(id, _)| id).collect();
        let mut found = Vec::new();
        for candidates in candidates(self.bind(), &tables, &groups.filters) {
            let rows = self.passing_set(&candidates)?;
            let (id, before) = (candidates.table, found.len());
            let step = self.work.begin(|| group_words(graph, id, groups));
            self.group_table(id, &rows, &groups.by, &mut found)?;
            self.work.end(step, rows.count(), found.len() - before, 0);
        }
        // The same values in several tables are one group; so are networks that are written differently.
        found.sort_by(|one, other| compare_keys(one, other));
        found.dedup_by(|later, earlier| {
            let is_same = compare_keys(earlier, later).is_eq();
            if is_same {
                earlier.count += later.count;
            }
            is_same
        });
        // Stable: what the order leaves open stays in the order of the values.
        found.sort_by(|one, other| compare_groups(groups, one, other));
        found.truncate(groups.limit.map_or(usize::MAX, |limit| limit as usize));
        Ok(found)
    }

    fn group_table(
        &self,
        id: TableId,
        rows: &Bitmap,
        by: &[GroupedBy],
        found: &mut Vec<GroupOf<'g>>,
    ) -> Result<(), RunError> {
        let graph: &'g Graph = self.world.graph;
        if rows.is_empty() {
            return Ok(());
        }
        self.afford(rows.len())?;
        let keys: Vec<Option<KeyOf<'_>>> =
            by.iter().map(|grouped| grouped.by.as_ref().map(|by| KeyOf::bind(self.bind(), id, by))).collect();
        let groups = match keys.as_slice() {
            [Some(KeyOf::Column(field))] => self.count_texts(id, *field, rows),
            _ => None,
        };
        let groups = groups.map_or_else(|| self.number_groups(id, &keys, rows), Ok)?;
        let name = graph.catalog().get(graph.table(id).of).name.as_str();
        found.extend(groups.into_iter().map(|Tally { count, example }| {
            let cell = |key: &Option<KeyOf<'_>>| match key {
                None => Cell::Name(name),
                Some(key) => self.cell(id, key, example),
            };
            GroupOf { key: keys.iter().map(cell).collect(), count }
        }));
        Ok(())
    }

    /// The groups by one text of which there are few.
    fn count_texts(&self, id: TableId, field: FieldId, rows: &Bitmap) -> Option<Vec<Tally>> {
        let text = self.world.graph.table(id).column(field).text_data()?;
        if text.distinct() > COUNTED {
            return None;
        }
        self.work.add_rows(rows.count());
        let mut tallies = count_texts(text, rows);
        tallies.retain(|tally| tally.count > 0);
        Some(tallies)
    }

    /// The groups by any values.
    fn number_groups(
        &self,
        id: TableId,
        keys: &[Option<KeyOf<'_>>],
        rows: &Bitmap,
    ) -> Result<Vec<Tally>, RunError> {
        let rows: Vec<u32> = rows.iter().collect();
        let (mut of_row, mut count) = (vec![0u32; rows.len()], 1);
        for key in keys {
            self.limits.check_stop()?;
            if let Some(key) = key {
                self.prepare_key(key, rows.len())?;
                self.work.add_rows(rows.len());
            }
            count = split(&rows, &mut of_row, count, &Values::of_key(self, id, key.as_ref()));
        }
        let mut tallies = vec![Tally::default(); count as usize];
        for (group, row) in of_row.iter().zip(&rows) {
            if let Some(tally) = tallies.get_mut(*group as usize) {
                tally.add(1, *row);
            }
        }
        Ok(tallies)
    }
}

/// For each code, and at the end for null, how many rows hold it. Rows stand in the order of ids, which often begin
/// with what is grouped by: 64 rows that agree are counted at once.
fn count_texts(text: &TextData, rows: &Bitmap) -> Vec<Tally> {
    let null = text.distinct();
    let mut tallies = vec![Tally::default(); null + 1];
    let [codes, _] = text.codes.slices();
    for (first, word) in rows.words().filter(|(_, word)| *word != 0) {
        let agreed = codes.get(first as usize..first as usize + 64).and_then(|codes| {
            let one = *codes.first()?;
            let differences = codes.iter().fold(0, |differences, code| differences | (code ^ one));
            (differences == 0).then_some(one)
        });
        if let Some(code) = agreed {
            if let Some(tally) = tallies.get_mut((code as usize).min(null)) {
                tally.add(word.count_ones(), first + word.trailing_zeros());
            }
            continue;
        }
        rows_of_word(first, word).for_each(|row| {
            let code = text.code(row).map_or(null, |code| code as usize);
            if let Some(tally) = tallies.get_mut(code) {
                tally.add(1, row);
            }
        });
    }
    tallies
}

/// What the step that groups the rows of a table is called.
fn group_words(graph: &Graph, id: TableId, groups: &Groups) -> String {
    let by: Vec<&str> = groups.by.iter().map(|by| by.name.as_str()).collect();
    format!("{}: group by {}", graph.catalog().get(graph.table(id).of).name, by.join(", "))
}

fn compare_keys(one: &GroupOf<'_>, other: &GroupOf<'_>) -> Ordering {
    let pairs = one.key.iter().zip(&other.key);
    pairs.map(|(one, other)| one.compare(*other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// As asked; then the greatest first.
fn compare_groups(groups: &Groups, one: &GroupOf<'_>, other: &GroupOf<'_>) -> Ordering {
    for sort in &groups.sort {
        let order = match sort.by {
            None => one.count.cmp(&other.count),
            Some(place) => match (one.key.get(place), other.key.get(place)) {
                (Some(one), Some(other)) => one.compare(*other),
                _ => Ordering::Equal,
            },
        };
        if order.is_ne() {
            return if sort.descending { order.reverse() } else { order };
        }
    }
    other.count.cmp(&one.count)
}

impl Writer<'_, '_, '_> {
    /// Groups as a list of objects. Each counts as a row of the answer.
    pub(super) fn write_groups(&mut self, groups: &Groups) -> Result<(), Halt> {
        let found = self.evaluator.grouped(groups)?;
        self.expect_rows(found.len())?;
        let definition = self.evaluator.world.graph.catalog().get(groups.of);
        let (group_name, key_name) = (names::group(definition), names::group_key(definition));
        let parts = Part::all(groups.fields.iter().map(|field| {
            let key_parts = match &field.kind {
                GroupKind::Key(fields) => {
                    Part::all(fields.iter().map(|field| (field.key.as_str(), field.kind)))
                }
                GroupKind::Typename | GroupKind::Count => Vec::new(),
            };
            (field.key.as_str(), (&field.kind, key_parts))
        }));
        self.out.push(b'[');
        for (index, group) in found.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.begin_row()?;
            self.write_parts(&parts, |writer, part| {
                let (kind, key_parts) = &part.kind;
                match kind {
                    GroupKind::Typename => writer.write_text(&group_name),
                    GroupKind::Count => {
                        writer.out.extend_from_slice(itoa::Buffer::new().format(group.count).as_bytes());
                    }
                    GroupKind::Key(_) => writer.write_parts(key_parts, |writer, part| {
                        match part.kind {
                            GroupKeyKind::Typename => writer.write_text(&key_name),
                            GroupKeyKind::Value(place) => {
                                let cell = group.key.get(place).copied().unwrap_or(Cell::Null);
                                cell.write_json(&mut writer.out);
                            }
                        }
                        Ok(())
                    })?,
                }
                Ok(())
            })?;
        }
        self.out.push(b']');
        Ok(())
    }
}
