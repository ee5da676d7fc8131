//! The straight path of a line into a row: what nearly every line looks like is read in one pass, without a tree of
//! values in between. Whatever it is not certain of (an escape, a key given twice, a value of another form, anything
//! wrong) it leaves to the path that reads any JSON and knows what to say about it.

use rustc_hash::FxHashMap;

use super::{
    cursor::Cursor,
    slice_line::{self, SliceLines},
};
use crate::{
    catalog::{
        Catalog, Cell, EnumId, FieldId, FieldKind, Row, RowBuffer, ScalarType, TypeDef, TypeId, TypeKind,
        scalar,
    },
    model::SliceState,
};

const TYPENAME: &str = "__typename";
const ID: &str = "id";

/// Reads lines of the types of a catalog.
#[derive(Debug)]
pub(super) struct Straight<'c> {
    catalog: &'c Catalog,
    /// By [`TypeId`].
    layouts: Vec<Layout<'c>>,
    assets: FxHashMap<&'c str, TypeId>,
    slices: SliceLines,
    /// Counts the lines: a field whose stamp it is was given in this one.
    stamp: u64,
}

/// What is known of a type.
#[derive(Debug)]
struct Layout<'c> {
    name: &'c str,
    keys: FxHashMap<&'c str, Key>,
    /// By [`FieldId`].
    fields: Vec<Stored>,
    /// By [`FieldId`]: the line that gave it last.
    stamps: Vec<u64>,
    /// How many fields there are that are never null, besides the id.
    required: usize,
    /// The keys of the line before with their quotes and colon: most often the next one has the same.
    expected: Vec<(Box<[u8]>, Key)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Typename,
    Id,
    Field(FieldId),
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
struct Stored {
    form: Form,
    is_nullable: bool,
    /// For a list, whether its items may be null.
    list: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    Enum(EnumId),
    Net,
    Address,
    DateTime,
    Date,
    Int,
    BigInt,
    Float,
    Bool,
    Object(TypeId),
    /// Not read here: JSON, and what is not stored.
    Other,
}

impl<'c> Straight<'c> {
    pub(super) fn new(catalog: &'c Catalog) -> Self {
        // A slice is no asset in a file, whatever the schema makes of it.
        let assets = catalog.iter().filter(|(_, definition)| {
            definition.kind == TypeKind::Asset && definition.name != slice_line::TYPENAME
        });
        Self {
            catalog,
            layouts: catalog.types().iter().map(Layout::new).collect(),
            assets: assets.map(|(id, definition)| (definition.name.as_str(), id)).collect(),
            slices: SliceLines::default(),
            stamp: 0,
        }
    }

    /// The row of a line; nothing where the other path has to say what the line is.
    pub(super) fn read<'a, 'buffer>(
        &mut self,
        text: &'a str,
        line: u64,
        buffer: &'buffer mut RowBuffer<'a>,
    ) -> Option<Row<'a, 'buffer>> {
        let of = *self.assets.get(typename_of(text)?)?;
        buffer.clear();
        self.stamp += 1;
        let mut cursor = Cursor::new(text);
        let id = self.asset(of, &mut cursor, buffer)?;
        if !cursor.is_at_end() {
            return None;
        }
        let given = buffer.close(0);
        Some(buffer.row(of, id, line, given))
    }

    /// The slice of a line; nothing where it is none, or the other path has to say what it is.
    pub(super) fn read_slice(&mut self, text: &str) -> Option<SliceState> {
        (typename_of(text)? == slice_line::TYPENAME).then(|| self.slices.read(text, &self.assets))?
    }

