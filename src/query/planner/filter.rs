//! `where` objects into filters. "No predicate" is a third outcome beside a filter and an error: it is dropped
//! wherever it stands, so that optional variables compose.

use super::{
    Planner,
    input::{Entry, Input, Shape},
    keys::{self, Key, Operator, RelationOperator},
    operand,
};
use crate::{
    catalog::{FieldId, FieldKind, ScalarType, TypeDef, TypeId},
    query::{
        error::{QueryErrorKind, did_you_mean},
        plan::{Comparison, Filter, Filters, Operand, Pattern, Quantifier, Test},
    },
};

/// The type whose keys may be written, and the asset type the filter is bound to: the same, but for interfaces.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) written: &'a TypeDef,
    pub(super) bound: TypeId,
}

/// A key of a stored field, with the field at its place in the asset type.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredKey<'k> {
    pub(super) id: FieldId,
    pub(super) name: &'k str,
    pub(super) scalar: ScalarType,
    pub(super) is_list: bool,
    pub(super) operator: Operator,
}

impl<'a> Planner<'a> {
    /// The filters of a `where` argument over a type, bound to each asset type it stands for.
    pub(super) fn filters(&self, of: TypeId, name: &str, input: Option<Input<'a>>) -> Filters {
        let bound = self.catalog.concrete(of);
        let written = self.catalog.get(of);
        Filters(
            bound
                .into_iter()
                .map(|bound| {
                    let binding = Binding { written, bound };
                    let filter =
                        input.and_then(|input| self.apart(|| self.filter_value(binding, name, input)));
                    (bound, filter)
                })
                .collect(),
        )
    }

    /// One `where` object; nothing where it makes no demand.
    pub(super) fn filter_value(&self, binding: Binding<'a>, name: &str, input: Input<'a>) -> Option<Filter> {
        match input.shape(self.scope) {
            Shape::Absent => None,
            Shape::Object(entries) => self.filter_object(binding, &entries),
            Shape::Null => {
                self.refuse_null(name, input, "leave it out");
                None
            }
            other => {
                let input_name = where_name(binding.written);
                self.refuse_shape(name, input, &format!("an object of type `{input_name}`"), &other);
                None
            }
        }
    }

