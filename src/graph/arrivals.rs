//! Texts as they come in, numbered in the order of their arrival; and how those of several threads become one sorted
//! dictionary.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use super::{
    dictionary::{DictionaryBuilder, Form, NO_CODE},
    known::{Key, Known},
    packed::Packing,
    workspace::Workspace,
};
use crate::{catalog::scalar, model::bytes::is_equal};

/// Texts by number. Equal ones have one number as long as that pays: where nearly all are distinct (ids), each gets a
/// number of its own, and sorting finds the equal ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// In the order of the numbers, [`TEXTS`] each: no text is moved when more come.
    pieces: Vec<Piece>,
    len: usize,
    known: Known,
    /// The number given last.
    last: u32,
    /// The key of that text, where it is short.
    last_key: Option<Key>,
    /// Whether equal texts are no longer looked for.
    is_plain: bool,
    /// Whether a text did not fit any more.
    is_full: bool,
    /// How often a text was looked for.
    lookups: usize,
}

/// Some of the texts.
#[derive(Clone, Debug, Default)]
struct Piece {
    arena: String,
    /// Where each text ends.
    ends: Vec<u32>,
}

/// How many texts a piece has.
const TEXTS: usize = 1 << 12;

/// From so many distinct texts on it may not pay to look for equal ones.
const WORTH_ASKING: usize = 4096;

impl Texts {
    /// Texts that are known to be distinct, or are to be kept apart.
    pub(crate) fn plain() -> Self {
        Self { is_plain: true, ..Self::default() }
    }

    /// The number of a text.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        let key = Key::short(text.as_bytes());
        if self.last_key == key && (key.is_some() || self.is_last(text)) {
            return self.last;
        }
        (self.last, self.last_key) =
            (if self.is_plain { self.append(text) } else { self.look_up(key, text) }, key);
        self.last
    }

    fn is_last(&self, text: &str) -> bool {
        let last = self.last as usize;
        last < self.len && is_equal(self.bytes_at(last), text.as_bytes())
    }

    fn look_up(&mut self, key: Option<Key>, text: &str) -> u32 {
        if self.known.is_full() {
            if self.len >= WORTH_ASKING && self.len * 5 > self.lookups * 3 {
                (self.is_plain, self.known) = (true, Known::default());
                return self.append(text);
            }
            self.known.grow();
        }
        self.lookups += 1;
        let key = key.unwrap_or_else(|| Key::long(text.as_bytes()));
        match self.known.find(key, |number| is_equal(self.bytes_at(number as usize), text.as_bytes())) {
            Ok(number) => number,
            Err(free) => {
                let number = self.append(text);
                self.known.set(free, key, number);
                number
            }
        }
    }

    /// Adds a text without looking for an equal one.
    pub(crate) fn append(&mut self, text: &str) -> u32 {
        let has_room = self.pieces.last().is_some_and(|last| last.ends.len() < TEXTS);
        if !has_room {
            self.begin_piece();
        }
        if !self.pieces.last_mut().is_some_and(|last| last.append(text)) {
            self.is_full = true;
            return NO_CODE;
        }
        self.len += 1;
        number(self.len - 1)
    }

    #[cold]
    fn begin_piece(&mut self) {
        // Most have texts as long as those before.
        let piece = self.pieces.last().map(|last| Piece {
            arena: String::with_capacity(last.arena.len() + last.arena.len() / 16),
            ends: Vec::with_capacity(TEXTS),
        });
        self.pieces.push(piece.unwrap_or_default());
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many bytes the texts have.
    fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.arena.len()).sum()
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.text_at(number as usize)
    }

    /// Each text in the order of the numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len).map(|place| self.text_at(place))
    }

    /// The same as bytes.
    fn each(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().flat_map(|piece| {
            let starts = std::iter::once(&0).chain(&piece.ends);
            starts.zip(&piece.ends).map(|(&start, &end)| piece.bytes(start, end))
        })
    }

    #[inline]
    fn text_at(&self, place: usize) -> &str {
        let Some(piece) = self.pieces.get(place / TEXTS) else { return "" };
        let (start, end) = piece.bounds(place % TEXTS);
        piece.arena.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The same for comparing, which need not ask where characters begin.
    #[inline]
    fn bytes_at(&self, place: usize) -> &[u8] {
        let Some(piece) = self.pieces.get(place / TEXTS) else { return &[] };
        let (start, end) = piece.bounds(place % TEXTS);
        piece.bytes(start, end)
    }
}

