//! The distinct texts of one column, each stored once, JSON-escaped, in one arena (ids in two, of which one is shared).
//! Codes are places in the order of the column (code points for text, address order for nets), so that ranges and
//! prefixes are ranges of codes.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{Arc, OnceLock},
};

use super::{
    bitmap::Bitmap,
    cells::Cells,
    compared::count_compared,
    fences::Fences,
    image::{ImageError, ImageReader, ImageWriter, Imaged},
    needle::{Needle, Pairs},
};
use crate::model::parallel::beside;

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
pub(crate) struct Dictionary(Layout);

#[derive(Debug)]
enum Layout {
    Arena(Arena),
    Joined(Joined),
}

/// Texts in one piece each.
#[derive(Debug)]
struct Arena {
    /// `"first"second"third"`: neighbours share a quote, so each value with its quotes is one slice.
    text: String,
    /// Where the opening quote of each value stands, and at the end the last quote.
    starts: Vec<u32>,
    form: Form,
    /// Whether any value holds an escape; without one, what is stored is the raw text.
    has_escapes: bool,
    /// Made at the first search by order.
    fences: OnceLock<Option<Fences>>,
    /// Made at the first search for a part.
    pairs: OnceLock<Pairs>,
}

/// Texts that are a beginning which many share and an end which another column holds as well: ids such as
/// `arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0a56e8e5d8be2e3ed`. No beginning is itself the beginning of another one,
/// so that texts in order are beginnings in order, and within each the ends in order.
#[derive(Debug)]
struct Joined {
    beginnings: Arena,
    /// The first code of each beginning, and at the end the number of texts.
    firsts: Vec<u32>,
    /// The beginning of every [`STRIDE`]th text, from which its neighbours' are not far.
    nearest: Vec<u32>,
    ends: Arc<Dictionary>,
    /// The code of the end of each text.
    end_codes: Cells<u32>,
}

const STRIDE: u32 = 64;

/// A dictionary that is being written, text by text, in the order their codes shall have.
#[derive(Debug)]
pub(crate) struct DictionaryBuilder {
    text: String,
    starts: Vec<u32>,
    form: Form,
    /// Whether the arena has outgrown its offsets.
    is_full: bool,
}

impl DictionaryBuilder {
    pub(crate) fn new(form: Form) -> Self {
        Self { text: String::from("\""), starts: vec![0], form, is_full: false }
    }

    /// One with room for so many texts of so many bytes together: what is not needed of it is given back at the end.
    pub(crate) fn with_room(form: Form, texts: usize, bytes: usize) -> Self {
        let mut builder = Self::new(form);
        builder.starts.reserve(texts);
        builder.text.reserve(bytes + texts);
        builder
    }

    /// Adds a raw text.
    pub(crate) fn push(&mut self, text: &str) {
        match self.form {
            Form::Escaped => escape_into(&mut self.text, text),
            Form::Verbatim => self.text.push_str(text),
        }
        match u32::try_from(self.text.len()) {
            Ok(start) => self.starts.push(start),
            Err(_) => self.is_full = true,
        }
        self.text.push('"');
    }

    /// Nothing where the arena has outgrown its offsets.
    pub(crate) fn finish(self) -> Option<Dictionary> {
        let Self { mut text, mut starts, form, is_full } = self;
        if is_full {
            return None;
        }
        text.shrink_to_fit();
        starts.shrink_to_fit();
        let has_escapes = form == Form::Escaped && memchr::memchr(b'\\', text.as_bytes()).is_some();
        Some(Dictionary(Layout::Arena(Arena::new(text, starts, form, has_escapes))))
    }
}

impl Arena {
    fn new(text: String, starts: Vec<u32>, form: Form, has_escapes: bool) -> Self {
        let (fences, pairs) = (OnceLock::new(), OnceLock::new());
        Self { text, starts, form, has_escapes, fences, pairs }
    }

    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn bounds(&self, code: u32) -> Option<(usize, usize)> {
        let code = code as usize;
        Some((*self.starts.get(code)? as usize, *self.starts.get(code + 1)? as usize))
    }

    /// The text as stored, without quotes; empty for a code that is none.
    fn stored(&self, code: u32) -> &str {
        self.bounds(code).and_then(|(start, end)| self.text.get(start + 1..end)).unwrap_or_default()
    }

    fn json(&self, code: u32) -> &[u8] {
        let bounds = self.bounds(code);
        let bytes = self.text.as_bytes();
        match self.form {
            Form::Escaped => bounds.and_then(|(start, end)| bytes.get(start..=end)),
            Form::Verbatim => bounds.and_then(|(start, end)| bytes.get(start + 1..end)),
        }
        .unwrap_or(b"null")
    }

