//! Comparing short texts. Most keys and values have a length that two or four numbers cover, and are compared without
//! a call.

/// Whether two texts are the same.
#[inline]
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        0..4 => one.iter().eq(other),
        4..8 => has_equal_ends::<4>(one, other),
        8..=16 => has_equal_ends::<8>(one, other),
        17..=32 => has_equal_ends::<16>(one, other),
        _ => one == other,
    }
}

/// Whether the first bytes are the same, and the last ones.
#[inline]
fn has_equal_ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<N>() == other.first_chunk::<N>() && one.last_chunk::<N>() == other.last_chunk::<N>()
}

/// Whether a text begins so.
#[inline]
pub(crate) fn begins(text: &[u8], beginning: &[u8]) -> bool {
    text.get(..beginning.len()).is_some_and(|text| is_equal(text, beginning))
}

/// A text without the end that it must have.
#[inline]
pub(crate) fn without_end<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    let start = text.len().checked_sub(end.len())?;
    let is_there = text.as_bytes().get(start..).is_some_and(|text| is_equal(text, end.as_bytes()));
    text.get(..start).filter(|_| is_there)
}
