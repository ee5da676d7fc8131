//! What can be wrong with a `passmuster.toml`: a stable code, the place, what to write instead.

use std::ops::Range;

/// One mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// Where, in bytes; nothing where the whole file is meant.
    pub(crate) span: Option<Range<usize>>,
    /// What is wrong.
    pub(crate) problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// Not TOML, or TOML with a duplicate key.
    #[error("not readable as TOML: {reason}")]
    Toml {
        /// What the reader says.
        reason: String,
    },
    /// A key or a section that means nothing here.
    #[error("unknown {} `{key}`", if table.is_empty() { "section" } else { "key" })]
    UnknownKey {
        /// As written.
        key: String,
        /// The table it stands in, as it is written; empty for the file itself.
        table: &'static str,
        /// The key that was probably meant.
        nearest: Option<String>,
        /// All keys there are.
        known: &'static [&'static str],
    },
    /// A key that must be there.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value of another kind than the key takes.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongKind {
        /// The key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A value of the right kind that makes no sense.
    #[error("`{key}`: {reason}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        remedy: String,
    },
}

impl Problem {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Toml { .. } => "config_syntax",
            Self::UnknownKey { .. } => "unknown_key",
            Self::MissingKey { .. } => "missing_key",
            Self::WrongKind { .. } => "wrong_kind",
            Self::BadValue { .. } => "bad_value",
        }
    }

    /// What to write at the place, where the message alone doesn't say.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Toml { .. } | Self::WrongKind { .. } => None,
            Self::MissingKey { key } => Some(format!("write `{key}` in here")),
            Self::UnknownKey { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`?"))
            }
            Self::BadValue { remedy, .. } => Some(remedy.clone()),
        }
    }

    /// What there is to choose from.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::UnknownKey { table: "", known, .. } => Some(format!("sections: {}", known.join(", "))),
            Self::UnknownKey { table, known, .. } => Some(format!("keys of {table}: {}", known.join(", "))),
            _ => None,
        }
    }
}
