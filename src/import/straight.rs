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
        Catalog, Cell, EnumId, FieldId, FieldKind, Row, RowBuffer, ScalarType, Span, TypeDef, TypeId,
        TypeKind, scalar,
    },
    model::{SliceState, bytes::is_equal},
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
    /// The keys of the line before with the comma, the quotes and the colon around them: most often the next one has the
    /// same.
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
    /// Whether it is one text of any kind.
    is_text: bool,
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
        Some(buffer.row(of, id, line))
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
            let layout = self.layouts.get_mut(of.0 as usize)?;
            let Some(key) = layout.key(cursor, &mut place)? else { break };
            match key {
                Key::Typename => {
                    let name = cursor.text()?;
                    if has_typename || layout.name != name {
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
                    let last = layout.stamps.get_mut(field.0 as usize)?;
                    if std::mem::replace(last, self.stamp) == self.stamp {
                        return None;
                    }
                    let stored = *layout.fields.get(field.0 as usize)?;
                    required += usize::from(!stored.is_nullable);
                    self.value(field, stored, cursor, buffer)?;
                }
            }
        }
        if !has_typename || required != self.layouts.get(of.0 as usize)?.required {
            return None;
        }
        id
    }

    /// Reads the value of a field. It goes into the buffer at once: a cell is longer than what is returned in registers.
    #[inline]
    fn value<'a>(
        &mut self,
        field: FieldId,
        stored: Stored,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<()> {
        if stored.is_text && cursor.peek() == Some(b'"') {
            buffer.give(field, Cell::Text(cursor.text()?));
            return Some(());
        }
        self.any_value(field, stored, cursor, buffer)
    }

    /// The same of a value that need not be a text.
    fn any_value<'a>(
        &mut self,
        field: FieldId,
        stored: Stored,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<()> {
        if cursor.peek()? == b'n' {
            return stored.is_nullable.then(|| null(field, cursor, buffer))?;
        }
        let Some(has_nullable_items) = stored.list else {
            return self.item(field, stored.form, cursor, buffer);
        };
        let begin = buffer.begin();
        cursor.expect(b'[')?;
        cursor.skip_blanks();
        if cursor.peek()? == b']' {
            cursor.take()?;
        } else {
            loop {
                cursor.skip_blanks();
                if cursor.peek()? != b'n' {
                    self.item(FieldId(0), stored.form, cursor, buffer)?;
                } else if has_nullable_items {
                    null(FieldId(0), cursor, buffer)?;
                } else {
                    return None;
                }
                cursor.skip_blanks();
                match cursor.take()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        let items = buffer.close(begin);
        buffer.give(field, Cell::List(items));
        Some(())
    }

    /// Reads a value that is no list and not null.
    fn item<'a>(
        &mut self,
        field: FieldId,
        form: Form,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<()> {
        let cell = match form {
            Form::Text => Cell::Text(cursor.text()?),
            Form::Enum(of) => {
                let text = cursor.text()?;
                let values = &self.catalog.get_enum(of).values;
                values.iter().any(|value| is_equal(value.as_bytes(), text.as_bytes())).then_some(())?;
                Cell::Text(text)
            }
            Form::Net => {
                let text = cursor.text()?;
                scalar::parse_net(text)?;
                Cell::Text(text)
            }
            Form::Address => {
                let text = cursor.text()?;
                text.parse::<std::net::IpAddr>().ok()?;
                Cell::Text(text)
            }
            Form::DateTime => Cell::Int(scalar::parse_datetime(cursor.text()?)?),
            Form::Date => Cell::Int(scalar::parse_date(cursor.text()?)?),
            Form::Int => Cell::Int(i32::try_from(cursor.whole_number()?).ok()?.into()),
            Form::BigInt if cursor.peek()? == b'"' => Cell::Int(scalar::parse_big_int(cursor.text()?)?),
            Form::BigInt => Cell::Int(cursor.whole_number()?),
            Form::Float => Cell::Float(cursor.decimal()?),
            Form::Bool => {
                let is_true = cursor.peek()? == b't';
                cursor.word(if is_true { b"true" } else { b"false" })?;
                Cell::Bool(is_true)
            }
            Form::Object(of) => {
                let fields = self.object(of, cursor, buffer)?;
                Cell::Object(fields)
            }
            Form::Other => return None,
        };
        buffer.give(field, cell);
        Some(())
    }

    /// Reads an embedded object; its fields.
    fn object<'a>(
        &mut self,
        of: TypeId,
        cursor: &mut Cursor<'a>,
        buffer: &mut RowBuffer<'a>,
    ) -> Option<Span> {
        let begin = buffer.begin();
        let mut required = 0;
        let mut place = 0;
        cursor.expect(b'{')?;
        loop {
            let layout = self.layouts.get_mut(of.0 as usize)?;
            let Some(key) = layout.key(cursor, &mut place)? else { break };
            let Key::Field(field) = key else { return None };
            // There are few.
            if buffer.given_since(begin).iter().any(|given| given.field == field) {
                return None;
            }
            let stored = *layout.fields.get(field.0 as usize)?;
            required += usize::from(!stored.is_nullable);
            self.value(field, stored, cursor, buffer)?;
        }
        (required == self.layouts.get(of.0 as usize)?.required).then(|| buffer.close(begin))
    }
}

/// Reads a null.
fn null<'a>(field: FieldId, cursor: &mut Cursor<'a>, buffer: &mut RowBuffer<'a>) -> Option<()> {
    cursor.word(b"null")?;
    buffer.give(field, Cell::Null);
    Some(())
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

    /// Reads on to the value of the next key; nothing (within) at the end of the object. `place` is where among the
    /// expected keys the next one should stand, and moves on; it is 0 at the first one only.
    #[inline]
    fn key(&mut self, cursor: &mut Cursor<'_>, place: &mut usize) -> Option<Option<Key>> {
        if let Some((expected, key)) = self.expected.get(*place)
            && cursor.pass(expected.get(usize::from(*place == 0)..)?)
        {
            *place += 1;
            cursor.skip_blanks();
            return Some(Some(*key));
        }
        self.any_key(cursor, place)
    }

    /// The same of a key that was not expected.
    fn any_key(&mut self, cursor: &mut Cursor<'_>, place: &mut usize) -> Option<Option<Key>> {
        cursor.skip_blanks();
        match cursor.peek()? {
            b'}' => return cursor.take().map(|_| None),
            b',' if *place > 0 => _ = cursor.take(),
            b'"' if *place == 0 => {}
            _ => return None,
        }
        cursor.skip_blanks();
        let start = cursor.at();
        let name = cursor.text()?;
        let quoted = cursor.since(start);
        let key = *self.keys.get(name)?;
        cursor.skip_blanks();
        cursor.expect(b':')?;
        cursor.skip_blanks();
        match self.expected.iter().position(|(_, known)| *known == key) {
            Some(known) => *place = known + 1,
            None => {
                let expected = [b",", quoted, b":"].concat();
                self.expected.insert((*place).min(self.expected.len()), (expected.into(), key));
                *place += 1;
            }
        }
        Some(Some(key))
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
            is_text: matches!(form, Form::Text) && list.is_none(),
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