    fn text(&self, code: u32) -> Cow<'_, str> {
        let stored = self.stored(code);
        if !self.has_escapes || memchr::memchr(b'\\', stored.as_bytes()).is_none() {
            return Cow::Borrowed(stored);
        }
        Cow::Owned(serde_json::from_slice(self.json(code)).unwrap_or_default())
    }

    /// The first code whose text is not before this one. Only for texts in the order of code points.
    fn lower_bound(&self, text: &str) -> u32 {
        let count = u32::try_from(self.len()).unwrap_or(NO_CODE);
        let fences = self.fences.get_or_init(|| Fences::new(count, |code| self.text(code)));
        let among = fences.as_ref().map_or(0..count, |fences| fences.around(text));
        partition(among.start, among.end, |code| &*self.text(code) < text)
    }

    /// Whether any text may hold a needle, told without reading them.
    fn may_hold(&self, needle: &Needle) -> bool {
        /// Fewer bytes are read as fast, and take no more memory than their pairs would.
        const FEW_BYTES: usize = 1 << 13;
        self.text.len() < FEW_BYTES || needle.may_be_in(self.pairs.get_or_init(|| Pairs::of(&self.text)))
    }

    /// The codes whose stored text a pattern finds that begins with the quote before it.
    fn codes_beginning(&self, pattern: &regex::Regex) -> Vec<u32> {
        count_compared(self.len());
        let found = pattern.find_iter(&self.text).filter_map(|found| {
            let code = self.starts.binary_search(&u32::try_from(found.start()).ok()?).ok()?;
            u32::try_from(code).ok()
        });
        found.collect()
    }

    /// Adds the codes whose stored text a pattern finds, above those of the arenas before. A large arena is searched in
    /// two halves, side by side.
    fn codes_with(&self, pattern: &regex::Regex, base: u32, codes: &mut Vec<u32>) {
        /// From so many bytes on a thread more is worth its beginning.
        const LARGE: usize = 1 << 22;
        count_compared(self.len());
        let is_large = self.text.len() >= LARGE;
        let middle = if is_large { self.len() / 2 } else { 0 };
        let half = |codes| {
            let mut found = Vec::new();
            self.codes_within(codes, pattern, &mut found);
            found
        };
        let (first, second) = beside(is_large, || half(0..middle), || half(middle..self.len()));
        let above = |code| u32::try_from(code).map_or(NO_CODE, |code| base + code);
        codes.extend(first.into_iter().chain(second).map(above));
    }

    /// Adds those of a range of codes whose stored text a pattern finds.
    fn codes_within(&self, codes: Range<usize>, pattern: &regex::Regex, found: &mut Vec<usize>) {
        let bounds = self.starts.get(codes.start).zip(self.starts.get(codes.end));
        let Some((&begin, &end)) = bounds.filter(|_| !codes.is_empty()) else { return };
        // With the quotes around them all.
        let begin = begin as usize;
        let Some(text) = self.text.get(begin..=end as usize) else { return };
        let mut from = 0;
        while let Some(place) = pattern.find_at(text, from).map(|found| begin + found.start()) {
            let after = self.starts.partition_point(|&start| (start as usize) < place);
            let Some((code, &next)) = after.checked_sub(1).zip(self.starts.get(after)) else { break };
            found.push(code);
            from = next as usize - begin;
        }
    }
}

impl Joined {
    fn len(&self) -> usize {
        self.end_codes.len()
    }

    /// The beginning of a text, and the code of its end.
    fn parts(&self, code: u32) -> Option<(u32, u32)> {
        let end = *self.end_codes.get(code as usize)?;
        let mut beginning = *self.nearest.get((code / STRIDE) as usize)?;
        while *self.firsts.get(beginning as usize + 1)? <= code {
            beginning += 1;
        }
        Some((beginning, end))
    }

    fn stored_into(&self, code: u32, out: &mut String) {
        if let Some((beginning, end)) = self.parts(code) {
            out.push_str(self.beginnings.stored(beginning));
            out.push_str(&self.ends.stored(end));
        }
    }

    fn find(&self, text: &str) -> Option<u32> {
        // No beginning is that of another one: the one that the text has is the last that is not behind it.
        let not_before = self.beginnings.lower_bound(text);
        let is_whole = &*self.beginnings.text(not_before) == text;
        let beginning = if is_whole { not_before } else { not_before.checked_sub(1)? };
        let rest = text.strip_prefix(&*self.beginnings.text(beginning))?;
        let first = *self.firsts.get(beginning as usize)?;
        let past = *self.firsts.get(beginning as usize + 1)?;
        let end_of =
            |code: u32| self.end_codes.get(code as usize).map(|&end| self.ends.text(end)).unwrap_or_default();
        let code = partition(first, past, |code| &*end_of(code) < rest);
        (code < past && end_of(code) == rest).then_some(code)
    }
}

