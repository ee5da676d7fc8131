//! How many distinct values were looked at to find what a test asks for. Counted for each search, not for each value, so
//! that it costs nothing; tests hold lookups to it.

use std::cell::Cell;

thread_local! {
    static COMPARED: Cell<u64> = const { Cell::new(0) };
}

/// How many distinct values of columns this thread has compared with something so far, whatever graph they are of.
#[must_use]
pub fn values_compared() -> u64 {
    COMPARED.get()
}

/// Counts more of them.
pub(super) fn count_compared(values: usize) {
    COMPARED.set(COMPARED.get().wrapping_add(values as u64));
}
