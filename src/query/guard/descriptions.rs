//! What apollo-parser does not know of documents: descriptions, which the specification has since September 2025.

use std::borrow::Cow;

use crate::catalog::syntax::{Token, TokenKind, Tokens};

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