impl Joined {
    /// The codes whose text may hold a needle: within its beginning, within its end, or from one into the other.
    /// Nothing where that can't be told of the two apart.
    fn codes_with(&self, needle: &Needle) -> Option<Vec<u32>> {
        /// More of them make a pattern too large.
        const MOST_RESTS: usize = 8;
        let Layout::Arena(ends) = &self.ends.0 else { return None };
        let mut is_last = [false; 256];
        for code in (0u32..).take(self.beginnings.len()) {
            let last = self.beginnings.stored(code).as_bytes().last();
            if let Some(slot) = last.and_then(|last| is_last.get_mut(usize::from(*last))) {
                *slot = true;
            }
        }
        let rests = needle.rests(|byte| is_last.get(usize::from(byte)).copied().unwrap_or_default());
        if rests.len() > MOST_RESTS {
            return None;
        }
        let (mut in_beginning, mut in_end) = (Vec::new(), Vec::new());
        if self.beginnings.may_hold(needle) {
            self.beginnings.codes_with(needle.stored(), 0, &mut in_beginning);
        }
        if ends.may_hold(needle) {
            ends.codes_with(needle.stored(), 0, &mut in_end);
        }
        if !rests.is_empty() {
            in_end.extend(ends.codes_beginning(&needle.beginning_with(&rests)?));
        }
        let mut rows = if in_end.is_empty() {
            Bitmap::zeros(if in_beginning.is_empty() { 0 } else { self.len() })
        } else {
            let in_end = Bitmap::from_rows(ends.len(), in_end);
            self.end_codes.scan(|end| in_end.get(end as usize))
        };
        for beginning in in_beginning {
            let first = *self.firsts.get(beginning as usize)?;
            (first..*self.firsts.get(beginning as usize + 1)?).for_each(|code| rows.set(code as usize));
        }
        Some(rows.iter().collect())
    }
}