    /// Reads the object of an asset; its id.
    fn asset<'a>(
        &mut self,
        of: TypeId,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<&'a str> {
        let mut id = None;
        let mut has_typename = false;
        let mut required = 0;
        let mut place = 0;
        cursor.expect(b'{')?;
        loop {
            cursor.skip_blanks();
            let key = self.layouts.get_mut(of.0 as usize)?.key(cursor, &mut place)?;
            cursor.skip_blanks();
            match key {
                Key::Typename => {
                    let name = cursor.text()?;
                    if has_typename || self.layouts.get(of.0 as usize)?.name != name {
                        return None;
                    }
                    has_typename = true;
                }
                Key::Id => {
                    let text = cursor.text()?;
                    if id.replace(text).is_some() || text.is_empty() {
                        return None;
                    }
                }
                Key::Field(field) => {
                    let layout = self.layouts.get_mut(of.0 as usize)?;
                    let last = layout.stamps.get_mut(field.0 as usize)?;
                    if std::mem::replace(last, self.stamp) == self.stamp {
                        return None;
                    }
                    let stored = *layout.fields.get(field.0 as usize)?;
                    let cell = self.value(stored, cursor, buffer)?;
                    required += usize::from(!stored.is_nullable);
                    buffer.give(field, cell);
                }
            }
            cursor.skip_blanks();
            match cursor.take()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        if !has_typename || required != self.layouts.get(of.0 as usize)?.required {
            return None;
        }
        id
    }

