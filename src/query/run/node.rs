//! A filter bound to one table of one graph: every test to its column, every quantifier to the edges it goes over.

use super::{
    super::{AggregateFilter, Filter, Filters, Quantifier, Test, explain::Words},
    bind::Bind,
    matcher::Matcher,
};
use crate::{
    catalog::FieldId,
    graph::{Graph, Table},
};

/// A bound filter. Three-valued, as [`Filter`] is.
#[derive(Debug)]
pub(super) enum Node<'p> {
    Constant(bool),
    All(Vec<Node<'p>>),
    Any(Vec<Node<'p>>),
    Not(Box<Node<'p>>),
    /// TRUE where the inner node is TRUE, else FALSE.
    Holds(Box<Node<'p>>),
    IsNull(FieldId),
    Test {
        field: FieldId,
        test: &'p Test,
        matcher: Matcher<'p>,
        /// What does not pass is neither, not FALSE: a null stood among the operands of an `IN`.
        never_false: bool,
    },
    Related {
        field: FieldId,
        quantifier: Quantifier,
        /// For each link of the column, in its order.
        of: Vec<Node<'p>>,
    },
    NoneRelated(FieldId),
    Aggregate {
        field: FieldId,
        filter: &'p AggregateFilter,
    },
}

impl<'p> Node<'p> {
    /// Binds the filter of a table's type; none is [`Node::Constant`] TRUE.
    pub(super) fn of_table(graph: Bind<'_, 'p>, table: &Table, filters: &'p Filters) -> Self {
        filters.of(table.of).map_or(Self::Constant(true), |filter| Self::bind(graph, table, filter))
    }

    pub(super) fn bind(graph: Bind<'_, 'p>, table: &Table, filter: &'p Filter) -> Self {
        let each = |filters: &'p [Filter]| filters.iter().map(|one| Self::bind(graph, table, one)).collect();
        match filter {
            Filter::Constant(value) => Self::Constant(*value),
            Filter::All(filters) => Self::All(each(filters)),
            Filter::Any(filters) => Self::Any(each(filters)),
            Filter::Not(inner) => Self::Not(Box::new(Self::bind(graph, table, inner))),
            Filter::Holds(inner) => Self::Holds(Box::new(Self::bind(graph, table, inner))),
            Filter::IsNull(field) => Self::IsNull(*field),
            Filter::Field(field, test) => {
                let test = graph.test(test);
                Self::Test {
                    field: *field,
                    test,
                    matcher: Matcher::new(table.column(*field), test),
                    never_false: matches!(test, Test::In { with_null: true, .. }),
                }
            }
            Filter::Related { field, quantifier, filters } => Self::Related {
                field: *field,
                quantifier: *quantifier,
                of: table
                    .column(*field)
                    .links()
                    .iter()
                    .map(|link| Self::of_table(graph, graph.table(link.table), filters))
                    .collect(),
            },
            Filter::NoneRelated(field) => Self::NoneRelated(*field),
            Filter::Aggregate { field, filter } => Self::Aggregate { field: *field, filter },
        }
    }

    /// What a step over it is called, without the nodes below it.
    pub(super) fn words(&self, graph: &Graph, table: &Table) -> String {
        let words = Words(graph.catalog());
        let name = |field: FieldId| &graph.catalog().get(table.of).get(field).name;
        match self {
            Self::Constant(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            Self::All(_) => "AND".to_owned(),
            Self::Any(_) => "OR".to_owned(),
            Self::Not(_) => "NOT".to_owned(),
            Self::Holds(_) => "holds".to_owned(),
            Self::IsNull(field) | Self::NoneRelated(field) => format!("{}: null", name(*field)),
            Self::Test { field, test, .. } => words.test(table.of, *field, test, false).unwrap_or_default(),
            Self::Related { field, quantifier, .. } => words.quantified(table.of, *field, *quantifier),
            Self::Aggregate { field, .. } => format!("{}Aggregate", name(*field)),
        }
    }

    /// Whether every row is TRUE.
    pub(super) fn is_always_true(&self) -> bool {
        matches!(self, Self::Constant(true))
    }

    /// Rows that hold every TRUE one, found by an index: nothing where no index helps or too many remain. This is
    /// where a point lookup is kept from scanning its table.
    pub(super) fn candidates(&self, table: &Table, most: usize) -> Option<Vec<u32>> {
        match self {
            Self::Constant(false) => Some(Vec::new()),
            Self::Test { field, matcher, .. } => {
                let mut rows = matcher.indexed_rows(table.column(*field), most)?;
                rows.retain(|&row| table.holds(row));
                Some(rows)
            }
            Self::Holds(inner) => inner.candidates(table, most),
            Self::All(nodes) => {
                let expected = nodes.iter().filter_map(|node| Some((node.expected(table)?, node)));
                let mut expected: Vec<(usize, &Self)> = expected.collect();
                expected.sort_by_key(|(rows, _)| *rows);
                expected.into_iter().find_map(|(_, node)| node.candidates(table, most))
            }
            Self::Any(nodes) => {
                let mut rows = Vec::new();
                for node in nodes {
                    rows.extend(node.candidates(table, most)?);
                }
                rows.sort_unstable();
                rows.dedup();
                (rows.len() <= most).then_some(rows)
            }
            _ => None,
        }
    }

    /// About how many candidates there are, told without a look at an index; nothing where none helps.
    fn expected(&self, table: &Table) -> Option<usize> {
        match self {
            Self::Constant(false) => Some(0),
            Self::Test { field, matcher, .. } => matcher.expected_rows(table.column(*field)),
            Self::Holds(inner) => inner.expected(table),
            Self::All(nodes) => nodes.iter().filter_map(|node| node.expected(table)).min(),
            Self::Any(nodes) => nodes.iter().map(|node| node.expected(table)).sum(),
            _ => None,
        }
    }
}