impl Piece {
    /// Whether there was room.
    #[inline]
    fn append(&mut self, text: &str) -> bool {
        let end = u32::try_from(self.arena.len() + text.len());
        if let Ok(end) = end {
            self.arena.push_str(text);
            self.ends.push(end);
        }
        end.is_ok()
    }

    #[inline]
    fn bounds(&self, place: usize) -> (u32, u32) {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        (start, self.ends.get(place).copied().unwrap_or(start))
    }

    #[inline]
    fn bytes(&self, start: u32, end: u32) -> &[u8] {
        self.arena.as_bytes().get(start as usize..end as usize).unwrap_or_default()
    }
}

fn number(place: usize) -> u32 {
    // As many as fit into the arena.
    u32::try_from(place).unwrap_or(NO_CODE)
}

/// The texts of all threads together, under the numbers of each behind those of the threads before.
#[derive(Debug)]
pub(crate) struct AllTexts<'t> {
    parts: Vec<&'t Texts>,
    /// Where the numbers of each part begin.
    bases: Vec<u32>,
    len: u32,
}

impl<'t> AllTexts<'t> {
    /// Nothing where a part was full, or where all together are more than there are numbers.
    pub(crate) fn new(parts: Vec<&'t Texts>) -> Option<Self> {
        let mut bases = Vec::with_capacity(parts.len());
        let mut len = 0u32;
        for part in &parts {
            if part.is_full {
                return None;
            }
            bases.push(len);
            len = len.checked_add(u32::try_from(part.len()).ok()?).filter(|&len| len != NO_CODE)?;
        }
        Some(Self { parts, bases, len })
    }

    /// Where the numbers of each part begin.
    pub(crate) fn bases(&self) -> &[u32] {
        &self.bases
    }

    /// A dictionary to be written, with room for all of them.
    pub(crate) fn dictionary(&self, form: Form) -> DictionaryBuilder {
        let bytes = self.parts.iter().map(|part| part.bytes()).sum();
        DictionaryBuilder::with_room(form, self.len as usize, bytes)
    }

