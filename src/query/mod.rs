//! From GraphQL text to JSON bytes: guard, parse, validate, plan, run, write. Each stage is a value.

pub mod guard;
mod plan;
pub mod schema;

pub use plan::{
    AggregateFilter, AggregateFunction, Comparison, Filter, Filters, Nodes, Operand, Output, OutputField,
    OutputKind, Pattern, Plan, Quantifier, RootField, RootKind, SortKey, Test,
};
