//! Selections into output: fragments spread, directives decided, fields of one response key merged, for each asset
//! type a value can have. The order is that of the text, as the specification says.

use std::collections::BTreeSet;

use apollo_compiler::{
    Node,
    ast::{DirectiveList, Field as AstField, Selection},
};

use super::{
    Planner,
    input::{Input, Shape},
    merging::same_arguments,
    nodes::Arguments,
};
use crate::{
    catalog::{Field, FieldId, FieldKind, ScalarType, TypeDef, TypeId, TypeKind},
    query::{
        error::{QueryErrorKind, did_you_mean},
        plan::{Operand, Output, OutputField, OutputKind, RootField, RootKind},
    },
};

/// The type selections are written against: the query root, or a type of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    Root,
    Type(TypeId),
}

/// A selection set with the type it is written against.
pub(super) type Selected<'a> = (Parent, &'a [Selection]);

/// The fields of one response key.
struct Group<'a> {
    key: &'a str,
    first: (Parent, &'a Node<AstField>),
    selected: Vec<Selected<'a>>,
}

impl<'a> Planner<'a> {
    /// The root fields of an operation.
    pub(super) fn roots(&self, selections: &'a [Selection]) -> Vec<RootField> {
        self.collect(Parent::Root, &[(Parent::Root, selections)])
            .into_iter()
            .filter_map(|group| {
                let kind = self.root_kind(&group)?;
                Some(RootField { key: group.key.to_owned(), kind })
            })
            .collect()
    }

    fn root_kind(&self, group: &Group<'a>) -> Option<RootKind> {
        let field = group.first.1;
        match field.name.as_str() {
            "__typename" => return Some(RootKind::Typename),
            "__schema" | "__type" => return Some(RootKind::Introspection),
            _ => {}
        }
        let rooted = |definition: &TypeDef| definition.kind != TypeKind::Embedded;
        for (id, definition) in self.catalog.iter().filter(|(_, definition)| rooted(definition)) {
            if definition.plural == field.name.as_str() {
                let arguments = Arguments::read(self, field, &["where", "sort", "limit", "offset"]);
                self.require_selection(field);
                return Some(RootKind::Nodes(self.nodes(id, &arguments, &group.selected)));
            }
            if definition.singular == field.name.as_str() {
                let arguments = Arguments::read(self, field, &["id"]);
                self.require_selection(field);
                let output = self.output(id, &group.selected);
                let Some(input) = arguments.get("id") else {
                    let kind =
                        QueryErrorKind::MissingArgument { field: field.name.to_string(), argument: "id" };
                    self.refuse(kind, field.name.location(), None);
                    return None;
                };
                if matches!(input.shape(self.scope), Shape::Null) {
                    self.refuse_null("id", input, "give the id of the asset");
                    return None;
                }
                return match self.operand(ScalarType::Id, "id", input)? {
                    Operand::Text(asset_id) => Some(RootKind::Node { of: id, id: asset_id, output }),
                    _ => None,
                };
            }
        }
        let known: Vec<&str> = self
            .catalog
            .types()
            .iter()
            .filter(|definition| rooted(definition))
            .flat_map(|definition| [definition.plural.as_str(), definition.singular.as_str()])
            .collect();
        let kind = QueryErrorKind::UnknownField { parent: "Query".to_owned(), field: field.name.to_string() };
        let help = did_you_mean(&field.name, known.iter().copied())
            .unwrap_or_else(|| "what can be asked: passmuster schema".to_owned());
        self.refuse(kind, field.name.location(), Some(help));
        None
    }

