//! An asset as the columns of a graph take it in: cells judged by the catalog and borrowed from wherever the asset was
//! read. What reads assets (a file, a store) and what keeps them (a graph) know each other by these values alone.

use serde_json::{Map, Value};

use super::{
    AssetMisfit, scalar,
    types::{Catalog, FieldId, FieldKind, ScalarType, TypeDef, TypeId},
};
use crate::model::{Asset, SliceState};

/// A stretch of a row's cells: the items of a list or the fields of an embedded object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Null.
    Null,
    /// Not to be seen.
    Unknown,
    /// A string, an id, a name of an enum, a prefix or an address.
    Text(&'a str),
    /// A value of type JSON, or an id that is a number: its text is its JSON.
    Json(&'a Value),
    /// A whole number, a moment (milliseconds since 1970) or a day (days since 1970).
    Int(i64),
    /// A finite number.
    Float(f64),
    /// true or false.
    Bool(bool),
    /// A list; the fields of its cells mean nothing.
    List(Span),
    /// An embedded object.
    Object(Span),
}

/// A cell and the field of its type that it is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Given<'a> {
    /// Which field.
    pub field: FieldId,
    /// What it holds.
    pub cell: Cell<'a>,
}

/// The cells of rows, used again and again: a row is filled in, handed on and forgotten.
#[derive(Debug, Default)]
pub struct RowBuffer<'a> {
    /// Finished lists and embedded objects, each in one piece.
    cells: Vec<Given<'a>>,
    /// The row itself, and behind it what is begun and not finished, the innermost last.
    open: Vec<Given<'a>>,
}

/// One asset. Every field it gives is one its type stores, given once and with a value that fits; none is missing that
/// is never null. What it does not give is null.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a, 'buffer> {
    /// Its type.
    pub of: TypeId,
    /// Its id, never empty.
    pub id: &'a str,
    /// The line it stands on, from 1; 0 where there are no lines.
    pub line: u64,
    given: &'buffer [Given<'a>],
    cells: &'buffer [Given<'a>],
}

/// What takes rows in on one thread. After what it was given turns out to be no asset, it is to be dropped.
pub trait RowShard: Send {
    /// Takes in a row.
    fn push(&mut self, row: &Row<'_, '_>);
}

/// What takes rows in on several threads at once, each with a shard of its own.
pub trait RowTarget {
    /// The part of one thread.
    type Shard: RowShard;

    /// An empty part.
    fn shard(&self) -> Self::Shard;

    /// Puts the parts together. Returns the first line whose asset stands on an earlier line already.
    fn join(&mut self, shards: Vec<Self::Shard>) -> Option<RepeatedAsset>;

    /// Notes in each slice how many assets there are of its account, region and type; those without a region count as
    /// global ones.
    fn count_assets(&self, slices: &mut [SliceState]);
}

/// A second asset of one type and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedAsset {
    /// The type.
    pub typename: String,
    /// The id.
    pub id: String,
    /// The line of the second one.
    pub line: u64,
    /// The line of the first one.
    pub first_line: u64,
}

