//! The plan: a query bound to the catalog, with every argument coerced and every default applied. A plain value that
//! knows nothing of where the data lives; the same plan is run in a closed world (queries) and an open one (verdicts).

mod action;
mod aggregate;
mod connection;
mod group;
mod pattern;
mod search;
mod sort;
mod visit;

pub use action::{
    Action, ChangeField, ChangeFieldKind, Collection, Command, MutationField, NewException,
    SubscriptionField, Told, WaitsFor,
};
pub use aggregate::{Aggregate, AggregateField, AggregateKind, Figure, FigureField, FigureKind};
pub use connection::{
    Connection, ConnectionField, ConnectionKind, EdgeField, EdgeKind, PageInfoField, PageInfoKind, Position,
};
pub use group::{GroupField, GroupKeyField, GroupKeyKind, GroupKind, GroupSort, GroupedBy, Groups};
use ipnet::IpNet;
pub use pattern::Pattern;
pub(crate) use pattern::Unmatched;
pub use search::{Search, SearchField, SearchKind};
pub use sort::{SortBy, SortKey, SortedValue};

use crate::{
    catalog::{FieldId, TypeId},
    model::Time,
};

/// One operation, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order the response shows them.
    pub roots: Vec<RootField>,
}

/// One root field of the operation.
#[derive(Clone, Debug)]
pub struct RootField {
    /// The response key: the alias, or the name.
    pub key: String,
    /// The moment it asks for; nothing for the present.
    pub as_of: Option<Time>,
    /// What it answers.
    pub kind: RootKind,
}

/// What a root field answers.
#[derive(Clone, Debug)]
pub enum RootKind {
    /// `vpcs(..)`, `assets(..)`: many assets.
    Nodes(Nodes),
    /// `vpc(id: ..)`: one asset or null.
    Node {
        /// An asset type or an interface.
        of: TypeId,
        /// The id asked for.
        id: AskedId,
        /// What to print of it.
        output: Output,
    },
    /// `vpcsConnection(..)`: a page of many assets.
    Connection(Connection),
    /// `vpcsAggregate(..)`: figures over many assets.
    Aggregate(Aggregate),
    /// `vpcsGroup(..)`: how many assets have which values.
    Groups(Groups),
    /// `search(..)`: assets of any type that hold a text.
    Search(Search),
    /// `__typename` of the query root.
    Typename,
    /// `__schema` or `__type`, which the generated schema answers.
    Introspection,
}

/// The id of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedId {
    /// This one.
    Known(String),
    /// The one that the test of this number is equal to: see [`Test::Blank`].
    Blank(usize),
}

impl AskedId {
    /// The id, with the tests that fill the blanks; nothing where they don't.
    #[must_use]
    pub fn with<'t>(&'t self, given: &'t [Test]) -> Option<&'t str> {
        match self {
            Self::Known(id) => Some(id),
            Self::Blank(number) => match given.get(*number)? {
                Test::Equal(Operand::Text(id)) => Some(id),
                _ => None,
            },
        }
    }
}

/// Many assets: which, in what order, which page, and what to print of each. At the root the candidates are all
/// assets of the type; under a relation, the related ones.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// An asset type or an interface.
    pub of: TypeId,
    /// Which of the candidates.
    pub filters: Filters,
    /// The order asked for; the id breaks every tie, and is the order where nothing is asked.
    pub sort: Vec<SortKey>,
    /// The most rows; 0 gives none.
    pub limit: Option<u32>,
    /// Rows to leave out at the start.
    pub offset: u32,
    /// What to print of each.
    pub output: Output,
}

/// One filter for each asset type that a value can have: filters over an interface are bound to every implementor.
/// Sorted by type; never empty unless the interface has no implementors.
#[derive(Clone, Debug, Default)]
pub struct Filters(pub Vec<(TypeId, Option<Filter>)>);

impl Filters {
    /// The filter for one asset type; `None` where nothing is demanded of it.
    #[must_use]
    pub fn of(&self, id: TypeId) -> Option<&Filter> {
        self.0.iter().find(|(of, _)| *of == id).and_then(|(_, filter)| filter.as_ref())
    }

