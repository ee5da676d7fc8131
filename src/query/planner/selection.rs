//! Selections into output: fragments spread, directives decided, fields of one response key merged, for each asset
//! type a value can have. The order is that of the text, as the specification says.

use std::collections::BTreeSet;

use apollo_compiler::{
    Node,
    ast::{DirectiveList, Field as AstField, Selection},
};

use super::{
    Planner, connection, group,
    input::{Input, Shape},
    merging::same_arguments,
    nodes::Arguments,
    parents::{Beside, Parent, Root},
    search,
};
use crate::{
    catalog::{Field, FieldId, FieldKind, ScalarType, TypeDef, TypeId, TypeKind},
    query::{
        error::{QueryErrorKind, did_you_mean},
        names,
        plan::{AskedId, Operand, Output, OutputField, OutputKind, ResponseKey, RootField, RootKind},
    },
};

/// A selection set with the type it is written against.
pub(super) type Selected<'a> = (Parent, &'a [Selection]);

/// The fields of one response key.
pub(super) struct Group<'a> {
    pub(super) key: &'a str,
    pub(super) first: (Parent, &'a Node<AstField>),
    pub(super) selected: Vec<Selected<'a>>,
}

impl<'a> Planner<'a> {
    /// The root fields of an operation.
    pub(super) fn roots(&self, selections: &'a [Selection]) -> Vec<RootField> {
        self.collect(Parent::Root, &[(Parent::Root, selections)])
            .into_iter()
            .filter_map(|group| {
                let kind = self.root_kind(&group)?;
                let as_of = self.as_of(group.first.1);
                Some(RootField { key: group.key.to_owned(), as_of, kind })
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
        let Some(root) = Root::find(self.catalog, &field.name) else {
            self.refuse_unknown_root(field);
            return None;
        };
        let known: &[&str] = match root {
            Root::Many(_) => &["where", "sort", "limit", "offset"],
            Root::One(_) => &["id"],
            Root::Connection(_) => &connection::ARGUMENTS,
            Root::Aggregate(_) => &["where"],
            Root::Group(_) => &group::ARGUMENTS,
            Root::Search => &search::ARGUMENTS,
        };
        let arguments = Arguments::read_root(self, field, known);
        self.require_selection(field, Parent::Root);
        Some(match root {
            Root::Many(of) => RootKind::Nodes(self.nodes(of, &arguments, &group.selected)),
            Root::One(of) => self.root_of_one(of, &arguments, group)?,
            Root::Connection(of) => RootKind::Connection(self.root_connection(of, &arguments, group)),
            Root::Aggregate(of) => RootKind::Aggregate(self.aggregate(of, &arguments, group)),
            Root::Group(of) => RootKind::Groups(self.groups(of, &arguments, group)?),
            Root::Search => RootKind::Search(self.search(&arguments, group)?),
        })
    }

    fn root_of_one(&self, of: TypeId, arguments: &Arguments<'a>, group: &Group<'a>) -> Option<RootKind> {
        let field = group.first.1;
        let output = self.output(of, &group.selected);
        let Some(input) = arguments.get("id") else {
            let kind = QueryErrorKind::MissingArgument { field: field.name.to_string(), argument: "id" };
            self.refuse(kind, field.name.location(), None);
            return None;
        };
        if matches!(input.shape(self.scope), Shape::Null) {
            self.refuse_null("id", input, "give the id of the asset");
            return None;
        }
        if let Shape::Blank(blank) = input.shape(self.scope)
            && let Some(number) = self.blanks.id(blank)
        {
            return Some(RootKind::Node { of, id: AskedId::Blank(number), output });
        }
        match self.operand(ScalarType::Id, "id", input)? {
            Operand::Text(id) => Some(RootKind::Node { of, id: AskedId::Known(id), output }),
            _ => None,
        }
    }

    fn refuse_unknown_root(&self, field: &AstField) {
        let known = Root::names(self.catalog);
        let kind = QueryErrorKind::UnknownField { parent: "Query".to_owned(), field: field.name.to_string() };
        let help = did_you_mean(&field.name, known.iter().map(String::as_str))
            .unwrap_or_else(|| "what can be asked: passmuster schema".to_owned());
        self.refuse(kind, field.name.location(), Some(help));
    }

    /// The entries of an object of a generated type: each field checked against the type, then read.
    pub(super) fn generated_fields<T>(
        &self,
        parent: Parent,
        selected: &[Selected<'a>],
        read: impl Fn(&Group<'a>, &str) -> Option<T>,
    ) -> Vec<T> {
        let known = parent.fields(self.catalog);
        let read_group = |group: Group<'a>| {
            let field = group.first.1;
            let name = field.name.as_str();
            if name != "__typename" && !known.iter().any(|known| known == name) {
                let kind = QueryErrorKind::UnknownField {
                    parent: parent.name(self.catalog),
                    field: name.to_owned(),
                };
                let help = did_you_mean(name, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("it has {}", known.join(", ")));
                self.refuse(kind, field.name.location(), Some(help));
                return None;
            }
            Arguments::read(self, field, &[]);
            match parent.below(self.catalog, name) {
                Some(_) => self.require_selection(field, parent),
                None => self.refuse_selection(field),
            }
            read(&group, name)
        };
        self.collect(parent, selected).into_iter().filter_map(read_group).collect()
    }

    /// What to print of an asset of this type, for each asset type it can have.
    pub(super) fn output(&self, of: TypeId, selected: &[Selected<'a>]) -> Output {
        Output(
            self.catalog
                .concrete(of)
                .into_iter()
                .map(|concrete| (concrete, self.output_of(concrete, selected)))
                .collect(),
        )
    }

    /// What to print of an asset of this one asset type.
    pub(super) fn output_of(&self, concrete: TypeId, selected: &[Selected<'a>]) -> Vec<OutputField> {
        self.collect(Parent::Type(concrete), selected)
            .into_iter()
            .filter_map(|group| {
                let kind = self.output_kind(concrete, &group)?;
                Some(OutputField { key: ResponseKey::new(group.key), kind })
            })
            .collect()
    }

    fn output_kind(&self, concrete: TypeId, group: &Group<'a>) -> Option<OutputKind> {
        let (parent, ast) = group.first;
        if ast.name.as_str() == "__typename" {
            return Some(OutputKind::Typename);
        }
        let name = ast.name.as_str();
        if parent == Parent::Type(concrete)
            && let Some((id, field)) = self.catalog.get(concrete).find(name)
        {
            return self.output_of_field(concrete, id, field, ast, &group.selected);
        }
        if let Parent::Type(written) = parent {
            let definition = self.catalog.get(written);
            if definition.find(name).is_none() {
                let Some((relation, target, beside)) = Beside::find(definition, name) else {
                    self.refuse_unknown_field(definition, ast);
                    return None;
                };
                let (field, _) = self.catalog.get(concrete).find(relation)?;
                return Some(self.output_beside(field, target, beside, group));
            }
        } else if !parent.fields(self.catalog).iter().any(|known| known == name) {
            self.refuse_unknown_of_any(ast);
            return None;
        }
        let (id, field) = self.catalog.get(concrete).find(name)?;
        self.output_of_field(concrete, id, field, ast, &group.selected)
    }

    fn output_beside(&self, field: FieldId, target: TypeId, beside: Beside, group: &Group<'a>) -> OutputKind {
        let (parent, ast) = group.first;
        let known: &[&str] = match beside {
            Beside::Connection => &connection::ARGUMENTS,
            Beside::Aggregate => &["where"],
        };
        let arguments = Arguments::read(self, ast, known);
        self.require_selection(ast, parent);
        match beside {
            Beside::Connection => {
                let connection = self.relation_connection(target, &arguments, group);
                OutputKind::Connection { field, connection: Box::new(connection) }
            }
            Beside::Aggregate => {
                let aggregate = self.aggregate(target, &arguments, group);
                OutputKind::Aggregate { field, aggregate: Box::new(aggregate) }
            }
        }
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
                self.refuse_selection(ast);
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
                self.require_selection(ast, Parent::Type(concrete));
                Some(OutputKind::Embedded { field: id, output: self.output(*of, selected) })
            }
            FieldKind::Relation { target, many: true, .. } => {
                let arguments = Arguments::read(self, ast, &["where", "sort", "limit", "offset"]);
                self.require_selection(ast, Parent::Type(concrete));
                Some(OutputKind::Many { field: id, nodes: self.nodes(*target, &arguments, selected) })
            }
            FieldKind::Relation { target, many: false, .. } => {
                let arguments = Arguments::read(self, ast, &["where"]);
                self.require_selection(ast, Parent::Type(concrete));
                let filters = self.filters(*target, "where", arguments.get_unless_null(self, "where"));
                Some(OutputKind::One { field: id, filters, output: self.output(*target, selected) })
            }
        }
    }

    fn refuse_unknown_field(&self, definition: &TypeDef, ast: &AstField) {
        let name = ast.name.as_str();
        let beside = Beside::names(definition);
        let own = definition.fields.iter().map(|field| field.name.as_str());
        let known = own.chain(beside.iter().map(String::as_str));
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

    /// A field that only some asset types have, asked of any.
    fn refuse_unknown_of_any(&self, ast: &AstField) {
        let name = ast.name.as_str();
        let kind =
            QueryErrorKind::UnknownField { parent: names::SEARCHED_ASSET.to_owned(), field: name.to_owned() };
        let owner = self
            .catalog
            .types()
            .iter()
            .find(|definition| definition.kind != TypeKind::Embedded && definition.find(name).is_some());
        let help = match owner {
            Some(owner) => format!("`{0}` has it: write `... on {0} {{ {name} }}`", owner.name),
            None => "it has id".to_owned(),
        };
        self.refuse(kind, ast.name.location(), Some(help));
    }

    pub(super) fn require_selection(&self, field: &AstField, parent: Parent) {
        if field.selection_set.is_empty() {
            let below = parent.below(self.catalog, &field.name);
            let all = below.map(|below| below.fields(self.catalog)).unwrap_or_default();
            let first = match below {
                Some(Parent::Type(_)) if all.iter().any(|name| name == "id") => "id".to_owned(),
                Some(Parent::SearchHit | Parent::SearchedAsset) | None => "id".to_owned(),
                Some(Parent::Aggregation(_) | Parent::Group(_)) => "count".to_owned(),
                Some(_) => all.into_iter().next().unwrap_or_else(|| "__typename".to_owned()),
            };
            let kind = QueryErrorKind::SelectionMissing { field: field.name.to_string() };
            let help = format!("write `{} {{ {first} }}`", field.name);
            self.refuse(kind, field.name.location(), Some(help));
        }
    }

    fn refuse_selection(&self, field: &AstField) {
        if !field.selection_set.is_empty() {
            let kind = QueryErrorKind::SelectionOnScalar { field: field.name.to_string() };
            self.refuse(kind, field.name.location(), None);
        }
    }

    pub(super) fn collect(&self, concrete: Parent, selected: &[Selected<'a>]) -> Vec<Group<'a>> {
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
        // The type that sub-selections are written against follows from the field, not from the parent.
        let below = |selections: &'a [Selection]| {
            (!selections.is_empty())
                .then(|| (parent.below(self.catalog, &field.name).unwrap_or(parent), selections))
        };
        match groups.iter_mut().find(|group| group.key == key) {
            None => groups.push(Group {
                key,
                first: (parent, field),
                selected: below(&field.selection_set).into_iter().collect(),
            }),
            Some(group) => {
                let first = group.first.1;
                if first.name != field.name || !same_arguments(&first.arguments, &field.arguments) {
                    let kind = QueryErrorKind::ConflictingFields { key: key.to_owned() };
                    let help = format!("give one of the two another name: `other: {}`", field.name);
                    self.refuse(kind, field.alias.as_ref().unwrap_or(&field.name).location(), Some(help));
                }
                group.selected.extend(below(&field.selection_set));
            }
        }
    }

    fn condition(&self, name: &apollo_compiler::Name) -> Option<Parent> {
        let found = Parent::find(self.catalog, name);
        if found.is_none() {
            let known = self.catalog.types().iter().map(|definition| definition.name.as_str());
            let kind = QueryErrorKind::UnknownType { name: name.to_string() };
            self.refuse(kind, name.location(), did_you_mean(name, known));
        }
        found
    }

    fn applies(&self, concrete: Parent, condition: Parent) -> bool {
        match (concrete, condition) {
            (Parent::Type(concrete), Parent::Type(condition)) => {
                concrete == condition || self.catalog.get(concrete).interfaces.contains(&condition)
            }
            (Parent::Type(concrete), Parent::SearchedAsset) => {
                self.catalog.get(concrete).kind == TypeKind::Asset
            }
            (concrete, condition) => concrete == condition,
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
