//! The naive answers: rows filtered one by one, compared by lists of plain values, counted by looking at all of them.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::{
    asks::{Ask, Below, Page, Query, SortBy},
    generate::{Kind, Object, Row, Stored, Target, World},
    reference::{compare, flag, is_of, keeps, related},
};

/// The response that a query should get; of a connection nothing, since its cursors are the engine's own.
pub(super) fn answer(world: &World, query: &Query) -> Value {
    let root = query.root(world);
    let candidates = || world.rows.iter().filter(|row| is_of(row, query.target)).collect::<Vec<&Row>>();
    match &query.ask {
        Ask::Connection(_) => Value::Null,
        Ask::Aggregate(filter) => {
            let rows = kept(world, candidates(), filter);
            let figures = figures(rows, &world.fields_of(query.target));
            json!({ "data": { format!("{root}Aggregate"): figures } })
        }
        Ask::Group { filter, by, sort, limit } => {
            let groups = groups(world, &kept(world, candidates(), filter), by, sort, *limit);
            json!({ "data": { format!("{root}Group"): groups } })
        }
        Ask::List(page_asked, below) => {
            let rows = page(world, candidates(), page_asked).into_iter();
            let rows: Vec<Value> = rows.map(|row| shown(world, query, below.as_ref(), row)).collect();
            json!({ "data": { root: rows } })
        }
    }
}

fn shown(world: &World, query: &Query, below: Option<&Below>, row: &Row) -> Value {
    let mut object = Map::new();
    object.insert("__typename".to_owned(), json!(row.typename));
    object.insert("id".to_owned(), json!(row.id));
    object.insert("flag".to_owned(), json!(flag(world, row)));
    for field in query.shown(world) {
        object.insert(field.name.clone(), row.value(&field.name));
    }
    let tags = row.value("tags");
    let tags = tags.as_array().unwrap().iter().map(|tag| json!({"key": tag["key"], "value": tag["value"]}));
    object.insert("tags".to_owned(), tags.collect());
    match below {
        None => {}
        Some(Below::List(relation, asked)) => {
            let related = related(world, row, relation);
            let value = match relation.many {
                true => page(world, related, asked).into_iter().map(link).collect(),
                false => related.first().map_or(Value::Null, |first| link(first)),
            };
            object.insert(relation.name.clone(), value);
        }
        Some(Below::Connection(relation, asked)) => {
            let all = in_order(world, kept(world, related(world, row, relation), &asked.filter), &asked.sort);
            let first = asked.limit.unwrap_or(usize::MAX);
            let edges: Vec<Value> = all.iter().take(first).map(|row| json!({"node": link(row)})).collect();
            let value = json!({
                "totalCount": all.len(), "edges": edges, "pageInfo": {"hasNextPage": all.len() > first}
            });
            object.insert(format!("{}Connection", relation.name), value);
        }
        Some(Below::Aggregate(relation, filter)) => {
            let rows = kept(world, related(world, row, relation), filter);
            let figures = figures(rows, &world.fields_of(relation.target));
            object.insert(format!("{}Aggregate", relation.name), figures);
        }
    }
    Value::Object(object)
}

fn link(row: &Row) -> Value {
    json!({ "id": row.id, "__typename": row.typename })
}

fn kept<'w>(world: &World, rows: Vec<&'w Row>, filter: &Object) -> Vec<&'w Row> {
    rows.into_iter().filter(|row| keeps(world, row, filter)).collect()
}

fn page<'w>(world: &World, candidates: Vec<&'w Row>, page: &Page) -> Vec<&'w Row> {
    let rows = in_order(world, kept(world, candidates, &page.filter), &page.sort);
    rows.into_iter().skip(page.offset).take(page.limit.unwrap_or(usize::MAX)).collect()
}

/// What a row is compared by: the values of the sort keys, each with its kind and direction, and the id.
pub(super) type SortKeys = (Vec<(Kind, Value, bool)>, String);

/// All rows of a connection in its order, with what they are compared by.
pub(super) fn all_in_order<'w>(world: &'w World, target: Target, page: &Page) -> Vec<(&'w Row, SortKeys)> {
    let candidates = world.rows.iter().filter(|row| is_of(row, target)).collect();
    let rows = in_order(world, kept(world, candidates, &page.filter), &page.sort);
    rows.into_iter().map(|row| (row, sort_keys(world, row, &page.sort))).collect()
}

fn sort_keys(world: &World, row: &Row, sort: &[(SortBy, bool)]) -> SortKeys {
    let relation =
        |name: &str| world.types[row.of].relations.iter().find(|relation| relation.name == *name).unwrap();
    let value = |by: &SortBy| match by {
        SortBy::Stored(name) => (kind_of(world, row, name), row.value(name)),
        SortBy::Flag => (Kind::Boolean, json!(flag(world, row))),
        SortBy::Count(name) => (Kind::Int, json!(related(world, row, relation(name)).len())),
        SortBy::Through(name, field) => match related(world, row, relation(name)).first() {
            Some(target) => (kind_of(world, target, field), target.value(field)),
            None => (Kind::Int, Value::Null),
        },
    };
    let keys = sort.iter().map(|(by, descending)| {
        let (kind, value) = value(by);
        (kind, value, *descending)
    });
    (keys.collect(), row.id.clone())
}

