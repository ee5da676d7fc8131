//! `relAggregate: {count_GT: 2, node: {..}}`: demands on the related assets as a whole.

use super::{
    Planner,
    input::{Entry, Input, Shape},
};
use crate::{
    catalog::{FIGURE_COMPARISONS, FieldKind, ScalarType, TypeDef, TypeId, figures},
    query::{
        error::{QueryErrorKind, did_you_mean},
        plan::{AggregateFilter, AggregateFunction, Comparison, Operand},
    },
};

const COUNTS: [(&str, Comparison); 5] = [
    ("count", Comparison::Equal),
    ("count_LT", Comparison::Less),
    ("count_LTE", Comparison::LessOrEqual),
    ("count_GT", Comparison::Greater),
    ("count_GTE", Comparison::GreaterOrEqual),
];

/// One key of the `node` object of an aggregate, understood.
#[derive(Clone, Copy, Debug)]
struct NodeKey<'a> {
    field: &'a str,
    function: AggregateFunction,
    comparison: Comparison,
    /// The type of the value to compare with.
    operand: ScalarType,
}

/// Every key of the `node` object over a type, in the order of the schema.
fn node_keys(definition: &TypeDef) -> Vec<(String, NodeKey<'_>)> {
    let mut keys = Vec::new();
    for field in &definition.fields {
        let FieldKind::Scalar { scalar, list: None, .. } = field.kind else { continue };
        for figure in figures(field) {
            for suffix in FIGURE_COMPARISONS {
                if let Some(key) = node_key(&field.name, scalar, figure, suffix) {
                    keys.push((format!("{}{figure}{suffix}", field.name), key));
                }
            }
        }
    }
    keys
}

fn node_key<'a>(field: &'a str, scalar: ScalarType, figure: &str, suffix: &str) -> Option<NodeKey<'a>> {
    let comparison = match suffix {
        "_EQUAL" => Comparison::Equal,
        "_LT" => Comparison::Less,
        "_LTE" => Comparison::LessOrEqual,
        "_GT" => Comparison::Greater,
        "_GTE" => Comparison::GreaterOrEqual,
        _ => return None,
    };
    let is_text = matches!(scalar, ScalarType::String | ScalarType::Id);
    let (function, operand) = match figure {
        // A text is compared by its length, but for equality.
        "" if is_text && comparison != Comparison::Equal => (AggregateFunction::AnyLength, ScalarType::Int),
        "" => (AggregateFunction::AnyValue, scalar),
        "_AVERAGE" => (AggregateFunction::Average, ScalarType::Float),
        "_MIN" => (AggregateFunction::Min, scalar),
        "_MAX" => (AggregateFunction::Max, scalar),
        "_SUM" => (AggregateFunction::Sum, scalar),
        "_SHORTEST_LENGTH" => (AggregateFunction::Shortest, ScalarType::Int),
        "_LONGEST_LENGTH" => (AggregateFunction::Longest, ScalarType::Int),
        "_AVERAGE_LENGTH" => (AggregateFunction::AverageLength, ScalarType::Float),
        _ => return None,
    };
    Some(NodeKey { field, function, comparison, operand })
}

impl<'a> Planner<'a> {
    /// One aggregate object; nothing where it makes no demand.
    pub(super) fn aggregate_filter(
        &self,
        target: TypeId,
        name: &str,
        input: Input<'a>,
    ) -> Option<AggregateFilter> {
        let entries = self.aggregate_entries(name, input, "an object such as `{count_GT: 1}`")?;
        let filters = entries.iter().filter_map(|entry| {
            self.count_node();
            match entry.key {
                "AND" | "OR" | "NOT" => {
                    self.combine(entry, |planner, item| planner.aggregate_filter(target, entry.key, item))
                }
                "node" => self.aggregate_node(target, entry.key, entry.value),
                key => match COUNTS.iter().find(|(known, _)| *known == key) {
                    Some((_, comparison)) => {
                        match self
                            .present(entry)
                            .then(|| self.operand(ScalarType::Int, key, entry.value))??
                        {
                            Operand::Int(count) => Some(AggregateFilter::Count(*comparison, count)),
                            _ => None,
                        }
                    }
                    None => {
                        let known =
                            COUNTS.iter().map(|(known, _)| *known).chain(["node", "AND", "OR", "NOT"]);
                        let kind = QueryErrorKind::UnknownKey { input: name.to_owned(), key: key.to_owned() };
                        self.refuse(kind, entry.key_span, did_you_mean(key, known));
                        None
                    }
                },
            }
        });
        all_of(filters.collect())
    }