    /// Whether nothing is demanded of any type.
    #[must_use]
    pub fn is_unconstrained(&self) -> bool {
        self.0.iter().all(|(_, filter)| filter.is_none())
    }
}

/// A predicate over the rows of one asset type (or embedded type), three-valued: TRUE, FALSE, or neither where a null
/// decides. Field ids are those of that type.
#[derive(Clone, Debug)]
pub enum Filter {
    /// The same for every row.
    Constant(bool),
    /// TRUE where all are TRUE, FALSE where any is FALSE.
    All(Vec<Filter>),
    /// TRUE where any is TRUE, FALSE where all are FALSE.
    Any(Vec<Filter>),
    /// TRUE and FALSE exchanged; neither stays neither.
    Not(Box<Filter>),
    /// TRUE where the filter is TRUE, FALSE everywhere else: what a computed field says.
    Holds(Box<Filter>),
    /// `f: null` on a stored field: TRUE where null, else FALSE; never neither.
    IsNull(FieldId),
    /// A test of a stored field's value; neither where it is null.
    Field(FieldId, Test),
    /// A quantifier over a relation or a list of embedded objects; two-valued in a closed world.
    Related {
        /// The relation or embedded field.
        field: FieldId,
        /// Which quantifier.
        quantifier: Quantifier,
        /// What is demanded of the related ones.
        filters: Filters,
    },
    /// `rel: null`: no related asset (or no embedded object); two-valued in a closed world.
    NoneRelated(FieldId),
    /// `relAggregate: {..}`.
    Aggregate {
        /// The relation.
        field: FieldId,
        /// What is demanded of the aggregate.
        filter: AggregateFilter,
    },
}

/// How many of the related assets must satisfy a filter. See the table in `docs/query-language.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one is TRUE.
    Some,
    /// None is TRUE.
    None,
    /// At least one is TRUE and none is FALSE.
    All,
    /// Exactly one is TRUE.
    Single,
}

/// A test of one value.
#[derive(Clone, Debug)]
pub enum Test {
    /// Equal to the operand.
    Equal(Operand),
    /// Equal to one of the operands. With a null among them, what is not equal is neither, never FALSE.
    In {
        /// The operands that are not null; never empty unless `with_null`.
        values: Vec<Operand>,
        /// Whether a null stood among them.
        with_null: bool,
    },
    /// Ordered before or after the operand: text by code point, numbers and times by size.
    Compare(Comparison, Operand),
    /// Text that contains this text.
    Contains(String),
    /// Text that starts with this text.
    StartsWith(String),
    /// Text that ends with this text.
    EndsWith(String),
    /// Text that a pattern matches as a whole.
    Matches(Pattern),
    /// A list equal to this one, element by element and in order.
    ListEqual(Vec<Option<Operand>>),
    /// A list with an element equal to the operand; neither where it has none but holds a null.
    Includes(Operand),
    /// An address or prefix that lies inside this prefix.
    Within(IpNet),
    /// A prefix that contains this address or prefix.
    ContainsNet(IpNet),
    /// A prefix that has an address in common with this one.
    Overlaps(IpNet),
    /// The test of this number among those that are given when the plan is run: in the outline of a plan alone, which
    /// serves whatever values the variables of its query have.
    Blank(usize),
}

impl Test {
    /// The test, with those that fill the blanks. A blank that none is given for stays one, which nothing passes.
    #[must_use]
    pub fn with<'t>(&'t self, given: &'t [Self]) -> &'t Self {
        match self {
            Self::Blank(number) => given.get(*number).unwrap_or(self),
            test => test,
        }
    }
}

/// An order comparison, or for aggregates also equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal (aggregates only).
    Equal,
    /// Less than.
    Less,
    /// Less than or equal.
    LessOrEqual,
    /// Greater than.
    Greater,
    /// Greater than or equal.
    GreaterOrEqual,
}

