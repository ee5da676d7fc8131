//! The naive reference: three-valued filters evaluated row by row over plain JSON, straight from the tables of the
//! query language.

use std::cmp::Ordering;

use ipnet::IpNet;
use serde_json::Value;

use super::generate::{Key, Kind, Object, Relation, Row, Target, World};

/// TRUE, FALSE or unknown, where there is a predicate at all.
type Truth = Option<bool>;

pub(super) fn is_of(row: &Row, target: Target) -> bool {
    match target {
        Target::Type(of) => row.of == of,
        Target::Interface => true,
    }
}

/// Whether a row is kept by a `where`.
pub(super) fn keeps(world: &World, row: &Row, filter: &Object) -> bool {
    matches!(object(world, row, filter), None | Some(Some(true)))
}

/// The computed field: TRUE where its filter is, or makes no demand.
pub(super) fn flag(world: &World, row: &Row) -> bool {
    keeps(world, row, world.types[row.of].flag.as_ref().unwrap())
}

/// Related rows: every pair of keys has an element in common; null relates to nothing. Along paths, whatever is at the
/// end of any of them, once.
pub(super) fn related<'a>(world: &'a World, row: &Row, relation: &Relation) -> Vec<&'a Row> {
    let elements = |value: Value| match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        other => vec![other],
    };
    if !relation.paths.is_empty() {
        let mut found: Vec<&Row> = relation.paths.iter().flat_map(|path| at_end(world, row, path)).collect();
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found.dedup_by(|one, other| one.id == other.id);
        return found;
    }
    let mut found: Vec<&Row> = world
        .rows
        .iter()
        .filter(|candidate| is_of(candidate, relation.target))
        .filter(|candidate| {
            relation.pairs.iter().all(|(own, theirs)| {
                let theirs = elements(candidate.value(theirs));
                elements(row.value(own)).iter().any(|key| theirs.contains(key))
            })
        })
        .collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found
}

fn at_end<'a>(world: &'a World, row: &Row, path: &[String]) -> Vec<&'a Row> {
    let (hop, rest) = path.split_first().unwrap();
    let relation = world.types[row.of].relations.iter().find(|relation| relation.name == *hop).unwrap();
    let next = related(world, row, relation);
    if rest.is_empty() { next } else { next.into_iter().flat_map(|row| at_end(world, row, rest)).collect() }
}

/// A `where` object: nothing where it makes no demand.
fn object(world: &World, row: &Row, keys: &Object) -> Option<Truth> {
    all(keys.iter().filter_map(|key| key_truth(world, row, key)).collect())
}

fn all(members: Vec<Truth>) -> Option<Truth> {
    if members.is_empty() {
        None
    } else if members.contains(&Some(false)) {
        Some(Some(false))
    } else {
        Some(if members.contains(&None) { None } else { Some(true) })
    }
}

fn key_truth(world: &World, row: &Row, key: &Key) -> Option<Truth> {
    match key {
        Key::Stored { name, kind, suffix, operand } => Some(stored(*kind, suffix, &row.value(name), operand)),
        Key::Combine { word, members } => {
            let members: Vec<Truth> =
                members.iter().filter_map(|member| object(world, row, member)).collect();
            match *word {
                "AND" => all(members),
                _ if members.is_empty() => None,
                _ if members.contains(&Some(true)) => Some(Some(true)),
                _ => Some(if members.contains(&None) { None } else { Some(false) }),
            }
        }
        Key::Not(inner) => object(world, row, inner).map(|truth| truth.map(|value| !value)),
        Key::Computed { negated, operand } => Some(Some(flag(world, row) == (operand != negated))),
        Key::Typename(names) => Some(Some(names.contains(&row.typename))),
        Key::Related { relation, suffix, inner: None, .. } => {
            let is_empty = related(world, row, relation).is_empty();
            Some(Some(is_empty != (*suffix == "_NOT")))
        }
        Key::Related { relation, suffix, inner: Some(inner), .. } => {
            if !makes_demand(inner) {
                return None;
            }
            let truths: Vec<Truth> = related(world, row, relation)
                .iter()
                .map(|one| object(world, one, inner).unwrap_or(None))
                .collect();
            Some(Some(quantify(suffix, &truths)))
        }
        Key::Tags { suffix, inner: None } => {
            Some(Some(row.value("tags").as_array().unwrap().is_empty() != (*suffix == "_NOT")))
        }
        Key::Tags { suffix, inner: Some(pairs) } => {
            let truths: Vec<Truth> = row
                .value("tags")
                .as_array()
                .unwrap()
                .iter()
                .map(|tag| {
                    let members = pairs.iter().map(|(key, value)| {
                        tag.get(key).map(|actual| actual.as_str() == Some(value.as_str()))
                    });
                    all(members.collect()).unwrap()
                })
                .collect();
            Some(Some(quantify(suffix, &truths)))
        }
        Key::Count { relation, suffix, number } => {
            let count = related(world, row, relation).len() as i64;
            Some(Some(holds(suffix, count.cmp(number))))
        }
        Key::Figure { relation, field, figure, suffix, operand } => Some(figure_truth(
            &related(world, row, relation),
            field,
            figure,
            suffix,
            operand.as_i64().unwrap(),
        )),
    }
}