impl<'a> RowBuffer<'a> {
    /// Forgets the row before.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.open.clear();
    }

    /// Begins a list or an object: what is given from now on belongs to it. To be handed to [`RowBuffer::close`].
    #[must_use]
    #[inline]
    pub fn begin(&self) -> usize {
        self.open.len()
    }

    /// Gives a field of what was begun last.
    #[inline]
    pub fn give(&mut self, field: FieldId, cell: Cell<'a>) {
        self.open.push(Given { field, cell });
    }

    /// What was given since the beginning of the innermost list or object.
    pub fn given_since(&self, begin: usize) -> &[Given<'a>] {
        self.open.get(begin..).unwrap_or_default()
    }

    /// Ends what was begun.
    pub fn close(&mut self, begin: usize) -> Span {
        let start = place(self.cells.len());
        self.cells.extend_from_slice(self.open.get(begin..).unwrap_or_default());
        self.open.truncate(begin);
        Span { start, end: place(self.cells.len()) }
    }

    /// The row of what was given and belongs to nothing that was begun.
    #[must_use]
    pub fn row(&self, of: TypeId, id: &'a str, line: u64) -> Row<'a, '_> {
        Row { of, id, line, given: &self.open, cells: &self.cells }
    }

    /// Fills in the fields of an asset that fits its type.
    fn fill(&mut self, catalog: &Catalog, definition: &TypeDef, asset: &'a Asset) {
        self.clear();
        for (id, field) in definition.iter().filter(|(_, field)| field.name != "id") {
            if asset.unknown.contains(&field.name) {
                self.give(id, Cell::Unknown);
            } else if let Some(value) = asset.fields.get(&field.name) {
                let cell = self.cell(catalog, &field.kind, value);
                self.give(id, cell);
            }
        }
    }

    fn object(
        &mut self,
        catalog: &Catalog,
        definition: &TypeDef,
        object: &'a Map<String, Value>,
    ) -> Cell<'a> {
        let begin = self.begin();
        for (id, field) in definition.iter() {
            if let Some(value) = object.get(&field.name) {
                let cell = self.cell(catalog, &field.kind, value);
                self.give(id, cell);
            }
        }
        Cell::Object(self.close(begin))
    }

    fn cell(&mut self, catalog: &Catalog, kind: &FieldKind, value: &'a Value) -> Cell<'a> {
        let list = match kind {
            FieldKind::Scalar { list, .. } | FieldKind::Embedded { list, .. } => *list,
            FieldKind::Relation { .. } | FieldKind::Computed { .. } => None,
        };
        match value {
            Value::Null => Cell::Null,
            Value::Array(items) if list.is_some() => {
                let begin = self.begin();
                for item in items {
                    let cell = self.item(catalog, kind, item);
                    self.give(FieldId(0), cell);
                }
                Cell::List(self.close(begin))
            }
            value => self.item(catalog, kind, value),
        }
    }

    fn item(&mut self, catalog: &Catalog, kind: &FieldKind, value: &'a Value) -> Cell<'a> {
        match (kind, value) {
            (FieldKind::Embedded { of, .. }, Value::Object(object)) => {
                self.object(catalog, catalog.get(*of), object)
            }
            (FieldKind::Scalar { scalar, .. }, value) => scalar_cell(*scalar, value),
            _ => Cell::Null,
        }
    }
}

/// The cell of a value that fits; null where it is null (or does not fit, which nobody asks).
fn scalar_cell(scalar: ScalarType, value: &Value) -> Cell<'_> {
    let whole = |number: Option<i64>| number.map(Cell::Int);
    let cell = match (scalar, value) {
        (ScalarType::Json, value) => (!value.is_null()).then_some(Cell::Json(value)),
        (ScalarType::Id, value @ Value::Number(_)) => Some(Cell::Json(value)),
        (ScalarType::Int, value) => whole(scalar::read_int(value)),
        (ScalarType::BigInt, value) => whole(scalar::read_big_int(value)),
        (ScalarType::DateTime, Value::String(text)) => whole(scalar::parse_datetime(text)),
        (ScalarType::Date, Value::String(text)) => whole(scalar::parse_date(text)),
        (ScalarType::Float, value) => scalar::read_float(value).map(Cell::Float),
        (ScalarType::Boolean, value) => value.as_bool().map(Cell::Bool),
        (_, Value::String(text)) => Some(Cell::Text(text)),
        _ => None,
    };
    cell.unwrap_or(Cell::Null)
}

impl<'a, 'buffer> Row<'a, 'buffer> {
    /// The fields it gives besides its id, in no particular order.
    #[must_use]
    pub fn given(&self) -> &'buffer [Given<'a>] {
        self.given
    }

    /// The items of a list, or the fields of an embedded object.
    #[must_use]
    pub fn cells(&self, span: Span) -> &'buffer [Given<'a>] {
        self.cells.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

impl Catalog {
    /// Judges an asset and takes it apart into a row.
    ///
    /// # Errors
    /// As [`Catalog::check_asset`].
    pub fn row_of<'a, 'buffer>(
        &self,
        asset: &'a Asset,
        line: u64,
        buffer: &'buffer mut RowBuffer<'a>,
    ) -> Result<Row<'a, 'buffer>, AssetMisfit> {
        let (of, definition) = self.fitting_type(asset)?;
        buffer.fill(self, definition, asset);
        Ok(buffer.row(of, &asset.id, line))
    }
}

fn place(place: usize) -> u32 {
    // A line has at most some megabytes.
    u32::try_from(place).unwrap_or(u32::MAX)
}
