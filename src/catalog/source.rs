//! The files a schema is written in, and places in them.

use std::ops::Range;

/// One SDL file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What errors call it: its path, or `schema/aws.graphql` for the embedded one.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// A source of this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// The 1-based line and column (in characters) of a byte of a text; the end of the text for a byte beyond it.
pub(crate) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let mut line = 1;
    let mut column = 1;
    for (_, character) in text.char_indices().take_while(|(at, _)| *at < byte) {
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    (line, column)
}

/// The byte at a 1-based line and column (in characters); the end of the text where it has no such place.
pub(crate) fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let mut here = (1, 1);
    for (at, character) in text.char_indices() {
        if here >= (line, column) {
            return at;
        }
        here = if character == '\n' { (here.0 + 1, 1) } else { (here.0, here.1 + 1) };
    }
    text.len()
}

/// A stretch of bytes of one of the sources that were read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// An index into the sources.
    pub(crate) source: usize,
    /// The bytes.
    pub(crate) span: Range<usize>,
}
