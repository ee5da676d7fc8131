//! What is wrong with a remediation, found when the check is loaded: names that nothing has, filters that there are not,
//! blocks that do not render. First by reading the templates, so that branches which no trial takes are read as well.

use std::{ops::Range, sync::LazyLock};

use minijinja::{Error, Value, context};
use regex::Regex;

use super::{
    super::{
        error::{CheckError, Problem},
        source::SourceFile,
    },
    FRAGMENT, Fields,
    blocks::Segment,
    destination::{Destination, Need},
    template::{self, FILTERS, quoting_filters},
};
use crate::{
    catalog::TypeId,
    model::nearest,
    query::{Engine, Output, Request, RootKind},
};

/// What every template is given.
const NAMES: &[&str] =
    &["account", "asset", "assets", "check", "destination", "partition", "receiver", "region"];

/// A string, so that what stands in it is not taken for code; the name after `asset.`; a filter.
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = r#""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\basset\.(?P<field>\w+)|\|\s*(?P<filter>\w+)"#;
    Regex::new(text).ok()
});

/// Stretches of code in a template.
static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)\{\{.*?\}\}|\{%.*?%\}").ok());

/// The query that fetches what a `remediation.graphql` names, and what it selects.
type Related = (Option<String>, Option<Output>);

/// Reads a `remediation.graphql`: one fragment called `Remediation` on the covered type.
pub(super) fn read_related(
    file: &SourceFile,
    covers: TypeId,
    engine: &Engine,
    errors: &mut Vec<CheckError>,
) -> Option<Related> {
    let definition = engine.catalog().get(covers);
    let plural = &definition.plural;
    // The file comes first, so that places in it are places in the whole.
    let query = format!(
        "{}\nquery($ids: [ID!]!) {{ {plural}(where: {{id_IN: $ids}}) {{ id ...{FRAGMENT} }} }}",
        file.text
    );
    let mut request = Request::new(query.clone());
    request.variables.insert("ids".to_owned(), serde_json::json!([]));
    match engine.plan(&request) {
        Ok(plan) => {
            let root = plan.roots.into_iter().next().map(|root| root.kind);
            let output = match root {
                Some(RootKind::Nodes(nodes)) => Some(nodes.output),
                _ => None,
            };
            Some((Some(query), output))
        }
        Err(found) => {
            errors.extend(found.iter().map(|error| {
                let place = error.place.as_ref().filter(|place| place.fragment.is_none());
                file.error(place.map(|place| place.start..place.end), Problem::of_query(error))
            }));
            None
        }
    }
}

/// Holds every name in the templates against what there is.
pub(super) fn names(file: &SourceFile, segments: &[Segment], asset: &Fields, errors: &mut Vec<CheckError>) {
    let (Some(code), Some(words)) = (&*CODE, &*WORDS) else { return };
    for segment in segments {
        for stretch in code.find_iter(&segment.text) {
            for word in words.captures_iter(stretch.as_str()) {
                let at = |found: regex::Match<'_>| {
                    let start = segment.span.start + stretch.start() + found.start();
                    start..start + found.len()
                };
                if let Some(field) = word.name("field")
                    && !asset.contains_key(field.as_str())
                {
                    let known = asset.keys().map(String::as_str);
                    let problem = unknown(&format!("asset.{}", field.as_str()), field.as_str(), known);
                    errors.push(file.error(Some(at(field)), problem));
                }
                let known = || FILTERS.iter().chain(quoting_filters(segment.part)).copied();
                if let Some(filter) = word.name("filter")
                    && !known().any(|known| known == filter.as_str())
                {
                    let problem = unknown(&format!("| {}", filter.as_str()), filter.as_str(), known());
                    errors.push(file.error(Some(at(filter)), problem));
                }
            }
        }
    }
}

fn unknown<'k>(shown: &str, name: &str, known: impl Iterator<Item = &'k str> + Clone) -> Problem {
    Problem::UnknownName {
        name: shown.to_owned(),
        nearest: nearest(name, known.clone()).map(str::to_owned),
        known: known.map(str::to_owned).collect(),
    }
}

/// Notes what each template needs, and renders all of them with placeholders: for each kind of destination, and with one
/// asset and with two. Returns the text with placeholders.
pub(super) fn trial(
    file: &SourceFile,
    segments: &mut [Segment],
    check: (&str, &str),
    asset: &Fields,
    errors: &mut Vec<CheckError>,
) -> Option<String> {
    let before = errors.len();
    for segment in &mut *segments {
        let environment = template::environment(segment.part);
        match environment.template_from_str(&segment.text) {
            Ok(parsed) => {
                let mut names: Vec<String> = parsed.undeclared_variables(false).into_iter().collect();
                names.sort_unstable();
                for name in names.iter().filter(|name| !NAMES.contains(&name.as_str())) {
                    let span = word_in(&segment.text, name);
                    let span = segment.span.start + span.start..segment.span.start + span.end;
                    errors.push(file.error(Some(span), unknown(name, name, NAMES.iter().copied())));
                }
                segment.names = names;
            }
            Err(error) => errors.push(mistake(file, segment, &error)),
        }
    }
    if errors.len() > before {
        return None;
    }
    let mut guide = None;
    let all = Destination::placeholders();
    for destination in &all {
        // What a template needs one of, and what it needs beside: any of the other kind.
        let places = Need::ALL.map(|need| {
            let chosen = [destination].into_iter().chain(&all).find(|place| place.serves() == need);
            chosen
                .and_then(|place| place.value("aws", "ACCOUNT_ID", "REGION").ok())
                .unwrap_or(Value::UNDEFINED)
        });
        for count in [1, 2] {
            let context = placeholders(&places, count, check, asset);
            let mut text = String::new();
            for segment in &*segments {
                match template::render(segment, &context) {
                    Ok(rendered) => text.push_str(&rendered),
                    Err(error) => errors.push(mistake(file, segment, &error)),
                }
            }
            if errors.len() > before {
                return None;
            }
            guide.get_or_insert(text);
        }
    }
    guide
}

fn placeholders(
    [destination, receiver]: &[Value; 2],
    count: usize,
    (id, title): (&str, &str),
    asset: &Fields,
) -> Value {
    let asset = template::value_of(asset);
    context! {
        account => "ACCOUNT_ID",
        region => "REGION",
        partition => "aws",
        check => context! { id, title },
        destination,
        receiver,
        assets => vec![asset.clone(); count],
        asset,
    }
}

fn mistake(file: &SourceFile, segment: &Segment, error: &Error) -> CheckError {
    let whole = 0..segment.text.len();
    let Range { start, end } = error.range().unwrap_or(whole);
    let span = segment.span.start + start..segment.span.start + end;
    file.error(Some(span), Problem::Template { reason: template::reason(error) })
}

/// Where a name stands in a template's code for the first time.
fn word_in(text: &str, name: &str) -> Range<usize> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let stretches = CODE.iter().flat_map(|code| code.find_iter(text));
    for stretch in stretches {
        for (at, _) in stretch.as_str().match_indices(name) {
            let before = stretch.as_str().get(..at).and_then(|before| before.chars().next_back());
            let after = stretch.as_str().get(at + name.len()..).and_then(|after| after.chars().next());
            if !before.is_some_and(is_name) && !after.is_some_and(is_name) {
                return stretch.start() + at..stretch.start() + at + name.len();
            }
        }
    }
    0..text.len().min(1)
}
