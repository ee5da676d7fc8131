//! A column while rows come in, on each thread its own part: values in the order of arrival, texts numbered as they
//! come. Finishing puts the parts together, sorts the texts into a dictionary and the rows into their final order.

use ipnet::IpNet;

use super::{
    adjacency::{Adjacency, Neighbours},
    arrivals::{AllTexts, Texts},
    bitmap::Bitmap,
    column::{Column, Data, IntForm, Link, TableId},
    dictionary::{Dictionary, Form, NO_CODE},
    lists::Lists,
    pieces::Pieces,
    table::Table,
    table_builder::TableBuilder,
    text::{Nets, TextData},
    workspace::Workspace,
};
use crate::catalog::{Catalog, Cell, Field, FieldId, FieldKind, Given, Row, ScalarType, TypeId, scalar};

/// A part of a column that is being filled. Rows that are passed over are null.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    cells: Cells,
    /// The rows that have a value; of texts, whether a row has one is told by its code.
    given: Rows,
    unknown: Vec<u32>,
    /// Whether another column holds the same in every row: nothing is put into this one.
    is_copy: bool,
}

#[derive(Debug)]
enum Cells {
    Text { scalar: ScalarType, codes: Pieces<u32>, texts: Texts },
    Int { scalar: ScalarType, values: Pieces<i64> },
    Float(Pieces<f64>),
    Bool(Pieces<bool>),
    List { ends: Pieces<u32>, items: Box<ColumnBuilder> },
    Embedded { of: TypeId, many: bool, ends: Pieces<u32>, child: Option<Box<TableBuilder>> },
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
                Cells::List { ends: Pieces::default(), items: Box::new(Self::of(Cells::scalar(*scalar))) }
            }
            FieldKind::Embedded { of, list } => {
                Cells::Embedded { of: *of, many: list.is_some(), ends: Pieces::default(), child: None }
            }
            FieldKind::Relation { many, .. } => Cells::Relation { many: *many },
            FieldKind::Computed { .. } => Cells::Computed,
        };
        Self::of(cells)
    }

    fn of(cells: Cells) -> Self {
        Self { cells, given: Rows::default(), unknown: Vec::new(), is_copy: false }
    }

    /// Sets the value of a row, which must be behind all rows set before.
    pub(crate) fn push(&mut self, number: u32, cell: Cell<'_>, row: &Row<'_, '_>, catalog: &Catalog) {
        if self.is_copy {
            return;
        }
        let at = number as usize;
        match (&mut self.cells, cell) {
            (_, Cell::Null) => return,
            (_, Cell::Unknown) => return self.unknown.push(number),
            (Cells::Text { codes, texts, .. }, Cell::Text(text)) => {
                return codes.put(at, NO_CODE, texts.intern(text));
            }
            (Cells::Text { codes, texts, .. }, Cell::Json(value)) => {
                return codes.put(at, NO_CODE, texts.intern(&value.to_string()));
            }
            (Cells::Int { values, .. }, Cell::Int(value)) => values.put(at, 0, value),
            (Cells::Float(values), Cell::Float(value)) => values.put(at, 0.0, value),
            (Cells::Bool(values), Cell::Bool(value)) => values.put(at, false, value),
            (Cells::List { ends, items }, Cell::List(span)) => {
                let mut end = ends.last().unwrap_or(0);
                for item in row.cells(span) {
                    items.push(end, item.cell, row, catalog);
                    end += 1;
                }
                ends.put(at, ends.last().unwrap_or(0), end);
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
                ends.put(at, ends.last().unwrap_or(0), end);
            }
            // The catalog has judged the row: no other cell comes here.
            _ => return,
        }
        self.given.set(at);
    }

    /// The number of the text of a row; nothing where it has none.
    pub(crate) fn code(&self, row: u32) -> Option<u32> {
        let Cells::Text { codes, .. } = &self.cells else { return None };
        codes.get(row as usize).filter(|&code| code != NO_CODE)
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

    /// Whether rows hold anything in it.
    fn is_stored(&self) -> bool {
        !matches!(self.cells, Cells::Relation { .. } | Cells::Computed)
    }

    /// Whether it holds embedded objects.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.cells, Cells::Embedded { .. })
    }

    /// Another column of texts that holds the same.
    pub(crate) fn copied(&self) -> Option<Self> {
        let Cells::Text { scalar, codes, texts } = &self.cells else { return None };
        let cells = Cells::Text { scalar: *scalar, codes: codes.clone(), texts: texts.clone() };
        let (given, unknown) = (Rows::default(), self.unknown.clone());
        Some(Self { cells, given, unknown, is_copy: false })
    }

    /// From now on another column holds the same.
    pub(crate) fn make_copy(&mut self) {
        self.is_copy = true;
    }

    /// Adds its rows without a value, of so many, to a set of all rows, where they begin at `base`.
    fn add_missing(&self, base: usize, rows: usize, missing: &mut Bitmap) {
        let Cells::Text { codes, .. } = &self.cells else {
            return self.given.add_others(base, rows, missing);
        };
        let mut start = base;
        for piece in codes.slices() {
            // Few pieces have any.
            if piece.contains(&NO_CODE) {
                let places = (start..).zip(piece).filter(|(_, code)| **code == NO_CODE);
                places.for_each(|(row, _)| missing.set(row));
            }
            start += piece.len();
        }
        missing.set_range(start..base + rows);
    }

    /// The texts of all parts of a column of plain text that has one in every row. Nothing where they are too many.
    pub(crate) fn rank(parts: Vec<&Self>, work: &mut Workspace) -> Option<Ranked> {
        let parts = parts.into_iter().filter_map(|part| match &part.cells {
            Cells::Text { codes, texts, .. } => Some((codes, texts)),
            _ => None,
        });
        Ranked::of_texts(parts.collect(), work)
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
        work: &mut Workspace,
    ) -> Option<Column> {
        let total = usize::try_from(rows.iter().map(|&rows| u64::from(rows)).sum::<u64>()).ok()?;
        let mut bases = Vec::new();
        let mut base = 0;
        for &rows in rows {
            bases.push(base);
            base += rows as usize;
        }
        let is_stored = parts.first().is_some_and(Self::is_stored);
        let mut nulls = Bitmap::zeros(total);
        let mut unseen = Bitmap::zeros(total);
        let mut cells = Vec::new();
        for ((part, &base), &rows) in parts.into_iter().zip(&bases).zip(rows) {
            if is_stored {
                part.add_missing(base, rows as usize, &mut nulls);
            }
            for &row in &part.unknown {
                unseen.set(base + row as usize);
                nulls.clear(base + row as usize);
            }
            cells.push(part.cells);
        }
        let set = |rows: Bitmap| (is_stored && !rows.is_empty()).then(|| in_order(rows, order));
        let (nulls, unknown) = (set(nulls), set(unseen));
        let data = finish_cells(cells, rows, order, catalog, tables, work)?;
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
            | ScalarType::IpAddress => {
                Self::Text { scalar, codes: Pieces::default(), texts: Texts::default() }
            }
            ScalarType::Int | ScalarType::BigInt | ScalarType::DateTime | ScalarType::Date => {
                Self::Int { scalar, values: Pieces::default() }
            }
            ScalarType::Float => Self::Float(Pieces::default()),
            ScalarType::Boolean => Self::Bool(Pieces::default()),
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

    /// Adds the other ones of so many rows to a set of all rows, where these begin at `base`.
    fn add_others(&self, base: usize, rows: usize, others: &mut Bitmap) {
        for (place, &word) in (0..rows).step_by(64).zip(&self.0) {
            let mut rest = !word;
            while rest != 0 {
                let row = place + rest.trailing_zeros() as usize;
                if row < rows {
                    others.set(base + row);
                }
                rest &= rest - 1;
            }
        }
        others.set_range(base + (self.0.len() * 64).min(rows)..base + rows);
    }
}