/// The first number from `low` on for which `before` does not hold, which must hold for a beginning of them.
pub(super) fn partition(mut low: u32, mut high: u32, before: impl Fn(u32) -> bool) -> u32 {
    let mut looked_at = 0;
    while low < high {
        let middle = low + (high - low) / 2;
        looked_at += 1;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    count_compared(looked_at);
    low
}

impl Dictionary {
    /// Texts that are a beginning and an end: `firsts` says from which text on each beginning stands, and at the end how
    /// many texts there are; `end_codes` which end each text has. Nothing where a beginning is that of another one.
    pub(crate) fn joined(
        beginnings: Self,
        firsts: Vec<u32>,
        ends: Arc<Self>,
        end_codes: Cells<u32>,
    ) -> Option<Self> {
        let Layout::Arena(beginnings) = beginnings.0 else { return None };
        let codes = (0u32..).take(end_codes.len()).step_by(STRIDE as usize);
        let beginning_of =
            |code| u32::try_from(firsts.partition_point(|&first| first <= code).checked_sub(1)?).ok();
        let nearest = codes.map(beginning_of).collect::<Option<Vec<u32>>>()?;
        Some(Self(Layout::Joined(Joined { beginnings, firsts, nearest, ends, end_codes })))
    }

    /// Whether no text is the beginning of another one.
    pub(crate) fn is_prefix_free(&self) -> bool {
        let codes = (1u32..).take(self.len().saturating_sub(1));
        codes.into_iter().all(|code| !self.text(code).starts_with(&*self.text(code - 1)))
    }

    /// How many distinct texts there are.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Layout::Arena(arena) => arena.len(),
            Layout::Joined(joined) => joined.len(),
        }
    }

    /// The text as stored, without quotes; empty for a code that is none.
    fn stored(&self, code: u32) -> Cow<'_, str> {
        match &self.0 {
            Layout::Arena(arena) => Cow::Borrowed(arena.stored(code)),
            Layout::Joined(joined) => {
                let mut text = String::new();
                joined.stored_into(code, &mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The JSON of the text, where it is stored in one piece.
    pub(crate) fn json(&self, code: u32) -> Option<&[u8]> {
        match &self.0 {
            Layout::Arena(arena) => Some(arena.json(code)),
            Layout::Joined(_) => None,
        }
    }

    /// Whether each text is stored in one piece.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.0, Layout::Arena(_))
    }

    /// Appends the JSON of the text: quoted, or verbatim for a column of JSON.
    pub(crate) fn write_json(&self, code: u32, out: &mut Vec<u8>) {
        match &self.0 {
            Layout::Arena(arena) => out.extend_from_slice(arena.json(code)),
            Layout::Joined(joined) => match joined.parts(code) {
                None => out.extend_from_slice(b"null"),
                Some((beginning, end)) => {
                    out.push(b'"');
                    out.extend_from_slice(joined.beginnings.stored(beginning).as_bytes());
                    match &joined.ends.0 {
                        Layout::Arena(ends) => out.extend_from_slice(ends.stored(end).as_bytes()),
                        Layout::Joined(_) => out.extend_from_slice(joined.ends.stored(end).as_bytes()),
                    }
                    out.push(b'"');
                }
            },
        }
    }

    /// The raw text.
    pub(crate) fn text(&self, code: u32) -> Cow<'_, str> {
        match &self.0 {
            Layout::Arena(arena) => arena.text(code),
            Layout::Joined(joined) => match joined.parts(code) {
                None => Cow::Borrowed(""),
                Some((beginning, end)) => joined.beginnings.text(beginning) + joined.ends.text(end),
            },
        }
    }

    /// The code of a raw text. Only for a dictionary in the order of code points.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        match &self.0 {
            Layout::Joined(joined) => joined.find(text),
            Layout::Arena(arena) => {
                let code = arena.lower_bound(text);
                (code as usize != arena.len() && arena.text(code) == text).then_some(code)
            }
        }
    }

    /// The first code whose text is not before this one. Only for a dictionary in the order of code points.
    pub(crate) fn place(&self, text: &str) -> u32 {
        match &self.0 {
            Layout::Arena(arena) => arena.lower_bound(text),
            Layout::Joined(_) => self.lower_bound(|other| other < text),
        }
    }

    /// The first code whose text is not `before`, which must hold for a beginning of the dictionary.
    pub(crate) fn lower_bound(&self, before: impl Fn(&str) -> bool) -> u32 {
        partition(0, u32::try_from(self.len()).unwrap_or(NO_CODE), |code| before(&self.text(code)))
    }

    /// The codes whose text may hold a needle, in order: one pass over all texts at once, or none where they can't.
    /// What is found in the stored (JSON-escaped) text need not be in the raw one.
    pub(crate) fn codes_with(&self, needle: &Needle) -> Vec<u32> {
        /// As many texts as stay in a cache while they are put together and searched.
        const TEXTS: usize = 4096;
        let mut codes = Vec::new();
        match &self.0 {
            Layout::Arena(arena) if !arena.may_hold(needle) => {}
            Layout::Arena(arena) => arena.codes_with(needle.stored(), 0, &mut codes),
            Layout::Joined(joined) => {
                if let Some(codes) = joined.codes_with(needle) {
                    return codes;
                }
                let mut some = Arena::new(String::new(), Vec::new(), Form::Escaped, false);
                for base in (0u32..).take(joined.len()).step_by(TEXTS) {
                    some.text.clear();
                    some.text.push('"');
                    some.starts.clear();
                    some.starts.push(0);
                    for code in (base..).take(TEXTS.min(joined.len() - base as usize)) {
                        joined.stored_into(code, &mut some.text);
                        some.starts.push(u32::try_from(some.text.len()).unwrap_or(NO_CODE));
                        some.text.push('"');
                    }
                    some.codes_with(needle.stored(), base, &mut codes);
                }
            }
        }
        codes
    }

    /// Every code with its raw text, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Cow<'_, str>)> {
        count_compared(self.len());
        (0u32..).take(self.len()).map(|code| (code, self.text(code)))
    }
}

/// Appends the inside of the JSON string of a text.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    // Every byte is looked at: many at once, where stopping at the first would be one by one.
    let is_special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if !text.bytes().fold(false, |any, byte| any | is_special(byte)) {
        out.push_str(text);
        return;
    }
    let quoted = serde_json::Value::String(text.to_owned()).to_string();
    out.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
}

impl Imaged for Arena {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        // What helps a search is made again at the first one.
        let Self { text, starts, form, has_escapes, fences: _, pairs: _ } = self;
        image.text(text);
        image.u32s(starts);
        image.flag(*form == Form::Verbatim);
        image.flag(*has_escapes);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        let (text, starts) = (image.text()?, image.u32s()?);
        let form = if image.flag()? { Form::Verbatim } else { Form::Escaped };
        Ok(Self::new(text, starts, form, image.flag()?))
    }
}

impl Imaged for Dictionary {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        image.flag(self.is_whole());
        match &self.0 {
            Layout::Arena(arena) => arena.put(image),
            Layout::Joined(Joined { beginnings, firsts, nearest, ends, end_codes }) => {
                beginnings.put(image);
                image.u32s(firsts);
                image.u32s(nearest);
                ends.put(image);
                end_codes.put(image);
            }
        }
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        if image.flag()? {
            return Arena::take_from(image).map(|arena| Self(Layout::Arena(arena)));
        }
        Ok(Self(Layout::Joined(Joined {
            beginnings: Arena::take_from(image)?,
            firsts: image.u32s()?,
            nearest: image.u32s()?,
            ends: Arc::take_from(image)?,
            end_codes: Cells::take_from(image)?,
        })))
    }
}
