//! The texts of a column: a code for each row, and the texts of the codes. Nobody outside this room may take the order
//! of codes for the order of texts: the methods here compare, find and bound.

use std::{
    borrow::Cow,
    cmp::Ordering,
    ops::{Bound, Range, RangeBounds},
    sync::{Arc, OnceLock},
};

use ipnet::IpNet;

use super::{
    added::AddedTexts,
    adjacency::{Adjacency, Edits, Neighbours},
    bitmap::Bitmap,
    cells::Cells,
    compared::count_compared,
    dictionary::{Dictionary, Form, NO_CODE, partition},
    image::{ImageError, ImageReader, ImageWriter, Imaged},
    marks::Marks,
    needle::Needle,
};
use crate::catalog::scalar;

/// Codes by row, and the texts of the codes: those of a dictionary, in order, and above them those that were added
/// since, as they came.
#[derive(Clone, Debug)]
pub(crate) struct TextData {
    pub(crate) codes: Cells<u32>,
    dictionary: Arc<Dictionary>,
    added: Option<Arc<AddedTexts>>,
    /// Whether each row's code is its own number, as that of an id is.
    is_id: bool,
    /// Whether cells were set since it was built, so that no row need hold a text any more.
    pub(super) is_patched: bool,
    postings: OnceLock<Option<Neighbours>>,
    /// Of a column with few texts.
    marks: OnceLock<Arc<Marks>>,
}

/// The nets of a column by code: those it was built with in address order, then those that were added.
#[derive(Clone, Debug)]
pub(crate) struct Nets {
    base: Arc<[IpNet]>,
    added: Vec<IpNet>,
}

/// Some codes of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    /// One range.
    pub(crate) range: Range<u32>,
    /// And these, outside the range, ascending; mostly none.
    pub(crate) more: Vec<u32>,
}

/// Where a text stands, or would stand, among those of a column.
#[derive(Clone, Debug)]
pub(crate) struct TextPlace {
    /// The first code of the dictionary that is not before it.
    code: u32,
    /// Whether the dictionary has it.
    is_there: bool,
    text: String,
}

impl From<Range<u32>> for Codes {
    fn from(range: Range<u32>) -> Self {
        Self { range, more: Vec::new() }
    }
}

impl Codes {
    /// Codes in any order.
    pub(crate) fn of(mut codes: Vec<u32>) -> Self {
        codes.sort_unstable();
        codes.dedup();
        match (codes.first(), codes.last()) {
            (Some(&first), Some(&last)) if (last - first) as usize + 1 == codes.len() => {
                Self::from(first..last + 1)
            }
            _ => Self { range: 0..0, more: codes },
        }
    }

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
        let (below, above) = self.more.split_at(self.more.partition_point(|&code| code < self.range.start));
        below.iter().copied().chain(self.range.clone()).chain(above.iter().copied())
    }
}

/// Whether a text stands before a place in the order.
type Before<'t> = dyn Fn(&str) -> bool + 't;

impl TextData {
    pub(crate) fn new(codes: Cells<u32>, dictionary: Dictionary) -> Self {
        Self {
            codes,
            dictionary: Arc::new(dictionary),
            added: None,
            is_id: false,
            is_patched: false,
            postings: OnceLock::new(),
            marks: OnceLock::new(),
        }
    }

    /// The texts are ids: the code of each row is its own number, and will be for every row that is appended.
    pub(super) fn mark_ids(&mut self) {
        self.is_id = true;
    }

    /// The first code above the dictionary.
    fn first_added(&self) -> u32 {
        u32::try_from(self.dictionary.len()).unwrap_or(NO_CODE)
    }

    /// The added text of a code, by its place among them.
    fn added(&self, code: u32) -> Option<(&AddedTexts, u32)> {
        let added = self.added.as_deref()?;
        code.checked_sub(self.first_added()).map(|place| (added, place))
    }

    /// How many texts were added.
    pub(super) fn added_len(&self) -> usize {
        self.added.as_ref().map_or(0, |added| added.len())
    }

