//! The schema definition language of the specification (September 2025), checked token by token before the parser
//! reads it. It says only whether a text is of that form; what the definitions mean is read from the parser's tree.

use super::tokens::{LexicalError, Token, TokenKind, Tokens};

/// Brackets inside brackets that a value or a type may have; the parser allows no more either.
const NESTING: usize = 64;

/// Where a schema is not of the form that the grammar demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::catalog) struct MalformedSchema {
    /// What is wrong.
    pub(in crate::catalog) message: String,
    /// What to write instead.
    pub(in crate::catalog) remedy: &'static str,
    /// The bytes it is about.
    pub(in crate::catalog) start: usize,
    /// Their end.
    pub(in crate::catalog) end: usize,
}

type Checked = Result<(), MalformedSchema>;

const A_DEFINITION: &str = "write it as in `type Vpc { id: ID! }`";
const A_FIELD: &str = "write it as in `name: String`";
const AN_ARGUMENT: &str = "an argument is a name, a colon and a value, as in `default: 100`";
const A_LIST: &str = "write it as in `[\"vpcId\", \"region\"]`";
const AN_OBJECT: &str = "write it as in `{key: \"env\"}`";
const INTERFACES: &str = "write it as in `implements Asset & Taggable`";
const AN_ENUM: &str = "write it as in `enum Stage { PROD DEV }`";

/// Checks a whole file; the first departure from the grammar. Queries that stand in it are left to the reader, which
/// says where they belong.
pub(in crate::catalog) fn check_schema(text: &str) -> Checked {
    let tokens: Vec<Token> = Tokens::new(text).collect::<Result<_, _>>().map_err(|error| lexical(&error))?;
    let mut cursor = Cursor { text, rest: &tokens };
    while cursor.peek().is_some() {
        cursor.definition()?;
    }
    Ok(())
}

fn lexical(error: &LexicalError) -> MalformedSchema {
    let remedy = match error {
        LexicalError::UnterminatedString { .. } => {
            "a string ends on the line it begins on, unless it has `\"\"\"`"
        }
        LexicalError::ForbiddenCharacter { .. } | LexicalError::LoneSurrogate { .. } => {
            "save the file as plain UTF-8"
        }
    };
    MalformedSchema { message: error.to_string(), remedy, start: error.offset(), end: error.offset() + 1 }
}

/// The tokens that are still to be checked.
struct Cursor<'t, 's> {
    text: &'t str,
    rest: &'s [Token],
}

