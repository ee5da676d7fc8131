//! A column while assets come in: values in the order of arrival, codes in the order of first appearance. Finishing
//! sorts the dictionary and puts the rows in their final order.

use ipnet::IpNet;
use serde_json::Value;

use super::{
    adjacency::{Adjacency, Neighbours},
    bitmap::Bitmap,
    column::{Column, Data, IntForm, Link},
    dictionary::{Dictionary, Form, Interner, NO_CODE},
    lists::Lists,
    table::Table,
    table_builder::TableBuilder,
    text::{Nets, TextData},
};
use crate::catalog::{Catalog, Field, FieldKind, ScalarType, TypeId, scalar};

/// A column that is being filled.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    cells: Cells,
    nulls: Vec<u32>,
    unknown: Vec<u32>,
    rows: u32,
}

#[derive(Debug)]
enum Cells {
    Text { scalar: ScalarType, codes: Vec<u32>, interner: Interner },
    Int { scalar: ScalarType, values: Vec<i64> },
    Float(Vec<f64>),
    Bool(Vec<bool>),
    List { offsets: Vec<u32>, items: Box<ColumnBuilder> },
    Embedded { of: TypeId, many: bool, offsets: Vec<u32>, child: Option<Box<TableBuilder>> },
    Relation { many: bool },
    Computed,
}

