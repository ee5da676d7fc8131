//! The grammar of GraphQL as far as its parser can't be trusted with it: apollo-parser drops what it can't place
//! (`@limit(default 5)` would limit nothing) without a word. The tokens are those of queries, too.

mod entries;
mod escapes;
mod grammar;
mod tokens;

pub(crate) use entries::check_entries;
pub(super) use grammar::check_schema;
pub(crate) use tokens::{LexicalError, Token, TokenKind, Tokens};

/// What is not of the form that the grammar demands, and its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// What is wrong.
    pub(crate) message: String,
    /// Where it is.
    pub(crate) offset: usize,
}