    /// A text by its number.
    #[inline]
    pub(crate) fn text(&self, number: u32) -> &'t str {
        let (part, place) = self.place(number);
        self.parts.get(part).map_or("", |part| part.text_at(place))
    }

    /// The bytes of a text, which are in the order of its code points.
    #[inline]
    fn bytes(&self, number: u32) -> &'t [u8] {
        let (part, place) = self.place(number);
        self.parts.get(part).map_or(&[], |part| part.bytes_at(place))
    }

    /// The part that a number is of, and its place in it.
    #[inline]
    fn place(&self, number: u32) -> (usize, usize) {
        match self.bases.get(1) {
            Some(&second) if number >= second => {
                let part = self.bases.partition_point(|&base| base <= number) - 1;
                (part, (number - self.bases.get(part).copied().unwrap_or(0)) as usize)
            }
            _ => (0, number as usize),
        }
    }

    /// All numbers in the order of their texts by code point; nothing where that is the order they are in.
    pub(crate) fn sorted(&self) -> Option<Vec<u32>> {
        if (1..self.len).all(|next| self.bytes(next - 1) <= self.bytes(next)) {
            return None;
        }
        let mut entries: Vec<(u64, u32)> = (0..self.len).map(|number| (0, number)).collect();
        self.sort(&mut entries);
        Some(entries.into_iter().map(|(_, number)| number).collect())
    }

    /// Sorts by eight bytes at a time, so that texts are compared as numbers and each is looked at seldom: first by
    /// the eight bytes behind what all have in common, then each run of equal ones by the next.
    fn sort(&self, entries: &mut [(u64, u32)]) {
        let mut runs = vec![(0, entries.len(), 0)];
        while let Some((start, end, depth)) = runs.pop() {
            let Some(run) = entries.get_mut(start..end) else { continue };
            if run.len() < 16 {
                run.sort_unstable_by(|one, other| self.bytes(one.1).cmp(self.bytes(other.1)));
                continue;
            }
            let depth = depth + self.common(run, depth);
            let mut longest = 0;
            for (key, number) in run.iter_mut() {
                let text = self.bytes(*number);
                longest = longest.max(text.len());
                *key = eight_bytes(text, depth);
            }
            run.sort_unstable();
            let mut from = 0;
            while let Some(&(key, _)) = run.get(from) {
                let length = run.iter().skip(from).take_while(|(other, _)| *other == key).count();
                if length > 1 {
                    if longest <= depth + 8 {
                        // What is equal now differs in zeros at the end at most.
                        if let Some(equal) = run.get_mut(from..from + length) {
                            equal.sort_unstable_by(|one, other| {
                                self.bytes(one.1).cmp(self.bytes(other.1)).then(one.1.cmp(&other.1))
                            });
                        }
                    } else {
                        runs.push((start + from, start + from + length, depth + 8));
                    }
                }
                from += length;
            }
        }
    }

    /// How many bytes more than `depth` the texts of a run have in common.
    fn common(&self, run: &[(u64, u32)], depth: usize) -> usize {
        let rest = |number: u32| self.bytes(number).get(depth..).unwrap_or_default();
        let Some(&(_, first)) = run.first() else { return 0 };
        let first = rest(first);
        let mut common = first.len();
        for &(_, number) in run {
            let other = rest(number);
            if other.get(..common) == first.get(..common) {
                continue;
            }
            common = first.iter().zip(other).take_while(|(one, other)| one == other).count();
        }
        common
    }

    /// Numbers each text by its place among the distinct ones in the order of code points; hands on each of these once.
    /// The places are left in the workspace.
    pub(crate) fn rank_sorted(&self, work: &mut Workspace, mut distinct: impl FnMut(&str)) {
        let Workspace { entries, ranks, .. } = work;
        let all = || self.parts.iter().flat_map(|part| part.each());
        let Some(packing) = Packing::of(all) else {
            return self.rank(self.sorted().as_deref(), ranks, distinct);
        };
        entries.clear();
        entries.reserve(self.len as usize);
        entries.extend(all().map(|text| packing.pack(text)).zip(0..));
        let mut text = Vec::new();
        number_by_key(entries, ranks, |key| {
            packing.unpack(key, &mut text);
            distinct(str::from_utf8(&text).unwrap_or_default());
        });
    }

    /// The same of nets, in the order of addresses. Whether all are in the usual form of IPv4, so that each is told by its
    /// numbers; nothing is to be taken from it otherwise.
    pub(crate) fn rank_nets(&self, work: &mut Workspace, mut distinct: impl FnMut(&str, IpNet)) -> bool {
        let Workspace { entries, ranks, .. } = work;
        entries.clear();
        entries.reserve(self.len as usize);
        for (text, number) in self.parts.iter().flat_map(|part| part.each()).zip(0..) {
            let net = scalar::plain_net(text).filter(|net| net.network() == net.addr());
            let Some(net) = net else { return false };
            entries.push((u64::from(net.addr().to_bits()) << 8 | u64::from(net.prefix_len()), number));
        }
        number_by_key(entries, ranks, |key| {
            let (address, length) = ((key >> 8) as u32, (key & 0xff) as u8);
            if let Ok(net) = Ipv4Net::new(Ipv4Addr::from_bits(address), length) {
                distinct(&net.to_string(), IpNet::V4(net));
            }
        });
        true
    }

    /// Numbers each text by its place among the distinct ones, in an order given; hands on each of these once.
    pub(crate) fn rank(&self, order: Option<&[u32]>, ranks: &mut Vec<u32>, mut distinct: impl FnMut(&str)) {
        ranks.clear();
        ranks.resize(self.len as usize, NO_CODE);
        let mut rank = 0u32;
        self.each_in_order(order, |number, before| {
            if before != Some(true) {
                rank += u32::from(before.is_some());
                distinct(self.text(number));
            }
            if let Some(slot) = ranks.get_mut(number as usize) {
                *slot = rank;
            }
        });
    }

    /// The numbers of texts that are there more than once, together, in an order given.
    pub(crate) fn repeated(&self, order: Option<&[u32]>) -> Vec<Vec<u32>> {
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let (mut last, mut is_open) = (0, false);
        self.each_in_order(order, |number, before| {
            let is_equal = before == Some(true);
            match groups.last_mut() {
                Some(group) if is_equal && is_open => group.push(number),
                _ if is_equal => groups.push(vec![last, number]),
                _ => {}
            }
            (last, is_open) = (number, is_equal);
        });
        groups
    }

    /// Hands on each number in an order given, and whether its text is the one before; nothing for the first.
    ///
    /// In the order of texts each stands somewhere else in memory. So some are looked at ahead, which the processor does
    /// side by side: what is read of them is enough to tell most of them from their neighbours.
    fn each_in_order(&self, order: Option<&[u32]>, mut take: impl FnMut(u32, Option<bool>)) {
        const AHEAD: usize = 32;
        let number_at = |place: u32| match order {
            None => Some(place),
            Some(order) => order.get(place as usize).copied(),
        };
        let mut ahead: Vec<(u32, Glance<'_>)> = Vec::with_capacity(AHEAD);
        let mut before: Option<Glance<'_>> = None;
        for start in (0..self.len).step_by(AHEAD) {
            let end = self.len.min(start.saturating_add(AHEAD as u32));
            ahead.clear();
            ahead.extend((start..end).filter_map(|place| {
                let number = number_at(place)?;
                Some((number, Glance::at(self.bytes(number))))
            }));
            for (number, glance) in &ahead {
                take(*number, before.map(|before| before == *glance));
                before = Some(*glance);
            }
        }
    }
}