fn finish_cells(
    parts: Vec<Cells>,
    rows: &[u32],
    order: Option<&[u32]>,
    catalog: &Catalog,
    tables: &mut Vec<(TableId, Table)>,
    work: &mut Workspace,
) -> Option<Data> {
    let first = parts.first()?;
    Some(match first {
        Cells::Text { scalar, .. } => {
            let scalar = *scalar;
            let parts = parts.into_iter().filter_map(|part| match part {
                Cells::Text { codes, texts, .. } => Some((codes, texts)),
                _ => None,
            });
            let (codes, texts): (Vec<Pieces<u32>>, Vec<Texts>) = parts.unzip();
            let part_codes: Vec<&Pieces<u32>> = codes.iter().collect();
            let mut ranked = Ranked::of(scalar, &part_codes, texts.iter().collect(), rows, work)?;
            drop((codes, texts));
            let nets = std::mem::take(&mut ranked.nets);
            let text;
            (text, work.codes) = ranked.text(order);
            if is_net(scalar) { Data::Net { text, nets: Nets::new(nets) } } else { Data::Text(text) }
        }
        Cells::Int { scalar, .. } => {
            let form = int_form(*scalar);
            let values = parts.into_iter().filter_map(|part| match part {
                Cells::Int { values, .. } => Some(values),
                _ => None,
            });
            join(values, rows, 0, &mut work.numbers);
            Data::Int { values: reordered(&work.numbers, order), form }
        }
        Cells::Float(_) => {
            let values = parts
                .into_iter()
                .filter_map(|part| if let Cells::Float(values) = part { Some(values) } else { None });
            let mut all = Vec::new();
            join(values, rows, 0.0, &mut all);
            Data::Float(reordered(&all, order))
        }
        Cells::Bool(_) => {
            let values = parts
                .into_iter()
                .filter_map(|part| if let Cells::Bool(values) = part { Some(values) } else { None });
            let mut all = Vec::new();
            join(values, rows, false, &mut all);
            Data::Bool(in_order(Bitmap::from_values(&all, |value| value), order))
        }
        Cells::List { .. } => {
            let parts = parts.into_iter().filter_map(|part| match part {
                Cells::List { ends, items } => Some((ends, *items)),
                _ => None,
            });
            let (ends, items): (Vec<Pieces<u32>>, Vec<ColumnBuilder>) = parts.unzip();
            let (offsets, item_rows) = offsets_of(ends, rows)?;
            let (offsets, item_order) = reorder_lists(offsets, order);
            let items =
                ColumnBuilder::finish(items, &item_rows, item_order.as_deref(), catalog, tables, work)?;
            Data::List { lists: Lists::new(offsets), items: Box::new(items) }
        }
        Cells::Embedded { of, many, .. } => {
            let (of, many) = (*of, *many);
            let parts = parts.into_iter().filter_map(|part| match part {
                Cells::Embedded { ends, child, .. } => Some((ends, child)),
                _ => None,
            });
            let (ends, children): (Vec<Pieces<u32>>, Vec<Option<Box<TableBuilder>>>) = parts.unzip();
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
    fn of(
        scalar: ScalarType,
        parts: &[&Pieces<u32>],
        texts: Vec<&Texts>,
        rows: &[u32],
        work: &mut Workspace,
    ) -> Option<Self> {
        let texts = AllTexts::new(texts)?;
        let form = if scalar == ScalarType::Json { Form::Verbatim } else { Form::Escaped };
        let is_net = is_net(scalar);
        let mut dictionary = texts.dictionary(form);
        let mut nets: Vec<IpNet> = Vec::new();
        if is_net {
            rank_by_address(&texts, work, |text, net| {
                dictionary.push(text);
                nets.extend(net);
            })?;
        } else {
            texts.rank_sorted(work, |text| dictionary.push(text));
        }
        let ranks = &work.ranks;
        let rank = |code: u32, base: u32| match code {
            NO_CODE => NO_CODE,
            code => ranks.get((code + base) as usize).copied().unwrap_or(NO_CODE),
        };
        let mut codes = std::mem::take(&mut work.codes);
        codes.clear();
        codes.reserve(total(rows));
        let mut end = 0;
        for ((part, &base), &rows) in parts.iter().zip(texts.bases()).zip(rows) {
            for piece in part.slices() {
                codes.extend(piece.iter().map(|&code| rank(code, base)));
            }
            end += rows as usize;
            codes.resize(end, NO_CODE);
        }
        Some(Self { codes, dictionary: dictionary.finish()?, nets })
    }

    /// Plain texts of all parts, of which each row has one.
    pub(crate) fn of_texts(parts: Vec<(&Pieces<u32>, &Texts)>, work: &mut Workspace) -> Option<Self> {
        let rows =
            parts.iter().map(|(codes, _)| u32::try_from(codes.len()).ok()).collect::<Option<Vec<_>>>()?;
        let (codes, texts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Self::of(ScalarType::String, &codes, texts, &rows, work)
    }

    /// The distinct texts, in their order.
    pub(crate) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// How many bits a code takes.
    pub(crate) fn bits(&self) -> u32 {
        self.dictionary.len().next_power_of_two().trailing_zeros()
    }

    /// The code of each row in the order of arrival.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The finished texts, their rows in `order`; and the codes as they were, whose memory is of use.
    pub(crate) fn text(self, order: Option<&[u32]>) -> (TextData, Vec<u32>) {
        (TextData::new(reordered(&self.codes, order), self.dictionary), self.codes)
    }
}

fn is_net(scalar: ScalarType) -> bool {
    matches!(scalar, ScalarType::Cidr | ScalarType::IpAddress)
}

/// Numbers each text by its place among the distinct ones in the order of addresses, equal ones by the text; hands on
/// each of these once. The places are left in the workspace. Nothing where they are too many.
fn rank_by_address(
    texts: &AllTexts<'_>,
    work: &mut Workspace,
    mut distinct: impl FnMut(&str, Option<IpNet>),
) -> Option<()> {
    if texts.rank_nets(work, |text, net| distinct(text, Some(net))) {
        return Some(());
    }
    let mut once = Texts::plain();
    texts.rank_sorted(work, |text| _ = once.append(text));
    let nets: Vec<Option<IpNet>> = once.iter().map(scalar::parse_net).collect();
    let net = |number: u32| nets.get(number as usize).copied().flatten();
    let Workspace { entries, ranks, .. } = work;
    entries.clear();
    entries.extend(nets.iter().copied().map(first_of_net).zip(0..));
    entries.sort_unstable();
    // What is one number is mostly one address.
    for equal in entries.chunk_by_mut(|one, other| one.0 == other.0) {
        equal.sort_unstable_by_key(|(_, number)| (net(*number), *number));
    }
    let mut places = vec![NO_CODE; entries.len()];
    for (place, &mut (_, number)) in (0..).zip(entries) {
        distinct(once.text(number), net(number));
        *places.get_mut(number as usize)? = place;
    }
    for rank in ranks {
        *rank = places.get(*rank as usize).copied()?;
    }
    Some(())
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

/// The values of all parts, each part filled up to its rows.
fn join<T: Copy>(parts: impl Iterator<Item = Pieces<T>>, rows: &[u32], filler: T, all: &mut Vec<T>) {
    all.clear();
    all.reserve(total(rows));
    let mut end = 0;
    for (part, &rows) in parts.zip(rows) {
        part.slices().for_each(|piece| all.extend_from_slice(piece));
        end += rows as usize;
        all.resize(end, filler);
    }
}

fn total(rows: &[u32]) -> usize {
    rows.iter().map(|&rows| rows as usize).sum()
}

#[expect(clippy::indexing_slicing, reason = "an order holds each row of its column once")]
fn reordered<T: Copy>(values: &[T], order: Option<&[u32]>) -> super::cells::Cells<T> {
    match order {
        None => values.iter().copied().collect(),
        Some(order) => order.iter().map(|&row| values[row as usize]).collect(),
    }
}

/// Where the items of each row begin, over all parts, and how many items each part has.
fn offsets_of(ends: Vec<Pieces<u32>>, rows: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
    let mut offsets = Vec::with_capacity(total(rows) + 1);
    let mut items = Vec::with_capacity(rows.len());
    offsets.push(0u32);
    let mut base = 0u32;
    let mut length = 1;
    for (part, &rows) in ends.into_iter().zip(rows) {
        let count = part.last().unwrap_or(0);
        let end = base.checked_add(count)?;
        for piece in part.slices() {
            offsets.extend(piece.iter().map(|place| base + place));
        }
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
