//! Orders over rows of several tables: stored and computed fields, fields at the other end of a to-one, how many are
//! related; and whether a row stands behind a position in such an order.

use std::cmp::Ordering;

use super::{
    super::{Operand, Position, SortBy, SortKey, SortedValue},
    bind::Bind,
    eval::{Bound, Evaluator},
    limits::RunError,
    node::Node,
    select::{FREE_ASKS, Pick, SCAN_SHARE},
    shape::{BoundNodes, Candidates, Shape},
};
use crate::{
    catalog::{FieldId, TypeId},
    graph::{Column, Data, Graph, IntForm, Nets, Table, TableId, TextPlace, write_int},
};

/// One key of an order, bound to the tables that rows come from.
#[derive(Debug)]
pub(super) struct BoundKey<'p> {
    /// For each table.
    by: Vec<KeyOf<'p>>,
    descending: bool,
}

/// What the rows of one table are compared by.
#[derive(Debug)]
pub(super) enum KeyOf<'p> {
    /// The type has no such field: null.
    Nothing,
    Column(FieldId),
    Computed(Box<Candidates<'p>>),
    Count(FieldId),
    /// For each link of a relation, the key of the table it leads to.
    Through(FieldId, Vec<KeyOf<'p>>),
}

/// A value that rows are compared by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'g> {
    Null,
    Stored(&'g Column, u32),
    Whole(i64),
    Truth(bool),
    /// The name of a type.
    Name(&'g str),
}

impl<'p> BoundKey<'p> {
    pub(super) fn bind(graph: Bind<'_, 'p>, tables: &[TableId], key: &'p SortKey) -> Self {
        Self {
            by: tables.iter().map(|id| KeyOf::bind(graph, *id, &key.by)).collect(),
            descending: key.descending,
        }
    }
}

impl<'p> KeyOf<'p> {
    pub(super) fn bind(graph: Bind<'_, 'p>, id: TableId, by: &'p SortBy) -> Self {
        let table = graph.table(id);
        let place = |places: &[(TypeId, FieldId)]| {
            places.iter().find(|(of, _)| *of == table.of).map(|(_, field)| *field)
        };
        match by {
            SortBy::Value(values) => match values.iter().find(|(of, _)| *of == table.of) {
                Some((_, SortedValue::Field(field))) => Self::Column(*field),
                Some((_, SortedValue::Computed(filter))) => {
                    let node = Node::bind(graph, table, filter);
                    Self::Computed(Box::new(Candidates::new(id, node, Shape { slots: Vec::new() })))
                }
                None => Self::Nothing,
            },
            SortBy::Count(places) => place(places).map_or(Self::Nothing, Self::Count),
            SortBy::Through { relation, by } => place(relation).map_or(Self::Nothing, |field| {
                let links = table.column(field).links();
                Self::Through(field, links.iter().map(|link| Self::bind(graph, link.table, by)).collect())
            }),
        }
    }
}

impl<'g> Evaluator<'g, '_> {
    /// What a key says of a row.
    pub(super) fn cell(&self, id: TableId, key: &KeyOf<'_>, row: u32) -> Cell<'g> {
        let graph: &'g Graph = self.world.graph;
        let table = graph.table(id);
        match key {
            KeyOf::Nothing => Cell::Null,
            KeyOf::Column(field) => Cell::of(table.column(*field), row),
            KeyOf::Computed(candidates) => Cell::Truth(match candidates.passing.get() {
                Some(passing) => passing.get(row as usize),
                None => self.is_true(id, &candidates.node, row),
            }),
            KeyOf::Count(field) => {
                let links = table.column(*field).links().iter();
                let count: usize = links.map(|link| link.adjacency.forward.of(row).len()).sum();
                Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX))
            }
            KeyOf::Through(field, keys) => {
                let links = table.column(*field).links().iter().zip(keys);
                let mut targets = links.filter_map(|(link, key)| {
                    link.adjacency.forward.of(row).first().map(|target| (link.table, key, *target))
                });
                targets.next().map_or(Cell::Null, |(id, key, target)| self.cell(id, key, target))
            }
        }
    }

    /// Evaluates what computed keys say of a whole table, once so many rows are to be compared that it pays.
    pub(super) fn prepare_order(&self, nodes: &BoundNodes<'_>, rows: usize) -> Result<(), RunError> {
        nodes.sort.iter().flat_map(|key| &key.by).try_for_each(|key| self.prepare_key(key, rows))
    }

    /// Counts the edges that keys of an order follow from these rows, once for each row: for `explain` alone.
    pub(super) fn count_order_edges(&self, nodes: &BoundNodes<'_>, picks: &[Pick]) {
        if !self.work.is_traced() {
            return;
        }
        for &(place, row) in picks {
            let Some(candidates) = nodes.candidates.get(place) else { continue };
            let keys = nodes.sort.iter().filter_map(|key| key.by.get(place));
            self.work.add_edges(keys.map(|key| self.edges_of_key(candidates.table, key, row)).sum());
        }
    }

    fn edges_of_key(&self, id: TableId, key: &KeyOf<'_>, row: u32) -> usize {
        let links = |field: &FieldId| self.world.graph.table(id).column(*field).links().iter();
        match key {
            KeyOf::Nothing | KeyOf::Column(_) | KeyOf::Computed(_) => 0,
            KeyOf::Count(field) => links(field).map(|link| link.adjacency.forward.of(row).len()).sum(),
            KeyOf::Through(field, keys) => {
                let mut targets = links(field).zip(keys).filter_map(|(link, key)| {
                    link.adjacency.forward.of(row).first().map(|target| (link.table, key, *target))
                });
                targets.next().map_or(0, |(id, key, target)| 1 + self.edges_of_key(id, key, target))
            }
        }
    }

    pub(super) fn prepare_key(&self, key: &KeyOf<'_>, rows: usize) -> Result<(), RunError> {
        match key {
            KeyOf::Nothing | KeyOf::Column(_) | KeyOf::Count(_) => Ok(()),
            KeyOf::Through(_, keys) => keys.iter().try_for_each(|key| self.prepare_key(key, rows)),
            KeyOf::Computed(candidates) => {
                let asked = candidates.asked.get().saturating_add(rows);
                candidates.asked.set(asked);
                let few = FREE_ASKS + self.world.graph.table(candidates.table).rows / SCAN_SHARE;
                if asked > few && candidates.passing.get().is_none() {
                    let passing = self.bits(candidates.table, &candidates.node, true, Bound::Known)?;
                    candidates.passing.get_or_init(|| passing);
                }
                Ok(())
            }
        }
    }
}