    /// Ids that are beginnings of their own and, as ends, the texts of another column: see [`Dictionary::joined`]. The
    /// code of an id is its row.
    pub(super) fn joined(beginnings: Dictionary, firsts: Vec<u32>, ends: &Self) -> Option<Self> {
        let dictionary =
            Dictionary::joined(beginnings, firsts, Arc::clone(&ends.dictionary), ends.codes.clone())?;
        Some(Self::one_each(dictionary))
    }

    /// Each row holds the text of its own number.
    pub(super) fn one_each(dictionary: Dictionary) -> Self {
        let codes = (0u32..).take(dictionary.len()).collect();
        Self::new(codes, dictionary)
    }

    /// The code of a row, if it has a value.
    #[inline]
    pub(crate) fn code(&self, row: u32) -> Option<u32> {
        self.codes.get(row as usize).copied().filter(|&code| code != NO_CODE)
    }

    /// How many codes there are: every code is below it.
    pub(crate) fn distinct(&self) -> usize {
        self.dictionary.len() + self.added_len()
    }

    /// The raw text of a code.
    pub(crate) fn text(&self, code: u32) -> Cow<'_, str> {
        match self.added(code) {
            Some((added, place)) => added.text(place),
            None => self.dictionary.text(code),
        }
    }

    /// The JSON of a code, where texts are stored in one piece: see [`TextData::is_whole`].
    pub(crate) fn json(&self, code: u32) -> Option<&[u8]> {
        match self.added(code) {
            Some((added, place)) => Some(added.json(place)),
            None => self.dictionary.json(code),
        }
    }

    /// Whether each text is stored in one piece, as all but ids are.
    pub(crate) fn is_whole(&self) -> bool {
        self.dictionary.is_whole()
    }

    /// Appends the JSON of a code.
    pub(crate) fn write_json(&self, code: u32, out: &mut Vec<u8>) {
        match self.added(code) {
            Some((added, place)) => out.extend_from_slice(added.json(place)),
            None => self.dictionary.write_json(code, out),
        }
    }

    /// Every code with its raw text, in the order of codes. No row need hold a text any more: see
    /// `Table::has_text`.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Cow<'_, str>)> {
        let added = self.first_added()..u32::try_from(self.distinct()).unwrap_or(NO_CODE);
        self.dictionary.iter().chain(added.map(|code| (code, self.text(code))))
    }

    /// The codes whose text may hold a needle, ascending; see [`Dictionary::codes_with`].
    pub(crate) fn codes_with(&self, needle: &Needle) -> Vec<u32> {
        let mut codes = self.dictionary.codes_with(needle);
        if let Some(added) = &self.added {
            let places = 0..u32::try_from(added.len()).unwrap_or(0);
            let found = places.filter(|&place| needle.stored().is_match(added.stored(place)));
            codes.extend(found.map(|place| self.first_added() + place));
        }
        codes
    }

    /// The code of a raw text. Not for nets.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.dictionary.find(text).or_else(|| self.find_added(text))
    }

    fn find_added(&self, text: &str) -> Option<u32> {
        Some(self.first_added() + self.added.as_ref()?.find(text)?)
    }

    /// The first code of the dictionary whose text is not before this one. Not for nets.
    pub(super) fn lower_bound(&self, text: &str) -> u32 {
        self.dictionary.place(text)
    }

    /// How the texts of two codes compare; no text is least. Not for nets.
    #[inline]
    pub(crate) fn compare(&self, one: Option<u32>, other: Option<u32>) -> Ordering {
        match (&self.added, one, other) {
            (Some(_), Some(one), Some(other)) if one.max(other) >= self.first_added() => {
                self.text(one).cmp(&self.text(other))
            }
            _ => one.cmp(&other),
        }
    }

    /// Whether a row holds what it holds in a column made from this one, or that this one was made from; false where
    /// neither was.
    pub(super) fn says_as(&self, other: &Self, row: u32) -> bool {
        let (own, others) = (self.code(row), other.code(row));
        let added = |code: u32| code >= self.first_added();
        Arc::ptr_eq(&self.dictionary, &other.dictionary)
            && own == others
            // Columns that were made from the same one may each have added another text.
            && own.is_none_or(|code| !added(code) || self.text(code) == other.text(code))
    }

    /// Whether codes ascend with their texts. Not for nets.
    pub(crate) fn has_ordered_codes(&self) -> bool {
        self.added.is_none()
    }

    /// Where a text stands among those of the column. Not for nets.
    pub(crate) fn place(&self, text: &str) -> TextPlace {
        let code = self.lower_bound(text);
        let is_there = (code as usize) < self.dictionary.len() && self.dictionary.text(code) == text;
        TextPlace { code, is_there, text: text.to_owned() }
    }

    /// How the text of a code compares with the one of a place; no text is greatest.
    pub(crate) fn compare_with(&self, code: Option<u32>, place: &TextPlace) -> Ordering {
        let Some(code) = code else { return Ordering::Greater };
        if let Some((added, added_place)) = self.added(code) {
            return added.text(added_place).as_ref().cmp(place.text.as_str());
        }
        match code.cmp(&place.code) {
            Ordering::Equal if !place.is_there => Ordering::Greater,
            order => order,
        }
    }

    /// The codes of the texts between two bounds. Not for nets.
    pub(crate) fn between(&self, from: Bound<&str>, to: Bound<&str>) -> Codes {
        let base = |before: &Before<'_>| self.dictionary.lower_bound(before);
        let added =
            |before: &Before<'_>| self.added.as_ref().map_or(0, |added| added.count_before(before)) as u32;
        let ends = |place: &dyn Fn(&Before<'_>) -> u32, all: usize| {
            let from = match from {
                Bound::Unbounded => 0,
                Bound::Included(text) => place(&|other| other < text),
                Bound::Excluded(text) => place(&|other| other <= text),
            };
            let to = match to {
                Bound::Unbounded => u32::try_from(all).unwrap_or(NO_CODE),
                Bound::Included(text) => place(&|other| other <= text),
                Bound::Excluded(text) => place(&|other| other < text),
            };
            from..to
        };
        self.codes(ends(&base, self.dictionary.len()), ends(&added, self.added_len()))
    }

    /// The code of a text, as a set. Not for nets.
    pub(crate) fn equal(&self, text: &str) -> Codes {
        self.find(text).map_or_else(Codes::default, |code| Codes::from(code..code + 1))
    }

    /// The codes of the texts that begin so. Not for nets.
    pub(crate) fn starting_with(&self, prefix: &str) -> Codes {
        let before = |other: &str| other < prefix;
        let not_behind = |other: &str| other < prefix || other.starts_with(prefix);
        let base = self.dictionary.place(prefix)..self.dictionary.lower_bound(not_behind);
        let added = self
            .added
            .as_ref()
            .map_or(0..0, |added| added.count_before(before) as u32..added.count_before(not_behind) as u32);
        self.codes(base, added)
    }

    /// A range of the dictionary, and one of the order of the added texts.
    fn codes(&self, range: Range<u32>, added: Range<u32>) -> Codes {
        let mut more: Vec<u32> = Vec::new();
        if let Some(texts) = &self.added {
            let places = texts.sorted().get(added.start as usize..added.end as usize).unwrap_or_default();
            more.extend(places.iter().map(|place| self.first_added() + place));
            more.sort_unstable();
        }
        Codes { range, more }
    }

    /// The rows that hold a code, ascending; rows that hold nothing any more may be among them (`Table::holds`). The
    /// index over them is made at the first question.
    pub(crate) fn rows_of(&self, code: u32) -> &[u32] {
        if self.is_id {
            return self.codes.slice_at(code as usize);
        }
        let postings = self.postings.get_or_init(|| {
            let codes = Neighbours::build(self.codes.len(), |row, out| {
                out.extend(self.codes.get(row).filter(|&&code| code != NO_CODE));
            })?;
            Some(Adjacency::new(codes, self.distinct()).backward)
        });
        postings.as_ref().map_or(&[], |postings| postings.of(code))
    }

    /// The rows with one of some codes; rows that hold nothing any more may be among them.
    pub(crate) fn rows_with(&self, codes: &Codes) -> Bitmap {
        if codes.is_empty() {
            return Bitmap::zeros(self.codes.len());
        }
        if let Some(marked) = self.marked(codes.iter()) {
            return marked;
        }
        if !codes.more.is_empty() {
            return self.rows_among(&Bitmap::from_rows(self.distinct(), codes.iter()));
        }
        let (start, width) = (codes.range.start, codes.range.len() as u32);
        self.codes.scan(|code| code.wrapping_sub(start) < width)
    }

    /// The same of a set of codes: few of many are looked up in the index over rows.
    pub(crate) fn rows_among(&self, codes: &Bitmap) -> Bitmap {
        /// Scanning so many rows takes as long as looking up one code.
        const ROWS_A_LOOKUP: usize = 128;
        let rows = self.codes.len();
        if codes.is_empty() {
            return Bitmap::zeros(rows);
        }
        if let Some(marked) = self.marked(codes.iter()) {
            return marked;
        }
        if codes.count() < rows / ROWS_A_LOOKUP {
            return Bitmap::from_rows(rows, codes.iter().flat_map(|code| self.rows_of(code)).copied());
        }
        self.codes.scan(|code| codes.get(code as usize))
    }

    /// The rows with one of some codes, where the column has so few texts that the rows of each are a set.
    fn marked(&self, codes: impl Iterator<Item = u32>) -> Option<Bitmap> {
        let (rows, distinct) = (self.codes.len(), self.distinct());
        if !Marks::are_for(distinct) {
            return None;
        }
        let marks = self.marks.get_or_init(|| Arc::new(Marks::new(distinct)));
        let mut found = Bitmap::zeros(rows);
        codes.for_each(|code| marks.add(code, &self.codes, &mut found));
        Some(found)
    }

    /// The same with other codes for some rows: those set have the code they had, and have, beside them. `texts` are
    /// those of codes above all others, as they come. Nothing where they outgrow their offsets.
    pub(super) fn patched(
        &self,
        set: &[(u32, u32, u32)],
        texts: &[String],
        form: Form,
        copied: &mut u64,
    ) -> Option<Self> {
        let added = if texts.is_empty() {
            self.added.clone()
        } else {
            let mut added = match &self.added {
                Some(added) => AddedTexts::clone(added),
                None => AddedTexts::new(form),
            };
            added.push_all(texts.iter().map(String::as_str))?;
            Some(Arc::new(added))
        };
        let codes = self.codes.patched(set.iter().map(|(row, _, code)| (*row, *code)), copied);
        let postings = OnceLock::new();
        if let Some(Some(known)) = self.postings.get() {
            let mut edits = Edits::default();
            for (row, before, after) in set {
                edits.source(*row, as_held(before), as_held(after));
            }
            _ = postings.set(Some(edits.apply(known, copied)));
        }
        let dictionary = Arc::clone(&self.dictionary);
        let marks = OnceLock::new();
        let patched = Self { codes, dictionary, added, is_id: self.is_id, is_patched: true, postings, marks };
        let (rows, distinct) = (patched.codes.len(), patched.distinct());
        if let Some(known) = self.marks.get().filter(|_| Marks::are_for(distinct)) {
            _ = patched.marks.set(Arc::new(known.patched(rows, distinct, set)));
        }
        Some(patched)
    }
}