    fn filter_object(&self, binding: Binding<'a>, entries: &[Entry<'a>]) -> Option<Filter> {
        self.refuse_twice(entries);
        all_of(entries.iter().filter_map(|entry| self.filter_entry(binding, entry)).collect())
    }

    fn filter_entry(&self, binding: Binding<'a>, entry: &Entry<'a>) -> Option<Filter> {
        self.count_node();
        let Some(key) = keys::read(binding.written, entry.key) else {
            let input = where_name(binding.written);
            let known = self.catalog.find(&binding.written.name).map(|(id, _)| self.catalog.key_names(id));
            let known = known.unwrap_or_default();
            let help = did_you_mean(entry.key, known.iter().map(String::as_str))
                .unwrap_or_else(|| format!("keys of `{input}`: passmuster schema {input}"));
            self.refuse(
                QueryErrorKind::UnknownKey { input, key: entry.key.to_owned() },
                entry.key_span,
                Some(help),
            );
            return None;
        };
        if matches!(entry.value.shape(self.scope), Shape::Absent) {
            return None;
        }
        match key {
            Key::And => all_of(self.filter_list(binding, entry)),
            Key::Or => any_of(self.filter_list(binding, entry)),
            Key::Not => {
                let inner = self.apart(|| self.filter_value(binding, entry.key, entry.value));
                inner.map(|filter| Filter::Not(Box::new(filter)))
            }
            Key::TypenameIn => self.filter_typename(binding, entry),
            Key::Stored { field, scalar, is_list, operator, negated } => {
                let (id, bound) = self.catalog.get(binding.bound).find(&field.name)?;
                // What is a stored Boolean of the interface may be computed by the type.
                if matches!(bound.kind, FieldKind::Computed { .. }) {
                    return self.filter_computed(binding, &field.name, negated, entry);
                }
                let stored = StoredKey { id, name: &field.name, scalar, is_list, operator };
                let filter = self.filter_stored(&stored, entry)?;
                self.record_test(binding, id, negated, &filter, entry);
                Some(if negated { negate(filter) } else { filter })
            }
            Key::Computed { field, negated } => self.filter_computed(binding, &field.name, negated, entry),
            Key::Related { field, operator, nullable, connection } => {
                let id = self.bound_field(binding, &field.name)?;
                let target = match &field.kind {
                    FieldKind::Relation { target, .. } => *target,
                    FieldKind::Embedded { of, .. } => *of,
                    FieldKind::Scalar { .. } | FieldKind::Computed { .. } => return None,
                };
                self.filter_related(id, target, operator, nullable, connection, entry)
            }
            Key::Aggregate { field } => {
                let id = self.bound_field(binding, &field.name)?;
                let FieldKind::Relation { target, .. } = &field.kind else { return None };
                self.aggregate_filter(*target, entry.key, entry.value)
                    .map(|filter| Filter::Aggregate { field: id, filter })
            }
        }
    }

    /// The members of `AND` or `OR`, without those that make no demand. One object stands for a list of one.
    fn filter_list(&self, binding: Binding<'a>, entry: &Entry<'a>) -> Vec<Filter> {
        match entry.value.shape(self.scope) {
            Shape::List(items) => {
                let read = |item| self.filter_value(binding, entry.key, item);
                let each = |item| if entry.key == "OR" { self.apart(|| read(item)) } else { read(item) };
                items.into_iter().filter_map(each).collect()
            }
            _ => self.filter_value(binding, entry.key, entry.value).into_iter().collect(),
        }
    }

    fn filter_typename(&self, binding: Binding<'a>, entry: &Entry<'a>) -> Option<Filter> {
        let bound_name = &self.catalog.get(binding.bound).name;
        let implementors: Vec<&str> =
            binding.written.implementors.iter().map(|id| self.catalog.get(*id).name.as_str()).collect();
        let mut holds = false;
        for item in self.list_items(entry, "write a list of type names")? {
            let is_json = item.is_json(self.scope);
            match item.shape(self.scope) {
                Shape::Name(name) if implementors.contains(&name) => holds |= name == bound_name,
                Shape::Text(name) if is_json && implementors.contains(&name) => holds |= name == bound_name,
                Shape::Name(name) => {
                    let kind = QueryErrorKind::UnknownType { name: name.to_owned() };
                    self.refuse(kind, item.span(), did_you_mean(name, implementors.iter().copied()));
                }
                other => {
                    let expected = format!("names of types that implement `{}`", binding.written.name);
                    self.refuse_shape(entry.key, item, &expected, &other);
                }
            }
        }
        Some(Filter::Constant(holds))
    }

    fn filter_computed(
        &self,
        binding: Binding<'a>,
        name: &str,
        negated: bool,
        entry: &Entry<'a>,
    ) -> Option<Filter> {
        let value = self.operand(ScalarType::Boolean, entry.key, entry.value)?;
        let demanded = matches!(value, Operand::Bool(true)) != negated;
        let holds = self.computed_filter(binding.bound, name)?;
        Some(if demanded { holds } else { Filter::Not(Box::new(holds)) })
    }

    fn filter_related(
        &self,
        field: FieldId,
        target: TypeId,
        operator: RelationOperator,
        nullable: bool,
        connection: bool,
        entry: &Entry<'a>,
    ) -> Option<Filter> {
        if matches!(entry.value.shape(self.scope), Shape::Null) {
            if !nullable {
                let bare = Self::relation_name(entry.key);
                self.refuse_null(
                    entry.key,
                    entry.value,
                    &format!("write `{bare}: null` for none related, `{bare}_NOT: null` for at least one"),
                );
                return None;
            }
            return Some(match operator {
                RelationOperator::None => Filter::Not(Box::new(Filter::NoneRelated(field))),
                _ => Filter::NoneRelated(field),
            });
        }
        let filters = if connection {
            self.connection_filters(target, entry.key, entry.value)
        } else {
            self.filters(target, entry.key, Some(entry.value))
        };
        if filters.is_unconstrained() {
            return None;
        }
        let quantifier = match operator {
            RelationOperator::Some => Quantifier::Some,
            RelationOperator::None => Quantifier::None,
            RelationOperator::All => Quantifier::All,
            RelationOperator::Single => Quantifier::Single,
        };
        Some(Filter::Related { field, quantifier, filters })
    }

    /// `{node: {..}}`, with `AND`, `OR` and `NOT` over such objects.
    pub(super) fn connection_filters(&self, target: TypeId, name: &str, input: Input<'a>) -> Filters {
        let written = self.catalog.get(target);
        Filters(
            self.catalog
                .concrete(target)
                .into_iter()
                .map(|bound| (bound, self.connection_object(Binding { written, bound }, name, input)))
                .collect(),
        )
    }

    fn connection_object(&self, binding: Binding<'a>, name: &str, input: Input<'a>) -> Option<Filter> {
        let entries = match input.shape(self.scope) {
            Shape::Absent => return None,
            Shape::Object(entries) => entries,
            other => {
                self.refuse_shape(name, input, "an object such as `{node: {..}}`", &other);
                return None;
            }
        };
        self.refuse_twice(&entries);
        let list = |entry: &Entry<'a>| -> Vec<Filter> {
            match entry.value.shape(self.scope) {
                Shape::List(items) => items
                    .into_iter()
                    .filter_map(|item| self.connection_object(binding, entry.key, item))
                    .collect(),
                _ => self.connection_object(binding, entry.key, entry.value).into_iter().collect(),
            }
        };
        let members = entries.iter().filter_map(|entry| {
            self.count_node();
            match entry.key {
                "node" => self.apart(|| self.filter_value(binding, entry.key, entry.value)),
                "AND" => all_of(list(entry)),
                "OR" => any_of(list(entry)),
                "NOT" => self
                    .connection_object(binding, entry.key, entry.value)
                    .map(|filter| Filter::Not(Box::new(filter))),
                _ => {
                    let kind =
                        QueryErrorKind::UnknownKey { input: name.to_owned(), key: entry.key.to_owned() };
                    self.refuse(kind, entry.key_span, did_you_mean(entry.key, ["node", "AND", "OR", "NOT"]));
                    None
                }
            }
        });
        all_of(members.collect())
    }

    pub(super) fn filter_stored(&self, key: &StoredKey<'_>, entry: &Entry<'a>) -> Option<Filter> {
        let StoredKey { id, name, scalar, is_list, operator } = *key;
        if let Shape::Blank(blank) = entry.value.shape(self.scope)
            && let Some(test) = self.blanks.test(key, entry.key, blank)
        {
            return Some(Filter::Field(id, test));
        }
        if matches!(entry.value.shape(self.scope), Shape::Null) {
            if operator == Operator::Equal {
                return Some(Filter::IsNull(id));
            }
            let help = format!("write `{name}: null` for no value, `{name}_NOT: null` for any value");
            self.refuse_null(entry.key, entry.value, &help);
            return None;
        }
        let operand = |scalar| self.operand(scalar, entry.key, entry.value);
        let text = |test: fn(String) -> Test| match operand(scalar)? {
            Operand::Text(text) => Some(test(text)),
            _ => None,
        };
        let net = |test: fn(ipnet::IpNet) -> Test| match operand(ScalarType::Cidr)? {
            Operand::Net(net) => Some(test(net)),
            _ => None,
        };
        let compare = |comparison| operand(scalar).map(|operand| Test::Compare(comparison, operand));
        let is_net = matches!(scalar, ScalarType::Cidr | ScalarType::IpAddress);
        let test = match operator {
            Operator::Equal if is_list => self.operands(scalar, entry).map(Test::ListEqual),
            Operator::Equal => operand(scalar).map(Test::Equal),
            Operator::In => {
                let operands = self.operands(scalar, entry)?;
                if operands.is_empty() {
                    // An empty list matches nothing, whatever the value is, null included.
                    return Some(Filter::Constant(false));
                }
                let with_null = operands.iter().any(Option::is_none);
                Some(Test::In { values: operands.into_iter().flatten().collect(), with_null })
            }
            Operator::Contains if is_net => net(Test::ContainsNet),
            Operator::Contains => text(Test::Contains),
            Operator::StartsWith => text(Test::StartsWith),
            Operator::EndsWith => text(Test::EndsWith),
            Operator::Matches => self.pattern(entry).map(Test::Matches),
            Operator::Less => compare(Comparison::Less),
            Operator::LessOrEqual => compare(Comparison::LessOrEqual),
            Operator::Greater => compare(Comparison::Greater),
            Operator::GreaterOrEqual => compare(Comparison::GreaterOrEqual),
            Operator::Includes => operand(scalar).map(Test::Includes),
            Operator::Within => net(Test::Within),
            Operator::Overlaps => net(Test::Overlaps),
        };
        test.map(|test| Filter::Field(id, test))
    }

    /// The values of a list; one value stands for a list of one, an omitted variable in it for null.
    fn operands(&self, scalar: ScalarType, entry: &Entry<'a>) -> Option<Vec<Option<Operand>>> {
        let items = self.list_items(entry, "write a list")?;
        let mut operands = Vec::with_capacity(items.len());
        for item in items {
            operands.push(match item.shape(self.scope) {
                Shape::Null | Shape::Absent => None,
                _ => Some(self.operand(scalar, entry.key, item)?),
            });
        }
        Some(operands)
    }

    fn list_items(&self, entry: &Entry<'a>, instead_of_null: &str) -> Option<Vec<Input<'a>>> {
        match entry.value.shape(self.scope) {
            Shape::List(items) => Some(items),
            Shape::Null => {
                self.refuse_null(entry.key, entry.value, instead_of_null);
                None
            }
            _ => Some(vec![entry.value]),
        }
    }

    /// One coerced value; what can't be coerced is reported.
    pub(super) fn operand(&self, scalar: ScalarType, name: &str, input: Input<'a>) -> Option<Operand> {
        if let unread @ (Shape::Undeclared(_) | Shape::Blank(_)) = input.shape(self.scope) {
            self.refuse_shape(name, input, "", &unread);
            return None;
        }
        match operand::coerce(self.catalog, self.scope, scalar, name, input) {
            Ok(operand) => Some(operand),
            Err(refusal) => {
                self.refuse(refusal.kind, input.span(), refusal.help);
                None
            }
        }
    }

    fn pattern(&self, entry: &Entry<'a>) -> Option<Pattern> {
        let Operand::Text(text) = self.operand(ScalarType::String, entry.key, entry.value)? else {
            return None;
        };
        match Pattern::new(text.clone()) {
            Ok(pattern) => Some(pattern),
            Err(reason) => {
                self.refuse(QueryErrorKind::BadPattern { pattern: text, reason }, entry.value.span(), None);
                None
            }
        }
    }

    /// The key without its quantifier.
    fn relation_name(key: &str) -> &str {
        ["_SOME", "_NONE", "_ALL", "_SINGLE"]
            .iter()
            .find_map(|suffix| key.strip_suffix(suffix))
            .unwrap_or(key)
    }

    fn bound_field(&self, binding: Binding<'a>, name: &str) -> Option<FieldId> {
        self.catalog.get(binding.bound).find(name).map(|(id, _)| id)
    }
}

/// `VpcWhere`
pub(super) fn where_name(definition: &TypeDef) -> String {
    format!("{}Where", definition.name)
}

fn negate(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn all_of(mut filters: Vec<Filter>) -> Option<Filter> {
    match filters.len() {
        0 => None,
        1 => filters.pop(),
        _ => Some(Filter::All(filters)),
    }
}

fn any_of(mut filters: Vec<Filter>) -> Option<Filter> {
    match filters.len() {
        0 => None,
        1 => filters.pop(),
        _ => Some(Filter::Any(filters)),
    }
}
