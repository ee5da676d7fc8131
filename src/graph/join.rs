//! The join of two tables by keys that are no lists: both dictionaries are sorted, so their codes are brought together
//! by walking down both, and rows by the most selective key, the others told apart row by row.

use super::{
    adjacency::Neighbours,
    column::{Column, Data},
    dictionary::NO_CODE,
    text::TextData,
};

/// A key on both sides, as codes of one space: equal ones are equal values, [`NO_CODE`] is none.
struct Key {
    source: Vec<u32>,
    target: Vec<u32>,
    distinct: usize,
}

/// The edges where every pair of keys is equal. Nothing (within) where this is not the way to join: keys of another
/// kind, or none that is selective; and nothing at all where there are too many edges.
pub(super) fn join_scalars(pairs: &[(&Column, &Column)], source_rows: usize) -> Option<Option<Neighbours>> {
    let mut keys = Vec::new();
    for (own, reference) in pairs {
        let (Data::Text(own), Data::Text(reference)) = (&own.data, &reference.data) else {
            return Some(None);
        };
        let Some(key) = Key::of(own, reference) else { return Some(None) };
        keys.push(key);
    }
    keys.sort_by_key(|key| std::cmp::Reverse(key.distinct));
    let Some((first, others)) = keys.split_first() else { return Some(None) };
    let holders = Holders::of(&first.target, first.distinct)?;
    if !others.is_empty() {
        let looked_at: u64 = first.source.iter().map(|&code| holders.rows_of(code).len() as u64).sum();
        if looked_at > 8 * (source_rows as u64 + first.target.len() as u64) {
            return Some(None);
        }
    }
    let agrees = |row: usize, holder: u32| {
        others.iter().all(|key| {
            let code = key.source.get(row).copied().unwrap_or(NO_CODE);
            code != NO_CODE && key.target.get(holder as usize) == Some(&code)
        })
    };
    Some(Some(Neighbours::build(source_rows, |row, out| {
        let code = first.source.get(row).copied().unwrap_or(NO_CODE);
        let found = holders.rows_of(code);
        if others.is_empty() {
            out.extend_from_slice(found);
        } else {
            out.extend(found.iter().copied().filter(|&holder| agrees(row, holder)));
        }
    })?))
}

impl Key {
    /// Nothing where a dictionary is not in the order of its texts.
    fn of(own: &TextData, reference: &TextData) -> Option<Self> {
        let known = common_codes(own, reference)?;
        let source =
            own.codes.iter().map(|&code| known.get(code as usize).copied().unwrap_or(NO_CODE)).collect();
        Some(Self {
            source,
            target: reference.codes.iter().copied().collect(),
            distinct: reference.distinct(),
        })
    }
}

/// For each code of one column the code of the other that has the same text.
fn common_codes(own: &TextData, reference: &TextData) -> Option<Vec<u32>> {
    let mut known = vec![NO_CODE; own.distinct()];
    let mut others = reference.iter();
    let mut other = others.next();
    let mut before: Option<std::borrow::Cow<'_, str>> = None;
    for (code, text) in own.iter() {
        if before.is_some_and(|before| before >= text) {
            return None;
        }
        while let Some((_, candidate)) = &other
            && *candidate < text
        {
            let next = others.next();
            if next.as_ref().is_some_and(|(_, next)| next <= candidate) {
                return None;
            }
            other = next;
        }
        if let Some((other, candidate)) = &other
            && *candidate == text
            && let Some(slot) = known.get_mut(code as usize)
        {
            *slot = *other;
        }
        before = Some(text);
    }
    // What comes behind may not be in order either.
    while let Some((_, candidate)) = other {
        other = others.next();
        if other.as_ref().is_some_and(|(_, next)| *next <= candidate) {
            return None;
        }
    }
    Some(known)
}

/// The rows that hold each code, ascending.
struct Holders {
    offsets: Vec<u32>,
    rows: Vec<u32>,
}

impl Holders {
    #[expect(clippy::indexing_slicing, reason = "a counting sort over arrays of the lengths it made itself")]
    fn of(codes: &[u32], distinct: usize) -> Option<Self> {
        let mut offsets = vec![0u32; distinct + 2];
        let held = || (0u32..).zip(codes).filter(|(_, code)| (**code as usize) < distinct);
        for (_, &code) in held() {
            offsets[code as usize + 2] += 1;
        }
        for code in 2..offsets.len() {
            offsets[code] = offsets[code].checked_add(offsets[code - 1])?;
        }
        let mut rows = vec![0u32; offsets[distinct + 1] as usize];
        for (row, &code) in held() {
            // Moves on to where the next code begins.
            let slot = &mut offsets[code as usize + 1];
            rows[*slot as usize] = row;
            *slot += 1;
        }
        Some(Self { offsets, rows })
    }

    #[inline]
    fn rows_of(&self, code: u32) -> &[u32] {
        let code = code as usize;
        match (self.offsets.get(code), self.offsets.get(code.saturating_add(1))) {
            (Some(&start), Some(&end)) => self.rows.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}
