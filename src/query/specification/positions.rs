//! Values in their positions: a variable may stand only where its type fits, deep inside lists and objects too, and a
//! key stands once in an object. apollo-compiler looks at whole arguments only, and doesn't look for repeated keys.

use std::collections::BTreeSet;

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{Argument, DirectiveList, InputValueDefinition, Type, Value, VariableDefinition},
    executable::{Selection, SelectionSet},
    schema::ExtendedType,
};

use crate::query::{
    document::QueryDocument,
    error::{QueryError, QueryErrorKind, did_you_mean},
};

/// Whether a rule of the library is checked here instead.
pub(super) fn covers(rule: &str) -> bool {
    matches!(rule, "DisallowedVariableUsage" | "UndefinedVariable")
}

/// Checks every value of a document.
pub(super) fn check(
    schema: &Schema,
    document: &QueryDocument,
    executable: &ExecutableDocument,
) -> Vec<QueryError> {
    let mut errors = Vec::new();
    for operation in executable.operations.iter() {
        let mut walk = Walk {
            schema,
            document,
            executable,
            variables: &operation.variables,
            spread: BTreeSet::new(),
            errors: &mut errors,
        };
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                walk.value(None, false, default);
            }
            walk.directives(&variable.directives);
        }
        walk.directives(&operation.directives);
        walk.selections(&operation.selection_set);
    }
    errors
}

/// One operation being walked, with everything it spreads.
struct Walk<'d, 'e> {
    schema: &'d Schema,
    document: &'d QueryDocument,
    executable: &'d ExecutableDocument,
    variables: &'d [Node<VariableDefinition>],
    /// Positions inside a fragment are the same wherever it is spread: each is walked once.
    spread: BTreeSet<&'d str>,
    errors: &'e mut Vec<QueryError>,
}

impl<'d> Walk<'d, '_> {
    fn selections(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    self.directives(&field.directives);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    self.selections(&inline.selection_set);
                }
                Selection::FragmentSpread(used) => {
                    self.directives(&used.directives);
                    let name = used.fragment_name.as_str();
                    if let Some(fragment) = self.executable.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        self.directives(&fragment.directives);
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            let known = self.schema.directive_definitions.get(&directive.name);
            self.arguments(&directive.arguments, known.map_or(&[], |known| known.arguments.as_slice()));
        }
    }

    fn arguments(&mut self, arguments: &[Node<Argument>], known: &[Node<InputValueDefinition>]) {
        for argument in arguments {
            let definition = known.iter().find(|definition| definition.name == argument.name);
            let of = definition.map(|definition| &*definition.ty);
            let has_default = definition.is_some_and(|definition| definition.default_value.is_some());
            self.value(of, has_default, &argument.value);
        }
    }

    /// A value in a position of a type; of none where the position is unknown or takes anything.
    fn value(&mut self, of: Option<&Type>, has_default: bool, value: &Node<Value>) {
        match &**value {
            Value::Variable(name) => self.variable(of, has_default, name, value),
            Value::List(items) => {
                let item = of.filter(|of| of.is_list()).map(Type::item_type);
                for one in items {
                    self.value(item, false, one);
                }
            }
            Value::Object(entries) => {
                let schema = self.schema;
                let input = of.and_then(|of| match schema.types.get(of.inner_named_type()) {
                    Some(ExtendedType::InputObject(input)) => Some(input),
                    _ => None,
                });
                let mut earlier = BTreeSet::new();
                for (key, one) in entries {
                    if !earlier.insert(key.as_str()) {
                        let kind = QueryErrorKind::GivenTwice { name: key.to_string() };
                        self.errors.push(QueryError::new(kind).at(self.document.place(key.location())));
                    }
                    let field = input.and_then(|input| input.fields.get(key));
                    let has_default = field.is_some_and(|field| field.default_value.is_some());
                    self.value(field.map(|field| &*field.ty), has_default, one);
                }
            }
            _ => {}
        }
    }

    fn variable(&mut self, of: Option<&Type>, has_default: bool, name: &Name, value: &Node<Value>) {
        let place = self.document.place(value.location());
        let Some(variable) = self.variables.iter().find(|variable| variable.name == *name) else {
            let kind = QueryErrorKind::UnknownVariable { name: name.to_string() };
            let mut error = QueryError::new(kind).at(place);
            error.help =
                did_you_mean(name.as_str(), self.variables.iter().map(|variable| variable.name.as_str()));
            self.errors.push(error);
            return;
        };
        let Some(of) = of.filter(|of| !is_allowed(variable, of, has_default)) else { return };
        let (written, expected) = (variable.ty.to_string(), of.to_string());
        let message =
            format!("the variable `${name}` of type `{written}` can't stand where `{expected}` is expected");
        let not_null = Type::clone(&variable.ty).non_null();
        let declared = if not_null.is_assignable_to(of) { not_null.to_string() } else { expected };
        let help = format!("declare it as `${name}: {declared}`");
        let kind = QueryErrorKind::RuleBroken { code: "variable_misplaced", message };
        self.errors.push(QueryError::new(kind).at(place).with_help(help));
    }
}

/// `IsVariableUsageAllowed` of the specification.
fn is_allowed(variable: &VariableDefinition, of: &Type, has_default: bool) -> bool {
    if of.is_non_null() && !variable.ty.is_non_null() {
        let own_default = variable.default_value.as_ref().is_some_and(|default| !default.is_null());
        return (own_default || has_default) && variable.ty.is_assignable_to(&of.clone().nullable());
    }
    variable.ty.is_assignable_to(of)
}