/// Whether a filter makes any demand: that does not depend on the row.
fn makes_demand(keys: &Object) -> bool {
    keys.iter().any(|key| match key {
        Key::Combine { members, .. } => members.iter().any(makes_demand),
        Key::Not(inner) => makes_demand(inner),
        Key::Related { inner: Some(inner), .. } => makes_demand(inner),
        _ => true,
    })
}

fn quantify(suffix: &str, truths: &[Truth]) -> bool {
    let matching = truths.iter().filter(|truth| **truth == Some(true)).count();
    match suffix {
        "" | "_SOME" => matching > 0,
        "_NONE" | "_NOT" => matching == 0,
        "_ALL" => matching > 0 && !truths.contains(&Some(false)),
        "_SINGLE" => matching == 1,
        other => panic!("no quantifier {other}"),
    }
}

fn figure_truth(related: &[&Row], field: &str, figure: &str, suffix: &str, operand: i64) -> Truth {
    let numbers: Vec<i64> = related
        .iter()
        .filter_map(|row| match row.value(field) {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => Some(text.chars().count() as i64),
            _ => None,
        })
        .collect();
    let sum: i64 = numbers.iter().sum();
    let exact = |number: Option<i64>| number.map(|number| holds(suffix, number.cmp(&operand)));
    match figure {
        "" => Some(numbers.iter().any(|number| holds(suffix, number.cmp(&operand)))),
        "_MIN" | "_SHORTEST_LENGTH" => exact(numbers.iter().min().copied()),
        "_MAX" | "_LONGEST_LENGTH" => exact(numbers.iter().max().copied()),
        "_SUM" => exact(Some(sum)),
        _ if numbers.is_empty() => None,
        _ => {
            let mean = sum as f64 / numbers.len() as f64;
            mean.partial_cmp(&(operand as f64)).map(|ordering| holds(suffix, ordering))
        }
    }
}

fn holds(suffix: &str, ordering: Ordering) -> bool {
    match suffix {
        "" | "_EQUAL" => ordering.is_eq(),
        "_LT" => ordering.is_lt(),
        "_LTE" => ordering.is_le(),
        "_GT" => ordering.is_gt(),
        "_GTE" => ordering.is_ge(),
        other => panic!("no comparison {other}"),
    }
}

fn stored(kind: Kind, suffix: &str, value: &Value, operand: &Value) -> Truth {
    match suffix {
        "" if operand.is_null() => return Some(value.is_null()),
        "_NOT" if operand.is_null() => return Some(!value.is_null()),
        "_IN" if operand.as_array().unwrap().is_empty() => return Some(false),
        "_NOT_IN" if operand.as_array().unwrap().is_empty() => return Some(true),
        _ => {}
    }
    if value.is_null() {
        return None;
    }
    let negate = |truth: Truth| truth.map(|value| !value);
    match suffix {
        "" => Some(equal(kind, value, operand)),
        "_IN" => {
            let operands = operand.as_array().unwrap();
            if operands.iter().any(|one| !one.is_null() && equal(kind, value, one)) {
                Some(true)
            } else if operands.contains(&Value::Null) {
                None
            } else {
                Some(false)
            }
        }
        "_LT" | "_LTE" | "_GT" | "_GTE" => Some(holds(suffix, compare(kind, value, operand))),
        "_WITHIN" => Some(net(operand).contains(&net(value))),
        "_CONTAINS" if kind == Kind::Net => Some(net(value).contains(&net(operand))),
        "_OVERLAPS" => Some(net(value).contains(&net(operand)) || net(operand).contains(&net(value))),
        "_CONTAINS" => Some(text(value).contains(text(operand))),
        "_STARTS_WITH" => Some(text(value).starts_with(text(operand))),
        "_ENDS_WITH" => Some(text(value).ends_with(text(operand))),
        "_INCLUDES" => Some(value.as_array().unwrap().contains(operand)),
        negated => {
            let positive = negated.replacen("_NOT", "", 1);
            negate(stored(kind, &positive, value, operand))
        }
    }
}

fn equal(kind: Kind, value: &Value, operand: &Value) -> bool {
    match kind {
        Kind::StringList => value == operand,
        _ => compare(kind, value, operand).is_eq(),
    }
}

pub(super) fn compare(kind: Kind, one: &Value, other: &Value) -> Ordering {
    match kind {
        Kind::Int => one.as_i64().cmp(&other.as_i64()),
        Kind::Float => one.as_f64().unwrap().partial_cmp(&other.as_f64().unwrap()).unwrap(),
        Kind::BigInt => text(one).parse::<i64>().unwrap().cmp(&text(other).parse::<i64>().unwrap()),
        Kind::Boolean => one.as_bool().cmp(&other.as_bool()),
        // Canonical forms, so that the order of the text is the order of time.
        _ => text(one).cmp(text(other)),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn net(value: &Value) -> IpNet {
    text(value).parse().unwrap()
}
