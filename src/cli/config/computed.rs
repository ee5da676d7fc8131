//! `[[computed]]`: other filters for computed fields of the schema, such as what `isProduction` goes by.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    error::{ConfigError, Problem},
    reader::{Reader, Table},
};
use crate::{
    catalog::{ComputedRule, RuleError, RuleProblem},
    query::QueryError,
};

const KEYS: &[&str] = &["field", "where"];

/// What the section says, and where: whether it fits is only known when the schema is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ComputedSection {
    rules: Vec<ComputedRule>,
    /// Where each rule names its field, and where its filter stands.
    places: Vec<[Range<usize>; 2]>,
    file: PathBuf,
    text: String,
}

impl ComputedSection {
    /// The rules, in the order of the file.
    pub(crate) fn rules(&self) -> &[ComputedRule] {
        &self.rules
    }

    /// The file that they stand in, and its text.
    pub(crate) fn file(&self) -> (&Path, &str) {
        (&self.file, &self.text)
    }

    /// What is wrong with rules, at their places in the file.
    pub(crate) fn misfits(&self, errors: &[RuleError]) -> Vec<ConfigError> {
        let misfit = |error: &RuleError| {
            let (key, place) = match error.problem {
                RuleProblem::Filter(_) => ("where", 1),
                _ => ("field", 0),
            };
            let span = self.places.get(error.rule).and_then(|places| places.get(place)).cloned();
            let (reason, remedy) = (error.problem.to_string(), error.remedy.clone());
            ConfigError { span, problem: Problem::BadValue { key, reason, remedy } }
        };
        errors.iter().map(misfit).collect()
    }

    /// What a rule's filter can't be planned for, at its place in the file.
    pub(crate) fn refuse_filter(&self, rule: usize, error: &QueryError) -> ConfigError {
        let span = self.places.get(rule).map(|[_, filter]| filter.clone());
        let remedy = error.help.clone().unwrap_or_else(|| "write a value that the key takes".to_owned());
        ConfigError { span, problem: Problem::BadValue { key: "where", reason: error.to_string(), remedy } }
    }
}

/// Reads all entries, in the order of the file.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Table<'_>,
    (file, text): (&Path, &str),
) -> ComputedSection {
    let mut section =
        ComputedSection { file: file.to_owned(), text: text.to_owned(), ..ComputedSection::default() };
    for entry in reader.tables(root, "computed", "[[computed]]", KEYS) {
        let (field, filter) = (reader.required(&entry, "field"), reader.required(&entry, "where"));
        let (Some(field), Some(filter)) = (field, filter) else { continue };
        let Some((type_name, name)) = field.value.split_once('.') else {
            let reason = format!("`{}` is no field of a type", field.value);
            reader.bad("field", field.span, reason, "write both, as in \"Vpc.isProduction\"");
            continue;
        };
        let (type_name, name) = (type_name.to_owned(), name.to_owned());
        section.rules.push(ComputedRule { type_name, field: name, filter: filter.value });
        section.places.push([field.span, filter.span]);
    }
    section
}
