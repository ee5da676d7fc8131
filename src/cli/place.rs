//! Errors of the other rooms as snippets: the place in the text, the code, what to write instead.

use std::path::Path;

use crate::{
    catalog::CatalogErrors,
    check::CheckErrors,
    query::{Fragments, QueryError, QueryErrorKind, Warning},
};

use super::{
    config::{ConfigError, masked},
    snippet::Snippet,
};

/// Errors of a query. A place in a stored fragment is shown in that fragment's text.
pub(crate) fn of_query(name: &str, text: &str, fragments: &Fragments, errors: &[QueryError]) -> Vec<Snippet> {
    errors
        .iter()
        .map(|error| {
            let fragment = error.place.as_ref().and_then(|place| place.fragment.as_ref());
            let (file, text) = match fragment {
                Some(fragment) => {
                    let text = fragments.get(fragment).cloned().unwrap_or_default();
                    (format!("fragments/{fragment}.graphql"), text)
                }
                None => (name.to_owned(), text.to_owned()),
            };
            Snippet {
                is_warning: false,
                code: error.code().to_owned(),
                message: error.to_string(),
                remedy: error.help.clone(),
                help: read_on(error),
                file,
                text,
                span: error.place.as_ref().map(|place| place.start..place.end),
            }
        })
        .collect()
}

/// Odd parts of a query's filters.
pub(crate) fn of_warnings(
    name: &str,
    text: &str,
    fragments: &Fragments,
    warnings: &[Warning],
) -> Vec<Snippet> {
    let snippet = |warning: &Warning| {
        let fragment = warning.place.as_ref().and_then(|place| place.fragment.as_ref());
        let (file, text) = match fragment {
            Some(fragment) => (
                format!("fragments/{fragment}.graphql"),
                fragments.get(fragment).cloned().unwrap_or_default(),
            ),
            None => (name.to_owned(), text.to_owned()),
        };
        Snippet {
            is_warning: true,
            code: warning.kind.code().to_owned(),
            message: warning.to_string(),
            remedy: warning.help.clone(),
            help: None,
            file,
            text,
            span: warning.place.as_ref().map(|place| place.start..place.end),
        }
    };
    warnings.iter().map(snippet).collect()
}

/// The command that lists what could have been written.
fn read_on(error: &QueryError) -> Option<String> {
    if error.help.as_ref().is_some_and(|help| help.contains("passmuster schema")) {
        return None;
    }
    match &error.kind {
        QueryErrorKind::UnknownKey { input, .. } => {
            Some(format!("keys of `{input}`: passmuster schema {input}"))
        }
        QueryErrorKind::UnknownField { parent, .. } => {
            Some(format!("fields of `{parent}`: passmuster schema {parent}"))
        }
        _ => None,
    }
}

/// Errors of a schema.
pub(crate) fn of_schema(errors: &CatalogErrors) -> Vec<Snippet> {
    errors
        .errors()
        .iter()
        .map(|error| Snippet {
            is_warning: false,
            code: error.code().to_owned(),
            message: error.problem.to_string(),
            remedy: Some(error.remedy.clone()).filter(|remedy| !remedy.is_empty()),
            help: None,
            file: error.file.clone(),
            text: errors.source_of(error).map(|source| source.text.clone()).unwrap_or_default(),
            span: Some(error.span.clone()),
        })
        .collect()
}

/// Errors of a folder of checks.
pub(crate) fn of_checks(errors: &CheckErrors) -> Vec<Snippet> {
    errors
        .0
        .iter()
        .map(|error| Snippet {
            is_warning: false,
            code: error.code().to_owned(),
            message: error.problem.to_string(),
            remedy: error.help(),
            help: None,
            file: error.file.clone(),
            text: error.text.to_string(),
            span: error.place.as_ref().map(|place| place.span.clone()),
        })
        .collect()
}

/// Mistakes in a configuration file, shown without what may be secret in it.
pub(crate) fn of_config(file: &Path, text: &str, errors: &[ConfigError]) -> Vec<Snippet> {
    let text = masked(text);
    errors
        .iter()
        .map(|error| Snippet {
            is_warning: false,
            code: error.problem.code().to_owned(),
            message: error.problem.to_string(),
            remedy: error.problem.remedy(),
            help: error.problem.help(),
            file: file.display().to_string(),
            text: text.clone(),
            span: error.span.clone(),
        })
        .collect()
}
