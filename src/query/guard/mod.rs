//! What stands before every parser: one pass over the text that refuses what would overflow a parser's stack or keep a
//! validator busy for minutes (Q1-Q10), in time proportional to the text. It judges size and shape, not meaning.

mod descriptions;
mod fragments;

use std::fmt;

pub(crate) use descriptions::without_descriptions;

use fragments::Sizes;

use crate::catalog::syntax::{LexicalError, Token, TokenKind, Tokens};

/// How large a document may be. Every limit is inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    /// Bytes of text.
    pub bytes: usize,
    /// Names, values and punctuation marks; blanks, commas and comments don't count.
    pub tokens: usize,
    /// Brackets inside brackets of any kind, and levels of selections once fragments are written out.
    pub nesting: usize,
    /// Directives.
    pub directives: usize,
    /// Fields and fragments selected, once fragments are written out.
    pub selections: usize,
    /// Fields of the root, once fragments are written out.
    pub root_fields: usize,
}

impl Default for GuardLimits {
    fn default() -> Self {
        Self {
            bytes: 1_000_000,
            tokens: 100_000,
            nesting: 64,
            directives: 1_000,
            selections: 20_000,
            root_fields: 500,
        }
    }
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardLimit {
    /// [`GuardLimits::bytes`].
    Bytes,
    /// [`GuardLimits::tokens`].
    Tokens,
    /// [`GuardLimits::nesting`].
    Nesting,
    /// [`GuardLimits::directives`].
    Directives,
    /// [`GuardLimits::selections`].
    Selections,
    /// [`GuardLimits::root_fields`].
    RootFields,
}

impl fmt::Display for GuardLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bytes => "bytes",
            Self::Tokens => "tokens",
            Self::Nesting => "levels of nesting",
            Self::Directives => "directives",
            Self::Selections => "selected fields",
            Self::RootFields => "root fields",
        })
    }
}

/// Why a document may not reach the parsers. Offsets are bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// A limit is passed.
    #[error("the query has {actual} {limit} or more, and {allowed} are allowed; ask for less at once")]
    Limit {
        /// Which limit.
        limit: GuardLimit,
        /// Its value.
        allowed: usize,
        /// What was counted when the guard stopped.
        actual: usize,
        /// Where it was passed.
        offset: usize,
    },
    /// A string without its closing quotes.
    #[error("a string begins here and does not end; close it with `{quotes}`")]
    UnterminatedString {
        /// The quotes it began with.
        quotes: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// A bracket without its partner.
    #[error("`{bracket}` has no partner")]
    UnbalancedBracket {
        /// The bracket.
        bracket: char,
        /// Where it stands.
        offset: usize,
    },
    /// A control character.
    #[error("the character U+{code:04X} may not stand in a query; write it as an escape in a string")]
    ForbiddenCharacter {
        /// Its code point.
        code: u32,
        /// Where it stands.
        offset: usize,
    },
    /// Half of a surrogate pair.
    #[error("`{escape}` is half of a surrogate pair; write the character itself, or both halves")]
    LoneSurrogate {
        /// The escape as written.
        escape: String,
        /// Where it stands.
        offset: usize,
    },
    /// A fragment that contains itself.
    #[error("the fragment `{name}` contains itself: {cycle}; break the circle")]
    FragmentCycle {
        /// The fragment.
        name: String,
        /// The way from it back to itself.
        cycle: String,
        /// Where it is defined.
        offset: usize,
    },
}

impl From<LexicalError> for GuardError {
    fn from(error: LexicalError) -> Self {
        match error {
            LexicalError::UnterminatedString { quotes, offset } => {
                Self::UnterminatedString { quotes, offset }
            }
            LexicalError::ForbiddenCharacter { code, offset } => Self::ForbiddenCharacter { code, offset },
            LexicalError::LoneSurrogate { escape, offset } => Self::LoneSurrogate { escape, offset },
        }
    }
}

impl GuardError {
    /// The stable code, unique among the reasons.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Limit { limit: GuardLimit::Bytes, .. } => "too_many_bytes",
            Self::Limit { limit: GuardLimit::Tokens, .. } => "too_many_tokens",
            Self::Limit { limit: GuardLimit::Nesting, .. } => "nested_too_deep",
            Self::Limit { limit: GuardLimit::Directives, .. } => "too_many_directives",
            Self::Limit { limit: GuardLimit::Selections, .. } => "too_many_selections",
            Self::Limit { limit: GuardLimit::RootFields, .. } => "too_many_root_fields",
            Self::UnterminatedString { .. } => "unterminated_string",
            Self::UnbalancedBracket { .. } => "unbalanced_bracket",
            Self::ForbiddenCharacter { .. } => "forbidden_character",
            Self::LoneSurrogate { .. } => "lone_surrogate",
            Self::FragmentCycle { .. } => "fragment_cycle",
        }
    }

    /// The byte of the text it is about.
    #[must_use]
    pub fn offset(&self) -> usize {
        match self {
            Self::Limit { offset, .. }
            | Self::UnterminatedString { offset, .. }
            | Self::UnbalancedBracket { offset, .. }
            | Self::ForbiddenCharacter { offset, .. }
            | Self::LoneSurrogate { offset, .. }
            | Self::FragmentCycle { offset, .. } => *offset,
        }
    }
}

/// Lets a document pass to the parsers, or says why not. The text is a whole document or a bare root selection;
/// fragments that it uses and does not define count as one field each, so judge the text again once they are added.
///
/// # Errors
/// The first reason in the order of the text; limits on fragments come after everything else.
pub fn guard(text: &str, limits: &GuardLimits) -> Result<(), GuardError> {
    check(GuardLimit::Bytes, limits.bytes, text.len(), 0)?;
    let mut open: Vec<Token> = Vec::new();
    let mut seen: Vec<Token> = Vec::new();
    let mut directives = 0;
    for token in Tokens::new(text) {
        let token = token?;
        match token.kind {
            TokenKind::Open(_) => {
                open.push(token);
                check(GuardLimit::Nesting, limits.nesting, open.len(), token.start)?;
            }
            TokenKind::Close(bracket) => {
                let opened = open.pop().map(|opened| opened.kind);
                if opened != Some(TokenKind::Open(partner(bracket))) {
                    return Err(GuardError::UnbalancedBracket { bracket, offset: token.start });
                }
            }
            TokenKind::At => {
                directives += 1;
                check(GuardLimit::Directives, limits.directives, directives, token.start)?;
            }
            _ => {}
        }
        seen.push(token);
        check(GuardLimit::Tokens, limits.tokens, seen.len(), token.start)?;
    }
    if let Some(Token { kind: TokenKind::Open(bracket), start, .. }) = open.first() {
        return Err(GuardError::UnbalancedBracket { bracket: *bracket, offset: *start });
    }
    Sizes::of(text, &seen).check(limits)
}

fn partner(bracket: char) -> char {
    match bracket {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

fn check(limit: GuardLimit, allowed: usize, actual: usize, offset: usize) -> Result<(), GuardError> {
    if actual <= allowed { Ok(()) } else { Err(GuardError::Limit { limit, allowed, actual, offset }) }
}
