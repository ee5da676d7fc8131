//! Aggregates as results: how many assets there are, and figures over their fields.

use super::Filters;
use crate::catalog::{FieldId, ScalarType, TypeId};

/// Figures over many assets.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// An asset type or an interface.
    pub of: TypeId,
    /// Which of the candidates.
    pub filters: Filters,
    /// What to print.
    pub fields: Vec<AggregateField>,
}

/// One entry of an aggregate.
#[derive(Clone, Debug)]
pub struct AggregateField {
    /// The response key.
    pub key: String,
    /// What stands behind it.
    pub kind: AggregateKind,
}

/// What an aggregate shows.
#[derive(Clone, Debug)]
pub enum AggregateKind {
    /// The name of the object's type.
    Typename(String),
    /// How many assets there are.
    Count,
    /// The figures once more, as an object of their own (`node`).
    Node(Vec<AggregateField>),
    /// Figures over one field.
    Figure(Figure),
}

/// Figures over the values of one field; nulls are left out.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The field, at its place in each asset type that a row can have.
    pub fields: Vec<(TypeId, FieldId)>,
    /// What the field holds.
    pub scalar: ScalarType,
    /// What to print.
    pub figures: Vec<FigureField>,
}

/// One entry of the figures over a field.
#[derive(Clone, Debug)]
pub struct FigureField {
    /// The response key.
    pub key: String,
    /// Which figure.
    pub kind: FigureKind,
}

/// One figure. Over nothing a sum is 0 and everything else is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// The name of the object's type.
    Typename,
    /// The least number or moment.
    Min,
    /// The greatest number or moment.
    Max,
    /// The mean of numbers.
    Average,
    /// The sum of numbers.
    Sum,
    /// The shortest text; of several the least.
    Shortest,
    /// The longest text; of several the least.
    Longest,
}
