//! The distinct texts of one column, each stored once, JSON-escaped, in one arena. Codes are places in the order of
//! the column (code points for text, address order for nets), so that ranges and prefixes are ranges of codes.

use std::{borrow::Cow, cmp::Ordering};

use super::image::{ImageError, ImageReader, ImageWriter, Imaged};

/// The code of a cell that holds no value.
pub(crate) const NO_CODE: u32 = u32::MAX;

/// How the texts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the inside of a JSON string.
    Escaped,
    /// As JSON text of any kind.
    Verbatim,
}

/// The sorted distinct texts of a column.
#[derive(Debug)]
pub(crate) struct Dictionary {
    /// `"first"second"third"`: neighbours share a quote, so each value with its quotes is one slice.
    arena: String,
    /// Where the opening quote of each value stands, and at the end the last quote.
    starts: Vec<u32>,
    form: Form,
    /// Whether any value holds an escape; without one, what is stored is the raw text.
    has_escapes: bool,
}

/// A dictionary that is being written, text by text, in the order their codes shall have.
#[derive(Debug)]
pub(crate) struct DictionaryBuilder {
    arena: String,
    starts: Vec<u32>,
    form: Form,
    /// Whether the arena has outgrown its offsets.
    is_full: bool,
}

impl DictionaryBuilder {
    pub(crate) fn new(form: Form) -> Self {
        Self { arena: String::from("\""), starts: vec![0], form, is_full: false }
    }

    /// Adds a raw text.
    pub(crate) fn push(&mut self, text: &str) {
        match self.form {
            Form::Escaped => escape_into(&mut self.arena, text),
            Form::Verbatim => self.arena.push_str(text),
        }
        match u32::try_from(self.arena.len()) {
            Ok(start) => self.starts.push(start),
            Err(_) => self.is_full = true,
        }
        self.arena.push('"');
    }

    /// Nothing where the arena has outgrown its offsets.
    pub(crate) fn finish(self) -> Option<Dictionary> {
        let Self { mut arena, mut starts, form, is_full } = self;
        if is_full {
            return None;
        }
        arena.shrink_to_fit();
        starts.shrink_to_fit();
        let has_escapes = form == Form::Escaped && memchr::memchr(b'\\', arena.as_bytes()).is_some();
        Some(Dictionary { arena, starts, form, has_escapes })
    }
}

impl Dictionary {
    /// How many distinct texts there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn bounds(&self, code: u32) -> Option<(usize, usize)> {
        let code = code as usize;
        Some((*self.starts.get(code)? as usize, *self.starts.get(code + 1)? as usize))
    }

    /// The text as stored, without quotes; empty for a code that is none.
    pub(crate) fn stored(&self, code: u32) -> &str {
        self.bounds(code).and_then(|(start, end)| self.arena.get(start + 1..end)).unwrap_or_default()
    }

    /// The JSON of the text: quoted, or verbatim for a column of JSON.
    pub(crate) fn json(&self, code: u32) -> &[u8] {
        let bounds = self.bounds(code);
        let bytes = self.arena.as_bytes();
        match self.form {
            Form::Escaped => bounds.and_then(|(start, end)| bytes.get(start..=end)),
            Form::Verbatim => bounds.and_then(|(start, end)| bytes.get(start + 1..end)),
        }
        .unwrap_or(b"null")
    }

    /// The raw text.
    pub(crate) fn text(&self, code: u32) -> Cow<'_, str> {
        let stored = self.stored(code);
        if !self.has_escapes || memchr::memchr(b'\\', stored.as_bytes()).is_none() {
            return Cow::Borrowed(stored);
        }
        Cow::Owned(serde_json::from_slice(self.json(code)).unwrap_or_default())
    }

    /// The code of a raw text. Only for a dictionary in the order of code points.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let code = self.lower_bound(|other| other.cmp(text) == Ordering::Less);
        (code as usize != self.len() && self.text(code) == text).then_some(code)
    }

    /// The first code whose text is not `before`, which must hold for a beginning of the dictionary.
    pub(crate) fn lower_bound(&self, before: impl Fn(&str) -> bool) -> u32 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let code = u32::try_from(middle).unwrap_or(NO_CODE);
            if before(&self.text(code)) { low = middle + 1 } else { high = middle }
        }
        u32::try_from(low).unwrap_or(NO_CODE)
    }

    /// The codes whose stored (JSON-escaped) text a pattern finds, in order: one pass over all texts at once. The
    /// pattern must not match a lone quote; what it finds in an escape need not be in the raw text.
    pub(crate) fn codes_with(&self, pattern: &regex::Regex) -> Vec<u32> {
        let mut codes = Vec::new();
        let mut from = 0;
        while let Some(found) = pattern.find_at(&self.arena, from) {
            let after = self.starts.partition_point(|&start| (start as usize) < found.start());
            let Some((code, &next)) = after.checked_sub(1).zip(self.starts.get(after)) else { break };
            codes.push(u32::try_from(code).unwrap_or(NO_CODE));
            from = next as usize;
        }
        codes
    }

    /// Every code with its raw text, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Cow<'_, str>)> {
        (0u32..).take(self.len()).map(|code| (code, self.text(code)))
    }
}

/// Appends the inside of the JSON string of a text.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    if !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(text);
        return;
    }
    let quoted = serde_json::Value::String(text.to_owned()).to_string();
    out.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
}

impl Imaged for Dictionary {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { arena, starts, form, has_escapes } = self;
        image.text(arena);
        image.u32s(starts);
        image.flag(*form == Form::Verbatim);
        image.flag(*has_escapes);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self {
            arena: image.text()?,
            starts: image.u32s()?,
            form: if image.flag()? { Form::Verbatim } else { Form::Escaped },
            has_escapes: image.flag()?,
        })
    }
}