/// What a cell is refused for: the place below the field, and the problem.
pub(crate) type Refusal = (String, &'static str);

impl ColumnBuilder {
    pub(crate) fn new(field: &Field) -> Self {
        let cells = match &field.kind {
            FieldKind::Scalar { scalar, list: None, .. } => Cells::scalar(*scalar),
            FieldKind::Scalar { scalar, list: Some(_), .. } => Cells::List {
                offsets: vec![0],
                items: Box::new(Self { cells: Cells::scalar(*scalar), ..Self::empty() }),
            },
            FieldKind::Embedded { of, list } => {
                Cells::Embedded { of: *of, many: list.is_some(), offsets: vec![0], child: None }
            }
            FieldKind::Relation { many, .. } => Cells::Relation { many: *many },
            FieldKind::Computed { .. } => Cells::Computed,
        };
        Self { cells, ..Self::empty() }
    }

    fn empty() -> Self {
        Self { cells: Cells::Computed, nulls: Vec::new(), unknown: Vec::new(), rows: 0 }
    }

    /// Appends the id of an asset.
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Cells::Text { codes, interner, .. } = &mut self.cells {
            codes.push(interner.intern(text));
        }
        self.rows += 1;
    }

    /// Whether a text was already pushed.
    pub(crate) fn contains(&self, text: &str) -> bool {
        matches!(&self.cells, Cells::Text { interner, .. } if interner.contains(text))
    }

    /// Appends a row whose value could not be seen.
    pub(crate) fn push_unknown(&mut self) {
        self.unknown.push(self.rows);
        self.push_nothing();
    }

    /// Appends a value, or a null.
    pub(crate) fn push(&mut self, value: Option<&Value>, catalog: &Catalog) -> Result<(), Refusal> {
        let value = match value {
            None | Some(Value::Null) => {
                if !matches!(self.cells, Cells::Relation { .. } | Cells::Computed) {
                    self.nulls.push(self.rows);
                }
                self.push_nothing();
                return Ok(());
            }
            Some(value) => value,
        };
        let refuse = |problem| (String::new(), problem);
        match &mut self.cells {
            Cells::Text { scalar, codes, interner } => {
                let text = text_of(*scalar, value).ok_or_else(|| refuse(expected(*scalar)))?;
                codes.push(interner.intern(&text));
            }
            Cells::Int { scalar, values } => {
                values.push(int_of(*scalar, value).ok_or_else(|| refuse(expected(*scalar)))?);
            }
            Cells::Float(values) => {
                values.push(scalar::read_float(value).ok_or_else(|| refuse(expected(ScalarType::Float)))?);
            }
            Cells::Bool(values) => {
                values.push(value.as_bool().ok_or_else(|| refuse(expected(ScalarType::Boolean)))?)
            }
            Cells::List { offsets, items } => {
                let Value::Array(elements) = value else { return Err(refuse("must be a list")) };
                for (place, element) in elements.iter().enumerate() {
                    items.push(Some(element), catalog).map_err(|refusal| below(place, refusal))?;
                }
                offsets.push(items.rows);
            }
            Cells::Embedded { of, many, offsets, child } => {
                let objects: &[Value] = match value {
                    Value::Array(objects) if *many => objects,
                    _ if *many => return Err(refuse("must be a list of objects")),
                    object => std::slice::from_ref(object),
                };
                let mut rows = offsets.last().copied().unwrap_or(0);
                for (place, object) in objects.iter().enumerate() {
                    let Value::Object(object) = object else { return Err(refuse("must hold objects")) };
                    let child = child.get_or_insert_with(|| Box::new(TableBuilder::new(*of, catalog)));
                    child.push_object(object, catalog).map_err(|refusal| below(place, refusal))?;
                    rows += 1;
                }
                offsets.push(rows);
            }
            Cells::Relation { .. } => return Err(refuse("is a relation: it is derived, leave it out")),
            Cells::Computed => return Err(refuse("is computed: leave it out")),
        }
        self.rows += 1;
        Ok(())
    }

    fn push_nothing(&mut self) {
        match &mut self.cells {
            Cells::Text { codes, .. } => codes.push(NO_CODE),
            Cells::Int { values, .. } => values.push(0),
            Cells::Float(values) => values.push(0.0),
            Cells::Bool(values) => values.push(false),
            Cells::List { offsets, .. } | Cells::Embedded { offsets, .. } => {
                offsets.push(offsets.last().copied().unwrap_or(0));
            }
            Cells::Relation { .. } | Cells::Computed => {}
        }
        self.rows += 1;
    }

    /// The order that sorts the rows by their texts; nothing where they came sorted.
    pub(crate) fn order(&self) -> Option<Vec<u32>> {
        let Cells::Text { codes, interner, .. } = &self.cells else { return None };
        let texts = interner.by_code();
        let text = |row: &u32| codes.get(*row as usize).and_then(|&code| texts.get(code as usize)).copied();
        let mut order: Vec<u32> = (0..self.rows).collect();
        if order.is_sorted_by_key(text) {
            return None;
        }
        order.sort_unstable_by_key(text);
        Some(order)
    }

    /// The finished column, with its rows in `order` (as they came where nothing is said). Tables of embedded objects
    /// are appended to `tables`. Nothing where something is too large.
    pub(crate) fn finish(self, order: Option<&[u32]>, tables: &mut Vec<Table>) -> Option<Column> {
        let rows = self.rows as usize;
        let nulls = row_set(&self.nulls, rows, order);
        let unknown = row_set(&self.unknown, rows, order);
        let data = match self.cells {
            Cells::Text { scalar, codes, interner } => finish_text(scalar, codes, interner, order)?,
            Cells::Int { scalar, values } => {
                Data::Int { values: reorder(values, order).into(), form: int_form(scalar) }
            }
            Cells::Float(values) => Data::Float(reorder(values, order).into()),
            Cells::Bool(values) => Data::Bool(Bitmap::from_values(&reorder(values, order), |value| value)),
            Cells::List { offsets, items } => {
                let (offsets, item_order) = reorder_lists(offsets, order);
                let items = items.finish(item_order.as_deref(), tables)?;
                Data::List { lists: Lists::new(offsets), items: Box::new(items) }
            }
            Cells::Embedded { of, many, offsets, child } => {
                let (offsets, child_order) = reorder_lists(offsets, order);
                let mut links = Vec::new();
                if let Some(child) = child {
                    let objects = child.rows();
                    let table = child.finish(child_order.as_deref(), tables)?;
                    let forward = Neighbours::build(rows, |row, out| {
                        if let (Some(&start), Some(&end)) = (offsets.get(row), offsets.get(row + 1)) {
                            out.extend(start..end);
                        }
                    })?;
                    links.push(Link { of, table, adjacency: Adjacency::new(forward, objects) });
                }
                Data::Links { links, many }
            }
            Cells::Relation { many } => Data::Links { links: Vec::new(), many },
            Cells::Computed => Data::Computed,
        };
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
                Self::Text { scalar, codes: Vec::new(), interner: Interner::default() }
            }
            ScalarType::Int | ScalarType::BigInt | ScalarType::DateTime | ScalarType::Date => {
                Self::Int { scalar, values: Vec::new() }
            }
            ScalarType::Float => Self::Float(Vec::new()),
            ScalarType::Boolean => Self::Bool(Vec::new()),
        }
    }
}