impl<'g> Cell<'g> {
    pub(super) fn of(column: &'g Column, row: u32) -> Self {
        if column.has_value(row) { Self::Stored(column, row) } else { Self::Null }
    }

    /// The value, as a cursor keeps it; nothing for null.
    pub(super) fn value(self) -> Option<Operand> {
        let (column, row) = match self {
            Self::Null => return None,
            Self::Whole(number) => return Some(Operand::Int(number)),
            Self::Truth(value) => return Some(Operand::Bool(value)),
            Self::Name(name) => return Some(Operand::Text(name.to_owned())),
            Self::Stored(column, row) => (column, row),
        };
        match &column.data {
            Data::Text(_) => Some(Operand::Text(column.text(row)?.into_owned())),
            Data::Net { text, nets } => nets.get(text.code(row)?).map(Operand::Net),
            Data::Int { values, .. } => values.get(row as usize).copied().map(Operand::Int),
            Data::Float(values) => values.get(row as usize).copied().map(Operand::Float),
            Data::Bool(values) => Some(Operand::Bool(values.get(row as usize))),
            Data::List { .. } | Data::Links { .. } | Data::Computed => None,
        }
    }

    /// Appends the value as JSON.
    pub(super) fn write_json(self, out: &mut Vec<u8>) {
        let is_written = match self {
            Self::Null => false,
            Self::Stored(column, row) => column.write_json(row, out),
            Self::Whole(number) => {
                write_int(number, IntForm::Int, out);
                true
            }
            Self::Truth(value) => {
                out.extend_from_slice(if value { b"true" } else { b"false" });
                true
            }
            Self::Name(name) => {
                out.extend_from_slice(format!("\"{name}\"").as_bytes());
                true
            }
        };
        if !is_written {
            out.extend_from_slice(b"null");
        }
    }

    /// Null is greatest; what can't be ordered is equal.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Whole(one), Self::Whole(other)) => one.cmp(&other),
            (Self::Truth(one), Self::Truth(other)) => one.cmp(&other),
            (Self::Name(one), Self::Name(other)) => one.cmp(other),
            (Self::Stored(one, one_row), Self::Stored(other, other_row)) => {
                compare_stored((one, one_row), (other, other_row))
            }
            // A field that one type stores and another computes.
            (one, other) => compare_values(one.value().as_ref(), other.value().as_ref()),
        }
    }
}

