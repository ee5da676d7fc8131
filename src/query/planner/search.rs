//! `search(text, types, limit)`: assets of any type that hold a text in their id, name or tags.

use std::collections::BTreeSet;

use super::{
    Planner,
    input::{Input, Shape},
    nodes::Arguments,
    parents::Parent,
    selection::Group,
};
use crate::{
    catalog::{ScalarType, TypeDef, TypeId, TypeKind},
    model::is_ledger_type,
    query::{
        error::{QueryErrorKind, did_you_mean},
        plan::{Operand, Output, Search, SearchField, SearchKind},
    },
};

/// The arguments of a search.
pub(super) const ARGUMENTS: [&str; 3] = ["text", "types", "limit"];

/// What is searched becomes a pattern that ignores case, and patterns are bounded.
const LONGEST_TEXT: usize = 1_000;

impl<'a> Planner<'a> {
    /// A search; nothing where it isn't said for what.
    pub(super) fn search(&self, arguments: &Arguments<'a>, group: &Group<'a>) -> Option<Search> {
        let field = group.first.1;
        let limit = arguments.get_unless_null(self, "limit");
        let limit = limit.and_then(|input| self.page_number("limit", input));
        let types = match arguments.get_unless_null(self, "types") {
            Some(input) => self.searched_types(input)?,
            None => self.asset_types(),
        };
        let Some(input) = arguments.get("text") else {
            let kind = QueryErrorKind::MissingArgument { field: field.name.to_string(), argument: "text" };
            self.refuse(kind, field.name.location(), Some("write `search(text: \"..\") { id }`".to_owned()));
            return None;
        };
        if matches!(input.shape(self.scope), Shape::Null) {
            self.refuse_null("text", input, "say what to look for");
            return None;
        }
        let Operand::Text(text) = self.operand(ScalarType::String, "text", input)? else { return None };
        let length = text.chars().count();
        if length == 0 || length > LONGEST_TEXT {
            let expected = format!("a text of 1 to {LONGEST_TEXT} characters");
            let found = format!("one of {length}");
            let kind = QueryErrorKind::WrongValue { name: "text".to_owned(), expected, found };
            self.refuse(kind, input.span(), None);
            return None;
        }
        let fields = self.generated_fields(Parent::SearchHit, &group.selected, |group, name| {
            let kind = match name {
                "__typename" => SearchKind::HitTypename,
                "typename" => SearchKind::Typename,
                "id" => SearchKind::Id,
                "name" => SearchKind::Name,
                "field" => SearchKind::Field,
                _ => SearchKind::Asset(self.any_output(&types, group)),
            };
            Some(SearchField { key: group.key.to_owned(), kind })
        });
        Some(Search { text, types, limit, fields })
    }

    fn any_output(&self, types: &[TypeId], group: &Group<'a>) -> Output {
        Output(types.iter().map(|of| (*of, self.output_of(*of, &group.selected))).collect())
    }

    fn asset_types(&self) -> Vec<TypeId> {
        // What is said of an asset holds its id; who wants that names the type.
        let is_searched =
            |definition: &TypeDef| definition.kind == TypeKind::Asset && !is_ledger_type(&definition.name);
        let assets = self.catalog.iter().filter(|(_, definition)| is_searched(definition));
        assets.map(|(id, _)| id).collect()
    }

    /// Names of asset types and interfaces; an empty list names none.
    fn searched_types(&self, input: Input<'a>) -> Option<Vec<TypeId>> {
        let items = match input.shape(self.scope) {
            Shape::List(items) => items,
            _ => vec![input],
        };
        let mut types = BTreeSet::new();
        for item in items {
            let is_json = item.is_json(self.scope);
            let shape = item.shape(self.scope);
            let name = match &shape {
                Shape::Name(name) => *name,
                Shape::Text(name) if is_json => *name,
                _ => {
                    self.refuse_shape("types", item, "names of types", &shape);
                    return None;
                }
            };
            match self.catalog.find(name) {
                Some((id, definition)) if definition.kind != TypeKind::Embedded => {
                    types.extend(self.catalog.concrete(id));
                }
                _ => {
                    let searchable = self.catalog.iter().filter(|(_, each)| each.kind != TypeKind::Embedded);
                    let known = searchable.map(|(_, definition)| definition.name.as_str());
                    let kind = QueryErrorKind::UnknownType { name: name.to_owned() };
                    self.refuse(kind, item.span(), did_you_mean(name, known));
                    return None;
                }
            }
        }
        Some(types.into_iter().collect())
    }
}
