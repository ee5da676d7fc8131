//! Filters in the words of the query language, bound names looked up in the catalog: what a plan's `Display`, the
//! steps of a run and the reasons of a match are written in. What it writes can be pasted into a `where` again, but
//! for constants and computed fields.

use std::collections::BTreeSet;

use crate::{
    catalog::{Catalog, FieldId, FieldKind, ScalarType, TypeId},
    model::Time,
    query::plan::{
        AggregateFilter, AggregateFunction, Comparison, Filter, Filters, Operand, Quantifier, Test,
    },
};

/// Writes parts of a plan over one catalog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'c>(pub(crate) &'c Catalog);

impl Words<'_> {
    fn name(self, of: TypeId, field: FieldId) -> String {
        self.0.get(of).get(field).name.clone()
    }

    /// The object that a `where` takes; `{}` where nothing is demanded.
    pub(crate) fn filters(self, filters: &Filters) -> String {
        let of_types: Vec<(TypeId, String)> = filters
            .0
            .iter()
            .map(|(of, filter)| {
                (*of, filter.as_ref().map_or_else(String::new, |filter| self.body(*of, filter)))
            })
            .collect();
        let distinct: BTreeSet<&str> = of_types.iter().map(|(_, body)| body.as_str()).collect();
        match (distinct.len(), distinct.first()) {
            (0 | 1, only) => format!("{{{}}}", only.copied().unwrap_or_default()),
            _ => {
                let each =
                    of_types.iter().map(|(of, body)| format!("... on {} {{{body}}}", self.0.get(*of).name));
                format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The keys of a `where` object over one type, without its braces.
    pub(crate) fn body(self, of: TypeId, filter: &Filter) -> String {
        match filter {
            Filter::Constant(true) => "TRUE".to_owned(),
            Filter::Constant(false) => "FALSE".to_owned(),
            Filter::All(members) => self.all(of, members),
            Filter::Any(members) => format!("OR: [{}]", self.objects(of, members)),
            Filter::Not(inner) => match &**inner {
                Filter::IsNull(field) => format!("{}_NOT: null", self.name(of, *field)),
                Filter::NoneRelated(field) => format!("{}_NOT: null", self.name(of, *field)),
                Filter::Field(field, test) => self
                    .test(of, *field, test, true)
                    .unwrap_or_else(|| format!("NOT: {{{}}}", self.body(of, inner))),
                inner => format!("NOT: {{{}}}", self.body(of, inner)),
            },
            Filter::Holds(inner) => format!("holds {{{}}}", self.body(of, inner)),
            Filter::IsNull(field) | Filter::NoneRelated(field) => format!("{}: null", self.name(of, *field)),
            Filter::Field(field, test) => self.test(of, *field, test, false).unwrap_or_default(),
            Filter::Related { field, quantifier, filters } => {
                format!("{}: {}", self.quantified(of, *field, *quantifier), self.filters(filters))
            }
            Filter::Aggregate { field, filter } => {
                format!("{}Aggregate: {{{}}}", self.name(of, *field), self.aggregate(filter))
            }
        }
    }

    fn all(self, of: TypeId, members: &[Filter]) -> String {
        let bodies: Vec<String> = members.iter().map(|member| self.body(of, member)).collect();
        let keys: BTreeSet<&str> =
            bodies.iter().map(|body| body.split(':').next().unwrap_or_default()).collect();
        let are_plain = !members.iter().any(|member| matches!(member, Filter::All(_) | Filter::Constant(_)));
        if are_plain && keys.len() == bodies.len() {
            return bodies.join(", ");
        }
        format!("AND: [{}]", self.objects(of, members))
    }

    fn objects(self, of: TypeId, members: &[Filter]) -> String {
        let objects = members.iter().map(|member| format!("{{{}}}", self.body(of, member)));
        objects.collect::<Vec<_>>().join(", ")
    }

    /// `hasFlowLog_NONE`
    pub(crate) fn quantified(self, of: TypeId, field: FieldId, quantifier: Quantifier) -> String {
        let definition = self.0.get(of).get(field);
        let is_to_one = match &definition.kind {
            FieldKind::Relation { many, .. } => !many,
            FieldKind::Embedded { list, .. } => list.is_none(),
            _ => false,
        };
        let suffix = match quantifier {
            Quantifier::Some if is_to_one => "",
            Quantifier::None if is_to_one => "_NOT",
            Quantifier::Some => "_SOME",
            Quantifier::None => "_NONE",
            Quantifier::All => "_ALL",
            Quantifier::Single => "_SINGLE",
        };
        format!("{}{suffix}", definition.name)
    }

    /// A test as a key and its value; nothing where the negated test has no key of its own.
    pub(crate) fn test(self, of: TypeId, field: FieldId, test: &Test, negated: bool) -> Option<String> {
        let definition = self.0.get(of).get(field);
        let scalar = match definition.kind {
            FieldKind::Scalar { scalar, .. } => scalar,
            _ => ScalarType::String,
        };
        let one = |operand: &Operand| self.operand(scalar, operand);
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let (suffix, can_be_negated, value) = match test {
            Test::Equal(operand) | Test::Compare(Comparison::Equal, operand) => ("", true, one(operand)),
            Test::In { values, with_null } => {
                let null = with_null.then(|| "null".to_owned());
                let values: Vec<String> = values.iter().map(one).chain(null).collect();
                ("_IN", true, format!("[{}]", values.join(", ")))
            }
            Test::Compare(comparison, operand) => (compared(*comparison), false, one(operand)),
            Test::Contains(part) => ("_CONTAINS", true, text(part)),
            Test::StartsWith(part) => ("_STARTS_WITH", true, text(part)),
            Test::EndsWith(part) => ("_ENDS_WITH", true, text(part)),
            Test::Matches(pattern) => ("_MATCHES", false, text(&pattern.text)),
            Test::ListEqual(operands) => {
                let items: Vec<String> = operands
                    .iter()
                    .map(|operand| operand.as_ref().map_or_else(|| "null".to_owned(), one))
                    .collect();
                ("", true, format!("[{}]", items.join(", ")))
            }
            Test::Includes(operand) => ("_INCLUDES", true, one(operand)),
            Test::Within(net) => ("_WITHIN", false, text(&net.to_string())),
            Test::ContainsNet(net) => ("_CONTAINS", false, text(&net.to_string())),
            Test::Overlaps(net) => ("_OVERLAPS", false, text(&net.to_string())),
            // Nobody explains an outline.
            Test::Blank(_) => ("", false, "?".to_owned()),
        };
        let not = match (negated, can_be_negated) {
            (false, _) => "",
            (true, true) => "_NOT",
            (true, false) => return None,
        };
        Some(format!("{}{not}{suffix}: {value}", definition.name))
    }

    /// A value as the language writes it.
    pub(crate) fn operand(self, scalar: ScalarType, operand: &Operand) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match (operand, scalar) {
            (Operand::Text(text), ScalarType::Enum(_)) => text.clone(),
            (Operand::Text(text), _) => quoted(text),
            (Operand::Int(millis), ScalarType::DateTime) => Time::from_millis(*millis)
                .map_or_else(|| millis.to_string(), |time| quoted(&time.to_string())),
            (Operand::Int(days), ScalarType::Date) => {
                day(*days).map_or_else(|| days.to_string(), |day| quoted(&day))
            }
            (Operand::Int(number), _) => number.to_string(),
            (Operand::Float(number), _) => number.to_string(),
            (Operand::Bool(value), _) => value.to_string(),
            (Operand::Net(net), ScalarType::IpAddress) => quoted(&net.addr().to_string()),
            (Operand::Net(net), _) => quoted(&net.to_string()),
        }
    }

    fn aggregate(self, filter: &AggregateFilter) -> String {
        let objects = |members: &[AggregateFilter]| {
            let each = members.iter().map(|member| format!("{{{}}}", self.aggregate(member)));
            each.collect::<Vec<_>>().join(", ")
        };
        match filter {
            AggregateFilter::All(members) => format!("AND: [{}]", objects(members)),
            AggregateFilter::Any(members) => format!("OR: [{}]", objects(members)),
            AggregateFilter::Not(inner) => format!("NOT: {{{}}}", self.aggregate(inner)),
            AggregateFilter::Count(Comparison::Equal, count) => format!("count: {count}"),
            AggregateFilter::Count(comparison, count) => format!("count{}: {count}", compared(*comparison)),
            AggregateFilter::Node { fields, function, comparison, operand } => {
                let (name, scalar) =
                    fields.first().map_or((String::new(), ScalarType::String), |(of, field)| {
                        let definition = self.0.get(*of).get(*field);
                        let scalar = match definition.kind {
                            FieldKind::Scalar { scalar, .. } => scalar,
                            _ => ScalarType::String,
                        };
                        (definition.name.clone(), scalar)
                    });
                let comparison = match comparison {
                    Comparison::Equal => "_EQUAL",
                    other => compared(*other),
                };
                let figure = figure(*function);
                format!("node: {{{name}{figure}{comparison}: {}}}", self.operand(scalar, operand))
            }
        }
    }
}

fn compared(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "",
        Comparison::Less => "_LT",
        Comparison::LessOrEqual => "_LTE",
        Comparison::Greater => "_GT",
        Comparison::GreaterOrEqual => "_GTE",
    }
}

fn figure(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Average => "_AVERAGE",
        AggregateFunction::Min => "_MIN",
        AggregateFunction::Max => "_MAX",
        AggregateFunction::Sum => "_SUM",
        AggregateFunction::Shortest => "_SHORTEST_LENGTH",
        AggregateFunction::Longest => "_LONGEST_LENGTH",
        AggregateFunction::AverageLength => "_AVERAGE_LENGTH",
        AggregateFunction::AnyValue | AggregateFunction::AnyLength => "",
    }
}

/// `2026-11-20`
fn day(days: i64) -> Option<String> {
    let time = Time::from_millis(days.checked_mul(86_400_000)?)?.to_string();
    time.split_once('T').map(|(day, _)| day.to_owned())
}
