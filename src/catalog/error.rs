//! What can be wrong with a schema. Every problem has a code, a place, and a remedy.

use std::{fmt, ops::Range};

use super::source::{Place, Source, line_and_column};
use crate::model::nearest;

/// Everything that is wrong with a schema, in the order of the files and of the places in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogErrors {
    sources: Vec<Source>,
    errors: Vec<CatalogError>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogError {
    /// What is wrong.
    pub problem: SchemaProblem,
    /// What to do about it, as a sentence without a full stop.
    pub remedy: String,
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the file it is about.
    pub span: Range<usize>,
    /// Which of [`CatalogErrors::sources`] it stands in.
    pub source_index: usize,
}

/// What is wrong, in words; the place and the remedy stand beside it in [`CatalogError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is and what its fields hold")]
pub enum SchemaProblem {
    #[error("{message}")]
    Syntax { message: String },
    #[error("the schema defines no types")]
    NoTypes,
    #[error("{what} has no place in an inventory schema")]
    UnsupportedDefinition { what: String },
    #[error("there is no scalar `{name}`")]
    UnknownScalar { name: String },
    #[error("`{name}` is defined twice: first at {first}")]
    DuplicateType { name: String, first: String },
    #[error("`{owner}.{field}` is defined twice")]
    DuplicateField { owner: String, field: String },
    #[error("`{owner}` has the value `{value}` twice")]
    DuplicateEnumValue { owner: String, value: String },
    #[error("`{owner}` has no {what}")]
    EmptyType { owner: String, what: &'static str },
    #[error("`{extended}` is extended, but defined nowhere")]
    UnknownExtension { extended: String },
    #[error("the name `{name}` starts with two underscores, which GraphQL keeps for itself")]
    ReservedName { name: String },
    #[error("the name `{name}` is taken by the generated GraphQL schema")]
    ReservedTypeName { name: String },
    #[error("`{name}` and `{other}` would both be the root field `{root}`")]
    DuplicateRootField { name: String, other: String, root: String },
    #[error("`{name}` would be the root field `{root}`, which searches all assets")]
    ReservedRootField { name: String, root: String },
    #[error("`{value}` cannot be the name of a root field")]
    BadPlural { value: String },
    #[error("`{owner}.{field}` and `{owner}.{other}` would both be the filter key `{key}`")]
    KeyClash { owner: String, field: String, other: String, key: String },
    #[error("`{owner}.{field}` has the name of a combinator of filters")]
    CombinatorName { owner: String, field: String },
    #[error("there is no type `{name}`")]
    UnknownType { name: String },
    #[error("there is no directive `@{name}`")]
    UnknownDirective { name: String },
    #[error("`@{name}` cannot stand on {on}")]
    MisplacedDirective { name: String, on: &'static str },
    #[error("`@{name}` is given twice")]
    DuplicateDirective { name: String },
    #[error("`@{directive}` has no argument `{name}`")]
    UnknownArgument { directive: String, name: String },
    #[error("`@{directive}` needs {expected}")]
    BadArgument { directive: String, expected: &'static str },
    #[error("`@limit` has a default of {default}, more than its max of {max}")]
    LimitOrder { default: u32, max: u32 },
    #[error("`{owner}.{field}` takes arguments")]
    FieldArguments { owner: String, field: String },
    #[error("`{owner}.{field}` is a list of lists")]
    NestedList { owner: String, field: String },
    #[error("`{owner}.id` is `{found}`")]
    IdType { owner: String, found: String },
    #[error("the interface `{owner}` has no `id: ID!`")]
    InterfaceWithoutId { owner: String },
    #[error("the interface `{owner}` implements another interface")]
    InterfaceImplements { owner: String },
    #[error("`{owner}` implements `{name}`, which is not an interface")]
    NotAnInterface { owner: String, name: String },
    #[error("`{owner}` implements `{name}` twice")]
    DuplicateInterface { owner: String, name: String },
    #[error("`{owner}` implements `{interface}` and lacks its field `{field}`")]
    MissingInterfaceField { owner: String, interface: String, field: String },
    #[error("`{owner}.{field}` is `{found}`, and `{interface}.{field}` is `{expected}`")]
    InterfaceFieldType { owner: String, interface: String, field: String, found: String, expected: String },
    #[error("`{owner}.{field}` holds assets, and nothing says which ones")]
    MissingRelation { owner: String, field: String },
    #[error("`{owner}.{field}` has a `@{directive}`, but `{type_name}` is not a type of assets")]
    RelationToNoAsset { owner: String, field: String, directive: &'static str, type_name: String },
    #[error("`{owner}` has no id and is stored inside other assets, so `{owner}.{field}` cannot be derived")]
    DerivedInEmbedded { owner: String, field: String },
    #[error("`{owner}` contains itself through `{field}`")]
    EmbeddedCycle { owner: String, field: String },
    #[error("`@relation` pairs {fields} fields with {references} references")]
    KeyCount { fields: usize, references: usize },
    #[error("`{owner}` has no field `{name}`")]
    UnknownKeyField { owner: String, name: String },
    #[error("`{owner}.{name}` is {what}, which cannot be a key")]
    KeyNotStored { owner: String, name: String, what: &'static str },
    #[error("`{field}` is {field_type} and `{reference}` is {reference_type}: they are never equal")]
    KeyKinds { field: String, field_type: String, reference: String, reference_type: String },
    #[error("`{owner}.{name}` is {what}, and every step of a path must be a relation")]
    PathStep { owner: String, name: String, what: &'static str },
    #[error("the path `{path}` ends at `{found}`, and the relation is to `{expected}`")]
    PathTarget { path: String, found: String, expected: String },
    #[error("the paths of `{owner}.{field}` lead over relations that rest on `{owner}.{field}`")]
    PathCycle { owner: String, field: String },
    #[error("the path relation `{owner}.{field}` is to one asset")]
    PathToOne { owner: String, field: String },
    #[error("`{owner}.{field}` is `{found}`, and a computed field is true or false")]
    ComputedType { owner: String, field: String, found: String },
    #[error("the filter of `{owner}.{field}` cannot be read: {message}")]
    ComputedFilter { owner: String, field: String, message: String },
    #[error("the filter of `{owner}.{field}` uses `{key}`, which is no key of `{type_name}`")]
    ComputedKey { owner: String, field: String, key: String, type_name: String },
    #[error("the filter of `{owner}.{field}` rests on itself: {cycle}")]
    ComputedCycle { owner: String, field: String, cycle: String },
    #[error("`@values` stands on `{owner}.{field}`, which is {what}")]
    ValuesOnOther { owner: String, field: String, what: &'static str },
}

impl SchemaProblem {
    /// The stable code, unique among the problems.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "schema_syntax",
            Self::NoTypes => "schema_without_types",
            Self::UnsupportedDefinition { .. } => "unsupported_definition",
            Self::UnknownScalar { .. } => "unknown_scalar",
            Self::DuplicateType { .. } => "duplicate_type",
            Self::DuplicateField { .. } => "duplicate_field",
            Self::DuplicateEnumValue { .. } => "duplicate_enum_value",
            Self::EmptyType { .. } => "empty_type",
            Self::UnknownExtension { .. } => "unknown_extension",
            Self::ReservedName { .. } => "reserved_name",
            Self::ReservedTypeName { .. } => "reserved_type_name",
            Self::DuplicateRootField { .. } => "duplicate_root_field",
            Self::ReservedRootField { .. } => "reserved_root_field",
            Self::BadPlural { .. } => "bad_plural",
            Self::KeyClash { .. } => "key_clash",
            Self::CombinatorName { .. } => "combinator_name",
            Self::UnknownType { .. } => "unknown_type",
            Self::UnknownDirective { .. } => "unknown_directive",
            Self::MisplacedDirective { .. } => "misplaced_directive",
            Self::DuplicateDirective { .. } => "duplicate_directive",
            Self::UnknownArgument { .. } => "unknown_directive_argument",
            Self::BadArgument { .. } => "bad_directive_argument",
            Self::LimitOrder { .. } => "limit_order",
            Self::FieldArguments { .. } => "field_arguments",
            Self::NestedList { .. } => "nested_list",
            Self::IdType { .. } => "id_type",
            Self::InterfaceWithoutId { .. } => "interface_without_id",
            Self::InterfaceImplements { .. } => "interface_implements",
            Self::NotAnInterface { .. } => "not_an_interface",
            Self::DuplicateInterface { .. } => "duplicate_interface",
            Self::MissingInterfaceField { .. } => "missing_interface_field",
            Self::InterfaceFieldType { .. } => "interface_field_type",
            Self::MissingRelation { .. } => "missing_relation",
            Self::RelationToNoAsset { .. } => "relation_to_no_asset",
            Self::DerivedInEmbedded { .. } => "derived_in_embedded",
            Self::EmbeddedCycle { .. } => "embedded_cycle",
            Self::KeyCount { .. } => "key_count",
            Self::UnknownKeyField { .. } => "unknown_key_field",
            Self::KeyNotStored { .. } => "key_not_stored",
            Self::KeyKinds { .. } => "key_kinds",
            Self::PathStep { .. } => "path_step",
            Self::PathTarget { .. } => "path_target",
            Self::PathCycle { .. } => "path_cycle",
            Self::PathToOne { .. } => "path_to_one",
            Self::ComputedType { .. } => "computed_type",
            Self::ComputedFilter { .. } => "computed_filter",
            Self::ComputedKey { .. } => "computed_key",
            Self::ComputedCycle { .. } => "computed_cycle",
            Self::ValuesOnOther { .. } => "values_on_other",
        }
    }
}

impl CatalogErrors {
    /// The mistakes; never empty.
    #[must_use]
    pub fn errors(&self) -> &[CatalogError] {
        &self.errors
    }

    /// The files that were read, which [`CatalogError::source_index`] points into.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The file a mistake stands in.
    #[must_use]
    pub fn source_of(&self, error: &CatalogError) -> Option<&Source> {
        self.sources.get(error.source_index)
    }
}

impl CatalogError {
    /// The stable code, unique among the problems.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, problem, remedy, .. } = self;
        write!(formatter, "{file}:{line}:{column}: {problem}; {remedy}")
    }
}

impl std::error::Error for CatalogError {}

impl fmt::Display for CatalogErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.errors.iter().enumerate() {
            if position > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CatalogErrors {}

/// Collects mistakes while a schema is read.
#[derive(Debug)]
pub(super) struct Report<'s> {
    sources: &'s [Source],
    errors: Vec<CatalogError>,
}

impl<'s> Report<'s> {
    pub(super) fn new(sources: &'s [Source]) -> Self {
        Self { sources, errors: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Notes one mistake.
    pub(super) fn add(&mut self, place: &Place, problem: SchemaProblem, remedy: impl Into<String>) {
        let (file, line, column) = self.locate(place);
        self.errors.push(CatalogError {
            problem,
            remedy: remedy.into(),
            file,
            line,
            column,
            span: place.span.clone(),
            source_index: place.source,
        });
    }

    /// A place as people write it, e.g. `schema/aws.graphql:12:6`.
    pub(super) fn written(&self, place: &Place) -> String {
        let (file, line, column) = self.locate(place);
        format!("{file}:{line}:{column}")
    }

    /// Everything that was noted.
    pub(super) fn into_errors(mut self) -> CatalogErrors {
        self.errors.sort_by_key(|error| (error.source_index, error.span.start, error.code()));
        self.errors.dedup();
        CatalogErrors { sources: self.sources.to_vec(), errors: self.errors }
    }

    fn locate(&self, place: &Place) -> (String, usize, usize) {
        match self.sources.get(place.source) {
            Some(source) => {
                let (line, column) = line_and_column(&source.text, place.span.start);
                (source.name.clone(), line, column)
            }
            None => (String::new(), 1, 1),
        }
    }
}

/// `write x` where a known name is near, else the list of what there is.
pub(super) fn suggest(name: &str, known: &[&str], what: &str) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let mut names = known.to_vec();
            names.sort_unstable();
            format!("{what}: {}", names.join(", "))
        }
    }
}
