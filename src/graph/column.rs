//! One field of one table: its values by row, with null and unknown kept apart, and how a cell becomes JSON.

use std::borrow::Cow;

use super::{
    adjacency::Adjacency,
    bitmap::Bitmap,
    cells::Cells,
    image::{ImageError, ImageReader, ImageWriter, Imaged},
    lists::Lists,
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
    /// A list of scalars: where each row's items stand, and the items.
    List { lists: Lists, items: Box<Column> },
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

    /// The code of a raw text, for text and nets.
    pub(super) fn find_text(&self, text: &str) -> Option<u32> {
        match &self.data {
            Data::Text(data) => data.find(text),
            Data::Net { text: data, nets } => nets.find(data, text),
            _ => None,
        }
    }

    /// The items of a list in a row, as a range of the item column.
    pub(crate) fn items(&self, row: u32) -> Option<(std::ops::Range<u32>, &Self)> {
        match &self.data {
            Data::List { lists, items } => Some((lists.of(row)?, items)),
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

/// Every form, by its number in an image.
const FORMS: [IntForm; 4] = [IntForm::Int, IntForm::BigInt, IntForm::DateTime, IntForm::Date];

impl Imaged for Column {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { nulls, unknown, data } = self;
        nulls.put(image);
        unknown.put(image);
        data.put(image);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self {
            nulls: Option::take_from(image)?,
            unknown: Option::take_from(image)?,
            data: Data::take_from(image)?,
        })
    }
}

impl Imaged for Data {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        match self {
            Self::Text(text) => {
                image.number(0);
                text.put(image);
            }
            // Nets are what their texts say.
            Self::Net { text, nets: _ } => {
                image.number(1);
                text.put(image);
            }
            Self::Int { values, form } => {
                image.number(2);
                values.put(image);
                image.count(FORMS.iter().position(|known| known == form).unwrap_or(FORMS.len()));
            }
            Self::Float(values) => {
                image.number(3);
                values.put(image);
            }
            Self::Bool(values) => {
                image.number(4);
                values.put(image);
            }
            Self::List { lists, items } => {
                image.number(5);
                lists.put(image);
                items.put(image);
            }
            Self::Links { links, many } => {
                image.number(6);
                links.put(image);
                image.flag(*many);
            }
            Self::Computed => image.number(7),
        }
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(match image.number()? {
            0 => Self::Text(TextData::take_from(image)?),
            1 => {
                let text = TextData::take_from(image)?;
                Self::Net { nets: Nets::of_texts(&text), text }
            }
            2 => Self::Int { values: Cells::take_from(image)?, form: image.one_of(&FORMS)? },
            3 => Self::Float(Cells::take_from(image)?),
            4 => Self::Bool(Bitmap::take_from(image)?),
            5 => Self::List { lists: Lists::take_from(image)?, items: Box::new(Column::take_from(image)?) },
            6 => Self::Links { links: Vec::take_from(image)?, many: image.flag()? },
            7 => Self::Computed,
            _ => return Err(ImageError::OtherFormat),
        })
    }
}

impl Imaged for Link {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { of, table, adjacency } = self;
        image.number(of.0.into());
        image.count(table.0);
        adjacency.put(image);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self {
            of: image.type_id()?,
            table: TableId(image.count()?),
            adjacency: Adjacency::take_from(image)?,
        })
    }
}