/// Numbers texts by the places of their keys among the distinct ones; hands on each of these once, in order.
fn number_by_key(entries: &mut [(u64, u32)], ranks: &mut Vec<u32>, mut distinct: impl FnMut(u64)) {
    entries.sort_unstable_by_key(|(key, _)| *key);
    ranks.clear();
    ranks.resize(entries.len(), NO_CODE);
    for (rank, equal) in (0..).zip(entries.chunk_by(|one, other| one.0 == other.0)) {
        if let Some((key, _)) = equal.first() {
            distinct(*key);
        }
        for (_, number) in equal {
            if let Some(slot) = ranks.get_mut(*number as usize) {
                *slot = rank;
            }
        }
    }
}

/// A text, and its end as a number: equal ones have equal ends.
#[derive(Clone, Copy, Debug)]
struct Glance<'t> {
    bytes: &'t [u8],
    end: u64,
}

impl<'t> Glance<'t> {
    fn at(bytes: &'t [u8]) -> Self {
        let end = match bytes.last_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => bytes.iter().fold(0, |end, &byte| end << 8 | u64::from(byte)),
        };
        Self { bytes, end }
    }
}

impl PartialEq for Glance<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.end == other.end && self.bytes == other.bytes
    }
}

/// Eight bytes from a place on, the first one the most significant; zeros behind the end.
fn eight_bytes(bytes: &[u8], from: usize) -> u64 {
    let rest = bytes.get(from..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => {
            rest.iter().zip((0..8).rev()).fold(0, |key, (&byte, place)| key | u64::from(byte) << (place * 8))
        }
    }
}