/// A code as a list of codes: empty where it stands for no value.
fn as_held(code: &u32) -> &[u32] {
    if *code == NO_CODE { &[] } else { std::slice::from_ref(code) }
}

/// The net of a text; all texts of a column of nets have one.
pub(super) fn net_of(text: &str) -> Option<IpNet> {
    scalar::parse_net(text)
}

impl Nets {
    /// From nets in address order.
    pub(crate) fn new(nets: Vec<IpNet>) -> Self {
        Self { base: nets.into(), added: Vec::new() }
    }

    /// The net of a code.
    pub(crate) fn get(&self, code: u32) -> Option<IpNet> {
        let code = code as usize;
        self.base.get(code).or_else(|| self.added.get(code - self.base.len())).copied()
    }

    /// The codes of the nets between two bounds.
    pub(crate) fn between(&self, from: Bound<&IpNet>, to: Bound<&IpNet>) -> Codes {
        Codes { range: self.built_between(from, to), more: self.added_where(|net| (from, to).contains(net)) }
    }

    /// The codes of the nets that lie inside a prefix: in address order they stand together, from the prefix itself to
    /// its last address.
    pub(crate) fn within(&self, prefix: &IpNet) -> Codes {
        let (first, last) = (prefix.trunc(), IpNet::from(prefix.broadcast()));
        self.between(Bound::Included(&first), Bound::Included(&last))
    }

