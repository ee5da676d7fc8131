//! Escapes in strings: `\uD83D\uDE00` is one character in two halves, which async-graphql's parser can't put together.

use std::borrow::Cow;

use super::{
    GuardError,
    tokens::{TokenKind, Tokens},
};

/// A document without surrogate pairs, and the way back to the text it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised<'t> {
    /// What async-graphql's parser may read; the very same text where nothing had to be changed.
    pub text: Cow<'t, str>,
    /// For each pair, the byte of `text` behind the character and how many bytes the text is shorter from there on.
    shifts: Vec<(usize, usize)>,
}

impl Normalised<'_> {
    /// The byte of the original text that stands at a byte of the normalised one.
    #[must_use]
    pub fn original_offset(&self, offset: usize) -> usize {
        let shift = self.shifts.iter().rev().find(|(from, _)| *from <= offset);
        offset + shift.map_or(0, |(_, bytes)| *bytes)
    }
}

/// Writes every character that is escaped as a surrogate pair as itself. The text must have passed the guard; one that
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
        for (at, character) in surrogate_pairs(string) {
            let at = token.start + at;
            written.push_str(text.get(copied..at).unwrap_or_default());
            written.push(character);
            copied = at + PAIR;
            shifts.push((written.len(), copied - written.len()));
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

/// The pairs in a string literal: where each begins, and the character it stands for.
fn surrogate_pairs(string: &str) -> Vec<(usize, char)> {
    let bytes = string.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.first() != Some(&b'\\') {
            at += 1;
            continue;
        }
        match read_unit(rest)
            .zip(rest.get(SINGLE..).and_then(read_unit))
            .and_then(|(one, two)| join(one, two))
        {
            Some(character) => {
                found.push((at, character));
                at += PAIR;
            }
            None => at += length_of_escape(rest, at).unwrap_or(2),
        }
    }
    found
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
