//! The text of a query, parsed: a bare root selection is taken as a whole document, and fragments that the text uses
//! and does not define are taken from the stored ones.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use apollo_compiler::{
    Node,
    ast::{Definition, Document, FragmentDefinition, OperationDefinition, Selection},
    diagnostic::ToCliReport,
    parser::{FileId, Parser, SourceSpan},
};

use super::{
    error::{Place, QueryError, QueryErrorKind, did_you_mean},
    guard::without_descriptions,
};
use crate::catalog::syntax::check_entries;

/// Stored fragments: the name of each and the text that defines it (`queries/fragments/NAME.graphql`).
pub type Fragments = BTreeMap<String, String>;

/// How deep the parser follows nesting; the guard has refused anything near it before.
const PARSER_RECURSION: usize = 500;

/// A parsed query with everything it needs.
#[derive(Debug)]
pub(crate) struct QueryDocument {
    pub(crate) operations: Vec<Node<OperationDefinition>>,
    pub(crate) fragments: BTreeMap<String, Node<FragmentDefinition>>,
    /// The whole document as one text: what was written, then the stored fragments it uses.
    pub(crate) text: String,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    file: Option<FileId>,
    /// The stored fragment, or nothing for the query itself.
    fragment: Option<String>,
    text: String,
    /// Bytes that were put before what was written.
    shift: usize,
}

impl QueryDocument {
    /// Parses a query that the guard has let through.
    pub(crate) fn parse(written: &str, stored: &Fragments) -> Result<Self, Vec<QueryError>> {
        let is_bare = is_bare_selection(written);
        let text = if is_bare { format!("{{{written}\n}}") } else { written.to_owned() };
        let mut document = Self {
            operations: Vec::new(),
            fragments: BTreeMap::new(),
            text: String::new(),
            sources: Vec::new(),
        };
        document.add(Source { file: None, fragment: None, text, shift: usize::from(is_bare) })?;
        document.add_stored(stored)?;
        Ok(document)
    }

    /// Where a node stands, in the text it was written in.
    pub(crate) fn place(&self, span: Option<SourceSpan>) -> Option<Place> {
        let span = span?;
        let source = self.sources.iter().find(|source| source.file == Some(span.file_id()))?;
        Some(source.place(span.offset(), span.end_offset()))
    }

    /// Where a byte of [`QueryDocument::text`] stands, in the text it was written in.
    pub(crate) fn place_of_offset(&self, offset: usize) -> Option<Place> {
        let mut first = 0;
        for source in &self.sources {
            if offset <= first + source.text.len() {
                return Some(source.place(offset - first, offset - first));
            }
            first += source.text.len() + 1;
        }
        None
    }

    fn add(&mut self, mut source: Source) -> Result<(), Vec<QueryError>> {
        if let Cow::Owned(blanked) = without_descriptions(&source.text) {
            source.text = blanked;
        }
        check_entries(&source.text).map_err(|broken| {
            let place = source.place(broken.offset, broken.offset);
            vec![QueryError::new(QueryErrorKind::Syntax { message: broken.message }).at(Some(place))]
        })?;
        let parsed = Parser::new().recursion_limit(PARSER_RECURSION).parse_ast(source.text.as_str(), "query");
        let ast = match parsed {
            Ok(ast) => ast,
            Err(failed) => {
                let errors = failed.errors.iter().map(|diagnostic| {
                    let place = diagnostic
                        .error
                        .location()
                        .map(|span| source.place(span.offset(), span.end_offset()));
                    let message = diagnostic.error.to_string();
                    QueryError::new(QueryErrorKind::Syntax { message: tidy_syntax_message(&message) })
                        .at(place)
                });
                return Err(errors.collect());
            }
        };
        source.file = ast.sources.keys().next_back().copied();
        self.text.push_str(&source.text);
        self.text.push('\n');
        self.sources.push(source);
        self.add_definitions(&ast)
    }