/// A value to compare with, already in the form its column stores.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// String, ID, enum values.
    Text(String),
    /// Int, BigInt; DateTime as milliseconds since 1970; Date as days since 1970-01-01.
    Int(i64),
    /// Float.
    Float(f64),
    /// Boolean.
    Bool(bool),
    /// CIDR and IPAddress (an address is a prefix of full length), host bits cleared.
    Net(IpNet),
}

/// A demand on the related assets as a whole, three-valued.
#[derive(Clone, Debug)]
pub enum AggregateFilter {
    /// As [`Filter::All`].
    All(Vec<AggregateFilter>),
    /// As [`Filter::Any`].
    Any(Vec<AggregateFilter>),
    /// As [`Filter::Not`].
    Not(Box<AggregateFilter>),
    /// How many related assets there are.
    Count(Comparison, i64),
    /// A figure over one field of the related assets; nulls are ignored; neither over nothing, but for a sum (0).
    Node {
        /// The field, at its place in each type that a related asset can have.
        fields: Vec<(TypeId, FieldId)>,
        /// Which figure.
        function: AggregateFunction,
        /// Compared how.
        comparison: Comparison,
        /// Compared with: Int for whole numbers, times and lengths, Float for floats and means, Text for a text's value.
        operand: Operand,
    },
}

/// A figure over the values of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// The mean of numbers.
    Average,
    /// The least number or time.
    Min,
    /// The greatest number or time.
    Max,
    /// The sum of numbers.
    Sum,
    /// The length of the shortest text, in code points.
    Shortest,
    /// The length of the longest text, in code points.
    Longest,
    /// The mean length of texts, in code points.
    AverageLength,
    /// Not a figure but any one of the values: the comparison holds of at least one related asset.
    AnyValue,
    /// As [`AggregateFunction::AnyValue`], of the length of a text in code points.
    AnyLength,
}

/// What to print of an asset, for each asset type it can have. Sorted by type.
#[derive(Clone, Debug, Default)]
pub struct Output(pub Vec<(TypeId, Vec<OutputField>)>);

impl Output {
    /// The fields to print of an asset of this type, in order.
    #[must_use]
    pub fn of(&self, id: TypeId) -> &[OutputField] {
        self.0.iter().find(|(of, _)| *of == id).map_or(&[], |(_, fields)| fields.as_slice())
    }
}

/// The key of an entry of a response object, kept as it is written behind an entry before it: `,"key":`. A GraphQL name,
/// in which nothing is to be escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseKey(Box<str>);

impl ResponseKey {
    /// The key of a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(format!(",\"{name}\":").into())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.get(2..self.0.len() - 2).unwrap_or_default()
    }

    /// `,"key":`.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// One entry of a response object.
#[derive(Clone, Debug)]
pub struct OutputField {
    /// The response key: the alias, or the name.
    pub key: ResponseKey,
    /// What stands behind it.
    pub kind: OutputKind,
}

/// What stands behind a response key.
#[derive(Clone, Debug)]
pub enum OutputKind {
    /// The name of the asset's type.
    Typename,
    /// A stored scalar, enum, or list of them.
    Scalar(FieldId),
    /// A computed field: true where the filter holds; `None` where it makes no demand.
    Computed(Option<Box<Filter>>),
    /// An embedded object or a list of them.
    Embedded {
        /// The field.
        field: FieldId,
        /// What to print of each object; holds the embedded type alone.
        output: Output,
    },
    /// A to-many relation: a list.
    Many {
        /// The relation.
        field: FieldId,
        /// Which of the related assets, and what to print of them.
        nodes: Nodes,
    },
    /// `relConnection`: a page of a to-many relation.
    Connection {
        /// The relation.
        field: FieldId,
        /// Which page, and what to print of it.
        connection: Box<Connection>,
    },
    /// `relAggregate`: figures over the related assets.
    Aggregate {
        /// The relation.
        field: FieldId,
        /// Over which of them, and which figures.
        aggregate: Box<Aggregate>,
    },
    /// A to-one relation: an object or null.
    One {
        /// The relation.
        field: FieldId,
        /// What the related asset must satisfy to be shown.
        filters: Filters,
        /// What to print of it.
        output: Output,
    },
}
