//! The keys of a `where` object, understood: which field, and what is asked of it. Which keys there are is the
//! catalog's to say (`catalog::operators`); here they get their meaning.

use crate::catalog::{Field, FieldKind, ScalarType, TYPENAME_KEY, TypeDef, TypeKind};

/// What a key of a stored field asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    In,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Includes,
    Within,
    Overlaps,
}

/// What a key of a relation or of embedded objects asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RelationOperator {
    /// `rel`, `rel_SOME`
    Some,
    /// `rel_NONE`, `rel_NOT`
    None,
    /// `rel_ALL`
    All,
    /// `rel_SINGLE`
    Single,
}

/// A key of a `where` object, understood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `NOT`
    Not,
    /// `typename_IN`, over an interface.
    TypenameIn,
    /// A stored field and an operator; `negated` for those with `_NOT`, which keep unknown unknown.
    Stored { field: &'a Field, scalar: ScalarType, is_list: bool, operator: Operator, negated: bool },
    /// A computed field: bare or `_NOT`.
    Computed { field: &'a Field, negated: bool },
    /// A relation or embedded objects; `nullable` for the bare key and `_NOT`.
    Related { field: &'a Field, operator: RelationOperator, nullable: bool, connection: bool },
    /// `relAggregate`
    Aggregate { field: &'a Field },
}

/// Understands a key of the `where` object of a type.
pub(super) fn read<'a>(definition: &'a TypeDef, key: &str) -> Option<Key<'a>> {
    match key {
        "AND" => return Some(Key::And),
        "OR" => return Some(Key::Or),
        "NOT" => return Some(Key::Not),
        TYPENAME_KEY if definition.kind == TypeKind::Interface => return Some(Key::TypenameIn),
        _ => {}
    }
    let found = definition.find_key(key)?;
    let field = definition.get(found.field);
    match &field.kind {
        FieldKind::Scalar { scalar, list, .. } => {
            let (operator, negated) = stored_operator(found.operator)?;
            Some(Key::Stored { field, scalar: *scalar, is_list: list.is_some(), operator, negated })
        }
        FieldKind::Computed { .. } => Some(Key::Computed { field, negated: found.operator == "_NOT" }),
        FieldKind::Relation { .. } if found.operator == "Aggregate" => Some(Key::Aggregate { field }),
        FieldKind::Relation { .. } | FieldKind::Embedded { .. } => {
            let (suffix, connection) = match found.operator.strip_prefix("Connection") {
                Some(suffix) => (suffix, true),
                None => (found.operator, false),
            };
            let (operator, nullable) = relation_operator(suffix)?;
            Some(Key::Related { field, operator, nullable, connection })
        }
    }
}

fn stored_operator(suffix: &str) -> Option<(Operator, bool)> {
    let (suffix, negated) = match suffix.strip_prefix("_NOT") {
        Some(positive) => (positive, true),
        None => (suffix, false),
    };
    let operator = match suffix {
        "" => Operator::Equal,
        "_IN" => Operator::In,
        "_CONTAINS" => Operator::Contains,
        "_STARTS_WITH" => Operator::StartsWith,
        "_ENDS_WITH" => Operator::EndsWith,
        "_MATCHES" => Operator::Matches,
        "_LT" => Operator::Less,
        "_LTE" => Operator::LessOrEqual,
        "_GT" => Operator::Greater,
        "_GTE" => Operator::GreaterOrEqual,
        "_INCLUDES" => Operator::Includes,
        "_WITHIN" => Operator::Within,
        "_OVERLAPS" => Operator::Overlaps,
        _ => return None,
    };
    Some((operator, negated))
}

fn relation_operator(suffix: &str) -> Option<(RelationOperator, bool)> {
    match suffix {
        "" => Some((RelationOperator::Some, true)),
        "_SOME" => Some((RelationOperator::Some, false)),
        "_NOT" => Some((RelationOperator::None, true)),
        "_NONE" => Some((RelationOperator::None, false)),
        "_ALL" => Some((RelationOperator::All, false)),
        "_SINGLE" => Some((RelationOperator::Single, false)),
        _ => None,
    }
}