    fn aggregate_node(&self, target: TypeId, name: &str, input: Input<'a>) -> Option<AggregateFilter> {
        let entries =
            self.aggregate_entries(name, input, "an object such as `{maxAggregationInterval_MAX_LT: 600}`")?;
        let known = node_keys(self.catalog.get(target));
        let filters = entries.iter().filter_map(|entry| {
            self.count_node();
            if matches!(entry.key, "AND" | "OR" | "NOT") {
                return self.combine(entry, |planner, item| planner.aggregate_node(target, entry.key, item));
            }
            let Some((_, key)) = known.iter().find(|(written, _)| written == entry.key) else {
                let kind = QueryErrorKind::UnknownKey { input: name.to_owned(), key: entry.key.to_owned() };
                let names = known.iter().map(|(written, _)| written.as_str());
                self.refuse(kind, entry.key_span, did_you_mean(entry.key, names));
                return None;
            };
            let operand =
                self.present(entry).then(|| self.operand(key.operand, entry.key, entry.value))??;
            let fields =
                self.catalog.concrete(target).into_iter().filter_map(|bound| {
                    self.catalog.get(bound).find(key.field).map(|(field, _)| (bound, field))
                });
            Some(AggregateFilter::Node {
                fields: fields.collect(),
                function: key.function,
                comparison: key.comparison,
                operand,
            })
        });
        all_of(filters.collect())
    }

    fn aggregate_entries(&self, name: &str, input: Input<'a>, expected: &str) -> Option<Vec<Entry<'a>>> {
        match input.shape(self.scope) {
            Shape::Absent => None,
            Shape::Object(entries) => {
                self.refuse_twice(&entries);
                Some(entries)
            }
            Shape::Null => {
                self.refuse_null(name, input, "leave it out, or write `{count: 0}` for none related");
                None
            }
            other => {
                self.refuse_shape(name, input, expected, &other);
                None
            }
        }
    }

    /// Whether the value is there at all; an explicit null is reported.
    fn present(&self, entry: &Entry<'a>) -> bool {
        match entry.value.shape(self.scope) {
            Shape::Absent => false,
            Shape::Null => {
                self.refuse_null(entry.key, entry.value, "leave it out");
                false
            }
            _ => true,
        }
    }

    fn combine(
        &self,
        entry: &Entry<'a>,
        read: impl Fn(&Self, Input<'a>) -> Option<AggregateFilter>,
    ) -> Option<AggregateFilter> {
        if entry.key == "NOT" {
            return read(self, entry.value).map(|filter| AggregateFilter::Not(Box::new(filter)));
        }
        let mut members: Vec<AggregateFilter> = match entry.value.shape(self.scope) {
            Shape::List(items) => items.into_iter().filter_map(|item| read(self, item)).collect(),
            _ => read(self, entry.value).into_iter().collect(),
        };
        match (entry.key, members.len()) {
            (_, 0) => None,
            (_, 1) => members.pop(),
            ("OR", _) => Some(AggregateFilter::Any(members)),
            _ => Some(AggregateFilter::All(members)),
        }
    }
}

fn all_of(mut filters: Vec<AggregateFilter>) -> Option<AggregateFilter> {
    match filters.len() {
        0 => None,
        1 => filters.pop(),
        _ => Some(AggregateFilter::All(filters)),
    }
}
