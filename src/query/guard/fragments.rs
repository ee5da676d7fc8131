//! How large a document becomes once its fragments are written out: each fragment is measured once, however often it is
//! used, so that a bomb (Q3) costs no more than its text, and a circle (Q4) is found on the way.

use rustc_hash::FxHashMap;

use super::{GuardError, GuardLimit, GuardLimits, check};
use crate::catalog::syntax::{Token, TokenKind};

/// What one definition selects by itself, and the fragments it uses.
#[derive(Debug, Default)]
struct Definition<'t> {
    /// The name of a fragment; empty for an operation.
    name: &'t str,
    offset: usize,
    own: Size,
    uses: Vec<Use<'t>>,
}

/// One spread of a fragment.
#[derive(Debug)]
struct Use<'t> {
    name: &'t str,
    /// The braces around it.
    depth: usize,
    /// Whether it stands at the root of its definition.
    at_root: bool,
}

/// How large something is, written out.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    selections: usize,
    depth: usize,
    roots: usize,
}

/// The definitions of a document.
#[derive(Debug)]
pub(super) struct Sizes<'t> {
    definitions: Vec<Definition<'t>>,
    fragments: FxHashMap<&'t str, usize>,
}

/// A pair of braces around selections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brace {
    /// Of a definition or a field.
    Selection,
    /// Of `... on Vpc`, which adds no level to the response.
    Inline,
}

impl<'t> Sizes<'t> {
    /// Reads the definitions out of balanced tokens. A text that is no document gives sizes of some kind; the parsers
    /// refuse it.
    pub(super) fn of(text: &'t str, tokens: &[Token]) -> Self {
        let mut sizes = Self { definitions: Vec::new(), fragments: FxHashMap::default() };
        let mut rest = tokens;
        while !rest.is_empty() {
            let definition = Definition::default();
            let mut scan = Scan { text, rest, definition, braces: Vec::new(), root_braces: 1 };
            scan.definition();
            rest = scan.rest;
            let definition = scan.definition;
            if !definition.name.is_empty() {
                // Of two with one name the parsers keep one: either may be the larger.
                let at = sizes.definitions.len();
                match sizes.fragments.get(definition.name).copied() {
                    Some(first) => {
                        if let Some(first) = sizes.definitions.get_mut(first) {
                            first.own.selections += definition.own.selections;
                            first.own.depth = first.own.depth.max(definition.own.depth);
                            first.own.roots += definition.own.roots;
                            first.uses.extend(definition.uses);
                        }
                        continue;
                    }
                    None => {
                        sizes.fragments.insert(definition.name, at);
                    }
                }
            }
            sizes.definitions.push(definition);
        }
        sizes
    }

    /// Holds every definition to the limits, written out.
    pub(super) fn check(&self, limits: &GuardLimits) -> Result<(), GuardError> {
        let mut known: Vec<Option<Size>> = vec![None; self.definitions.len()];
        // The rules walk every operation, whichever is asked for.
        let mut selections = 0usize;
        for (at, definition) in self.definitions.iter().enumerate() {
            let size = self.size(at, limits, &mut known, &mut Vec::new())?;
            let offset = definition.offset;
            check(GuardLimit::Nesting, limits.nesting, size.depth, offset)?;
            if definition.name.is_empty() {
                check(GuardLimit::RootFields, limits.root_fields, size.roots, offset)?;
            }
            selections = selections.saturating_add(if definition.name.is_empty() {
                size.selections
            } else {
                definition.own.selections
            });
            check(GuardLimit::Selections, limits.selections, selections.max(size.selections), offset)?;
        }
        Ok(())
    }

    /// Measures a definition; `path` holds those it is being measured for.
    fn size(
        &self,
        at: usize,
        limits: &GuardLimits,
        known: &mut Vec<Option<Size>>,
        path: &mut Vec<usize>,
    ) -> Result<Size, GuardError> {
        if let Some(size) = known.get(at).copied().flatten() {
            return Ok(size);
        }
        let Some(definition) = self.definitions.get(at) else { return Ok(Size::default()) };
        if let Some(start) = path.iter().position(|each| *each == at) {
            return Err(self.cycle(definition, path.get(start..).unwrap_or_default()));
        }
        // Each fragment inside another adds a level at least.
        check(GuardLimit::Nesting, limits.nesting, path.len(), definition.offset)?;
        path.push(at);
        let mut size = definition.own;
        for spread in &definition.uses {
            let inner = match self.fragments.get(spread.name) {
                Some(inner) => self.size(*inner, limits, known, path)?,
                None if spread.name == "on" => Size::default(),
                None => Size { selections: 1, depth: 0, roots: 1 },
            };
            size.selections = size.selections.saturating_add(inner.selections);
            size.depth = size.depth.max(spread.depth.saturating_add(inner.depth));
            if spread.at_root {
                size.roots = size.roots.saturating_add(inner.roots);
            }
        }
        path.pop();
        if let Some(slot) = known.get_mut(at) {
            *slot = Some(size);
        }
        Ok(size)
    }

