//! One field of one table: its values by row, with null and unknown kept apart, and how a cell becomes JSON.

use std::borrow::Cow;

use super::{
    adjacency::Adjacency,
    bitmap::Bitmap,
    cells::Cells,
    moment,
    text::{Nets, TextData},
};
use crate::catalog::TypeId;

/// A table's place in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TableId(pub(crate) usize);

/// One column. A row is null, unknown, or has a value; never two of these.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Rows that are null; nothing where none is.
    pub(crate) nulls: Option<Bitmap>,
    /// Rows whose value could not be seen; nothing where none is.
    pub(crate) unknown: Option<Bitmap>,
    /// The values.
    pub(crate) data: Data,
}

/// How whole numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntForm {
    /// A JSON number.
    Int,
    /// A JSON string.
    BigInt,
    /// Milliseconds since 1970, as a UTC moment.
    DateTime,
    /// Days since 1970, as a day.
    Date,
}

/// The values of a column. A row without a value holds [`NO_CODE`], 0, 0.0, false or nothing.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// String, ID, enums, JSON.
    Text(TextData),
    /// CIDR and IPAddress: the texts, and the net of each code.
    Net { text: TextData, nets: Nets },
    /// Int, BigInt, DateTime, Date.
    Int { values: Cells<i64>, form: IntForm },
    /// Float, always finite.
    Float(Cells<f64>),
    /// Boolean: the rows that are true.
    Bool(Bitmap),
    /// A list of scalars: where each row's items begin, and the items.
    List { offsets: Vec<u32>, items: Box<Column> },
    /// A relation or embedded objects: the edges to each table that has any, ordered by type.
    Links { links: Vec<Link>, many: bool },
    /// `@computed`: nothing is stored.
    Computed,
}

/// The edges of a relation to one table.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) of: TypeId,
    pub(crate) table: TableId,
    pub(crate) adjacency: Adjacency,
}

impl Column {
    /// Whether the row is null (not merely unknown).
    pub(crate) fn is_null(&self, row: u32) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.get(row as usize))
    }

    /// Whether the row's value could not be seen.
    pub(crate) fn is_unknown(&self, row: u32) -> bool {
        self.unknown.as_ref().is_some_and(|unknown| unknown.get(row as usize))
    }

    /// Whether the row has a value.
    pub(crate) fn has_value(&self, row: u32) -> bool {
        !self.is_null(row) && !self.is_unknown(row)
    }

    /// Whether any row has none.
    pub(crate) fn lacks_values(&self) -> bool {
        [&self.nulls, &self.unknown].into_iter().flatten().any(|rows| !rows.is_empty())
    }

    /// Whether it holds lists of scalars.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.data, Data::List { .. })
    }

    /// The edges, for a relation or embedded objects.
    pub(crate) fn links(&self) -> &[Link] {
        match &self.data {
            Data::Links { links, .. } => links,
            _ => &[],
        }
    }

    /// The codes and dictionary, for text and nets.
    pub(crate) fn text_data(&self) -> Option<&TextData> {
        match &self.data {
            Data::Text(text) | Data::Net { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The raw text of a row, for text and nets.
    pub(crate) fn text(&self, row: u32) -> Option<Cow<'_, str>> {
        let text = self.text_data()?;
        Some(text.text(text.code(row)?))
    }

    /// The items of a list in a row, as a range of the item column.
    pub(crate) fn items(&self, row: u32) -> Option<(std::ops::Range<u32>, &Self)> {
        match &self.data {
            Data::List { offsets, items } => {
                let row = row as usize;
                Some((*offsets.get(row)?..*offsets.get(row + 1)?, items))
            }
            _ => None,
        }
    }

    /// Appends the JSON of a stored cell. False, and nothing appended, where there is no value.
    pub(crate) fn write_json(&self, row: u32, out: &mut Vec<u8>) -> bool {
        match &self.data {
            Data::Text(text) | Data::Net { text, .. } => match text.code(row) {
                Some(code) => text.write_json(code, out),
                None => return false,
            },
            _ if !self.has_value(row) => return false,
            Data::Int { values, form } => {
                let Some(&value) = values.get(row as usize) else { return false };
                write_int(value, *form, out);
            }
            Data::Float(values) => {
                let Some(&value) = values.get(row as usize) else { return false };
                write_float(value, out);
            }
            Data::Bool(values) => {
                out.extend_from_slice(if values.get(row as usize) { b"true" } else { b"false" });
            }
            Data::List { .. } => {
                let Some((range, items)) = self.items(row) else { return false };
                out.push(b'[');
                for (place, item) in range.enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    if !items.write_json(item, out) {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
            Data::Links { .. } | Data::Computed => return false,
        }
        true
    }
}

/// Appends a whole number in the form of its column.
pub(crate) fn write_int(value: i64, form: IntForm, out: &mut Vec<u8>) {
    match form {
        IntForm::Int => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        IntForm::BigInt => {
            out.push(b'"');
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            out.push(b'"');
        }
        IntForm::DateTime => moment::write_datetime(value, out),
        IntForm::Date => moment::write_date(value, out),
    }
}

/// The shortest JSON number that reads back as the same double; whole ones without a fraction.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    let mut buffer = ryu::Buffer::new();
    let text = if value.is_finite() { buffer.format_finite(value) } else { "null" };
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}