pub(super) fn compare_keys(one: &SortKeys, other: &SortKeys) -> Ordering {
    let ordered = one.0.iter().zip(&other.0).map(|((kind, one, descending), (other_kind, other, _))| {
        // A null has no kind of its own.
        let kind = if one.is_null() { other_kind } else { kind };
        let ordering = compare_nullable(*kind, one, other);
        if *descending { ordering.reverse() } else { ordering }
    });
    ordered.into_iter().find(|ordering| ordering.is_ne()).unwrap_or_else(|| one.1.cmp(&other.1))
}

fn compare_nullable(kind: Kind, one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (one, other) => compare(kind, one, other),
    }
}

fn in_order<'w>(world: &World, mut rows: Vec<&'w Row>, sort: &[(SortBy, bool)]) -> Vec<&'w Row> {
    rows.sort_by_cached_key(|row| Keyed(sort_keys(world, row, sort)));
    rows
}

struct Keyed(SortKeys);

impl PartialEq for Keyed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Keyed {}
impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Keyed {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_keys(&self.0, &other.0)
    }
}

fn kind_of(world: &World, row: &Row, name: &str) -> Kind {
    world.types[row.of].stored.iter().find(|field| field.name == name).map_or(Kind::Id, |field| field.kind)
}

fn figures(mut rows: Vec<&Row>, stored: &[Stored]) -> Value {
    // Floats are added in this order.
    rows.sort_by(|one, other| (one.of, &one.id).cmp(&(other.of, &other.id)));
    let mut object = Map::new();
    object.insert("count".to_owned(), json!(rows.len()));
    for field in stored {
        let values: Vec<Value> =
            rows.iter().map(|row| row.value(&field.name)).filter(|value| !value.is_null()).collect();
        if let Some(figures) = figures_of(field.kind, values) {
            object.insert(field.name.clone(), figures);
        }
    }
    Value::Object(object)
}

fn figures_of(kind: Kind, mut values: Vec<Value>) -> Option<Value> {
    let float = |value: &Value| value.as_f64().unwrap();
    let whole = |value: &Value| match value {
        Value::String(text) => text.parse::<i128>().unwrap(),
        number => i128::from(number.as_i64().unwrap()),
    };
    let count = values.len() as f64;
    let is_empty = values.is_empty();
    let (sum, average) = match kind {
        Kind::Float => {
            let sum = values.iter().map(float).fold(0.0, |sum, value| sum + value);
            (json!(sum), json!(sum / count))
        }
        Kind::Int => {
            let sum: i128 = values.iter().map(whole).sum();
            (json!(sum as i64), json!(sum as f64 / count))
        }
        Kind::BigInt => {
            let sum: i128 = values.iter().map(whole).sum();
            (json!(sum.to_string()), json!((sum as f64 / count).to_string()))
        }
        _ => (Value::Null, Value::Null),
    };
    let average = if is_empty { Value::Null } else { average };
    match kind {
        Kind::String | Kind::Id => {
            values.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            let length = |value: &&Value| value.as_str().unwrap().chars().count();
            let shortest = values.iter().min_by_key(length).cloned();
            // Of several as long the least: the last of the reversed.
            let longest = values.iter().rev().max_by_key(length).cloned();
            Some(json!({"shortest": shortest, "longest": longest}))
        }
        Kind::Int | Kind::Float | Kind::BigInt | Kind::DateTime | Kind::Date => {
            values.sort_by(|one, other| compare(kind, one, other));
            let (min, max) = (values.first(), values.last());
            Some(match kind {
                Kind::DateTime | Kind::Date => json!({"min": min, "max": max}),
                _ => json!({"min": min, "max": max, "average": average, "sum": sum}),
            })
        }
        _ => None,
    }
}

fn groups(
    world: &World,
    rows: &[&Row],
    by: &[String],
    sort: &[(Option<usize>, bool)],
    limit: Option<usize>,
) -> Vec<Value> {
    let value = |row: &Row, name: &str| match name {
        "flag" => (Kind::Boolean, json!(flag(world, row))),
        "typename" => (Kind::String, json!(row.typename)),
        name => (kind_of(world, row, name), row.value(name)),
    };
    let mut groups: Vec<(Vec<(Kind, Value)>, usize)> = Vec::new();
    for row in rows {
        let key: Vec<(Kind, Value)> = by.iter().map(|name| value(row, name)).collect();
        let same = |known: &[(Kind, Value)]| known.iter().zip(&key).all(|(one, other)| one.1 == other.1);
        match groups.iter_mut().find(|(known, _)| same(known)) {
            Some((_, count)) => *count += 1,
            None => groups.push((key, 1)),
        }
    }
    let compare_at = |one: &(Kind, Value), other: &(Kind, Value)| compare_nullable(one.0, &one.1, &other.1);
    groups.sort_by(|(one, one_count), (other, other_count)| {
        let asked = sort.iter().map(|(place, descending)| {
            let ordering = match place {
                None => one_count.cmp(other_count),
                Some(place) => compare_at(&one[*place], &other[*place]),
            };
            if *descending { ordering.reverse() } else { ordering }
        });
        let by_key = one.iter().zip(other).map(|(one, other)| compare_at(one, other));
        asked.chain([other_count.cmp(one_count)]).chain(by_key).find(|ordering| ordering.is_ne()).unwrap()
    });
    groups.truncate(limit.unwrap_or(usize::MAX));
    let shown = groups.into_iter().map(|(key, count)| {
        let key: Map<String, Value> =
            by.iter().cloned().zip(key.into_iter().map(|(_, value)| value)).collect();
        json!({"key": key, "count": count})
    });
    shown.collect()
}
