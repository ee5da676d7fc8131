//! A column while rows come in, on each thread its own part: values in the order of arrival, texts numbered as they
//! come. Finishing puts the parts together, sorts the texts into a dictionary and the rows into their final order.

use std::borrow::Cow;

use ipnet::IpNet;

use super::{
    adjacency::{Adjacency, Neighbours},
    arrivals::{AllTexts, Texts},
    bitmap::Bitmap,
    column::{Column, Data, IntForm, Link, TableId},
    dictionary::{Dictionary, Form, NO_CODE},
    lists::Lists,
    table::Table,
    table_builder::TableBuilder,
    text::{Nets, TextData},
};
use crate::catalog::{Catalog, Cell, Field, FieldId, FieldKind, Given, Row, ScalarType, TypeId, scalar};

/// A part of a column that is being filled. Rows that are passed over are null.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    cells: Cells,
    /// The rows that have a value.
    given: Rows,
    unknown: Vec<u32>,
}

#[derive(Debug)]
enum Cells {
    Text { scalar: ScalarType, codes: Vec<u32>, texts: Texts },
    Int { scalar: ScalarType, values: Vec<i64> },
    Float(Vec<f64>),
    Bool(Vec<bool>),
    List { ends: Vec<u32>, items: Box<ColumnBuilder> },
    Embedded { of: TypeId, many: bool, ends: Vec<u32>, child: Option<Box<TableBuilder>> },
    Relation { many: bool },
    Computed,
}

/// A set of rows that grows.
#[derive(Debug, Default)]
struct Rows(Vec<u64>);

impl ColumnBuilder {
    pub(crate) fn new(field: &Field) -> Self {
        let cells = match &field.kind {
            FieldKind::Scalar { scalar, list: None, .. } => Cells::scalar(*scalar),
            FieldKind::Scalar { scalar, list: Some(_), .. } => {
                Cells::List { ends: Vec::new(), items: Box::new(Self::of(Cells::scalar(*scalar))) }
            }
            FieldKind::Embedded { of, list } => {
                Cells::Embedded { of: *of, many: list.is_some(), ends: Vec::new(), child: None }
            }
            FieldKind::Relation { many, .. } => Cells::Relation { many: *many },
            FieldKind::Computed { .. } => Cells::Computed,
        };
        Self::of(cells)
    }

    fn of(cells: Cells) -> Self {
        Self { cells, given: Rows::default(), unknown: Vec::new() }
    }

    /// Sets the value of a row, which must be behind all rows set before.
    pub(crate) fn push(&mut self, number: u32, cell: Cell<'_>, row: &Row<'_, '_>, catalog: &Catalog) {
        let at = number as usize;
        match (&mut self.cells, cell) {
            (_, Cell::Null) => return,
            (_, Cell::Unknown) => return self.unknown.push(number),
            (Cells::Text { codes, texts, .. }, Cell::Text(text)) => {
                put(codes, at, NO_CODE, texts.intern(text));
            }
            (Cells::Text { codes, texts, .. }, Cell::Json(value)) => {
                put(codes, at, NO_CODE, texts.intern(&value.to_string()));
            }
            (Cells::Int { values, .. }, Cell::Int(value)) => put(values, at, 0, value),
            (Cells::Float(values), Cell::Float(value)) => put(values, at, 0.0, value),
            (Cells::Bool(values), Cell::Bool(value)) => put(values, at, false, value),
            (Cells::List { ends, items }, Cell::List(span)) => {
                let mut end = ends.last().copied().unwrap_or(0);
                for item in row.cells(span) {
                    items.push(end, item.cell, row, catalog);
                    end += 1;
                }
                put(ends, at, ends.last().copied().unwrap_or(0), end);
            }
            (Cells::Embedded { of, ends, child, .. }, cell @ (Cell::List(_) | Cell::Object(_))) => {
                let child = child.get_or_insert_with(|| Box::new(TableBuilder::new(*of, catalog)));
                let one = [Given { field: FieldId(0), cell }];
                let objects = if let Cell::List(span) = cell { row.cells(span) } else { &one };
                for object in objects {
                    if let Cell::Object(span) = object.cell {
                        child.push_object(row.cells(span), row, catalog);
                    }
                }
                let end = u32::try_from(child.rows()).unwrap_or(u32::MAX);
                put(ends, at, ends.last().copied().unwrap_or(0), end);
            }
            // The catalog has judged the row: no other cell comes here.
            _ => return,
        }
        self.given.set(at);
    }

