//! The text of an expectation, split: an optional path, an operator, a value. Each part knows where it stands.

use std::ops::Range;

use super::{super::error::Problem, Order};
use crate::model::nearest;

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Compare(Order),
    All,
    None,
}

const OPERATORS: [(&str, Operator); 8] = [
    ("eq", Operator::Compare(Order::Equal)),
    ("ne", Operator::Compare(Order::NotEqual)),
    ("lt", Operator::Compare(Order::Less)),
    ("lte", Operator::Compare(Order::LessOrEqual)),
    ("gt", Operator::Compare(Order::Greater)),
    ("gte", Operator::Compare(Order::GreaterOrEqual)),
    ("all", Operator::All),
    ("none", Operator::None),
];

/// What people write who come from other languages, and what it is called here.
const OTHER_WORDS: [(&str, &str); 16] = [
    ("=", "eq"),
    ("==", "eq"),
    ("equals", "eq"),
    ("is", "eq"),
    ("!=", "ne"),
    ("<>", "ne"),
    ("neq", "ne"),
    ("not", "ne"),
    ("<", "lt"),
    ("<=", "lte"),
    ("le", "lte"),
    (">", "gt"),
    (">=", "gte"),
    ("ge", "gte"),
    ("every", "all"),
    ("no", "none"),
];

/// A piece of the text and where it stands, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// An expectation as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    /// The whole, without blanks around it.
    pub(crate) whole: Piece,
    /// The names of the path, e.g. `vpcsAggregate` and `count`; empty for the result itself.
    pub(crate) path: Vec<Piece>,
    /// What is asked for.
    pub(crate) operator: Operator,
    /// The value or filter as written.
    pub(crate) operand: Piece,
}

/// A mistake and where it stands in the text.
pub(crate) type Mistake = (Range<usize>, Problem);

impl Written {
    /// Splits a text.
    ///
    /// # Errors
    /// The place that can't be read.
    pub(crate) fn read(text: &str) -> Result<Self, Mistake> {
        let whole = trimmed(text, 0..text.len());
        let broken = |span: Range<usize>| (span, Problem::BadExpectation { value: whole.text.clone() });
        let (first, rest) = first_word(text, whole.span.clone());
        if let Some(operator) = operator(&first.text) {
            return Self::with(whole.clone(), Vec::new(), operator, trimmed(text, rest)).map_err(broken);
        }
        let (second, rest) = first_word(text, rest);
        if let Some(operator) = operator(&second.text) {
            let path = names(&first);
            if path.iter().any(|name| !is_name(&name.text)) {
                return Err(broken(first.span));
            }
            return Self::with(whole.clone(), path, operator, trimmed(text, rest)).map_err(broken);
        }
        // Of two words that are no operators, the second stands where one should if it could be one.
        let is_value = serde_json::from_str::<serde_json::Value>(&second.text).is_ok();
        let has_second = !second.text.is_empty() && !is_value && !second.text.starts_with(['[', '{', '"']);
        let meant = if has_second && meant(&first.text).is_none() { second } else { first };
        if meant.text.is_empty() || serde_json::from_str::<serde_json::Value>(&meant.text).is_ok() {
            return Err(broken(whole.span.clone()));
        }
        let nearest = self::meant(&meant.text);
        Err((meant.span, Problem::UnknownOperator { value: meant.text, nearest }))
    }

    fn with(
        whole: Piece,
        path: Vec<Piece>,
        operator: Operator,
        operand: Piece,
    ) -> Result<Self, Range<usize>> {
        if operand.text.is_empty() {
            return Err(whole.span);
        }
        Ok(Self { whole, path, operator, operand })
    }
}

fn operator(word: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(name, _)| *name == word).map(|(_, operator)| *operator)
}

/// The operator that a word was probably meant to be.
fn meant(word: &str) -> Option<String> {
    let other = OTHER_WORDS.iter().find(|(other, _)| word.eq_ignore_ascii_case(other));
    let known = OPERATORS.iter().map(|(name, _)| *name);
    other.map(|(_, name)| *name).or_else(|| nearest(word, known)).map(str::to_owned)
}

/// A stretch of a text without the blanks around it.
fn trimmed(text: &str, span: Range<usize>) -> Piece {
    let inner = text.get(span.clone()).unwrap_or_default();
    let start = span.start + (inner.len() - inner.trim_start().len());
    let inner = inner.trim();
    Piece { text: inner.to_owned(), span: start..start + inner.len() }
}

/// The first word of a stretch, and the stretch behind it.
fn first_word(text: &str, span: Range<usize>) -> (Piece, Range<usize>) {
    let whole = trimmed(text, span.clone());
    let length = whole.text.find(char::is_whitespace).unwrap_or(whole.text.len());
    let end = whole.span.start + length;
    let word = whole.text.get(..length).unwrap_or_default().to_owned();
    (Piece { text: word, span: whole.span.start..end }, end..span.end.max(end))
}

/// The names of a path, each with its place.
fn names(path: &Piece) -> Vec<Piece> {
    let mut start = path.span.start;
    let name = |name: &str| {
        let piece = Piece { text: name.to_owned(), span: start..start + name.len() };
        start += name.len() + 1;
        piece
    };
    path.text.split('.').map(name).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
