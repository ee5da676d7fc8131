//! `sort`: by the type's own fields, through a to-one (`{vpc: {name: ASC}}`), and by how many are related
//! (`{hasFlowLogAggregate: {count: DESC}}`).

use super::{
    Planner,
    input::{Entry, Input, Shape},
    parents::Beside,
};
use crate::{
    catalog::{FieldId, FieldKind, ScalarType, TypeDef, TypeId},
    query::{
        error::{QueryErrorKind, did_you_mean},
        names,
        plan::{SortBy, SortKey, SortedValue},
    },
};

/// Whether rows can be compared by what a field holds itself.
pub(super) fn is_sortable(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::Scalar { scalar, list, .. } => list.is_none() && *scalar != ScalarType::Json,
        FieldKind::Computed { .. } => true,
        FieldKind::Embedded { .. } | FieldKind::Relation { .. } => false,
    }
}

impl<'a> Planner<'a> {
    /// `[{name: ASC}, ..]`; one object stands for a list of one.
    pub(super) fn sort(&self, of: TypeId, input: Option<Input<'a>>) -> Vec<SortKey> {
        let Some(input) = input else { return Vec::new() };
        let objects = self.sort_objects(input, "objects such as `{name: ASC}`");
        objects.iter().flat_map(|entries| self.sort_keys(of, entries)).collect()
    }

    /// The sort of a relation's connection: `[{node: {name: ASC}}, ..]`.
    pub(super) fn connection_sort(&self, of: TypeId, input: Option<Input<'a>>) -> Vec<SortKey> {
        let Some(input) = input else { return Vec::new() };
        let mut keys = Vec::new();
        for entry in self.sort_objects(input, "objects such as `{node: {name: ASC}}`").iter().flatten() {
            if entry.key == "node" {
                keys.extend(self.sort_below(of, entry));
                continue;
            }
            let input = names::connection_sort(self.catalog.get(of));
            let help = match self.catalog.get(of).find(entry.key) {
                Some(_) => format!("write `{{node: {{{}: ASC}}}}`", entry.key),
                None => "write `{node: {..}}`".to_owned(),
            };
            let kind = QueryErrorKind::UnknownKey { input, key: entry.key.to_owned() };
            self.refuse(kind, entry.key_span, Some(help));
        }
        keys
    }