    /// The number of the text of a row; nothing where it has none.
    pub(crate) fn code(&self, row: u32) -> Option<u32> {
        let Cells::Text { codes, .. } = &self.cells else { return None };
        codes.get(row as usize).copied().filter(|&code| code != NO_CODE)
    }

    /// The text of a number.
    pub(crate) fn text(&self, code: u32) -> &str {
        let Cells::Text { texts, .. } = &self.cells else { return "" };
        texts.text(code)
    }

    /// Whether it holds a String or an ID in each row.
    pub(crate) fn is_plain_text(&self) -> bool {
        matches!(self.cells, Cells::Text { scalar: ScalarType::String | ScalarType::Id, .. })
    }

    /// Whether it holds embedded objects.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.cells, Cells::Embedded { .. })
    }

    /// Another column of texts that holds the same.
    pub(crate) fn copied(&self) -> Option<Self> {
        let Cells::Text { scalar, codes, texts } = &self.cells else { return None };
        let cells = Cells::Text { scalar: *scalar, codes: codes.clone(), texts: texts.clone() };
        Some(Self { cells, given: Rows(self.given.0.clone()), unknown: self.unknown.clone() })
    }

    /// The texts of all parts of a column that has one in every row. Nothing where they are too many.
    pub(crate) fn rank(parts: Vec<&Self>) -> Option<Ranked> {
        let parts = parts.into_iter().filter_map(|part| match &part.cells {
            Cells::Text { scalar, codes, texts } => Some((*scalar, codes, texts)),
            _ => None,
        });
        let (mut codes, mut texts, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut of = ScalarType::String;
        for (scalar, part, part_texts) in parts {
            of = scalar;
            rows.push(u32::try_from(part.len()).ok()?);
            codes.push(Cow::Borrowed(part.as_slice()));
            texts.push(part_texts);
        }
        Ranked::of(of, codes, texts, &rows)
    }

    /// Makes sure that it has a table for embedded objects where another part has one.
    pub(crate) fn match_tables(&mut self, other: &Self, catalog: &Catalog) {
        if let (Cells::Embedded { of, child, .. }, Cells::Embedded { child: Some(other), .. }) =
            (&mut self.cells, &other.cells)
        {
            child
                .get_or_insert_with(|| Box::new(TableBuilder::new(*of, catalog)))
                .match_tables(other, catalog);
        }
    }

    /// Gives the tables of embedded objects their places.
    pub(crate) fn number_tables(&mut self, next: &mut usize) {
        if let Cells::Embedded { child: Some(child), .. } = &mut self.cells {
            child.number_tables(next);
        }
    }

    /// The finished column of all parts, each with so many rows, in `order` (as they came where nothing is said).
    /// Tables of embedded objects are appended to `tables`. Nothing where something is too large.
    pub(crate) fn finish(
        parts: Vec<Self>,
        rows: &[u32],
        order: Option<&[u32]>,
        catalog: &Catalog,
        tables: &mut Vec<(TableId, Table)>,
    ) -> Option<Column> {
        let total = usize::try_from(rows.iter().map(|&rows| u64::from(rows)).sum::<u64>()).ok()?;
        let mut bases = Vec::new();
        let mut base = 0;
        for &rows in rows {
            bases.push(base);
            base += rows as usize;
        }
        let mut given = Bitmap::zeros(total);
        let mut unknown = Vec::new();
        let mut cells = Vec::new();
        for (part, &base) in parts.into_iter().zip(&bases) {
            part.given.each(|row| given.set(base + row));
            unknown.extend(part.unknown.iter().map(|&row| base + row as usize));
            cells.push(part.cells);
        }
        let mut nulls = given.complement();
        let mut unseen = Bitmap::zeros(total);
        for row in unknown {
            unseen.set(row);
            nulls.clear(row);
        }
        let is_stored = !matches!(cells.first(), None | Some(Cells::Relation { .. } | Cells::Computed));
        let set = |rows: Bitmap| (is_stored && !rows.is_empty()).then(|| in_order(rows, order));
        let (nulls, unknown) = (set(nulls), set(unseen));
        let data = finish_cells(cells, rows, order, catalog, tables)?;
        Some(Column { nulls, unknown, data })
    }
}

