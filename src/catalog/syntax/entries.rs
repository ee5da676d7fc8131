//! Arguments and keys of objects, which are `name: value` wherever they stand: apollo-parser drops those that aren't.

use super::{
    Malformed,
    tokens::{Token, TokenKind, Tokens},
};

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
pub(crate) fn check_entries(text: &str) -> Result<(), Malformed> {
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

fn step(next: Next, token: Token, text: &str) -> Result<Next, Malformed> {
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
            Err(Malformed { message: format!("expected {expected} before `{written}`"), offset: token.start })
        }
    }
}

fn is_dollar(token: Token, text: &str) -> bool {
    token.kind == TokenKind::Other && token.text(text) == "$"
}

fn is_string(token: Token, text: &str) -> bool {
    token.kind == TokenKind::Other && token.text(text).starts_with('"')
}
