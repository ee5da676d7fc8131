//! Escapes in strings: `\uD83D\uDE00` is one character in two halves, and one half alone is none.

use super::LexicalError;

/// The bytes of `\uD83D\uDE00`.
const PAIR: usize = 12;
/// The bytes of `\u00e9`.
const SINGLE: usize = 6;

/// The bytes of the escape that a text begins with; an error for half of a surrogate pair. A malformed escape counts as
/// its backslash and one byte: the parsers refuse it.
pub(super) fn length_of_escape(text: &[u8], offset: usize) -> Result<usize, LexicalError> {
    let Some(unit) = read_unit(text) else { return Ok(2.min(text.len())) };
    if !(0xD800..0xE000).contains(&unit) {
        return Ok(SINGLE);
    }
    match text.get(SINGLE..).and_then(read_unit).and_then(|second| join(unit, second)) {
        Some(_) => Ok(PAIR),
        None => Err(LexicalError::LoneSurrogate { escape: format!("\\u{unit:04X}"), offset }),
    }
}

/// The number in `\uD83D`.
fn read_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

fn join(first: u32, second: u32) -> Option<char> {
    if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
}