    /// What to print of an asset of this type, for each asset type it can have.
    pub(super) fn output(&self, of: TypeId, selected: &[Selected<'a>]) -> Output {
        Output(
            self.catalog
                .concrete(of)
                .into_iter()
                .map(|concrete| (concrete, self.output_fields(concrete, selected)))
                .collect(),
        )
    }

    fn output_fields(&self, concrete: TypeId, selected: &[Selected<'a>]) -> Vec<OutputField> {
        self.collect(Parent::Type(concrete), selected)
            .into_iter()
            .filter_map(|group| {
                let kind = self.output_kind(concrete, &group)?;
                Some(OutputField { key: group.key.to_owned(), kind })
            })
            .collect()
    }

    fn output_kind(&self, concrete: TypeId, group: &Group<'a>) -> Option<OutputKind> {
        let (parent, ast) = group.first;
        if ast.name.as_str() == "__typename" {
            return Some(OutputKind::Typename);
        }
        let Parent::Type(written) = parent else { return None };
        if self.catalog.get(written).find(&ast.name).is_none() {
            self.refuse_unknown_field(self.catalog.get(written), ast);
            return None;
        }
        let (id, field) = self.catalog.get(concrete).find(&ast.name)?;
        self.output_of_field(concrete, id, field, ast, &group.selected)
    }

    fn output_of_field(
        &self,
        concrete: TypeId,
        id: FieldId,
        field: &Field,
        ast: &'a Node<AstField>,
        selected: &[Selected<'a>],
    ) -> Option<OutputKind> {
        match &field.kind {
            FieldKind::Scalar { .. } | FieldKind::Computed { .. } => {
                Arguments::read(self, ast, &[]);
                if !ast.selection_set.is_empty() {
                    let kind = QueryErrorKind::SelectionOnScalar { field: field.name.clone() };
                    self.refuse(kind, ast.name.location(), None);
                }
                match &field.kind {
                    FieldKind::Computed { .. } => {
                        let filter = self.computed_filter(concrete, &field.name)?;
                        Some(OutputKind::Computed(Some(Box::new(filter))))
                    }
                    _ => Some(OutputKind::Scalar(id)),
                }
            }
            FieldKind::Embedded { of, .. } => {
                Arguments::read(self, ast, &[]);
                self.require_selection(ast);
                Some(OutputKind::Embedded { field: id, output: self.output(*of, selected) })
            }
            FieldKind::Relation { target, many: true, .. } => {
                let arguments = Arguments::read(self, ast, &["where", "sort", "limit", "offset"]);
                self.require_selection(ast);
                Some(OutputKind::Many { field: id, nodes: self.nodes(*target, &arguments, selected) })
            }
            FieldKind::Relation { target, many: false, .. } => {
                let arguments = Arguments::read(self, ast, &["where"]);
                self.require_selection(ast);
                let filters = self.filters(*target, "where", arguments.get_unless_null(self, "where"));
                Some(OutputKind::One { field: id, filters, output: self.output(*target, selected) })
            }
        }
    }

    fn refuse_unknown_field(&self, definition: &TypeDef, ast: &AstField) {
        let name = ast.name.as_str();
        let known = definition.fields.iter().map(|field| field.name.as_str());
        let elsewhere: Vec<&str> = definition
            .implementors
            .iter()
            .map(|id| self.catalog.get(*id))
            .filter(|implementor| implementor.find(name).is_some())
            .map(|implementor| implementor.name.as_str())
            .collect();
        let help = match elsewhere.first() {
            Some(first) => format!("`{first}` has it: write `... on {first} {{ {name} }}`"),
            None => did_you_mean(name, known).unwrap_or_else(|| {
                format!("fields of `{}`: passmuster schema {}", definition.name, definition.name)
            }),
        };
        let kind = QueryErrorKind::UnknownField { parent: definition.name.clone(), field: name.to_owned() };
        self.refuse(kind, ast.name.location(), Some(help));
    }

    fn require_selection(&self, field: &AstField) {
        if field.selection_set.is_empty() {
            let kind = QueryErrorKind::SelectionMissing { field: field.name.to_string() };
            let help = format!("write `{} {{ id }}`", field.name);
            self.refuse(kind, field.name.location(), Some(help));
        }
    }

    fn collect(&self, concrete: Parent, selected: &[Selected<'a>]) -> Vec<Group<'a>> {
        let mut groups = Vec::new();
        let mut spread = BTreeSet::new();
        for (parent, selections) in selected {
            self.collect_into(concrete, *parent, selections, &mut groups, &mut spread);
        }
        groups
    }

    fn collect_into(
        &self,
        concrete: Parent,
        parent: Parent,
        selections: &'a [Selection],
        groups: &mut Vec<Group<'a>>,
        spread: &mut BTreeSet<&'a str>,
    ) {
        for selection in selections {
            if !self.count_node() {
                return;
            }
            match selection {
                Selection::Field(field) => {
                    if self.is_included(&field.directives) {
                        self.add_field(parent, field, groups);
                    }
                }
                Selection::InlineFragment(inline) => {
                    if !self.is_included(&inline.directives) {
                        continue;
                    }
                    let condition = match &inline.type_condition {
                        Some(name) => self.condition(name),
                        None => Some(parent),
                    };
                    if let Some(condition) = condition.filter(|condition| self.applies(concrete, *condition))
                    {
                        self.collect_into(concrete, condition, &inline.selection_set, groups, spread);
                    }
                }
                Selection::FragmentSpread(used) => {
                    let name = used.fragment_name.as_str();
                    if !self.is_included(&used.directives) || !spread.insert(name) {
                        continue;
                    }
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    let condition = self.condition(&fragment.type_condition);
                    if let Some(condition) = condition.filter(|condition| self.applies(concrete, *condition))
                    {
                        self.collect_into(concrete, condition, &fragment.selection_set, groups, spread);
                    }
                }
            }
        }
    }

    fn add_field(&self, parent: Parent, field: &'a Node<AstField>, groups: &mut Vec<Group<'a>>) {
        let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
        let selected = (parent, field.selection_set.as_slice());
        // The type that sub-selections are written against follows from the field, not from the parent: it is set
        // when the field's own type is known.
        match groups.iter_mut().find(|group| group.key == key) {
            None => groups.push(Group {
                key,
                first: (parent, field),
                selected: vec![self.below(field, selected)],
            }),
            Some(group) => {
                let first = group.first.1;
                if first.name != field.name || !same_arguments(&first.arguments, &field.arguments) {
                    let kind = QueryErrorKind::ConflictingFields { key: key.to_owned() };
                    let help = format!("give one of the two another name: `other: {}`", field.name);
                    self.refuse(kind, field.alias.as_ref().unwrap_or(&field.name).location(), Some(help));
                }
                group.selected.push(self.below(field, selected));
            }
        }
    }

    /// The selections below a field, with the type they are written against.
    fn below(&self, field: &AstField, (parent, selections): Selected<'a>) -> Selected<'a> {
        let target = match parent {
            Parent::Root => self
                .catalog
                .iter()
                .find(|(_, definition)| {
                    [&definition.plural, &definition.singular].contains(&&field.name.to_string())
                })
                .map(|(id, _)| id),
            Parent::Type(id) => match self.catalog.get(id).find(&field.name).map(|(_, field)| &field.kind) {
                Some(FieldKind::Relation { target, .. }) => Some(*target),
                Some(FieldKind::Embedded { of, .. }) => Some(*of),
                _ => None,
            },
        };
        (target.map_or(parent, Parent::Type), selections)
    }

    fn condition(&self, name: &apollo_compiler::Name) -> Option<Parent> {
        if name == "Query" {
            return Some(Parent::Root);
        }
        let found = self.catalog.find(name).map(|(id, _)| Parent::Type(id));
        if found.is_none() {
            let known = self.catalog.types().iter().map(|definition| definition.name.as_str());
            let kind = QueryErrorKind::UnknownType { name: name.to_string() };
            self.refuse(kind, name.location(), did_you_mean(name, known));
        }
        found
    }

    fn applies(&self, concrete: Parent, condition: Parent) -> bool {
        match (concrete, condition) {
            (Parent::Root, Parent::Root) => true,
            (Parent::Type(concrete), Parent::Type(condition)) => {
                concrete == condition || self.catalog.get(concrete).interfaces.contains(&condition)
            }
            _ => false,
        }
    }

    /// What `@include(if:)` and `@skip(if:)` say.
    fn is_included(&self, directives: &'a DirectiveList) -> bool {
        let mut included = true;
        for directive in directives.iter() {
            let wanted = match directive.name.as_str() {
                "include" => true,
                "skip" => false,
                name => {
                    let kind = QueryErrorKind::UnknownDirective { name: name.to_owned() };
                    self.refuse(kind, directive.name.location(), did_you_mean(name, ["include", "skip"]));
                    continue;
                }
            };
            let argument = directive.arguments.iter().find(|argument| argument.name == "if");
            let Some(argument) = argument else {
                let field = format!("@{}", directive.name);
                let kind = QueryErrorKind::MissingArgument { field, argument: "if" };
                self.refuse(kind, directive.name.location(), None);
                continue;
            };
            let input = Input::Literal(&argument.value);
            match input.shape(self.scope) {
                Shape::Null | Shape::Absent => self.refuse_null("if", input, "write `true` or `false`"),
                _ => {
                    if let Some(Operand::Bool(value)) = self.operand(ScalarType::Boolean, "if", input) {
                        included &= value == wanted;
                    }
                }
            }
        }
        included
    }
}