impl<'t> Cursor<'t, '_> {
    /// The text of the next token.
    fn peek(&self) -> Option<&'t str> {
        self.rest.first().map(|token| token.text(self.text))
    }

    fn kind(&self) -> Option<TokenKind> {
        self.rest.first().map(|token| token.kind)
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Takes the next token if it is this one.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_it = self.peek() == Some(wanted);
        if is_it {
            self.skip();
        }
        is_it
    }

    /// An error about the next token.
    fn expected<T>(&self, what: &str, remedy: &'static str) -> Result<T, MalformedSchema> {
        let (found, start, end) = match self.rest.first() {
            Some(token) => (format!("`{}`", token.text(self.text)), token.start, token.end),
            None => ("the end of the file".to_owned(), self.text.len(), self.text.len()),
        };
        Err(MalformedSchema { message: format!("expected {what} before {found}"), remedy, start, end })
    }

    fn mark(&mut self, wanted: &str, what: &str, remedy: &'static str) -> Checked {
        if self.takes(wanted) { Ok(()) } else { self.expected(what, remedy) }
    }

    fn name(&mut self, what: &str, remedy: &'static str) -> Result<&'t str, MalformedSchema> {
        match (self.kind(), self.peek()) {
            (Some(TokenKind::Name), Some(name)) => {
                self.skip();
                Ok(name)
            }
            _ => self.expected(what, remedy),
        }
    }

    fn description(&mut self) {
        if self.peek().is_some_and(|next| next.starts_with('"')) {
            self.skip();
        }
    }

    fn definition(&mut self) -> Checked {
        self.description();
        self.takes("extend");
        let Some(keyword) = self.peek() else { return self.expected("a definition", A_DEFINITION) };
        match keyword {
            "type" | "interface" => {
                self.skip();
                self.name("the name of the type", A_DEFINITION)?;
                self.implements()?;
                self.directives()?;
                self.block(A_FIELD, |cursor| cursor.field())
            }
            "input" => {
                self.skip();
                self.name("the name of the type", A_DEFINITION)?;
                self.directives()?;
                self.block(A_FIELD, |cursor| cursor.input_value("a field"))
            }
            "enum" => {
                self.skip();
                self.name("the name of the enum", AN_ENUM)?;
                self.directives()?;
                self.block(AN_ENUM, |cursor| {
                    cursor.description();
                    cursor.name("a value of the enum or `}`", AN_ENUM)?;
                    cursor.directives()
                })
            }
            "scalar" => {
                self.skip();
                self.name("the name of the scalar", "write it as in `scalar CIDR`")?;
                self.directives()
            }
            "union" => {
                self.skip();
                self.name("the name of the union", A_DEFINITION)?;
                self.directives()?;
                if self.takes("=") { self.joined("|", "a type", A_DEFINITION) } else { Ok(()) }
            }
            "schema" => {
                self.skip();
                self.directives()?;
                self.block(A_FIELD, |cursor| cursor.input_value("an operation"))
            }
            "directive" => {
                self.skip();
                self.directive_definition()
            }
            "query" | "mutation" | "subscription" | "fragment" | "{" => {
                self.skip_query();
                Ok(())
            }
            _ => self.expected("a definition", A_DEFINITION),
        }
    }

    /// `implements A & B`
    fn implements(&mut self) -> Checked {
        if self.takes("implements") { self.joined("&", "an interface", INTERFACES) } else { Ok(()) }
    }

    /// Names between marks; the first mark may be left out.
    fn joined(&mut self, mark: &str, what: &str, remedy: &'static str) -> Checked {
        self.takes(mark);
        self.name(what, remedy)?;
        while self.takes(mark) {
            self.name(what, remedy)?;
        }
        Ok(())
    }

    /// Entries in braces, where there are any.
    fn block(&mut self, remedy: &'static str, mut entry: impl FnMut(&mut Self) -> Checked) -> Checked {
        if !self.takes("{") {
            return match self.kind() {
                // The next definition.
                None | Some(TokenKind::Name | TokenKind::Open('{')) => Ok(()),
                Some(_) if self.peek().is_some_and(|next| next.starts_with('"')) => Ok(()),
                Some(_) => self.expected("fields in braces", remedy),
            };
        }
        while !self.takes("}") {
            entry(self)?;
        }
        Ok(())
    }

    /// `name(argument: Type): Type @directive`
    fn field(&mut self) -> Checked {
        self.description();
        let name = self.name("a field or `}`", A_FIELD)?;
        if self.takes("(") {
            self.input_values()?;
        }
        self.type_of(name)?;
        self.directives()
    }

    /// Up to and with the bracket that closes them.
    fn input_values(&mut self) -> Checked {
        self.input_value("an argument")?;
        while !self.takes(")") {
            self.input_value("an argument or `)`")?;
        }
        Ok(())
    }

    /// `name: Type = value @directive`
    fn input_value(&mut self, what: &str) -> Checked {
        self.description();
        let name = self.name(what, A_FIELD)?;
        self.type_of(name)?;
        if self.takes("=") {
            self.value(0)?;
        }
        self.directives()
    }

    /// The colon behind a name, and its type.
    fn type_of(&mut self, name: &str) -> Checked {
        self.mark(":", &format!("a colon and the type of `{name}`"), A_FIELD)?;
        self.type_reference(0)
    }

    fn type_reference(&mut self, depth: usize) -> Checked {
        if depth > NESTING {
            return self.expected("fewer brackets inside brackets", A_FIELD);
        }
        if self.takes("[") {
            self.type_reference(depth + 1)?;
            self.mark("]", "`]`", "write it as in `subnets: [Subnet!]!`")?;
        } else {
            self.name("a type", A_FIELD)?;
        }
        self.takes("!");
        Ok(())
    }

    /// `@limit(default: 100) @plural(value: "vpcs")`
    fn directives(&mut self) -> Checked {
        while self.takes("@") {
            self.name("the name of a directive", AN_ARGUMENT)?;
            if self.takes("(") {
                self.argument("the name of an argument", AN_ARGUMENT, 0)?;
                while !self.takes(")") {
                    self.argument("the name of an argument or `)`", AN_ARGUMENT, 0)?;
                }
            }
        }
        Ok(())
    }

    /// `name: value`
    fn argument(&mut self, what: &str, remedy: &'static str, depth: usize) -> Checked {
        let name = self.name(what, remedy)?;
        self.mark(":", &format!("a colon and the value of `{name}`"), remedy)?;
        self.value(depth)
    }

    fn value(&mut self, depth: usize) -> Checked {
        if depth > NESTING {
            return self.expected("fewer brackets inside brackets", A_LIST);
        }
        match (self.kind(), self.peek()) {
            (Some(TokenKind::Open('[')), _) => {
                self.skip();
                while !self.takes("]") {
                    if self.kind().is_none_or(|kind| matches!(kind, TokenKind::Close(_) | TokenKind::Colon)) {
                        return self.expected("a value or `]`", A_LIST);
                    }
                    self.value(depth + 1)?;
                }
                Ok(())
            }
            (Some(TokenKind::Open('{')), _) => {
                self.skip();
                while !self.takes("}") {
                    self.argument("a key or `}`", AN_OBJECT, depth + 1)?;
                }
                Ok(())
            }
            (Some(TokenKind::Name), _) => {
                self.skip();
                Ok(())
            }
            (Some(TokenKind::Other), Some(text))
                if text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit()) =>
            {
                self.skip();
                Ok(())
            }
            _ => self.expected("a value", AN_ARGUMENT),
        }
    }

    /// `@name(argument: Type) repeatable on OBJECT | FIELD_DEFINITION`
    fn directive_definition(&mut self) -> Checked {
        let remedy = "write it as in `directive @limit(default: Int) on OBJECT`";
        self.mark("@", "`@` and the name of the directive", remedy)?;
        self.name("the name of the directive", remedy)?;
        if self.takes("(") {
            self.input_values()?;
        }
        self.takes("repeatable");
        self.mark("on", "`on` and where the directive may stand", remedy)?;
        self.joined("|", "where the directive may stand", remedy)
    }

    /// Up to and with the brace that closes it; one that is never closed is the parser's to refuse.
    fn skip_query(&mut self) {
        let mut open = 0usize;
        while let Some(kind) = self.kind() {
            self.skip();
            match kind {
                TokenKind::Open(_) => open += 1,
                TokenKind::Close(mark) => {
                    open = open.saturating_sub(1);
                    if open == 0 && mark == '}' {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}