    /// The codes of the nets that contain a prefix: each is the beginning of its address, of one length or another.
    pub(crate) fn containing(&self, inner: &IpNet) -> Codes {
        let mut codes = self.built_around(inner, inner.prefix_len());
        codes.extend(self.added_where(|net| net.contains(inner)));
        Codes::of(codes)
    }

    /// The codes of the nets that have an address in common with a prefix: those inside it, and those around it.
    pub(crate) fn overlapping(&self, other: &IpNet) -> Codes {
        let (first, last) = (other.trunc(), IpNet::from(other.broadcast()));
        let range = self.built_between(Bound::Included(&first), Bound::Included(&last));
        let mut more = match other.prefix_len().checked_sub(1) {
            Some(longest) => self.built_around(other, longest),
            None => Vec::new(),
        };
        more.extend(self.added_where(|net| net.contains(other) || other.contains(net)));
        Codes { range, more }
    }

    /// The codes of the nets around a prefix that it was built with, of up to this length, ascending.
    fn built_around(&self, inner: &IpNet, longest: u8) -> Vec<u32> {
        let around = (0..=longest).filter_map(|length| IpNet::new(inner.addr(), length).ok());
        around
            .flat_map(|net| {
                let net = net.trunc();
                self.built_between(Bound::Included(&net), Bound::Included(&net))
            })
            .collect()
    }

