//! Cursors: a place in an order as opaque text. It holds the values of the sort keys and the id, not a number of rows,
//! so that what is put in before it moves nothing; a fingerprint of type and order; and a checksum, so that what was
//! damaged or made up is refused and not taken for another place.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::plan::{Operand, SortKey};

/// The first byte; another form gets another number.
const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
/// No cursor is longer: what is was not made here.
const LONGEST: usize = 1 << 20;

/// A cursor, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cursor {
    /// The value of each sort key; nothing for null.
    pub(super) values: Vec<Option<Operand>>,
    /// The name of the asset's type.
    pub(super) typename: String,
    /// Its id.
    pub(super) id: String,
}

/// Why a text is not a cursor of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorFault {
    /// Not one that was ever given out, or changed on the way.
    #[error("it is damaged or was never given out")]
    Damaged,
    /// Of another type or another `sort`.
    #[error("it belongs to another type or another `sort`")]
    OtherOrder,
    /// Of a form or a schema that is no longer in force.
    #[error("it was given out by another version or under another schema")]
    OtherVersion,
}

/// What a cursor's order is known by: the type and the sort keys.
pub(super) fn fingerprint(type_name: &str, sort: &[SortKey]) -> u32 {
    let mut text = type_name.to_owned();
    for key in sort {
        text.push_str(if key.descending { "\n-" } else { "\n+" });
        text.push_str(&key.name);
    }
    let [first, second, third, fourth, ..] = *blake3::hash(text.as_bytes()).as_bytes();
    u32::from_le_bytes([first, second, third, fourth])
}

/// Writes a cursor.
pub(super) fn encode<'v>(
    order: u32,
    values: impl Iterator<Item = Option<Operand>>,
    typename: &'v str,
    id: &'v str,
) -> String {
    let mut payload = order.to_le_bytes().to_vec();
    for value in values {
        encode_value(value.as_ref(), &mut payload);
    }
    // The end of the values.
    payload.push(b'.');
    encode_text(typename, &mut payload);
    encode_text(id, &mut payload);
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&check_of(&payload));
    bytes.extend_from_slice(&payload);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor that must belong to an order.
pub(super) fn decode(text: &str, order: u32) -> Result<Cursor, CursorFault> {
    if text.len() > LONGEST {
        return Err(CursorFault::Damaged);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorFault::Damaged)?;
    let (version, rest) = bytes.split_first().ok_or(CursorFault::Damaged)?;
    if *version != VERSION {
        return Err(CursorFault::OtherVersion);
    }
    let (check, payload) = rest.split_at_checked(CHECK_BYTES).ok_or(CursorFault::Damaged)?;
    if check != check_of(payload) {
        return Err(CursorFault::Damaged);
    }
    let mut reader = Reader(payload);
    if u32::from_le_bytes(reader.array()?) != order {
        return Err(CursorFault::OtherOrder);
    }
    let mut values = Vec::new();
    while let Some(value) = reader.value()? {
        values.push(value);
    }
    let (typename, id) = (reader.text()?, reader.text()?);
    if reader.0.is_empty() { Ok(Cursor { values, typename, id }) } else { Err(CursorFault::Damaged) }
}

fn check_of(payload: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = blake3::hash(payload);
    let mut check = [0; CHECK_BYTES];
    for (to, from) in check.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    check
}

fn encode_value(value: Option<&Operand>, out: &mut Vec<u8>) {
    match value {
        None => out.push(b'n'),
        Some(Operand::Text(text)) => {
            out.push(b't');
            encode_text(text, out);
        }
        Some(Operand::Int(number)) => {
            out.push(b'i');
            out.extend_from_slice(&number.to_le_bytes());
        }
        Some(Operand::Float(number)) => {
            out.push(b'f');
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Some(Operand::Bool(value)) => out.push(if *value { b'y' } else { b'x' }),
        Some(Operand::Net(net)) => {
            out.push(b'c');
            encode_text(&net.to_string(), out);
        }
    }
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Takes a payload apart from the front.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], CursorFault> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CursorFault::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CursorFault> {
        self.take(N)?.try_into().map_err(|_| CursorFault::Damaged)
    }

    fn text(&mut self) -> Result<String, CursorFault> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| CursorFault::Damaged)
    }

    /// The next value, or nothing at their end.
    fn value(&mut self) -> Result<Option<Option<Operand>>, CursorFault> {
        let [tag] = self.array()?;
        Ok(Some(match tag {
            b'.' => return Ok(None),
            b'n' => None,
            b't' => Some(Operand::Text(self.text()?)),
            b'i' => Some(Operand::Int(i64::from_le_bytes(self.array()?))),
            b'f' => Some(Operand::Float(f64::from_bits(u64::from_le_bytes(self.array()?)))),
            b'y' => Some(Operand::Bool(true)),
            b'x' => Some(Operand::Bool(false)),
            b'c' => Some(Operand::Net(self.text()?.parse().map_err(|_| CursorFault::Damaged)?)),
            _ => return Err(CursorFault::Damaged),
        }))
    }
}
