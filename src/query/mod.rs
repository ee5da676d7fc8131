//! From GraphQL text to JSON bytes: guard, parse, validate, plan, run, write. Each stage is a value.

mod document;
mod error;
mod plan;
mod planner;
pub mod run;
pub mod schema;

pub use document::Fragments;
pub use error::{PathStep, Place, QueryError, QueryErrorKind};
pub use plan::{
    AggregateFilter, AggregateFunction, Comparison, Filter, Filters, Nodes, Operand, Output, OutputField, OutputKind,
    Pattern, Plan, Quantifier, RootField, RootKind, SortKey, Test,
};
