//! Keys that hold of one asset together and can't: `a: 1` beside `a: 2`, `a_GT: 5` beside `a_LT: 3`, `a: null` beside
//! anything else. What can't be told is no contradiction.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{At, at};
use crate::{
    catalog::{FieldId, TypeId},
    query::{
        plan::{Comparison, Operand, Test},
        planner::{Tested, Tests},
    },
};

/// More keys of one field and object than this are not compared.
const MOST_COMPARED: usize = 50;

/// Keys that contradict an earlier one, with the earlier one's name: once for each type that a key is bound to.
pub(super) fn conflicts<'t>(tested: &'t [Tested], given: &[Test]) -> BTreeMap<At, Vec<&'t str>> {
    let mut together: BTreeMap<(u32, TypeId, FieldId), Vec<&Tested>> = BTreeMap::new();
    for one in tested {
        together.entry((one.conjunction, one.of, one.field)).or_default().push(one);
    }
    let mut found: BTreeMap<At, Vec<&str>> = BTreeMap::new();
    for keys in together.values() {
        for (place, later) in keys.iter().enumerate().take(MOST_COMPARED) {
            let earlier = keys.iter().take(place).find(|earlier| conflict(earlier, later, given));
            if let Some(earlier) = earlier {
                found.entry(at(later)).or_default().push(&earlier.key);
            }
        }
    }
    found
}

fn conflict(one: &Tested, other: &Tested, given: &[Test]) -> bool {
    match (&one.what, &other.what) {
        (Tests::Null, Tests::Null) => one.negated != other.negated,
        (Tests::Null, Tests::Value(_)) => !one.negated,
        (Tests::Value(_), Tests::Null) => !other.negated,
        (Tests::Value(left), Tests::Value(right)) => {
            let (left, right) = (left.with(given), right.with(given));
            match (one.negated, other.negated) {
                (false, false) => excludes(left, right) || excludes(right, left),
                (false, true) => is_within(left, right),
                (true, false) => is_within(right, left),
                (true, true) => false,
            }
        }
        _ => false,
    }
}

/// The only values that pass.
fn values(test: &Test) -> Option<Vec<&Operand>> {
    match test {
        Test::Equal(operand) => Some(vec![operand]),
        Test::In { values, .. } => Some(values.iter().collect()),
        _ => None,
    }
}

/// Whether nothing that passes the first passes the second, as far as it is easily told.
fn excludes(test: &Test, other: &Test) -> bool {
    if let Some(values) = values(test) {
        return !values.iter().any(|value| may_pass(value, other));
    }
    match (test, other) {
        (Test::Compare(above, low), Test::Compare(below, high)) => {
            let (Some(low), Some(high)) = (least(*above, low), greatest(*below, high)) else { return false };
            match low.0.partial_cmp(&high.0) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => !(low.1 && high.1),
                _ => false,
            }
        }
        (Test::StartsWith(one), Test::StartsWith(other)) => {
            !one.starts_with(other.as_str()) && !other.starts_with(one.as_str())
        }
        _ => false,
    }
}

/// Whether everything that passes the first is among the values of the second.
fn is_within(test: &Test, other: &Test) -> bool {
    match (values(test), values(other)) {
        (Some(inner), Some(outer)) => inner.iter().all(|value| outer.contains(value)),
        _ => false,
    }
}

/// Whether a value may pass a test; yes where it can't be told.
fn may_pass(value: &Operand, test: &Test) -> bool {
    match (test, value) {
        (Test::Equal(_) | Test::In { .. }, _) => values(test).is_none_or(|values| values.contains(&value)),
        (Test::Compare(comparison, operand), _) => match order(value, operand) {
            None => true,
            Some(order) => match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            },
        },
        (Test::Contains(part), Operand::Text(text)) => text.contains(part.as_str()),
        (Test::StartsWith(part), Operand::Text(text)) => text.starts_with(part.as_str()),
        (Test::EndsWith(part), Operand::Text(text)) => text.ends_with(part.as_str()),
        (Test::Matches(pattern), Operand::Text(text)) => pattern.is_match_at_once(text),
        _ => true,
    }
}

/// A value that can be put in order with others of its kind.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Value<'t> {
    Whole(i64),
    Float(f64),
    Text(&'t str),
}

impl<'t> Value<'t> {
    fn of(operand: &'t Operand) -> Option<Self> {
        match operand {
            Operand::Int(whole) => Some(Self::Whole(*whole)),
            Operand::Float(float) => Some(Self::Float(*float)),
            Operand::Text(text) => Some(Self::Text(text)),
            Operand::Bool(_) | Operand::Net(_) => None,
        }
    }
}

fn order(one: &Operand, other: &Operand) -> Option<Ordering> {
    Value::of(one)?.partial_cmp(&Value::of(other)?)
}

/// The lower bound that a comparison sets, and whether it is allowed itself.
fn least(comparison: Comparison, operand: &Operand) -> Option<(Value<'_>, bool)> {
    match (comparison, operand) {
        (Comparison::Greater, Operand::Int(whole)) => Some((Value::Whole(whole.checked_add(1)?), true)),
        (Comparison::Greater, operand) => Some((Value::of(operand)?, false)),
        (Comparison::GreaterOrEqual, operand) => Some((Value::of(operand)?, true)),
        _ => None,
    }
}

/// The upper bound that a comparison sets, and whether it is allowed itself.
fn greatest(comparison: Comparison, operand: &Operand) -> Option<(Value<'_>, bool)> {
    match (comparison, operand) {
        (Comparison::Less, Operand::Int(whole)) => Some((Value::Whole(whole.checked_sub(1)?), true)),
        (Comparison::Less, operand) => Some((Value::of(operand)?, false)),
        (Comparison::LessOrEqual, operand) => Some((Value::of(operand)?, true)),
        _ => None,
    }
}
