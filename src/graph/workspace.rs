//! Memory that a thread has for one column after the other: asked for once, where each column would ask for as much
//! again, and be given pages that were never touched.

/// What putting a column together takes in between.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Texts as numbers, and the numbers they came under.
    pub(super) entries: Vec<(u64, u32)>,
    /// The place of each text among the distinct ones.
    pub(super) ranks: Vec<u32>,
    /// The code of each row in the order of arrival.
    pub(super) codes: Vec<u32>,
    /// The number of each row in the order of arrival.
    pub(super) numbers: Vec<i64>,
}
