//! The texts of a column: a code for each row, and the texts of the codes. Nobody outside this room may take the order
//! of codes for the order of texts: the methods here compare, find and bound.

use std::{
    borrow::Cow,
    cmp::Ordering,
    ops::{Bound, Range},
    sync::{Arc, OnceLock},
};

use ipnet::IpNet;

use super::{
    adjacency::{Adjacency, Neighbours},
    cells::Cells,
    dictionary::{Dictionary, NO_CODE},
};

/// Codes by row, and the texts of the codes.
#[derive(Clone, Debug)]
pub(crate) struct TextData {
    pub(crate) codes: Cells<u32>,
    pub(super) dictionary: Arc<Dictionary>,
    postings: OnceLock<Option<Neighbours>>,
}

/// The nets of a column by code: those it was built with in address order.
#[derive(Clone, Debug)]
pub(crate) struct Nets {
    base: Arc<[IpNet]>,
}

/// Some codes of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    /// One range.
    pub(crate) range: Range<u32>,
    /// And these, above the range, ascending; mostly none.
    pub(crate) more: Vec<u32>,
}

/// Where a text stands, or would stand, among those of a column.
#[derive(Clone, Debug)]
pub(crate) struct TextPlace {
    /// The first code of the dictionary that is not before it.
    code: u32,
    is_there: bool,
}

impl From<Range<u32>> for Codes {
    fn from(range: Range<u32>) -> Self {
        Self { range, more: Vec::new() }
    }
}

impl Codes {
    /// Whether a code is among them.
    #[inline]
    pub(crate) fn contains(&self, code: u32) -> bool {
        self.range.contains(&code) || (!self.more.is_empty() && self.more.binary_search(&code).is_ok())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.range.is_empty() && self.more.is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.range.len() + self.more.len()
    }

    /// Each, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.range.clone().chain(self.more.iter().copied())
    }
}

impl TextData {
    pub(crate) fn new(codes: Vec<u32>, dictionary: Dictionary) -> Self {
        Self { codes: codes.into(), dictionary: Arc::new(dictionary), postings: OnceLock::new() }
    }

    /// Ids that are beginnings of their own and, as ends, the texts of another column: see [`Dictionary::joined`]. The
    /// code of an id is its row.
    pub(super) fn joined(beginnings: Dictionary, firsts: Vec<u32>, ends: &Self) -> Option<Self> {
        let codes = (0u32..).take(ends.codes.len()).collect();
        let dictionary =
            Dictionary::joined(beginnings, firsts, Arc::clone(&ends.dictionary), ends.codes.clone())?;
        Some(Self::new(codes, dictionary))
    }

    /// The code of a row, if it has a value.
    #[inline]
    pub(crate) fn code(&self, row: u32) -> Option<u32> {
        self.codes.get(row as usize).copied().filter(|&code| code != NO_CODE)
    }

    /// How many codes there are: every code is below it.
    pub(crate) fn distinct(&self) -> usize {
        self.dictionary.len()
    }

