//! Escapes in strings: `\uD83D\uDE00` is one character in two halves and `\u{1F600}` the same in one, and
//! async-graphql's parser knows neither.

use std::borrow::Cow;

use super::{
    GuardError,
    tokens::{TokenKind, Tokens},
};

/// A document with four-digit escapes only, and the way back to the text it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised<'t> {
    /// What async-graphql's parser may read; the very same text where nothing had to be changed.
    pub text: Cow<'t, str>,
    /// For each escape, the byte of `text` behind the character and how many bytes the text is shorter from there on.
    shifts: Vec<(usize, isize)>,
}

impl Normalised<'_> {
    /// The byte of the original text that stands at a byte of the normalised one.
    #[must_use]
    pub fn original_offset(&self, offset: usize) -> usize {
        let shift = self.shifts.iter().rev().find(|(from, _)| *from <= offset);
        offset.saturating_add_signed(shift.map_or(0, |(_, bytes)| *bytes))
    }
}

/// Writes every character that is escaped as a surrogate pair or in braces in a form that async-graphql reads. The text must have passed the guard; one that
/// has not is returned as it is.
#[must_use]
pub fn normalise_escapes(text: &str) -> Normalised<'_> {
    let unchanged = Normalised { text: Cow::Borrowed(text), shifts: Vec::new() };
    // Few documents have an escape at all.
    if !text.contains("\\u") {
        return unchanged;
    }
    let mut written = String::new();
    let mut shifts = Vec::new();
    let mut copied = 0;
    for token in Tokens::new(text) {
        let Ok(token) = token else { return unchanged };
        let string = token.text(text);
        if token.kind != TokenKind::Other || !string.starts_with('"') || string.starts_with("\"\"\"") {
            continue;
        }
        for rewrite in rewrites(string) {
            let at = token.start + rewrite.at;
            written.push_str(text.get(copied..at).unwrap_or_default());
            match u16::try_from(u32::from(rewrite.character)) {
                // It may be a quote or a line end.
                Ok(unit) => written.push_str(&format!("\\u{unit:04X}")),
                Err(_) => written.push(rewrite.character),
            }
            copied = at + rewrite.length;
            shifts.push((written.len(), copied.cast_signed() - written.len().cast_signed()));
        }
    }
    if shifts.is_empty() {
        return unchanged;
    }
    written.push_str(text.get(copied..).unwrap_or_default());
    Normalised { text: Cow::Owned(written), shifts }
}

/// The bytes of `\uD83D\uDE00`.
const PAIR: usize = 12;
/// The bytes of `\u00e9`.
const SINGLE: usize = 6;

/// An escape that async-graphql doesn't read.
struct Rewrite {
    at: usize,
    length: usize,
    character: char,
}

/// The escapes of a string literal that have to be rewritten, in order.
fn rewrites(string: &str) -> Vec<Rewrite> {
    let bytes = string.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.first() != Some(&b'\\') {
            at += 1;
            continue;
        }
        let pair = || Some((join(read_unit(rest)?, read_unit(rest.get(SINGLE..)?)?)?, PAIR));
        match pair().or_else(|| read_braces(rest)) {
            Some((character, length)) => {
                found.push(Rewrite { at, length, character });
                at += length;
            }
            None => at += length_of_escape(rest, at).unwrap_or(2),
        }
    }
    found
}

/// The character in `\u{1F600}`, and the bytes of the escape.
fn read_braces(text: &[u8]) -> Option<(char, usize)> {
    let inside = text.strip_prefix(b"\\u{")?;
    let end = inside.iter().take(9).position(|byte| *byte == b'}')?;
    let digits = std::str::from_utf8(inside.get(..end)?).ok()?;
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    Some((char::from_u32(code)?, end + "\\u{}".len()))
}

/// The bytes of the escape that a text begins with; an error for half of a surrogate pair. A malformed escape counts as
/// its backslash and one byte: the parsers refuse it.
pub(super) fn length_of_escape(text: &[u8], offset: usize) -> Result<usize, GuardError> {
    let Some(unit) = read_unit(text) else { return Ok(2.min(text.len())) };
    if !(0xD800..0xE000).contains(&unit) {
        return Ok(SINGLE);
    }
    match text.get(SINGLE..).and_then(read_unit).and_then(|second| join(unit, second)) {
        Some(_) => Ok(PAIR),
        None => Err(GuardError::LoneSurrogate { escape: format!("\\u{unit:04X}"), offset }),
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
