//! What can be wrong with a query, each kind with a stable code, and where in the text it stands.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{
    cursor::CursorFault,
    guard::GuardError,
    moments::MomentError,
    run::{FieldError, PathSegment, RunError},
};
use crate::model::nearest;

/// Where in a text something stands: byte offsets, and line and column (from 1, the column in characters).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The stored fragment it stands in, or nothing for the query itself.
    pub fragment: Option<String>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// One thing wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// What is wrong.
    pub kind: QueryErrorKind,
    /// Where in the text, if it has a place there.
    pub place: Option<Place>,
    /// What to write instead.
    pub help: Option<String>,
    /// Where in the response, for an error met while running.
    pub path: Vec<PathSegment>,
}

/// What is wrong with a query. The text of each is safe to show to whoever sent the query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryErrorKind {
    /// The text is not GraphQL.
    #[error("{message}")]
    Syntax {
        /// As the parser puts it.
        message: String,
    },
    /// A text that may not reach the parsers.
    #[error("{0}")]
    Guarded(GuardError),
    /// A limit on the plan.
    #[error("the query has {actual} {what}, the limit is {limit}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The limit in force.
        limit: u64,
        /// What the query has (counting stops at the first that is too many).
        actual: u64,
    },
    /// A fragment that neither the document nor the stored fragments define.
    #[error("there is no fragment `{name}`")]
    UnknownFragment {
        /// As written.
        name: String,
    },
    /// No operation of this name.
    #[error("there is no operation `{name}` in the document")]
    UnknownOperation {
        /// As asked for.
        name: String,
    },
    /// Several operations and no name, or none at all.
    #[error("{count} operations in the document and no `operationName`")]
    WhichOperation {
        /// How many there are.
        count: usize,
    },
    /// A mutation or subscription.
    #[error("a {operation} is not answered here: ask a server, `passmuster serve`")]
    NotAQuery {
        /// `mutation` or `subscription`.
        operation: &'static str,
    },
    /// A field that the type doesn't have.
    #[error("`{parent}` has no field `{field}`")]
    UnknownField {
        /// The type.
        parent: String,
        /// As written.
        field: String,
    },
    /// An argument that the field doesn't take.
    #[error("`{field}` takes no argument `{argument}`")]
    UnknownArgument {
        /// The field.
        field: String,
        /// As written.
        argument: String,
    },
    /// An argument that must be given.
    #[error("`{field}` needs the argument `{argument}`")]
    MissingArgument {
        /// The field.
        field: String,
        /// The argument.
        argument: &'static str,
    },
    /// A key that an input object doesn't have.
    #[error("`{input}` has no key `{key}`")]
    UnknownKey {
        /// The input type.
        input: String,
        /// As written.
        key: String,
    },
    /// A key or argument given twice.
    #[error("`{name}` is given twice")]
    GivenTwice {
        /// As written.
        name: String,
    },
    /// A type that the schema doesn't have.
    #[error("there is no type `{name}`")]
    UnknownType {
        /// As written.
        name: String,
    },
    /// A directive that the schema doesn't have.
    #[error("there is no directive `@{name}`")]
    UnknownDirective {
        /// As written.
        name: String,
    },
    /// A value of the wrong kind.
    #[error("`{name}` takes {expected}, not {found}")]
    WrongValue {
        /// The key or argument.
        name: String,
        /// What it takes.
        expected: String,
        /// What was given.
        found: String,
    },
    /// Null where it says nothing.
    #[error("`{name}` takes no null")]
    NullNotAllowed {
        /// The key or argument.
        name: String,
    },
    /// A pattern that can't be compiled.
    #[error("`{pattern}` is not a pattern: {reason}")]
    BadPattern {
        /// As written.
        pattern: String,
        /// As the engine puts it.
        reason: String,
    },
    /// An `after` that is no cursor of the connection.
    #[error("`after` is not a cursor of this connection: {fault}")]
    BadCursor {
        /// What is wrong with it.
        fault: CursorFault,
    },
    /// A variable that the operation doesn't declare.
    #[error("the operation declares no variable `${name}`")]
    UnknownVariable {
        /// Without the dollar sign.
        name: String,
    },
    /// A variable that must be given.
    #[error("the variable `${name}` of type `{of}` is not given")]
    MissingVariable {
        /// Without the dollar sign.
        name: String,
        /// Its type.
        of: String,
    },
    /// Two fields under one response key that can't be merged.
    #[error("`{key}` stands for two different things")]
    ConflictingFields {
        /// The response key.
        key: String,
    },
    /// An object without a selection.
    #[error("`{field}` is an object: say which of its fields to show")]
    SelectionMissing {
        /// The field.
        field: String,
    },
    /// A scalar with a selection.
    #[error("`{field}` is a single value: it has no fields to show")]
    SelectionOnScalar {
        /// The field.
        field: String,
    },
    /// A rule of the GraphQL specification is broken.
    #[error("{message}")]
    RuleBroken {
        /// Which: the stable code.
        code: &'static str,
        /// What breaks it.
        message: String,
    },
    /// A rule of GraphQL that the schema's validator found broken.
    #[error("{message}")]
    Invalid {
        /// As the validator puts it.
        message: String,
    },
    /// A field that may not be null is.
    #[error("{message}")]
    Unfulfilled {
        /// Which, and why.
        message: String,
    },
    /// An asset that was asked about and isn't there.
    #[error("there is no {typename} `{asset}`")]
    UnknownAsset {
        /// The type it was looked for in.
        typename: String,
        /// As written.
        asset: String,
    },
    /// A name that several assets bear.
    #[error("{count} assets are called `{asset}`")]
    WhichAsset {
        /// As written.
        asset: String,
        /// How many there are.
        count: usize,
    },
    /// A moment there is no inventory of.
    #[error("{0}")]
    Moment(MomentError),
    /// A run that ended without an answer: a limit, or nobody waits any more.
    #[error("{0}")]
    Stopped(RunError),
    /// What a mutation asks for and was not done.
    #[error("{message}")]
    NotDone {
        /// Why, in a stable word.
        code: &'static str,
        /// Why, for people.
        message: String,
    },
    /// A fault of the program. The details are in the log, not here.
    #[error("the program failed on this query")]
    Internal,
}

