//! Finds out, without a parser, whether the operation a request selects is a mutation: GET must refuse one before
//! anything else looks at it. One pass, no recursion, so no document is too deep for it.

/// Whether the selected operation is a mutation. With no name given, any mutation in the document counts.
pub(super) fn selects_mutation(document: &str, operation_name: Option<&str>) -> bool {
    let mut scan = Scan { rest: document.as_bytes(), depth: 0, state: State::Between, found: false };
    scan.run(operation_name);
    scan.found
}

/// Where the scan stands between and within the definitions of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a definition.
    Between,
    /// After the word `mutation`, where its name may follow.
    AfterMutation,
    /// Anywhere else within a definition.
    Within,
}

struct Scan<'a> {
    rest: &'a [u8],
    depth: usize,
    state: State,
    found: bool,
}

impl Scan<'_> {
    fn run(&mut self, wanted: Option<&str>) {
        while let Some((&byte, after)) = self.rest.split_first() {
            match byte {
                b'#' => self.skip_comment(),
                b'"' => self.skip_string(),
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    let length =
                        self.rest.iter().position(|byte| !is_name_byte(*byte)).unwrap_or(self.rest.len());
                    let (name, rest) = self.rest.split_at(length);
                    self.rest = rest;
                    self.on_name(name, wanted);
                }
                _ => {
                    self.rest = after;
                    self.on_punctuation(byte, wanted);
                }
            }
        }
    }

    fn on_name(&mut self, name: &[u8], wanted: Option<&str>) {
        if self.depth > 0 {
            return;
        }
        match self.state {
            State::Between if name == b"mutation" => self.state = State::AfterMutation,
            State::Between => self.state = State::Within,
            State::AfterMutation => {
                self.found |= wanted.is_none_or(|wanted| wanted.as_bytes() == name);
                self.state = State::Within;
            }
            State::Within => {}
        }
    }

    fn on_punctuation(&mut self, byte: u8, wanted: Option<&str>) {
        match byte {
            b'{' | b'(' | b'[' => {
                if self.depth == 0 && self.state == State::AfterMutation {
                    self.found |= wanted.is_none();
                }
                self.state = State::Within;
                self.depth += 1;
            }
            b'}' | b')' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if byte == b'}' && self.depth == 0 {
                    self.state = State::Between;
                }
            }
            b'@' if self.depth == 0 && self.state == State::AfterMutation => {
                self.found |= wanted.is_none();
                self.state = State::Within;
            }
            _ => {}
        }
    }

    fn skip_comment(&mut self) {
        let end = self.rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(self.rest.len());
        self.advance(end);
    }

    /// Skips `".."` and `""".."""`, whose brackets and words mean nothing.
    fn skip_string(&mut self) {
        if self.rest.starts_with(BLOCK_QUOTE) {
            self.advance(BLOCK_QUOTE.len());
            while !self.rest.is_empty() && !self.rest.starts_with(BLOCK_QUOTE) {
                let step =
                    if self.rest.starts_with(ESCAPED_BLOCK_QUOTE) { ESCAPED_BLOCK_QUOTE.len() } else { 1 };
                self.advance(step);
            }
            self.advance(BLOCK_QUOTE.len());
            return;
        }
        self.advance(1);
        while let Some(&byte) = self.rest.first() {
            match byte {
                b'\\' => self.advance(2),
                b'"' => return self.advance(1),
                b'\n' | b'\r' => return,
                _ => self.advance(1),
            }
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

const BLOCK_QUOTE: &[u8] = b"\"\"\"";
const ESCAPED_BLOCK_QUOTE: &[u8] = b"\\\"\"\"";

fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