fn compare_stored((left, left_row): (&Column, u32), (right, right_row): (&Column, u32)) -> Ordering {
    let (left_place, right_place) = (left_row as usize, right_row as usize);
    match (&left.data, &right.data) {
        (Data::Text(one), Data::Text(other)) if std::ptr::eq(left, right) => {
            one.compare(one.code(left_row), other.code(right_row))
        }
        (Data::Text(_), Data::Text(_)) => left.text(left_row).cmp(&right.text(right_row)),
        (Data::Net { text: one, nets: one_nets }, Data::Net { text: other, nets: other_nets }) => {
            let net = |nets: &Nets, code: Option<u32>| nets.get(code?);
            net(one_nets, one.code(left_row)).cmp(&net(other_nets, other.code(right_row)))
        }
        (Data::Int { values: one, .. }, Data::Int { values: other, .. }) => {
            one.get(left_place).cmp(&other.get(right_place))
        }
        (Data::Float(one), Data::Float(other)) => {
            let (one, other) = (one.get(left_place), other.get(right_place));
            one.copied().unwrap_or(0.0).total_cmp(&other.copied().unwrap_or(0.0))
        }
        (Data::Bool(one), Data::Bool(other)) => one.get(left_place).cmp(&other.get(right_place)),
        (one, other) if std::mem::discriminant(one) == std::mem::discriminant(other) => Ordering::Equal,
        _ => compare_values(
            Cell::Stored(left, left_row).value().as_ref(),
            Cell::Stored(right, right_row).value().as_ref(),
        ),
    }
}

/// The order of values outside any table. Null is greatest; values of different kinds are equal.
fn compare_values(left: Option<&Operand>, right: Option<&Operand>) -> Ordering {
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Operand::Text(one)), Some(Operand::Text(other))) => one.cmp(other),
        (Some(Operand::Int(one)), Some(Operand::Int(other))) => one.cmp(other),
        (Some(Operand::Float(one)), Some(Operand::Float(other))) => one.total_cmp(other),
        (Some(Operand::Bool(one)), Some(Operand::Bool(other))) => one.cmp(other),
        (Some(Operand::Net(one)), Some(Operand::Net(other))) => one.cmp(other),
        _ => Ordering::Equal,
    }
}

/// How the rows of one table get the value they are compared by: columns are looked up once.
enum Access<'g, 'b> {
    Column(&'g Column),
    Other(TableId, &'b KeyOf<'b>),
}

/// An order over the rows of the tables of a list.
pub(super) struct Order<'g, 'b> {
    evaluator: &'b Evaluator<'g, 'b>,
    keys: Vec<(Vec<Access<'g, 'b>>, bool)>,
    tables: Vec<&'g Table>,
}

impl<'g, 'b> Order<'g, 'b> {
    pub(super) fn new(evaluator: &'b Evaluator<'g, 'b>, nodes: &'b BoundNodes<'b>) -> Self {
        let graph: &'g Graph = evaluator.world.graph;
        let tables: Vec<TableId> = nodes.candidates.iter().map(|candidates| candidates.table).collect();
        let access = |(id, key): (&TableId, &'b KeyOf<'b>)| match key {
            KeyOf::Column(field) => Access::Column(graph.table(*id).column(*field)),
            key => Access::Other(*id, key),
        };
        let keys =
            nodes.sort.iter().map(|key| (tables.iter().zip(&key.by).map(access).collect(), key.descending));
        let tables = tables.iter().map(|id| graph.table(*id));
        Self { keys: keys.collect(), tables: tables.collect(), evaluator }
    }

    /// A number for each row that ascends in the order of the first key, as far as numbers tell it: rows with one number
    /// are still to be [compared](Self::compare).
    pub(super) fn leading(&self, picks: &[Pick]) -> Vec<u64> {
        let column = match (self.keys.first(), self.tables.len()) {
            (Some((columns, descending)), 1) => match columns.first() {
                Some(Access::Column(column)) => Some((*column, *descending)),
                _ => None,
            },
            _ => None,
        };
        let number: &dyn Fn(&Column, u32) -> u64 = match column.map(|(column, _)| &column.data) {
            Some(Data::Text(text)) if text.has_ordered_codes() => {
                &|column, row| column.text_data().and_then(|text| text.code(row)).map_or(u64::MAX, u64::from)
            }
            Some(Data::Int { .. }) => &|column, row| match &column.data {
                Data::Int { values, .. } if column.has_value(row) => {
                    // The sign turned over, negative numbers come first.
                    values.get(row as usize).map_or(u64::MAX, |value| value.cast_unsigned() ^ 1 << 63)
                }
                _ => u64::MAX,
            },
            _ => return vec![0; picks.len()],
        };
        let Some((column, descending)) = column else { return vec![0; picks.len()] };
        let turned = |number: u64| if descending { !number } else { number };
        picks.iter().map(|&(_, row)| turned(number(column, row))).collect()
    }