impl QueryErrorKind {
    /// The stable code behind `extensions.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::Guarded(error) => error.code(),
            Self::TooLarge { .. } => "plan_too_large",
            Self::UnknownFragment { .. } => "unknown_fragment",
            Self::UnknownOperation { .. } => "unknown_operation",
            Self::WhichOperation { .. } => "which_operation",
            Self::NotAQuery { .. } => "not_a_query",
            Self::UnknownField { .. } => "unknown_field",
            Self::UnknownArgument { .. } => "unknown_argument",
            Self::MissingArgument { .. } => "missing_argument",
            Self::UnknownKey { .. } => "unknown_key",
            Self::GivenTwice { .. } => "given_twice",
            Self::UnknownType { .. } => "unknown_type",
            Self::UnknownDirective { .. } => "unknown_directive",
            Self::WrongValue { .. } => "wrong_value",
            Self::NullNotAllowed { .. } => "null_not_allowed",
            Self::BadPattern { .. } => "bad_pattern",
            Self::BadCursor { .. } => "bad_cursor",
            Self::UnknownVariable { .. } => "unknown_variable",
            Self::MissingVariable { .. } => "missing_variable",
            Self::ConflictingFields { .. } => "conflicting_fields",
            Self::SelectionMissing { .. } => "selection_missing",
            Self::SelectionOnScalar { .. } => "selection_on_scalar",
            Self::RuleBroken { code, .. } => code,
            Self::Invalid { .. } => "invalid",
            Self::Unfulfilled { .. } => "unfulfilled",
            Self::UnknownAsset { .. } => "unknown_asset",
            Self::WhichAsset { .. } => "which_asset",
            Self::Moment(MomentError::BeforeHistory { .. }) => "before_history",
            Self::Moment(MomentError::NoHistory { .. }) => "no_history",
            Self::Moment(MomentError::Unreadable { .. }) => "unreadable",
            Self::Stopped(RunError::NoMoment { .. }) => "no_history",
            Self::Stopped(RunError::PatternTooCostly { .. }) => "pattern_too_costly",
            Self::Stopped(RunError::TooManyRows { .. }) => "too_many_rows",
            Self::Stopped(RunError::TooManyBytes { .. }) => "answer_too_large",
            Self::Stopped(RunError::OutOfTime { .. }) => "out_of_time",
            Self::Stopped(RunError::TooMuchWork { .. }) => "too_much_work",
            Self::Stopped(RunError::Cancelled) => "cancelled",
            Self::NotDone { code, .. } => code,
            Self::Internal => "internal",
        }
    }

    /// Whether the query itself is at fault, so that sending it again can't help.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Unfulfilled { .. }
                | Self::NotDone { .. }
                | Self::Stopped(_)
                | Self::Internal
                | Self::Moment(MomentError::Unreadable { .. })
        )
    }
}

impl QueryError {
    /// An error without a place.
    #[must_use]
    pub fn new(kind: QueryErrorKind) -> Self {
        Self { kind, place: None, help: None, path: Vec::new() }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with its place in the text.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// The stable code behind `extensions.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The form of the GraphQL response: `message`, `locations`, `path`, `extensions.code` and `extensions.help`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let steps = self.path.iter().map(|step| match step {
            PathSegment::Key(key) => json!(key),
            PathSegment::Index(index) => json!(index),
        });
        response_form(
            &self.to_string(),
            self.place.as_ref(),
            steps.collect(),
            self.code(),
            self.help.as_deref(),
        )
    }
}

/// How a GraphQL response tells of an error or a warning.
pub(super) fn response_form(
    message: &str,
    place: Option<&Place>,
    path: Vec<Value>,
    code: &str,
    help: Option<&str>,
) -> Value {
    let mut object = Map::new();
    object.insert("message".to_owned(), json!(message));
    if let Some(place) = place.filter(|place| place.fragment.is_none()) {
        object.insert("locations".to_owned(), json!([{ "line": place.line, "column": place.column }]));
    }
    if !path.is_empty() {
        object.insert("path".to_owned(), Value::Array(path));
    }
    let mut extensions = Map::new();
    extensions.insert("code".to_owned(), json!(code));
    if let Some(help) = help {
        extensions.insert("help".to_owned(), json!(help));
    }
    object.insert("extensions".to_owned(), Value::Object(extensions));
    Value::Object(object)
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.kind)?;
        match self.place.as_ref().and_then(|place| place.fragment.as_ref()) {
            Some(fragment) => write!(formatter, " (in the stored fragment `{fragment}`)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<RunError> for QueryError {
    fn from(stopped: RunError) -> Self {
        Self::new(QueryErrorKind::Stopped(stopped))
    }
}

impl From<FieldError> for QueryError {
    fn from(error: FieldError) -> Self {
        Self { path: error.path, ..Self::new(QueryErrorKind::Unfulfilled { message: error.message }) }
    }
}

/// `did you mean ..?`, or nothing where no known name is near.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}
