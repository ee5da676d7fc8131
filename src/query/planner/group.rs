//! `vpcsGroup(by: [region, accountId], where, sort, limit) { key {..} count }`: counts by value.

use super::{
    Planner,
    input::{Entry, Input, Shape},
    nodes::Arguments,
    parents::Parent,
    selection::{Group, Selected},
};
use crate::{
    catalog::TypeId,
    query::{
        error::{QueryErrorKind, did_you_mean},
        names,
        plan::{GroupField, GroupKeyField, GroupKeyKind, GroupKind, GroupSort, GroupedBy, Groups},
    },
};

/// The arguments of a group field.
pub(super) const ARGUMENTS: [&str; 4] = ["by", "where", "sort", "limit"];

impl<'a> Planner<'a> {
    /// Counts by value; nothing where it isn't said by which.
    pub(super) fn groups(&self, of: TypeId, arguments: &Arguments<'a>, group: &Group<'a>) -> Option<Groups> {
        let filters = self.filters(of, "where", arguments.get_unless_null(self, "where"));
        let limit = arguments.get_unless_null(self, "limit");
        let limit = limit.and_then(|input| self.page_number("limit", input));
        let Some(by) = arguments.get("by") else {
            let field = group.first.1;
            let kind = QueryErrorKind::MissingArgument { field: field.name.to_string(), argument: "by" };
            let help = format!("write `{}(by: [..]) {{ count }}`", field.name);
            self.refuse(kind, field.name.location(), Some(help));
            return None;
        };
        let by = self.grouped_by(of, by)?;
        let sort = arguments.get_unless_null(self, "sort");
        let sort = sort.map_or_else(Vec::new, |input| self.group_sort(of, &by, input));
        let fields = self.group_fields(of, &by, &group.selected);
        Some(Groups { of, filters, by, sort, limit, fields })
    }

    fn grouped_by(&self, of: TypeId, input: Input<'a>) -> Option<Vec<GroupedBy>> {
        let items = match input.shape(self.scope) {
            Shape::Null => {
                self.refuse_null("by", input, "name at least one field");
                return None;
            }
            Shape::List(items) => items,
            _ => vec![input],
        };
        let known = names::group_keys(self.catalog.get(of));
        let mut by: Vec<GroupedBy> = Vec::new();
        for item in items {
            let is_json = item.is_json(self.scope);
            let shape = item.shape(self.scope);
            let name = match &shape {
                Shape::Name(name) => Some(*name),
                Shape::Text(name) if is_json => Some(*name),
                _ => None,
            };
            let expected = format!("fields to group by, as in `[{}]`", known.join(", "));
            let Some(name) = name else {
                self.refuse_shape("by", item, &expected, &shape);
                return None;
            };
            if !known.iter().any(|known| known == name) {
                let found = shape.describe();
                let kind = QueryErrorKind::WrongValue { name: "by".to_owned(), expected, found };
                self.refuse(kind, item.span(), did_you_mean(name, known.iter().map(String::as_str)));
                return None;
            }
            if by.iter().any(|earlier| earlier.name == name) {
                self.refuse(QueryErrorKind::GivenTwice { name: name.to_owned() }, item.span(), None);
                return None;
            }
            let is_field = self.catalog.get(of).find(name).is_some();
            by.push(GroupedBy { name: name.to_owned(), by: is_field.then(|| self.sort_value(of, name)) });
        }
        if by.is_empty() {
            let expected = "at least one field to group by".to_owned();
            let kind =
                QueryErrorKind::WrongValue { name: "by".to_owned(), expected, found: "none".to_owned() };
            self.refuse(kind, input.span(), Some("for one count of all, ask the aggregate".to_owned()));
            return None;
        }
        Some(by)
    }

    /// `[{count: DESC}, {key: {region: ASC}}]`
    fn group_sort(&self, of: TypeId, by: &[GroupedBy], input: Input<'a>) -> Vec<GroupSort> {
        let mut keys = Vec::new();
        let objects = self.sort_objects(input, "objects such as `{count: DESC}` or `{key: {..}}`");
        for entry in objects.iter().flatten() {
            match entry.key {
                "count" => {
                    let sort = |descending| GroupSort { by: None, descending };
                    keys.extend(self.direction(entry).map(sort));
                }
                "key" => keys.extend(self.group_key_sort(of, by, entry)),
                key => {
                    let input = names::group_sort(self.catalog.get(of));
                    let help = match by.iter().any(|grouped| grouped.name == key) {
                        true => Some(format!("write `{{key: {{{key}: ASC}}}}`")),
                        false => did_you_mean(key, ["count", "key"]),
                    };
                    let kind = QueryErrorKind::UnknownKey { input, key: key.to_owned() };
                    self.refuse(kind, entry.key_span, help);
                }
            }
        }
        keys
    }

    fn group_key_sort(&self, of: TypeId, by: &[GroupedBy], entry: &Entry<'a>) -> Vec<GroupSort> {
        let entries = match entry.value.shape(self.scope) {
            Shape::Object(entries) => entries,
            Shape::Absent => return Vec::new(),
            other => {
                self.refuse_shape(entry.key, entry.value, "an object such as `{region: ASC}`", &other);
                return Vec::new();
            }
        };
        self.refuse_twice(&entries);
        let keys = entries.iter().filter_map(|key| {
            let Some(place) = by.iter().position(|grouped| grouped.name == key.key) else {
                let input = names::group_key_sort(self.catalog.get(of));
                let kind = QueryErrorKind::UnknownKey { input, key: key.key.to_owned() };
                self.refuse(kind, key.key_span, Some(not_grouped(by, key.key)));
                return None;
            };
            Some(GroupSort { by: Some(place), descending: self.direction(key)? })
        });
        keys.collect()
    }

    fn group_fields(&self, of: TypeId, by: &[GroupedBy], selected: &[Selected<'a>]) -> Vec<GroupField> {
        self.generated_fields(Parent::Group(of), selected, |group, name| {
            let kind = match name {
                "__typename" => GroupKind::Typename,
                "count" => GroupKind::Count,
                _ => GroupKind::Key(self.group_key_fields(of, by, &group.selected)),
            };
            Some(GroupField { key: group.key.to_owned(), kind })
        })
    }

    fn group_key_fields(
        &self,
        of: TypeId,
        by: &[GroupedBy],
        selected: &[Selected<'a>],
    ) -> Vec<GroupKeyField> {
        self.generated_fields(Parent::GroupKey(of), selected, |group, name| {
            let kind = if name == "__typename" {
                GroupKeyKind::Typename
            } else if let Some(place) = by.iter().position(|grouped| grouped.name == name) {
                GroupKeyKind::Value(place)
            } else {
                let parent = names::group_key(self.catalog.get(of));
                let kind = QueryErrorKind::UnknownField { parent, field: name.to_owned() };
                self.refuse(kind, group.first.1.name.location(), Some(not_grouped(by, name)));
                return None;
            };
            Some(GroupKeyField { key: group.key.to_owned(), kind })
        })
    }
}

fn not_grouped(by: &[GroupedBy], name: &str) -> String {
    let names: Vec<&str> = by.iter().map(|grouped| grouped.name.as_str()).chain([name]).collect();
    format!("it is not grouped by: write `by: [{}]`", names.join(", "))
}
