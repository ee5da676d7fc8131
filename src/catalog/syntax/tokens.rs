//! Cuts a document into tokens exactly where the parsers do: brackets in strings, block strings and comments are no
//! brackets (Q9), and what GraphQL forbids in a text is refused (Q10).

/// Why a text can't be cut into tokens. Offsets are bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LexicalError {
    /// A string without its closing quotes.
    #[error("a string begins here and does not end; close it with `{quotes}`")]
    UnterminatedString {
        /// The quotes it began with.
        quotes: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// A control character.
    #[error("the character U+{code:04X} may not stand here; write it as an escape in a string")]
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
}

impl LexicalError {
    /// The byte of the text it is about.
    pub(crate) fn offset(&self) -> usize {
        match self {
            Self::UnterminatedString { offset, .. }
            | Self::ForbiddenCharacter { offset, .. }
            | Self::LoneSurrogate { offset, .. } => *offset,
        }
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or keyword.
    Name,
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    /// `...`
    Spread,
    /// `@`
    At,
    /// `:`
    Colon,
    /// A string, a number, any other mark.
    Other,
}

/// One token and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    /// The text of it.
    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// The tokens of a text, one by one; nothing after the first error.
pub(crate) struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn starts_with(&self, start: &[u8]) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(start))
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.at += 1;
        }
    }

    /// Skips blanks, commas, comments and byte order marks, all of which mean nothing.
    fn skip_ignored(&mut self) -> Result<(), LexicalError> {
        loop {
            match self.peek(0) {
                Some(b' ' | b',' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(0xEF) if self.starts_with("\u{feff}".as_bytes()) => self.at += 3,
                Some(b'#') => {
                    self.skip_while(|byte| byte != b'\n' && byte != b'\r' && is_source_byte(byte));
                    self.refuse_control()?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// An error if a control character comes next.
    fn refuse_control(&self) -> Result<(), LexicalError> {
        match self.peek(0) {
            Some(byte) if !is_source_byte(byte) => {
                Err(LexicalError::ForbiddenCharacter { code: u32::from(byte), offset: self.at })
            }
            _ => Ok(()),
        }
    }

    fn next_token(&mut self) -> Result<Option<Token>, LexicalError> {
        self.skip_ignored()?;
        self.refuse_control()?;
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = match first {
            b'(' | b'[' | b'{' => self.mark(TokenKind::Open(char::from(first)), 1),
            b')' | b']' | b'}' => self.mark(TokenKind::Close(char::from(first)), 1),
            b'@' => self.mark(TokenKind::At, 1),
            b':' => self.mark(TokenKind::Colon, 1),
            b'.' if self.starts_with(b"...") => self.mark(TokenKind::Spread, 3),
            b'"' if self.starts_with(b"\"\"\"") => self.block_string()?,
            b'"' => self.string()?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
                TokenKind::Name
            }
            b'-' | b'0'..=b'9' => {
                self.mark(TokenKind::Other, 1);
                self.skip_while(|byte| matches!(byte, b'.' | b'+' | b'-') || byte.is_ascii_alphanumeric());
                TokenKind::Other
            }
            // Whatever it is, all its bytes together.
            _ => {
                self.mark(TokenKind::Other, 1);
                self.skip_while(|byte| (0x80..0xC0).contains(&byte));
                TokenKind::Other
            }
        };
        Ok(Some(Token { kind, start, end: self.at }))
    }

    fn mark(&mut self, kind: TokenKind, length: usize) -> TokenKind {
        self.at += length;
        kind
    }

    fn block_string(&mut self) -> Result<TokenKind, LexicalError> {
        let start = self.at;
        self.at += 3;
        loop {
            self.refuse_control()?;
            if self.starts_with(b"\\\"\"\"") {
                self.at += 4;
            } else if self.starts_with(b"\"\"\"") {
                self.at += 3;
                return Ok(TokenKind::Other);
            } else if self.peek(0).is_none() {
                return Err(LexicalError::UnterminatedString { quotes: "\"\"\"", offset: start });
            } else {
                self.at += 1;
            }
        }
    }

    fn string(&mut self) -> Result<TokenKind, LexicalError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => {
                    return Err(LexicalError::UnterminatedString { quotes: "\"", offset: start });
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(TokenKind::Other);
                }
                Some(b'\\') => {
                    let escape = self.text.get(self.at..).unwrap_or_default();
                    self.at += super::escapes::length_of_escape(escape, self.at)?;
                }
                Some(_) => {
                    self.refuse_control()?;
                    self.at += 1;
                }
            }
        }
    }
}

/// GraphQL takes tabs, line ends and everything from the blank on.
fn is_source_byte(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7F || matches!(byte, b'\t' | b'\n' | b'\r')
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, LexicalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_token();
        if next.is_err() {
            self.at = self.text.len();
        }
        next.transpose()
    }
}
