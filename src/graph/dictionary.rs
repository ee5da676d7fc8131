//! The distinct texts of one column, each stored once, JSON-escaped, in one arena. Codes are places in the order of
//! the column (code points for text, address order for nets), so that ranges and prefixes are ranges of codes.

use std::{borrow::Cow, cmp::Ordering};

use rustc_hash::FxHashMap;

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

impl Dictionary {
    /// From raw texts in the order their codes shall have; nothing where the arena would outgrow its offsets.
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t str>, form: Form) -> Option<Self> {
        let mut arena = String::from("\"");
        let mut starts = vec![0];
        for text in texts {
            match form {
                Form::Escaped => escape_into(&mut arena, text),
                Form::Verbatim => arena.push_str(text),
            }
            starts.push(u32::try_from(arena.len()).ok()?);
            arena.push('"');
        }
        arena.shrink_to_fit();
        starts.shrink_to_fit();
        let has_escapes = form == Form::Escaped && memchr::memchr(b'\\', arena.as_bytes()).is_some();
        Some(Self { arena, starts, form, has_escapes })
    }

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

/// Texts as they come in, numbered in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    codes: FxHashMap<Box<str>, u32>,
}

impl Interner {
    /// The provisional code of a text.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = u32::try_from(self.codes.len()).unwrap_or(NO_CODE);
        self.codes.insert(text.into(), code);
        code
    }

    /// Whether a text was seen.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.codes.contains_key(text)
    }

    /// The texts by their provisional codes.
    pub(crate) fn by_code(&self) -> Vec<&str> {
        let mut texts = vec![""; self.codes.len()];
        for (text, &code) in &self.codes {
            if let Some(slot) = texts.get_mut(code as usize) {
                *slot = text;
            }
        }
        texts
    }

    /// The texts sorted by code point, and for each provisional code its place in that order.
    pub(crate) fn sort(self) -> (Vec<Box<str>>, Vec<u32>) {
        // In the order of arrival, which is often sorted or made of sorted runs: the stable sort merges these.
        let mut arrived: Vec<(Box<str>, u32)> = vec![Default::default(); self.codes.len()];
        for (text, code) in self.codes {
            if let Some(slot) = arrived.get_mut(code as usize) {
                *slot = (text, code);
            }
        }
        arrived.sort();
        rank(arrived)
    }

    /// The texts sorted by a key that each is asked for once, and for each provisional code its place in that order.
    pub(crate) fn sort_by_cached_key<K: Ord>(self, key: impl Fn(&str) -> K) -> (Vec<Box<str>>, Vec<u32>) {
        let mut entries: Vec<(Box<str>, u32)> = self.codes.into_iter().collect();
        entries.sort_by_cached_key(|(text, _)| key(text));
        rank(entries)
    }
}

fn rank(entries: Vec<(Box<str>, u32)>) -> (Vec<Box<str>>, Vec<u32>) {
    let mut ranks = vec![NO_CODE; entries.len()];
    for (rank, (_, code)) in (0u32..).zip(&entries) {
        if let Some(slot) = ranks.get_mut(*code as usize) {
            *slot = rank;
        }
    }
    (entries.into_iter().map(|(text, _)| text).collect(), ranks)
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