    fn add_definitions(&mut self, ast: &Document) -> Result<(), Vec<QueryError>> {
        for definition in &ast.definitions {
            match definition {
                Definition::OperationDefinition(operation) => self.operations.push(operation.clone()),
                Definition::FragmentDefinition(fragment) => {
                    let name = fragment.name.to_string();
                    if self.fragments.insert(name.clone(), fragment.clone()).is_some() {
                        let place = self.place(fragment.name.location());
                        return Err(vec![QueryError::new(QueryErrorKind::GivenTwice { name }).at(place)]);
                    }
                }
                other => {
                    let place = self.place(other.location());
                    let message = "a query document defines operations and fragments, no types".to_owned();
                    return Err(vec![QueryError::new(QueryErrorKind::Syntax { message }).at(place)]);
                }
            }
        }
        Ok(())
    }

    /// Adds the stored fragments that are used, those they use in turn, and no others.
    fn add_stored(&mut self, stored: &Fragments) -> Result<(), Vec<QueryError>> {
        loop {
            let mut used = BTreeMap::new();
            for operation in &self.operations {
                collect_spreads(&operation.selection_set, &mut used);
            }
            for fragment in self.fragments.values() {
                collect_spreads(&fragment.selection_set, &mut used);
            }
            let Some((name, span)) = used.into_iter().find(|(name, _)| !self.fragments.contains_key(name))
            else {
                return Ok(());
            };
            let Some(text) = stored.get(&name) else {
                let mut known: BTreeSet<&str> = stored.keys().map(String::as_str).collect();
                known.extend(self.fragments.keys().map(String::as_str));
                let mut error = QueryError::new(QueryErrorKind::UnknownFragment { name: name.clone() });
                error.help = did_you_mean(&name, known)
                    .or_else(|| Some("define it in the document, or in queries/fragments/".to_owned()));
                return Err(vec![error.at(self.place(span))]);
            };
            self.add(Source { file: None, fragment: Some(name.clone()), text: text.clone(), shift: 0 })?;
            if !self.fragments.contains_key(&name) {
                let message = format!("the stored fragment `{name}` does not define `{name}`");
                return Err(vec![QueryError::new(QueryErrorKind::Syntax { message })]);
            }
        }
    }
}

/// Where a byte of a query stands that has not been parsed.
pub(crate) fn place_in(text: &str, offset: usize) -> Place {
    Source { file: None, fragment: None, text: text.to_owned(), shift: 0 }.place(offset, offset)
}

impl Source {
    fn place(&self, start: usize, end: usize) -> Place {
        let longest = self.text.len();
        let before = self.text.get(self.shift..start.max(self.shift).min(longest)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            fragment: self.fragment.clone(),
            start: start.saturating_sub(self.shift),
            end: end
                .min(longest.saturating_sub(2 * self.shift).saturating_add(self.shift))
                .saturating_sub(self.shift),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// Whether the text starts with a field rather than with `{`, `query`, `fragment` and the like.
fn is_bare_selection(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        match rest.strip_prefix('#') {
            Some(comment) => rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or_default(),
            None => break,
        }
    }
    let word_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let word = rest.get(..word_end).unwrap_or_default();
    if rest.starts_with("...") {
        return true;
    }
    match word {
        "" => false,
        "query" | "mutation" | "subscription" | "fragment" => {
            // A root field may bear such a name: then an argument list with a key, a selection or an alias follows.
            rest.get(word_end..).is_some_and(|after| after.trim_start().starts_with(':'))
        }
        "schema" | "type" | "interface" | "union" | "enum" | "input" | "scalar" | "directive" | "extend" => {
            let after = rest.get(word_end..).unwrap_or_default().trim_start();
            after.starts_with(['(', '{', ':']) && word != "schema"
        }
        _ => true,
    }
}

fn collect_spreads(selections: &[Selection], used: &mut BTreeMap<String, Option<SourceSpan>>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => collect_spreads(&field.selection_set, used),
            Selection::InlineFragment(inline) => collect_spreads(&inline.selection_set, used),
            Selection::FragmentSpread(spread) => {
                let name = &spread.fragment_name;
                used.entry(name.to_string()).or_insert_with(|| name.location());
            }
        }
    }
}

/// The parser's messages start with `syntax error: `, which the code says already, and some with a capital.
fn tidy_syntax_message(message: &str) -> String {
    let message = message.trim();
    let message = message.strip_prefix("syntax error: ").unwrap_or(message).trim_end_matches('.');
    let mut rest = message.chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}