fn below(place: usize, (path, problem): Refusal) -> Refusal {
    (format!("[{place}]{path}"), problem)
}

fn expected(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::String => "must be a string",
        ScalarType::Id => "must be a string or a whole number",
        ScalarType::Enum(_) => "must be a name of its enum",
        ScalarType::Cidr => "must be a prefix such as 10.0.0.0/16",
        ScalarType::IpAddress => "must be an address such as 10.0.0.1",
        ScalarType::Int => "must be a whole number of 32 bits",
        ScalarType::BigInt => "must be a whole number of 64 bits, or its digits as a string",
        ScalarType::DateTime => "must be a moment such as 2026-11-20T12:04:11Z",
        ScalarType::Date => "must be a day such as 2026-11-20",
        ScalarType::Float => "must be a finite number",
        ScalarType::Boolean => "must be true or false",
        ScalarType::Json => "must be JSON",
    }
}

fn text_of(scalar: ScalarType, value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match (scalar, value) {
        (ScalarType::Json, value) => Some(value.to_string().into()),
        (ScalarType::Id, value) => scalar::read_id(value).map(Into::into),
        (ScalarType::Cidr | ScalarType::IpAddress, Value::String(text)) => {
            scalar::parse_net(text).map(|_| text.as_str().into())
        }
        (_, Value::String(text)) => Some(text.as_str().into()),
        _ => None,
    }
}

fn int_of(scalar: ScalarType, value: &Value) -> Option<i64> {
    match (scalar, value) {
        (ScalarType::Int, value) => scalar::read_int(value),
        (ScalarType::BigInt, value) => scalar::read_big_int(value),
        (ScalarType::DateTime, Value::String(text)) => scalar::parse_datetime(text),
        (ScalarType::Date, Value::String(text)) => scalar::parse_date(text),
        _ => None,
    }
}

fn int_form(scalar: ScalarType) -> IntForm {
    match scalar {
        ScalarType::BigInt => IntForm::BigInt,
        ScalarType::DateTime => IntForm::DateTime,
        ScalarType::Date => IntForm::Date,
        _ => IntForm::Int,
    }
}

fn finish_text(
    scalar: ScalarType,
    codes: Vec<u32>,
    interner: Interner,
    order: Option<&[u32]>,
) -> Option<Data> {
    let form = if scalar == ScalarType::Json { Form::Verbatim } else { Form::Escaped };
    let is_net = matches!(scalar, ScalarType::Cidr | ScalarType::IpAddress);
    let (texts, ranks) = if is_net {
        interner.sort_by_cached_key(|text| (scalar::parse_net(text), text.to_owned()))
    } else {
        interner.sort()
    };
    let codes = reorder(codes, order);
    let codes = codes.into_iter().map(|code| ranks.get(code as usize).copied().unwrap_or(NO_CODE)).collect();
    let dictionary = Dictionary::new(texts.iter().map(AsRef::as_ref), form)?;
    let text = TextData::new(codes, dictionary);
    if !is_net {
        return Some(Data::Text(text));
    }
    let nets: Vec<IpNet> = texts.iter().filter_map(|text| scalar::parse_net(text)).collect();
    Some(Data::Net { text, nets: Nets::new(nets) })
}

fn row_set(rows: &[u32], len: usize, order: Option<&[u32]>) -> Option<Bitmap> {
    if rows.is_empty() {
        return None;
    }
    let set = Bitmap::from_rows(len, rows.iter().copied());
    Some(match order {
        None => set,
        Some(order) => Bitmap::from_values(order, |row| set.get(row as usize)),
    })
}

#[expect(clippy::indexing_slicing, reason = "an order holds each row of its column once")]
fn reorder<T: Copy>(values: Vec<T>, order: Option<&[u32]>) -> Vec<T> {
    match order {
        None => values,
        Some(order) => order.iter().map(|&row| values[row as usize]).collect(),
    }
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