impl Cells {
    fn scalar(scalar: ScalarType) -> Self {
        match scalar {
            ScalarType::String
            | ScalarType::Id
            | ScalarType::Json
            | ScalarType::Enum(_)
            | ScalarType::Cidr
            | ScalarType::IpAddress => Self::Text { scalar, codes: Vec::new(), texts: Texts::default() },
            ScalarType::Int | ScalarType::BigInt | ScalarType::DateTime | ScalarType::Date => {
                Self::Int { scalar, values: Vec::new() }
            }
            ScalarType::Float => Self::Float(Vec::new()),
            ScalarType::Boolean => Self::Bool(Vec::new()),
        }
    }
}

impl Rows {
    fn set(&mut self, row: usize) {
        let word = row / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (row % 64);
        }
    }

    fn each(&self, mut take: impl FnMut(usize)) {
        for (place, &word) in self.0.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                take(place * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

/// Sets the value of a row behind all others.
fn put<T: Copy>(values: &mut Vec<T>, row: usize, filler: T, value: T) {
    if values.len() < row {
        values.resize(row, filler);
    }
    values.push(value);
}

fn finish_cells(
    parts: Vec<Cells>,
    rows: &[u32],
    order: Option<&[u32]>,
    catalog: &Catalog,
    tables: &mut Vec<(TableId, Table)>,
) -> Option<Data> {
    let first = parts.first()?;
    Some(match first {
        Cells::Text { scalar, .. } => {
            let scalar = *scalar;
            let parts = parts.into_iter().filter_map(|part| match part {
                Cells::Text { codes, texts, .. } => Some((Cow::Owned(codes), texts)),
                _ => None,
            });
            let (codes, texts): (Vec<Cow<'_, [u32]>>, Vec<Texts>) = parts.unzip();
            let mut ranked = Ranked::of(scalar, codes, texts.iter().collect(), rows)?;
            drop(texts);
            let nets = std::mem::take(&mut ranked.nets);
            let text = ranked.text(order);
            if is_net(scalar) { Data::Net { text, nets: Nets::new(nets) } } else { Data::Text(text) }
        }
        Cells::Int { scalar, .. } => {
            let form = int_form(*scalar);
            let values = parts.into_iter().filter_map(|part| match part {
                Cells::Int { values, .. } => Some(values),
                _ => None,
            });
            Data::Int { values: joined(values, rows, 0, order).into(), form }
        }
        Cells::Float(_) => {
            let values = parts
                .into_iter()
                .filter_map(|part| if let Cells::Float(values) = part { Some(values) } else { None });
            Data::Float(joined(values, rows, 0.0, order).into())
        }
        Cells::Bool(_) => {
            let values = parts
                .into_iter()
                .filter_map(|part| if let Cells::Bool(values) = part { Some(values) } else { None });
            Data::Bool(Bitmap::from_values(&joined(values, rows, false, order), |value| value))
        }
        Cells::List { .. } => {
            let parts = parts.into_iter().filter_map(|part| match part {
                Cells::List { ends, items } => Some((ends, *items)),
                _ => None,
            });
            let (ends, items): (Vec<Vec<u32>>, Vec<ColumnBuilder>) = parts.unzip();
            let (offsets, item_rows) = offsets_of(ends, rows)?;
            let (offsets, item_order) = reorder_lists(offsets, order);
            let items = ColumnBuilder::finish(items, &item_rows, item_order.as_deref(), catalog, tables)?;
            Data::List { lists: Lists::new(offsets), items: Box::new(items) }
        }
        Cells::Embedded { of, many, .. } => {
            let (of, many) = (*of, *many);
            let parts = parts.into_iter().filter_map(|part| match part {
                Cells::Embedded { ends, child, .. } => Some((ends, child)),
                _ => None,
            });
            let (ends, children): (Vec<Vec<u32>>, Vec<Option<Box<TableBuilder>>>) = parts.unzip();
            let mut links = Vec::new();
            if children.iter().any(Option::is_some) {
                let (offsets, _) = offsets_of(ends, rows)?;
                let (offsets, child_order) = reorder_lists(offsets, order);
                let children = children
                    .into_iter()
                    .map(|child| child.map_or_else(|| TableBuilder::new(of, catalog), |child| *child));
                let (table, objects) =
                    TableBuilder::finish(children.collect(), child_order.as_deref(), None, catalog, tables)?;
                let forward = Neighbours::build(offsets.len() - 1, |row, out| {
                    if let (Some(&start), Some(&end)) = (offsets.get(row), offsets.get(row + 1)) {
                        out.extend(start..end);
                    }
                })?;
                links.push(Link { of, table, adjacency: Adjacency::new(forward, objects) });
            }
            Data::Links { links, many }
        }
        Cells::Relation { many } => Data::Links { links: Vec::new(), many: *many },
        Cells::Computed => Data::Computed,
    })
}

fn int_form(scalar: ScalarType) -> IntForm {
    match scalar {
        ScalarType::BigInt => IntForm::BigInt,
        ScalarType::DateTime => IntForm::DateTime,
        ScalarType::Date => IntForm::Date,
        _ => IntForm::Int,
    }
}

/// The texts of all parts of a column as one dictionary, and the code of each row in the order of arrival.
#[derive(Debug)]
pub(crate) struct Ranked {
    codes: Vec<u32>,
    dictionary: Dictionary,
    /// Of a column of nets, the net of each code.
    nets: Vec<IpNet>,
}

impl Ranked {
    fn of(scalar: ScalarType, codes: Vec<Cow<'_, [u32]>>, texts: Vec<&Texts>, rows: &[u32]) -> Option<Self> {
        let texts = AllTexts::new(texts)?;
        let form = if scalar == ScalarType::Json { Form::Verbatim } else { Form::Escaped };
        let is_net = is_net(scalar);
        let sorted = if is_net { Some(in_address_order(&texts)) } else { texts.sorted() };
        let mut dictionary = texts.dictionary(form);
        let mut nets: Vec<IpNet> = Vec::new();
        let ranks = texts.rank(sorted.as_deref(), |text| {
            dictionary.push(text);
            if is_net {
                nets.extend(scalar::parse_net(text));
            }
        });
        drop(sorted);
        let rank = |code: u32, base: u32| match code {
            NO_CODE => NO_CODE,
            code => ranks.get((code + base) as usize).copied().unwrap_or(NO_CODE),
        };
        let codes = codes.into_iter().zip(texts.bases()).map(|(codes, &base)| match codes {
            Cow::Borrowed(codes) => codes.iter().map(|&code| rank(code, base)).collect(),
            Cow::Owned(mut codes) => {
                codes.iter_mut().for_each(|code| *code = rank(*code, base));
                codes
            }
        });
        Some(Self { codes: joined(codes, rows, NO_CODE, None), dictionary: dictionary.finish()?, nets })
    }

    /// The code of each row in the order of arrival.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The finished texts, their rows in `order`.
    pub(crate) fn text(self, order: Option<&[u32]>) -> TextData {
        TextData::new(reorder(self.codes, order), self.dictionary)
    }
}

fn is_net(scalar: ScalarType) -> bool {
    matches!(scalar, ScalarType::Cidr | ScalarType::IpAddress)
}

/// Addresses in their order, equal ones by the text.
fn in_address_order(texts: &AllTexts<'_>) -> Vec<u32> {
    let net = |number: u32| scalar::parse_net(texts.text(number));
    let mut entries: Vec<(u64, u32)> =
        (0..texts.len()).map(|number| (first_of_net(net(number)), number)).collect();
    entries.sort_unstable();
    // What is one number is mostly one text.
    for equal in entries.chunk_by_mut(|one, other| one.0 == other.0) {
        let Some((&mut (_, first), others)) = equal.split_first_mut() else { continue };
        if others.iter().any(|other| texts.compare(first, other.1).is_ne()) {
            equal.sort_unstable_by(|one, other| {
                net(one.1).cmp(&net(other.1)).then_with(|| texts.compare(one.1, other.1))
            });
        }
    }
    entries.into_iter().map(|(_, number)| number).collect()
}

/// A number that is in the order of nets as far as it tells them apart: all of IPv4, half an address of IPv6.
fn first_of_net(net: Option<IpNet>) -> u64 {
    match net {
        None => 0,
        Some(IpNet::V4(net)) => 1 << 48 | u64::from(net.addr().to_bits()) << 8 | u64::from(net.prefix_len()),
        Some(IpNet::V6(net)) => 1 << 63 | (net.addr().to_bits() >> 65) as u64,
    }
}

fn in_order(rows: Bitmap, order: Option<&[u32]>) -> Bitmap {
    match order {
        None => rows,
        Some(_) if rows.is_full() => rows,
        Some(order) => Bitmap::from_values(order, |row| rows.get(row as usize)),
    }
}

/// The values of all parts in their final order, each part filled up to its rows.
fn joined<T: Copy>(
    parts: impl Iterator<Item = Vec<T>>,
    rows: &[u32],
    filler: T,
    order: Option<&[u32]>,
) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    let mut end = 0;
    for (part, &rows) in parts.zip(rows) {
        if all.is_empty() && end == 0 {
            all = part;
            all.reserve_exact(rows as usize - all.len());
        } else {
            all.extend(part);
        }
        end += rows as usize;
        all.resize(end, filler);
    }
    reorder(all, order)
}

#[expect(clippy::indexing_slicing, reason = "an order holds each row of its column once")]
fn reorder<T: Copy>(values: Vec<T>, order: Option<&[u32]>) -> Vec<T> {
    match order {
        None => values,
        Some(order) => order.iter().map(|&row| values[row as usize]).collect(),
    }
}

/// Where the items of each row begin, over all parts, and how many items each part has.
fn offsets_of(ends: Vec<Vec<u32>>, rows: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
    let total = rows.iter().map(|&rows| rows as usize).sum::<usize>();
    let mut offsets = Vec::with_capacity(total + 1);
    let mut items = Vec::with_capacity(rows.len());
    offsets.push(0u32);
    let mut base = 0u32;
    let mut length = 1;
    for (part, &rows) in ends.into_iter().zip(rows) {
        let count = part.last().copied().unwrap_or(0);
        let end = base.checked_add(count)?;
        offsets.extend(part.into_iter().map(|place| base + place));
        length += rows as usize;
        offsets.resize(length, end);
        items.push(count);
        base = end;
    }
    Some((offsets, items))
}

/// The offsets of lists whose rows are reordered, and the order that their items take.
#[expect(clippy::indexing_slicing, reason = "an order holds each row of its column once")]
fn reorder_lists(offsets: Vec<u32>, order: Option<&[u32]>) -> (Vec<u32>, Option<Vec<u32>>) {
    let Some(order) = order else { return (offsets, None) };
    let mut items = Vec::with_capacity(offsets.last().map_or(0, |&end| end as usize));
    let mut moved = Vec::with_capacity(offsets.len());
    let mut end = 0;
    moved.push(end);
    for &row in order {
        let (from, to) = (offsets[row as usize], offsets[row as usize + 1]);
        items.extend(from..to);
        end += to - from;
        moved.push(end);
    }
    (moved, Some(items))
}
