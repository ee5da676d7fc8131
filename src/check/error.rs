//! What can be wrong with a check file: every mistake has a stable code, the file, the place in it, and what to
//! write instead. All mistakes of a folder are reported together.

use std::{fmt, ops::Range, sync::Arc};

use crate::{model::CronError, query::QueryError};

/// A stretch of a file. `span` counts bytes; `line` and `column` count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Byte offsets into the file's text.
    pub span: Range<usize>,
    /// The line of its first character.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
}

impl Place {
    /// The place of a byte range of `text`; a range beyond the text is cut to it.
    #[must_use]
    pub fn of(text: &str, span: Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end).max(start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self { span: start..end, line, column }
    }
}

/// One mistake in one file.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckError {
    /// The file as the user would name it.
    pub file: String,
    /// The file's text, for showing the place.
    pub text: Arc<str>,
    /// Where in the text; nothing where the whole file is meant.
    pub place: Option<Place>,
    /// What is wrong.
    pub problem: Problem,
}

impl CheckError {
    /// The stable code, e.g. `unknown_key`.
    #[must_use]
    pub fn code(&self) -> &str {
        self.problem.code()
    }

    /// What to do about it, where the message alone doesn't say.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        self.problem.help()
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if let Some(place) = &self.place {
            write!(formatter, ":{}:{}", place.line, place.column)?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

impl std::error::Error for CheckError {}

/// Everything wrong with a folder of checks, in the order of the files; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckErrors(pub Vec<CheckError>);

impl fmt::Display for CheckErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CheckErrors {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A file or folder can't be read.
    #[error("can't be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
    /// The folder holds no check at all.
    #[error("holds no check: a check is a folder with a `check.yaml` and a `query.graphql`")]
    NoChecks,
    /// A check lacks one of its files.
    #[error("the check has no `{name}`")]
    MissingFile {
        /// The file.
        name: &'static str,
        /// A file beside it that is nearly called that.
        nearest: Option<String>,
    },
    /// Not YAML, or YAML with a duplicate key and the like.
    #[error("not readable as YAML: {reason}")]
    Yaml {
        /// What the reader says.
        reason: String,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// As written.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
        /// All keys there are.
        known: &'static [&'static str],
    },
    /// A key that must be there.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value of another kind than the key takes.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongKind {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// Not one of the four severities.
    #[error("unknown severity `{value}`")]
    UnknownSeverity {
        /// As written.
        value: String,
        /// The severity that was probably meant.
        nearest: Option<String>,
    },
    /// An id with characters that file names, reports and URLs would have to escape.
    #[error("`{id}` can't be an id: use lower-case letters, digits and single hyphens")]
    BadId {
        /// As written.
        id: String,
    },
    /// The id is not what the folder is called.
    #[error("the id `{id}` does not fit its folder, which says `{folder}`")]
    IdNotFolder {
        /// As written.
        id: String,
        /// The folder's path below the folder of checks, joined with hyphens.
        folder: String,
    },
    /// Two checks with one id.
    #[error("the id `{id}` is taken by {other}")]
    IdTaken {
        /// As written.
        id: String,
        /// The file that has it already.
        other: String,
    },
    /// The id of a framework is not what its file is called.
    #[error("the id `{id}` does not fit its file, which is called `{name}.yaml`")]
    IdNotFile {
        /// As written.
        id: String,
        /// The file's name without its ending.
        name: String,
    },
    /// A control or a check stands twice in one list.
    #[error("the {what} `{name}` stands twice here")]
    Twice {
        /// `control` or `check`.
        what: &'static str,
        /// Its id.
        name: String,
    },
    /// A framework names a check that there isn't.
    #[error("there is no check `{id}`")]
    UnknownCheck {
        /// As written.
        id: String,
        /// The check that was probably meant.
        nearest: Option<String>,
    },
    /// `covers` names no type.
    #[error("unknown type `{name}`")]
    UnknownType {
        /// As written.
        name: String,
        /// The type that was probably meant.
        nearest: Option<String>,
    },
    /// `covers` names a type whose values are no assets of their own.
    #[error("`{name}` is part of other assets and can't be judged on its own")]
    NotAnAssetType {
        /// As written.
        name: String,
    },
    /// `max_age` is no span.
    #[error("`max_age`: {reason}")]
    BadMaxAge {
        /// What is wrong with it.
        reason: String,
    },
    /// `schedule` is no cron expression.
    #[error(transparent)]
    BadSchedule(#[from] CronError),
    /// `expect` can't be read.
    #[error("`{value}` is not an expectation")]
    BadExpectation {
        /// As written.
        value: String,
    },
    /// A word of `expect` that should be an operator.
    #[error("unknown operator `{value}`")]
    UnknownOperator {
        /// As written.
        value: String,
        /// The operator that was probably meant.
        nearest: Option<String>,
    },
    /// The value that `expect` compares with is no JSON.
    #[error("`{value}` is not a JSON value: {reason}")]
    BadOperand {
        /// As written.
        value: String,
        /// What the reader says.
        reason: String,
    },
    /// A name of the path of `expect` that the answer of the query doesn't have there.
    #[error("the answer has no `{name}` there")]
    UnknownPath {
        /// As written.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
        /// All names there are.
        known: Vec<String>,
    },
    /// `expect` demands something that the answer of the query can never be.
    #[error("the expectation `{value}` can never be met: {reason}")]
    ImpossibleExpectation {
        /// As written.
        value: String,
        /// Why.
        reason: String,
    },
    /// `expect` demands something that the answer of the query always is.
    #[error("the expectation `{value}` can never fail: {reason}")]
    IdleExpectation {
        /// As written.
        value: String,
        /// Why.
        reason: String,
    },
    /// A root field with `asOf`.
    #[error("the query asks for another moment")]
    AnotherMoment,
    /// The query is not valid; what the query language says.
    #[error("{message}")]
    Query {
        /// The query language's own code.
        code: String,
        /// Its message.
        message: String,
        /// Its help.
        help: Option<String>,
    },
    /// More or less than one root field.
    #[error("the query asks for {count} root fields: a check is exactly one")]
    SeveralRoots {
        /// How many.
        count: usize,
    },
    /// A root field that is no list of assets.
    #[error("`{root}` is not a list of assets, so there is nothing to judge one by one")]
    NotAList {
        /// The root field.
        root: String,
    },
    /// A root field of another type than `covers` says.
    #[error("the query lists `{found}` but the check covers `{covers}`")]
    WrongRoot {
        /// The type the root field lists.
        found: String,
        /// What `covers` says.
        covers: String,
        /// The root field of the covered type.
        plural: String,
    },
    /// The query looks at a part of the result only.
    #[error("`{argument}` leaves assets out, so the verdict would not cover all of them")]
    PartOfTheResult {
        /// `limit` or `offset`.
        argument: &'static str,
    },
    /// A file of `fragments/` that does not define the fragment it is named for.
    #[error("the file must define `fragment {name} on ..`, and nothing else")]
    NotTheFragment {
        /// The file's name.
        name: String,
    },
    /// A policy that can't be read or run.
    #[error("the policy: {reason}")]
    Rego {
        /// What is wrong with it.
        reason: String,
    },
    /// `expect` names no policy of the folder.
    #[error("there is no policy `{name}` beside it")]
    NoPolicy {
        /// As written.
        name: String,
        /// The file that was probably meant.
        nearest: Option<String>,
    },
    /// A block of a remediation that can't be rendered.
    #[error("the remediation can't be filled in: {reason}")]
    Template {
        /// What is wrong with it.
        reason: String,
    },
    /// A name in a remediation that nothing has.
    #[error("unknown name `{name}`")]
    UnknownName {
        /// As written.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
        /// All names there are.
        known: Vec<String>,
    },
    /// A file of `cases/` that makes no inventory.
    #[error("{reason}")]
    BadCase {
        /// What is wrong.
        reason: String,
    },
}

impl Problem {
    /// What the query language says.
    pub(super) fn of_query(error: &QueryError) -> Self {
        Self::Query { code: error.code().to_owned(), message: error.to_string(), help: error.help.clone() }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NoChecks => "no_checks",
            Self::MissingFile { .. } => "missing_file",
            Self::Yaml { .. } => "yaml",
            Self::UnknownKey { .. } => "unknown_key",
            Self::MissingKey { .. } => "missing_key",
            Self::WrongKind { .. } => "wrong_kind",
            Self::UnknownSeverity { .. } => "unknown_severity",
            Self::BadId { .. } => "bad_id",
            Self::IdNotFolder { .. } => "id_not_folder",
            Self::IdTaken { .. } => "id_taken",
            Self::IdNotFile { .. } => "id_not_file",
            Self::Twice { .. } => "twice",
            Self::UnknownCheck { .. } => "unknown_check",
            Self::UnknownType { .. } => "unknown_type",
            Self::NotAnAssetType { .. } => "not_an_asset_type",
            Self::BadMaxAge { .. } => "bad_max_age",
            Self::BadSchedule(_) => "bad_schedule",
            Self::BadExpectation { .. } => "bad_expectation",
            Self::ImpossibleExpectation { .. } => "impossible_expectation",
            Self::UnknownOperator { .. } => "unknown_operator",
            Self::BadOperand { .. } => "bad_operand",
            Self::UnknownPath { .. } => "unknown_path",
            Self::IdleExpectation { .. } => "idle_expectation",
            Self::AnotherMoment => "another_moment",
            Self::Query { code, .. } => code,
            Self::SeveralRoots { .. } => "several_roots",
            Self::NotAList { .. } => "not_a_list",
            Self::WrongRoot { .. } => "wrong_root",
            Self::PartOfTheResult { .. } => "part_of_the_result",
            Self::NotTheFragment { .. } => "not_the_fragment",
            Self::Rego { .. } => "rego",
            Self::NoPolicy { .. } => "no_policy",
            Self::Template { .. } => "template",
            Self::UnknownName { .. } => "unknown_name",
            Self::BadCase { .. } => "bad_case",
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let did_you_mean =
            |nearest: &Option<String>| nearest.as_ref().map(|name| format!("did you mean `{name}`?"));
        match self {
            Self::MissingFile { name, nearest } => Some(match nearest {
                Some(nearest) => format!("rename `{nearest}` to `{name}`"),
                None => format!("add `{name}` to the folder"),
            }),
            Self::UnknownKey { nearest, known, .. } => {
                did_you_mean(nearest).or_else(|| Some(format!("the keys are {}", listed(known))))
            }
            Self::MissingKey { key } => Some(format!("add a line `{key}: ..`")),
            Self::UnknownSeverity { nearest, .. } => {
                did_you_mean(nearest).or_else(|| Some("write low, medium, high or critical".to_owned()))
            }
            Self::IdNotFolder { folder, .. } => Some(format!("write `id: {folder}`, or rename the folder")),
            Self::IdNotFile { name, .. } => Some(format!("write `id: {name}`, or rename the file")),
            Self::Twice { .. } => Some("remove one of the two".to_owned()),
            Self::UnknownCheck { nearest, .. } => {
                did_you_mean(nearest).or_else(|| Some("`passmuster checks list` shows all".to_owned()))
            }
            Self::IdTaken { .. } => Some("give one of the two another id and folder".to_owned()),
            Self::UnknownType { nearest, .. } => {
                did_you_mean(nearest).or_else(|| Some("`passmuster schema` lists the types".to_owned()))
            }
            // Said in the message, but for what the library says.
            Self::BadSchedule(CronError::Bad { .. }) => {
                Some("write minute, hour, day, month and weekday, as in \"0 6 * * *\"".to_owned())
            }
            Self::BadSchedule(_) => None,
            Self::BadExpectation { .. } => Some(
                "write `eq []` (no asset may match the query), `count lt 5`, `all {..}` or `none {..}`".to_owned(),
            ),
            Self::UnknownOperator { nearest, .. } => did_you_mean(nearest)
                .or_else(|| Some("write eq, ne, lt, lte, gt, gte, all or none".to_owned())),
            Self::BadOperand { .. } => Some("write text in double quotes, as in `eq \"ACTIVE\"`".to_owned()),
            Self::NoPolicy { nearest, .. } => did_you_mean(nearest)
                .or_else(|| Some("write the name of a file that ends in .rego, in the check's folder".to_owned())),
            Self::UnknownName { nearest, known, .. } => did_you_mean(nearest).or_else(|| {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Some(format!("there are {}", listed(&known)))
            }),
            Self::UnknownPath { nearest, known, .. } => did_you_mean(nearest).or_else(|| {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Some(match known.as_slice() {
                    [] => "what stands before it has no parts".to_owned(),
                    known => format!("it has {}", listed(known)),
                })
            }),
            Self::ImpossibleExpectation { .. } | Self::IdleExpectation { .. } => {
                Some("write what the answer must be, e.g. `eq []`: no asset may match the query".to_owned())
            }
            Self::AnotherMoment => Some(
                "remove `asOf`: what a check says of an earlier moment is asked of the check, not of its query"
                    .to_owned(),
            ),
            Self::Query { help, .. } => help.clone(),
            Self::SeveralRoots { .. } => Some("make a check of each root field".to_owned()),
            Self::NotAList { .. } => Some("use the root field of many, as in `vpcs(where: {..})`".to_owned()),
            Self::WrongRoot { found, plural, .. } => {
                Some(format!("write `covers: {found}`, or ask for `{plural}(where: {{..}})`"))
            }
            Self::PartOfTheResult { argument } => Some(format!("remove `{argument}`")),
            Self::NoChecks
            | Self::Unreadable { .. }
            | Self::Yaml { .. }
            | Self::WrongKind { .. }
            | Self::BadId { .. }
            | Self::NotAnAssetType { .. }
            | Self::BadMaxAge { .. }
            | Self::NotTheFragment { .. }
            | Self::Rego { .. }
            | Self::Template { .. }
            | Self::BadCase { .. } => None,
        }
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