    fn cell(&self, columns: &[Access<'g, 'b>], (place, row): Pick) -> Cell<'g> {
        match columns.get(place) {
            None => Cell::Null,
            Some(Access::Column(column)) => Cell::of(column, row),
            Some(Access::Other(id, key)) => self.evaluator.cell(*id, key, row),
        }
    }

    pub(super) fn compare(&self, left: Pick, right: Pick) -> Ordering {
        for (columns, descending) in &self.keys {
            let order = self.cell(columns, left).compare(self.cell(columns, right));
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        let table = |(place, _): Pick| self.tables.get(place);
        if left.0 == right.0 {
            return table(left).map_or(Ordering::Equal, |table| table.rank(left.1).cmp(&table.rank(right.1)));
        }
        let id = |pick: Pick| {
            let column = table(pick).and_then(|table| Some(table.column(table.id?)));
            column.map_or(Cell::Null, |column| Cell::of(column, pick.1))
        };
        id(left).compare(id(right)).then(left.0.cmp(&right.0))
    }

    /// The value of each key of a row, as a cursor keeps them.
    pub(super) fn values(&self, pick: Pick) -> impl Iterator<Item = Option<Operand>> {
        self.keys.iter().map(move |(columns, _)| self.cell(columns, pick).value())
    }
}

/// A position in an order, bound to the tables of a list.
pub(super) struct Behind<'o, 'g, 'b> {
    order: &'o Order<'g, 'b>,
    position: &'b Position,
    /// For each key and table, where the position's text stands among those of its column.
    texts: Vec<Vec<Option<TextPlace>>>,
    /// For each table, the least rank of a row behind the position where the keys are equal.
    pub(super) first_ranks: Vec<u64>,
}

impl<'o, 'g, 'b> Behind<'o, 'g, 'b> {
    pub(super) fn new(order: &'o Order<'g, 'b>, nodes: &BoundNodes<'_>, position: &'b Position) -> Self {
        let graph = order.evaluator.world.graph;
        let texts = order.keys.iter().zip(&position.values).map(|((columns, _), value)| {
            let place = |access: &Access<'_, '_>| match (access, value) {
                (Access::Column(Column { data: Data::Text(data), .. }), Some(Operand::Text(text))) => {
                    Some(data.place(text))
                }
                _ => None,
            };
            columns.iter().map(place).collect()
        });
        let of = |candidates: &Candidates<'_>| graph.table(candidates.table).of;
        let own_place = nodes.candidates.iter().position(|candidates| of(candidates) == position.of);
        let first_rank = |(place, table): (usize, &&Table)| {
            let (rank, is_there) = table.rank_of_id(&position.id);
            rank + u64::from(is_there && own_place.is_none_or(|own| place <= own))
        };
        Self {
            texts: texts.collect(),
            first_ranks: order.tables.iter().enumerate().map(first_rank).collect(),
            order,
            position,
        }
    }

    /// Whether a row stands behind the position.
    pub(super) fn holds(&self, pick: Pick) -> bool {
        for ((place, (columns, descending)), value) in
            self.order.keys.iter().enumerate().zip(&self.position.values)
        {
            let cell = self.order.cell(columns, pick);
            let text = self.texts.get(place).and_then(|places| places.get(pick.0)?.as_ref());
            let order = match (cell, text) {
                (Cell::Stored(Column { data: Data::Text(data), .. }, row), Some(text)) => {
                    data.compare_with(data.code(row), text)
                }
                (cell, _) => compare_values(cell.value().as_ref(), value.as_ref()),
            };
            match if *descending { order.reverse() } else { order } {
                Ordering::Equal => {}
                order => return order.is_gt(),
            }
        }
        let table = self.order.tables.get(pick.0);
        table.zip(self.first_ranks.get(pick.0)).is_some_and(|(table, &first)| table.rank(pick.1) >= first)
    }
}