    fn value<'a>(
        &mut self,
        stored: Stored,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<Cell<'a>> {
        if cursor.peek()? == b'n' {
            return if stored.is_nullable { cursor.word(b"null").map(|()| Cell::Null) } else { None };
        }
        let Some(has_nullable_items) = stored.list else { return self.item(stored.form, cursor, buffer) };
        let begin = buffer.begin();
        cursor.expect(b'[')?;
        cursor.skip_blanks();
        if cursor.peek()? == b']' {
            cursor.take()?;
            return Some(Cell::List(buffer.close(begin)));
        }
        loop {
            cursor.skip_blanks();
            let cell = if cursor.peek()? != b'n' {
                self.item(stored.form, cursor, buffer)?
            } else if has_nullable_items {
                cursor.word(b"null").map(|()| Cell::Null)?
            } else {
                return None;
            };
            buffer.give(FieldId(0), cell);
            cursor.skip_blanks();
            match cursor.take()? {
                b',' => {}
                b']' => return Some(Cell::List(buffer.close(begin))),
                _ => return None,
            }
        }
    }

    fn item<'a>(
        &mut self,
        form: Form,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<Cell<'a>> {
        Some(match form {
            Form::Text => Cell::Text(cursor.text()?),
            Form::Enum(of) => {
                let text = cursor.text()?;
                self.catalog
                    .get_enum(of)
                    .values
                    .iter()
                    .any(|value| value == text)
                    .then_some(Cell::Text(text))?
            }
            Form::Net => {
                let text = cursor.text()?;
                scalar::parse_net(text).map(|_| Cell::Text(text))?
            }
            Form::Address => {
                let text = cursor.text()?;
                text.parse::<std::net::IpAddr>().ok().map(|_| Cell::Text(text))?
            }
            Form::DateTime => Cell::Int(scalar::parse_datetime(cursor.text()?)?),
            Form::Date => Cell::Int(scalar::parse_date(cursor.text()?)?),
            Form::Int => Cell::Int(i32::try_from(cursor.whole_number()?).ok()?.into()),
            Form::BigInt if cursor.peek()? == b'"' => Cell::Int(scalar::parse_big_int(cursor.text()?)?),
            Form::BigInt => Cell::Int(cursor.whole_number()?),
            Form::Float => Cell::Float(cursor.decimal()?),
            Form::Bool if cursor.peek()? == b't' => cursor.word(b"true").map(|()| Cell::Bool(true))?,
            Form::Bool => cursor.word(b"false").map(|()| Cell::Bool(false))?,
            Form::Object(of) => self.object(of, cursor, buffer)?,
            Form::Other => return None,
        })
    }

    /// Reads an embedded object.
    fn object<'a>(
        &mut self,
        of: TypeId,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<Cell<'a>> {
        let begin = buffer.begin();
        let mut required = 0;
        let mut place = 0;
        cursor.expect(b'{')?;
        cursor.skip_blanks();
        if cursor.peek()? == b'}' {
            cursor.take()?;
        } else {
            loop {
                cursor.skip_blanks();
                let layout = self.layouts.get_mut(of.0 as usize)?;
                let Key::Field(field) = layout.key(cursor, &mut place)? else { return None };
                // There are few.
                if buffer.given_since(begin).iter().any(|given| given.field == field) {
                    return None;
                }
                let stored = *layout.fields.get(field.0 as usize)?;
                cursor.skip_blanks();
                let cell = self.value(stored, cursor, buffer)?;
                required += usize::from(!stored.is_nullable);
                buffer.give(field, cell);
                cursor.skip_blanks();
                match cursor.take()? {
                    b',' => {}
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        (required == self.layouts.get(of.0 as usize)?.required).then(|| Cell::Object(buffer.close(begin)))
    }
}

impl<'c> Layout<'c> {
    fn new(definition: &'c TypeDef) -> Self {
        let is_asset = definition.kind == TypeKind::Asset;
        let is_id = |name: &str| is_asset && name == ID;
        let fields: Vec<Stored> =
            definition.fields.iter().map(|field| Stored::new(&field.kind, field.nullable)).collect();
        let mut keys: FxHashMap<&str, Key> = definition
            .iter()
            .map(|(id, field)| {
                (field.name.as_str(), if is_id(&field.name) { Key::Id } else { Key::Field(id) })
            })
            .collect();
        if is_asset {
            keys.insert(TYPENAME, Key::Typename);
        }
        let required = definition.fields.iter().zip(&fields).filter(|(field, stored)| {
            !field.nullable && !matches!(stored.form, Form::Other) && !is_id(&field.name)
        });
        // A JSON field that is never null makes every line one for the other path.
        let is_unreadable = definition.fields.iter().any(|field| {
            !field.nullable && matches!(field.kind, FieldKind::Scalar { scalar: ScalarType::Json, .. })
        });
        let required = if is_unreadable { usize::MAX } else { required.count() };
        Self {
            name: &definition.name,
            keys,
            stamps: vec![0; fields.len()],
            fields,
            required,
            expected: Vec::new(),
        }
    }

    /// Reads a key and its colon. `place` is where among the expected ones it should stand, and moves on.
    fn key(&mut self, cursor: &mut Cursor<'_>, place: &mut usize) -> Option<Key> {
        if let Some((quoted, key)) = self.expected.get(*place)
            && cursor.pass(quoted)
        {
            *place += 1;
            return Some(*key);
        }
        let start = cursor.at();
        let name = cursor.text()?;
        let quoted = cursor.since(start);
        let key = *self.keys.get(name)?;
        cursor.skip_blanks();
        cursor.expect(b':')?;
        match self.expected.iter().position(|(_, known)| *known == key) {
            Some(known) => *place = known + 1,
            None => {
                let mut quoted = quoted.to_vec();
                quoted.push(b':');
                self.expected.insert((*place).min(self.expected.len()), (quoted.into(), key));
                *place += 1;
            }
        }
        Some(key)
    }
}

impl Stored {
    fn new(kind: &FieldKind, is_nullable: bool) -> Self {
        let (form, list) = match kind {
            FieldKind::Scalar { scalar, list, .. } => (Form::of(*scalar), list),
            FieldKind::Embedded { of, list } => (Form::Object(*of), list),
            FieldKind::Relation { .. } | FieldKind::Computed { .. } => (Form::Other, &None),
        };
        Self {
            form,
            is_nullable: is_nullable && !matches!(form, Form::Other),
            list: list.map(|list| list.nullable_items),
        }
    }
}

impl Form {
    fn of(scalar: ScalarType) -> Self {
        match scalar {
            ScalarType::String | ScalarType::Id => Self::Text,
            ScalarType::Enum(of) => Self::Enum(of),
            ScalarType::Cidr => Self::Net,
            ScalarType::IpAddress => Self::Address,
            ScalarType::DateTime => Self::DateTime,
            ScalarType::Date => Self::Date,
            ScalarType::Int => Self::Int,
            ScalarType::BigInt => Self::BigInt,
            ScalarType::Float => Self::Float,
            ScalarType::Boolean => Self::Bool,
            ScalarType::Json => Self::Other,
        }
    }
}

/// The first `__typename` of a line. Whether it is the one of the asset itself shows when the line is read.
fn typename_of(line: &str) -> Option<&str> {
    let quoted = "\"__typename\"";
    let after = match line.strip_prefix("{\"__typename\"") {
        Some(after) => after,
        None => line.get(memchr::memmem::find(line.as_bytes(), quoted.as_bytes())? + quoted.len()..)?,
    };
    let name = after.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?;
    name.get(..memchr::memchr(b'"', name.as_bytes())?)
}