    fn cycle(&self, definition: &Definition<'_>, path: &[usize]) -> GuardError {
        let names = path.iter().filter_map(|at| self.definitions.get(*at)).map(|each| each.name);
        let cycle: Vec<&str> = names.chain([definition.name]).collect();
        GuardError::FragmentCycle {
            name: definition.name.to_owned(),
            cycle: cycle.join(" -> "),
            offset: definition.offset,
        }
    }
}

/// Reads one definition.
struct Scan<'t, 's> {
    text: &'t str,
    rest: &'s [Token],
    definition: Definition<'t>,
    braces: Vec<Brace>,
    /// The braces around fields of the root: none in a bare selection.
    root_braces: usize,
}

impl<'t> Scan<'t, '_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn peek(&self) -> Option<TokenKind> {
        self.rest.first().map(|token| token.kind)
    }

    fn peek_name(&self) -> Option<&'t str> {
        self.rest.first().filter(|token| token.kind == TokenKind::Name).map(|token| token.text(self.text))
    }

    /// Up to and with the braces that close the definition.
    fn definition(&mut self) {
        self.definition.offset = self.rest.first().map_or(0, |token| token.start);
        self.head();
        let mut inline = false;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Open('{') => {
                    self.braces.push(if inline { Brace::Inline } else { Brace::Selection });
                    self.definition.own.depth = self.definition.own.depth.max(self.braces.len());
                    inline = false;
                }
                TokenKind::Open(_) => self.skip_values(),
                TokenKind::Close(_) => {
                    self.braces.pop();
                    if self.braces.is_empty() {
                        return;
                    }
                }
                TokenKind::Spread => inline = self.spread(),
                TokenKind::At => {
                    self.next();
                }
                TokenKind::Name => {
                    // An alias is no field of its own.
                    if self.peek() == Some(TokenKind::Colon) {
                        self.next();
                        self.next();
                    }
                    inline = false;
                    self.select();
                }
                TokenKind::Colon | TokenKind::Other => {}
            }
        }
    }

    /// `fragment Name on Type`, and the names of operations. The parser takes `fragmentName` for the same.
    fn head(&mut self) {
        let Some(keyword) = self.peek_name() else { return };
        match keyword.strip_prefix("fragment") {
            Some(joined) if self.rest.get(1).is_some_and(|token| token.kind == TokenKind::Name) => {
                self.next();
                self.definition.name =
                    if joined.is_empty() { self.peek_name().unwrap_or_default() } else { joined };
                self.skip_to_braces();
            }
            _ if ["query", "mutation", "subscription"].iter().any(|word| keyword.starts_with(word)) => {
                self.skip_to_braces();
            }
            _ => self.root_braces = 0,
        }
    }

    /// Skips what stands before the braces; a bare selection that begins like an operation has them too.
    fn skip_to_braces(&mut self) {
        while let Some(kind) = self.peek() {
            match kind {
                TokenKind::Open('{') => return,
                TokenKind::Open(_) => {
                    self.next();
                    self.skip_values();
                }
                _ => {
                    self.next();
                }
            }
        }
    }

    /// Skips arguments, up to and with the bracket that closes them.
    fn skip_values(&mut self) {
        let mut open = 1usize;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Open(_) => open += 1,
                TokenKind::Close(_) => open -= 1,
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }

    /// `...Name` or the begin of `... on Type {`; whether it is the latter.
    fn spread(&mut self) -> bool {
        let Some(name) = self.peek_name() else { return true };
        self.next();
        let is_inline = name == "on" && self.peek() == Some(TokenKind::Name);
        if is_inline {
            self.next();
        }
        // After `on` and a comment the parser reads a fragment of that name: it is counted either way.
        self.definition.uses.push(Use { name, depth: self.braces.len(), at_root: self.is_root() });
        is_inline
    }

    fn select(&mut self) {
        self.definition.own.selections += 1;
        if self.is_root() {
            self.definition.own.roots += 1;
        }
    }

    /// Whether what is selected here belongs to the definition's own type.
    fn is_root(&self) -> bool {
        self.braces.iter().filter(|brace| **brace == Brace::Selection).count() <= self.root_braces
    }
}
