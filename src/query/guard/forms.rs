//! Where apollo-parser departs from the grammar: it drops a key or argument without a value (`{isDefault true}` would
//! demand nothing), and it knows no descriptions in documents, which the specification has since September 2025.

use std::borrow::Cow;

use super::tokens::{Token, TokenKind, Tokens};

/// A key or argument that is not of the form `name: value`: what stands there, and its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokenEntry {
    /// What is wrong.
    pub(crate) message: String,
    /// Where it is.
    pub(crate) offset: usize,
}

/// What the brackets around a token hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// Arguments or the keys of an object, and what comes next.
    Entries(Next),
    /// Values of a list, or variables.
    Values,
    /// Selections.
    Selections,
}

/// What comes next among entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Name,
    Colon,
    Value,
    /// The name of a variable, behind its dollar sign.
    Variable,
}

/// Checks that every argument and every key of an object has a name, a colon and one value. A text that is no document
/// otherwise is let through: the parser refuses it.
pub(crate) fn check_entries(text: &str) -> Result<(), BrokenEntry> {
    let mut inside: Vec<Inside> = Vec::new();
    let mut tokens = Tokens::new(text).map_while(Result::ok).peekable();
    while let Some(token) = tokens.next() {
        let holds_values = inside.iter().any(|each| *each != Inside::Selections);
        if let Some(Inside::Entries(next)) = inside.last_mut() {
            *next = step(*next, token, text)?;
        }
        match token.kind {
            TokenKind::Open('(') => {
                let is_declaration =
                    tokens.peek().is_some_and(|next| is_dollar(*next, text) || is_string(*next, text));
                inside.push(if is_declaration { Inside::Values } else { Inside::Entries(Next::Name) });
            }
            TokenKind::Open('{') if holds_values => inside.push(Inside::Entries(Next::Name)),
            TokenKind::Open('{') => inside.push(Inside::Selections),
            TokenKind::Open(_) => inside.push(Inside::Values),
            TokenKind::Close(_) => {
                inside.pop();
            }
            _ => {}
        }
    }
    Ok(())
}

fn step(next: Next, token: Token, text: &str) -> Result<Next, BrokenEntry> {
    let written = token.text(text);
    match (next, token.kind) {
        (Next::Name, TokenKind::Name) => Ok(Next::Colon),
        (Next::Name, TokenKind::Close(_)) => Ok(Next::Name),
        (Next::Colon, TokenKind::Colon) => Ok(Next::Value),
        (Next::Value, TokenKind::Other) if written == "$" => Ok(Next::Variable),
        (Next::Value, TokenKind::Name | TokenKind::Other | TokenKind::Open('[' | '{'))
        | (Next::Variable, TokenKind::Name) => Ok(Next::Name),
        _ => {
            let expected = match next {
                Next::Name => "a name",
                Next::Colon => "a colon and a value",
                Next::Value => "a value",
                Next::Variable => "the name of a variable",
            };
            Err(BrokenEntry {
                message: format!("expected {expected} before `{written}`"),
                offset: token.start,
            })
        }
    }
}

/// The text with blanks for the descriptions of operations, fragments and variables; every byte keeps its place.
pub(crate) fn without_descriptions(text: &str) -> Cow<'_, str> {
    if !text.contains('"') {
        return Cow::Borrowed(text);
    }
    let mut brackets: Vec<char> = Vec::new();
    let mut described: Vec<Token> = Vec::new();
    let mut before = None;
    let mut tokens = Tokens::new(text).map_while(Result::ok).peekable();
    while let Some(token) = tokens.next() {
        match token.kind {
            TokenKind::Open(bracket) => brackets.push(bracket),
            TokenKind::Close(_) => {
                brackets.pop();
            }
            TokenKind::Other if is_string(token, text) => {
                let is_description = match (brackets.as_slice(), tokens.peek()) {
                    ([], Some(next)) => {
                        matches!(next.text(text), "query" | "mutation" | "subscription" | "fragment")
                    }
                    // A default value is no description of the next variable.
                    (['('], Some(next)) => is_dollar(*next, text) && !matches!(before, Some("=" | ":")),
                    _ => false,
                };
                if is_description {
                    described.push(token);
                }
            }
            _ => {}
        }
        before = Some(token.text(text));
    }
    let mut blanked = String::new();
    let mut copied = 0;
    for token in &described {
        blanked.push_str(text.get(copied..token.start).unwrap_or_default());
        for byte in token.text(text).bytes() {
            blanked.push(if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' });
        }
        copied = token.end;
    }
    if described.is_empty() {
        return Cow::Borrowed(text);
    }
    blanked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(blanked)
}

fn is_dollar(token: Token, text: &str) -> bool {
    token.kind == TokenKind::Other && token.text(text) == "$"
}

fn is_string(token: Token, text: &str) -> bool {
    token.kind == TokenKind::Other && token.text(text).starts_with('"')
}
