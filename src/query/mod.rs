//! From GraphQL text to JSON bytes: guard, parse, validate, plan, run, write. Each stage is a value.

mod plan;
pub mod run;

pub use plan::{
    AggregateFilter, AggregateFunction, Comparison, Filter, Filters, Nodes, Operand, Output, OutputField,
    OutputKind, Pattern, Plan, Quantifier, RootField, RootKind, SortKey, Test,
};
