//! Texts as they come in, numbered in the order of their arrival, in one arena; and how those of several threads become
//! one sorted dictionary.

use std::{cmp::Ordering, hash::Hasher};

use rustc_hash::FxHasher;

use super::dictionary::{DictionaryBuilder, Form, NO_CODE};

/// Texts by number. Equal ones have one number as long as that pays: where nearly all are distinct (ids), each gets a
/// number of its own, and sorting finds the equal ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    arena: String,
    ends: Vec<u32>,
    /// An open hash table: the upper half of the hash and the number plus one; 0 where a slot is free.
    slots: Vec<u64>,
    /// For each text the one that came after it last: what comes in turns (the keys of tags) is found without the table.
    followers: Vec<u32>,
    /// The number given last.
    last: u32,
    /// Whether equal texts are no longer looked for.
    is_plain: bool,
    /// Whether a text did not fit any more.
    is_full: bool,
    /// How often a text was looked for.
    lookups: usize,
}

/// From so many distinct texts on it may not pay to look for equal ones.
const WORTH_ASKING: usize = 4096;

impl Texts {
    /// Texts that are known to be distinct, or are to be kept apart.
    pub(crate) fn plain() -> Self {
        Self { is_plain: true, ..Self::default() }
    }

    /// The number of a text.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        let last = self.last as usize;
        if last < self.ends.len() {
            if self.bytes_at(last) == text.as_bytes() {
                return self.last;
            }
            if let Some(&follower) = self.followers.get(last)
                && self.bytes_at(follower as usize) == text.as_bytes()
            {
                self.last = follower;
                return follower;
            }
        }
        let code = if self.is_plain { self.append(text) } else { self.look_up(text) };
        if let Some(follower) = self.followers.get_mut(last) {
            *follower = code;
        }
        self.last = code;
        code
    }

    fn look_up(&mut self, text: &str) -> u32 {
        if self.ends.len() * 4 >= self.slots.len() * 3 {
            self.grow();
            if self.is_plain {
                return self.append(text);
            }
        }
        self.lookups += 1;
        let hash = hash_of(text.as_bytes());
        let mask = self.slots.len() - 1;
        let mut place = low(hash) & mask;
        loop {
            let slot = self.slots.get(place).copied().unwrap_or_default();
            if slot == 0 {
                let code = self.append(text);
                self.followers.push(0);
                if let Some(slot) = self.slots.get_mut(place) {
                    *slot = hash & !u64::from(u32::MAX) | u64::from(code.wrapping_add(1));
                }
                return code;
            }
            let code = low(slot & u64::from(u32::MAX)).wrapping_sub(1);
            if (slot ^ hash) >> 32 == 0 && self.bytes_at(code) == text.as_bytes() {
                return number(code);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds a text without looking for an equal one.
    pub(crate) fn append(&mut self, text: &str) -> u32 {
        let Ok(end) = u32::try_from(self.arena.len() + text.len()) else {
            self.is_full = true;
            return NO_CODE;
        };
        self.arena.push_str(text);
        self.ends.push(end);
        number(self.ends.len() - 1)
    }

    fn grow(&mut self) {
        if self.ends.len() >= WORTH_ASKING && self.ends.len() * 5 > self.lookups * 3 {
            (self.is_plain, self.slots, self.followers) = (true, Vec::new(), Vec::new());
            return;
        }
        let mut slots = vec![0; (self.slots.len() * 2).max(64)];
        let mask = slots.len() - 1;
        for code in 0..self.ends.len() {
            let hash = hash_of(self.bytes_at(code));
            let mut place = low(hash) & mask;
            while slots.get(place).is_some_and(|&slot| slot != 0) {
                place = (place + 1) & mask;
            }
            if let Some(slot) = slots.get_mut(place) {
                *slot = hash & !u64::from(u32::MAX) | (code as u64 + 1);
            }
        }
        self.slots = slots;
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.text_at(number as usize)
    }

    #[inline]
    fn bounds(&self, place: usize) -> (usize, usize) {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(place).copied().unwrap_or(start);
        (start as usize, end as usize)
    }

    #[inline]
    fn text_at(&self, place: usize) -> &str {
        let (start, end) = self.bounds(place);
        self.arena.get(start..end).unwrap_or_default()
    }

    /// The same for comparing, which need not ask where characters begin.
    #[inline]
    fn bytes_at(&self, place: usize) -> &[u8] {
        let (start, end) = self.bounds(place);
        self.arena.as_bytes().get(start..end).unwrap_or_default()
    }
}

fn number(place: usize) -> u32 {
    // As many as fit into the arena.
    u32::try_from(place).unwrap_or(NO_CODE)
}

fn low(hash: u64) -> usize {
    usize::try_from(hash & u64::from(u32::MAX)).unwrap_or(0)
}

fn hash_of(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    let hash = hasher.finish();
    // Neither half may be all that tells two texts apart.
    hash ^ hash.rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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

    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// A dictionary to be written, with room for all of them.
    pub(crate) fn dictionary(&self, form: Form) -> DictionaryBuilder {
        let bytes = self.parts.iter().map(|part| part.arena.len()).sum();
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

    /// Numbers each text by its place among the distinct ones, in an order given; hands on each of these once.
    pub(crate) fn rank(&self, order: Option<&[u32]>, mut distinct: impl FnMut(&str)) -> Vec<u32> {
        let mut ranks = vec![NO_CODE; self.len as usize];
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
        ranks
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

    /// How the texts of two numbers compare.
    pub(crate) fn compare(&self, one: u32, other: u32) -> Ordering {
        self.text(one).cmp(self.text(other))
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