    pub(super) fn sort_objects(&self, input: Input<'a>, expected: &str) -> Vec<Vec<Entry<'a>>> {
        let items = match input.shape(self.scope) {
            Shape::List(items) => items,
            _ => vec![input],
        };
        let mut objects = Vec::new();
        for item in items {
            match item.shape(self.scope) {
                Shape::Object(entries) => {
                    self.refuse_twice(&entries);
                    objects.push(entries);
                }
                Shape::Absent => {}
                other => self.refuse_shape("sort", item, expected, &other),
            }
        }
        objects
    }

    fn sort_keys(&self, of: TypeId, entries: &[Entry<'a>]) -> Vec<SortKey> {
        if let [_, second, ..] = entries
            && matches!(second.value, Input::Json(..))
        {
            // The keys of a JSON object have no order, and here the order is what is asked for.
            let kind = QueryErrorKind::WrongValue {
                name: "sort".to_owned(),
                expected: "objects of one key each where it comes as a variable".to_owned(),
                found: format!("one of {} keys", entries.len()),
            };
            self.refuse(
                kind,
                second.key_span,
                Some("write `[{\"a\": \"ASC\"}, {\"b\": \"ASC\"}]`".to_owned()),
            );
        }
        entries.iter().flat_map(|entry| self.sort_entry(of, entry)).collect()
    }

    /// The keys of an object that stands behind another key.
    fn sort_below(&self, of: TypeId, entry: &Entry<'a>) -> Vec<SortKey> {
        match entry.value.shape(self.scope) {
            Shape::Object(entries) => {
                self.refuse_twice(&entries);
                self.sort_keys(of, &entries)
            }
            Shape::Absent => Vec::new(),
            other => {
                self.refuse_shape(entry.key, entry.value, "an object such as `{name: ASC}`", &other);
                Vec::new()
            }
        }
    }

    fn sort_entry(&self, of: TypeId, entry: &Entry<'a>) -> Vec<SortKey> {
        if !self.count_node() {
            return Vec::new();
        }
        let definition = self.catalog.get(of);
        if let Some((relation, _, Beside::Aggregate)) = Beside::find(definition, entry.key) {
            return self.sort_by_count(of, relation, entry);
        }
        match definition.find(entry.key).map(|(_, field)| &field.kind) {
            Some(FieldKind::Relation { target, many: false, .. }) => self
                .sort_below(*target, entry)
                .into_iter()
                .map(|SortKey { name, by, descending }| SortKey {
                    name: format!("{}.{name}", entry.key),
                    by: SortBy::Through { relation: self.places(of, entry.key), by: Box::new(by) },
                    descending,
                })
                .collect(),
            Some(kind) if is_sortable(kind) => {
                let Some(descending) = self.direction(entry) else { return Vec::new() };
                vec![SortKey { name: entry.key.to_owned(), by: self.sort_value(of, entry.key), descending }]
            }
            _ => {
                self.refuse_sort_key(definition, entry);
                Vec::new()
            }
        }
    }

    /// A field that rows are compared by, for each asset type they can have.
    pub(super) fn sort_value(&self, of: TypeId, name: &str) -> SortBy {
        let values = self.catalog.concrete(of).into_iter().filter_map(|bound| {
            let (field, definition) = self.catalog.get(bound).find(name)?;
            let value = match definition.kind {
                FieldKind::Computed { .. } => SortedValue::Computed(self.computed_filter(bound, name)?),
                _ => SortedValue::Field(field),
            };
            Some((bound, value))
        });
        SortBy::Value(values.collect())
    }

    fn sort_by_count(&self, of: TypeId, relation: &str, entry: &Entry<'a>) -> Vec<SortKey> {
        let entries = match entry.value.shape(self.scope) {
            Shape::Object(entries) => entries,
            Shape::Absent => return Vec::new(),
            other => {
                self.refuse_shape(entry.key, entry.value, "an object such as `{count: DESC}`", &other);
                return Vec::new();
            }
        };
        self.refuse_twice(&entries);
        let keys = entries.iter().filter_map(|count| {
            if count.key != "count" {
                let kind =
                    QueryErrorKind::UnknownKey { input: entry.key.to_owned(), key: count.key.to_owned() };
                self.refuse(kind, count.key_span, Some("write `{count: DESC}`".to_owned()));
                return None;
            }
            Some(SortKey {
                name: format!("{}.count", entry.key),
                by: SortBy::Count(self.places(of, relation)),
                descending: self.direction(count)?,
            })
        });
        keys.collect()
    }

    fn refuse_sort_key(&self, definition: &TypeDef, entry: &Entry<'a>) {
        let mut known: Vec<String> = Vec::new();
        for field in &definition.fields {
            match &field.kind {
                FieldKind::Relation { many, .. } => {
                    known.push(format!("{}Aggregate", field.name));
                    if !many {
                        known.push(field.name.clone());
                    }
                }
                kind if is_sortable(kind) => known.push(field.name.clone()),
                _ => {}
            }
        }
        let help = match definition.find(entry.key).map(|(_, field)| &field.kind) {
            Some(FieldKind::Relation { many: true, .. }) => {
                Some(format!("write `{{{}Aggregate: {{count: DESC}}}}`", entry.key))
            }
            _ => did_you_mean(entry.key, known.iter().map(String::as_str)),
        };
        let kind = QueryErrorKind::UnknownKey {
            input: format!("{}Sort", definition.name),
            key: entry.key.to_owned(),
        };
        self.refuse(kind, entry.key_span, help);
    }

    /// ASC or DESC: whether greatest first. Nothing where nothing is given, or something else.
    pub(super) fn direction(&self, entry: &Entry<'a>) -> Option<bool> {
        let is_json = entry.value.is_json(self.scope);
        let shape = entry.value.shape(self.scope);
        match &shape {
            Shape::Absent => None,
            Shape::Name("ASC") => Some(false),
            Shape::Name("DESC") => Some(true),
            Shape::Text("ASC") if is_json => Some(false),
            Shape::Text("DESC") if is_json => Some(true),
            _ => {
                self.refuse_shape(entry.key, entry.value, "ASC or DESC", &shape);
                None
            }
        }
    }

    /// A field's place in each asset type that a type stands for.
    pub(super) fn places(&self, of: TypeId, name: &str) -> Vec<(TypeId, FieldId)> {
        let concrete = self.catalog.concrete(of).into_iter();
        concrete
            .filter_map(|bound| self.catalog.get(bound).find(name).map(|(field, _)| (bound, field)))
            .collect()
    }
}
