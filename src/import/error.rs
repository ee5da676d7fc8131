//! Why a file is refused. Every message begins with the place, as `file:line` or `file:line:column`.

use std::io;

use crate::{
    catalog::AssetMisfit,
    model::{AssetError, SliceKey, TimeError, UnknownOutcome},
};

/// What the receiver of assets may answer with.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// A file that is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be opened or read.
    #[error("cannot read `{file}`")]
    Read {
        /// Its name as given.
        file: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// UTF-16, as some shells write it.
    #[error("{file}: the file is UTF-16, not UTF-8: convert it with `iconv -f UTF-16 -t UTF-8`")]
    Utf16 {
        /// Its name as given.
        file: String,
    },
    /// A byte that is not UTF-8.
    #[error("{file}:{line}:{column}: the line is not UTF-8")]
    NotUtf8 {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// In bytes, from 1.
        column: usize,
    },
    /// JSON over several lines.
    #[error(
        "{file}:{line}: a JSON document over several lines cannot be read: write one asset a line, as \
         `jq -c '.[]'` does from a list"
    )]
    NotLines {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
    },
    /// A line beyond the limit; it is not read on.
    #[error("{file}:{line}: the line has more than {limit_bytes} bytes, the limit of one asset")]
    LineTooLong {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// The most bytes of a line.
        limit_bytes: usize,
    },
    /// A line that is not JSON.
    #[error("{file}:{line}:{column}: {message}")]
    BadJson {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// In bytes, from 1.
        column: usize,
        /// What stands there, and what should.
        message: String,
    },
    /// JSON that is no asset.
    #[error("{file}:{line}: the line is not an asset")]
    NotAnAsset {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// What is missing.
        #[source]
        source: AssetError,
    },
    /// An asset that does not fit its type.
    #[error("{file}:{line}: the asset does not fit the schema")]
    Misfit {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// The type, the field and what is wrong with it.
        #[source]
        source: Box<AssetMisfit>,
    },
    /// The same asset twice.
    #[error(
        "{file}:{line}: `{typename}` with id `{id}` stands on line {first_line} already: keep one of the two"
    )]
    DuplicateAsset {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// Where it stood first.
        first_line: u64,
        /// The type.
        typename: String,
        /// The id.
        id: String,
    },
    /// The same slice twice.
    #[error("{file}:{line}: the slice `{key}` stands on line {first_line} already: keep one of the two")]
    DuplicateSlice {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// Where it stood first.
        first_line: u64,
        /// Which slice.
        key: SliceKey,
    },
    /// A line with `"__typename": "Slice"` that is none.
    #[error("{file}:{line}: the line is not a slice")]
    BadSlice {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: SliceProblem,
    },
    /// What receives the assets refused one.
    #[error("{file}:{line}: the asset cannot be taken in")]
    Refused {
        /// Its name as given.
        file: String,
        /// From 1.
        line: u64,
        /// Why.
        #[source]
        source: SinkError,
    },
}

/// What is wrong with a slice line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SliceProblem {
    /// A key is missing or not a non-empty string.
    #[error("`{key}` must be a non-empty string")]
    MissingKey {
        /// Which.
        key: &'static str,
    },
    /// A key that slices don't have.
    #[error("a slice has no key `{key}`: its keys are {}", super::slice_line::KEYS.join(", "))]
    UnknownKey {
        /// As written.
        key: String,
    },
    /// A type that the schema doesn't have.
    #[error("the schema has no asset type `{name}`{}", .nearest.as_ref().map(|near| format!(": did you mean `{near}`?")).unwrap_or_default())]
    UnknownType {
        /// As written.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A word that is no outcome.
    #[error(transparent)]
    UnknownOutcome(#[from] UnknownOutcome),
    /// Text that is no moment.
    #[error("`{key}` is not a time")]
    BadTime {
        /// Which key.
        key: &'static str,
        /// What stands there.
        #[source]
        source: TimeError,
    },
}