    /// The raw text of a code.
    pub(crate) fn text(&self, code: u32) -> Cow<'_, str> {
        self.dictionary.text(code)
    }

    /// The JSON of a code, where texts are stored in one piece: see [`TextData::is_whole`].
    pub(crate) fn json(&self, code: u32) -> Option<&[u8]> {
        self.dictionary.json(code)
    }

    /// Whether each text is stored in one piece, as all but ids are.
    pub(crate) fn is_whole(&self) -> bool {
        self.dictionary.is_whole()
    }

    /// Appends the JSON of a code.
    pub(crate) fn write_json(&self, code: u32, out: &mut Vec<u8>) {
        self.dictionary.write_json(code, out);
    }

    /// Every code with its raw text, in the order of codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Cow<'_, str>)> {
        self.dictionary.iter()
    }

    /// The codes whose stored (JSON-escaped) text a pattern finds, ascending; see [`Dictionary::codes_with`].
    pub(crate) fn codes_with(&self, pattern: &regex::Regex) -> Vec<u32> {
        self.dictionary.codes_with(pattern)
    }

    /// The code of a raw text. Not for nets.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.dictionary.find(text)
    }

    /// The first code whose text is not before this one. Not for nets.
    pub(super) fn lower_bound(&self, text: &str) -> u32 {
        self.dictionary.lower_bound(|other| other < text)
    }

    /// How the texts of two codes compare. Not for nets.
    #[inline]
    pub(crate) fn compare(&self, one: Option<u32>, other: Option<u32>) -> Ordering {
        one.cmp(&other)
    }

    /// Where a text stands among those of the column. Not for nets.
    pub(crate) fn place(&self, text: &str) -> TextPlace {
        TextPlace { code: self.lower_bound(text), is_there: self.find(text).is_some() }
    }

    /// How the text of a code compares with the one of a place.
    pub(crate) fn compare_with(&self, code: Option<u32>, place: &TextPlace) -> Ordering {
        match code.unwrap_or(NO_CODE).cmp(&place.code) {
            Ordering::Equal if !place.is_there => Ordering::Greater,
            order => order,
        }
    }

    /// The codes of the texts between two bounds. Not for nets.
    pub(crate) fn between(&self, from: Bound<&str>, to: Bound<&str>) -> Codes {
        let not_before = |text: &str| self.dictionary.lower_bound(|other| other < text);
        let behind = |text: &str| self.dictionary.lower_bound(|other| other <= text);
        let from = match from {
            Bound::Unbounded => 0,
            Bound::Included(text) => not_before(text),
            Bound::Excluded(text) => behind(text),
        };
        let to = match to {
            Bound::Unbounded => u32::try_from(self.distinct()).unwrap_or(NO_CODE),
            Bound::Included(text) => behind(text),
            Bound::Excluded(text) => not_before(text),
        };
        Codes::from(from..to)
    }

    /// The codes of the texts that begin so. Not for nets.
    pub(crate) fn starting_with(&self, prefix: &str) -> Codes {
        let start = self.dictionary.lower_bound(|other| other < prefix);
        let end = self.dictionary.lower_bound(|other| other < prefix || other.starts_with(prefix));
        Codes::from(start..end)
    }

    /// The rows that hold a code, ascending; rows that hold nothing any more may be among them (`Table::holds`). The
    /// index over them is made at the first question.
    pub(crate) fn rows_of(&self, code: u32) -> &[u32] {
        let postings = self.postings.get_or_init(|| {
            let codes = Neighbours::build(self.codes.len(), |row, out| {
                out.extend(self.codes.get(row).filter(|&&code| code != NO_CODE));
            })?;
            Some(Adjacency::new(codes, self.distinct()).backward)
        });
        postings.as_ref().map_or(&[], |postings| postings.of(code))
    }
}

impl Nets {
    /// From nets in address order.
    pub(crate) fn new(nets: Vec<IpNet>) -> Self {
        Self { base: nets.into() }
    }

    /// The net of a code.
    pub(crate) fn get(&self, code: u32) -> Option<IpNet> {
        self.base.get(code as usize).copied()
    }

    /// How many codes there are.
    pub(crate) fn len(&self) -> usize {
        self.base.len()
    }

    /// Every code with its net.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &IpNet)> {
        (0u32..).zip(self.base.iter())
    }

    /// The codes of the nets between two bounds.
    pub(crate) fn between(&self, from: Bound<&IpNet>, to: Bound<&IpNet>) -> Codes {
        let place = |place: usize| u32::try_from(place).unwrap_or(NO_CODE);
        let not_before = |wanted: &IpNet| place(self.base.partition_point(|net| net < wanted));
        let behind = |wanted: &IpNet| place(self.base.partition_point(|net| net <= wanted));
        let from = match from {
            Bound::Unbounded => 0,
            Bound::Included(net) => not_before(net),
            Bound::Excluded(net) => behind(net),
        };
        let to = match to {
            Bound::Unbounded => place(self.base.len()),
            Bound::Included(net) => behind(net),
            Bound::Excluded(net) => not_before(net),
        };
        Codes::from(from..to)
    }
}