    /// The codes of the nets between two bounds that it was built with.
    fn built_between(&self, from: Bound<&IpNet>, to: Bound<&IpNet>) -> Range<u32> {
        let all = u32::try_from(self.base.len()).unwrap_or(NO_CODE);
        let first = |before: &dyn Fn(&IpNet) -> bool| {
            partition(0, all, |code| self.base.get(code as usize).is_some_and(before))
        };
        let start = match from {
            Bound::Unbounded => 0,
            Bound::Included(wanted) => first(&|net| net < wanted),
            Bound::Excluded(wanted) => first(&|net| net <= wanted),
        };
        let end = match to {
            Bound::Unbounded => all,
            Bound::Included(wanted) => first(&|net| net <= wanted),
            Bound::Excluded(wanted) => first(&|net| net < wanted),
        };
        start..end.max(start)
    }

    /// The codes of the nets that were added and that pass, ascending.
    fn added_where(&self, passes: impl Fn(&IpNet) -> bool) -> Vec<u32> {
        count_compared(self.added.len());
        let codes = u32::try_from(self.base.len()).unwrap_or(NO_CODE)..;
        codes.zip(&self.added).filter(|(_, net)| passes(net)).map(|(code, _)| code).collect()
    }

    /// The code of a text of this column.
    pub(super) fn find(&self, texts: &TextData, text: &str) -> Option<u32> {
        let net = net_of(text)?;
        let same = self.between(Bound::Included(&net), Bound::Included(&net));
        same.iter().find(|&code| texts.text(code) == text)
    }

    /// The same with more nets, for codes above all others.
    pub(super) fn with(&self, texts: &[String]) -> Self {
        let mut added = self.added.clone();
        added.extend(texts.iter().filter_map(|text| net_of(text)));
        Self { base: Arc::clone(&self.base), added }
    }
}

impl Imaged for TextData {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        // The indexes over rows are made again at the first question.
        let Self { codes, dictionary, added, is_id, is_patched, postings: _, marks: _ } = self;
        codes.put(image);
        dictionary.put(image);
        added.put(image);
        image.flag(*is_id);
        image.flag(*is_patched);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self {
            codes: Cells::take_from(image)?,
            dictionary: Arc::take_from(image)?,
            added: Option::take_from(image)?,
            is_id: image.flag()?,
            is_patched: image.flag()?,
            postings: OnceLock::new(),
            marks: OnceLock::new(),
        })
    }
}

impl Nets {
    /// The nets of a column that an image holds: read from their texts.
    pub(super) fn of_texts(text: &TextData) -> Self {
        let mut nets = text.iter().filter_map(|(_, text)| scalar::parse_net(&text));
        let base = nets.by_ref().take(text.dictionary.len()).collect();
        Self { base, added: nets.collect() }
    }
}
