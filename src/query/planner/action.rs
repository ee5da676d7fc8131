//! Root fields of mutations and subscriptions: their arguments coerced like those of queries, their results planned like
//! assets that are asked for by id.

use apollo_compiler::ast::{OperationDefinition, OperationType};
use serde_json::{Map, Value as Json};

use super::{
    Planner, find_operation,
    input::{Input, Shape},
    nodes::Arguments,
    parents::Parent,
    selection::Group,
    variables,
};
use crate::{
    catalog::{Catalog, ScalarType, TypeId},
    model::Time,
    query::{
        actions::{Act, FINDING, WATCHED, Watch},
        document::QueryDocument,
        error::{QueryError, QueryErrorKind, did_you_mean},
        plan::{
            Action, ChangeField, ChangeFieldKind, Collection, Command, Filters, MutationField, NewException,
            Operand, SubscriptionField, Told, WaitsFor,
        },
    },
};

/// Plans a mutation or a subscription; nothing where the operation is a query.
///
/// # Errors
/// Everything wrong with it, in the order of the text.
pub(in crate::query) fn plan_action(
    catalog: &Catalog,
    document: &QueryDocument,
    operation_name: Option<&str>,
    given: &Map<String, Json>,
) -> Result<Option<Action>, Vec<QueryError>> {
    let operation: &OperationDefinition = find_operation(document, operation_name)?;
    let parent = match operation.operation_type {
        OperationType::Query => return Ok(None),
        OperationType::Mutation => Parent::Mutation,
        OperationType::Subscription => Parent::Subscription,
    };
    let mut errors = Vec::new();
    let scope = variables::bind(catalog, document, operation, given, &mut errors);
    let planner = Planner::new(catalog, document, &scope, errors);
    let groups = planner.collect(parent, &[(parent, operation.selection_set.as_slice())]);
    let action = match parent {
        Parent::Mutation => {
            let fields = groups.iter().filter_map(|group| planner.mutation_field(group));
            Some(Action::Mutation(fields.collect()))
        }
        _ => match groups.as_slice() {
            [only] => planner.subscription_field(only).map(Action::Subscription),
            _ => {
                let message = "a subscription has exactly one root field".to_owned();
                planner.refuse(QueryErrorKind::Invalid { message }, None, None);
                None
            }
        },
    };
    planner.finish(action)
}

impl<'a> Planner<'a> {
    fn mutation_field(&self, group: &Group<'a>) -> Option<MutationField> {
        let field = group.first.1;
        let key = group.key.to_owned();
        if field.name.as_str() == "__typename" {
            let (of, _) = self.catalog.iter().next()?;
            return Some(MutationField { key, command: None, of, output: Default::default() });
        }
        let Some((act, of)) = Act::find(self.catalog, &field.name) else {
            self.refuse_unknown_action(group, Parent::Mutation);
            return None;
        };
        let arguments = Arguments::read(self, field, act.arguments());
        self.require_selection(field, Parent::Mutation);
        let output = self.output(of, &group.selected);
        let command = match act {
            Act::RunCheck => {
                Command::RunCheck { id: self.required_text(group, &arguments, "id", ScalarType::Id)? }
            }
            Act::RevokeException => {
                Command::RevokeException { id: self.required_text(group, &arguments, "id", ScalarType::Id)? }
            }
            Act::AddException => Command::AddException(self.new_exception(group, &arguments)?),
            Act::Collect => Command::Collect(Collection {
                accounts: self.texts(&arguments, "accounts"),
                regions: self.texts(&arguments, "regions"),
                only: self.texts(&arguments, "only"),
            }),
        };
        Some(MutationField { key, command: Some(command), of, output })
    }

    fn new_exception(&self, group: &Group<'a>, arguments: &Arguments<'a>) -> Option<NewException> {
        let owner = self.required_text(group, arguments, "owner", ScalarType::String);
        let reason = self.required_text(group, arguments, "reason", ScalarType::String);
        let expires_at = self.required(group, arguments, "expiresAt").and_then(|input| {
            match self.operand(ScalarType::DateTime, "expiresAt", input)? {
                Operand::Int(millis) => Time::from_millis(millis),
                _ => None,
            }
        });
        Some(NewException {
            check: self.text_of(arguments, "check", ScalarType::Id),
            asset: self.text_of(arguments, "asset", ScalarType::Id),
            account: self.text_of(arguments, "account", ScalarType::String),
            filter: self.text_of(arguments, "filter", ScalarType::String),
            asset_type: self.text_of(arguments, "assetType", ScalarType::String),
            owner: owner?,
            reason: reason?,
            expires_at: expires_at?,
        })
    }

    fn subscription_field(&self, group: &Group<'a>) -> Option<SubscriptionField> {
        let field = group.first.1;
        let Some((watch, of)) = Watch::find(self.catalog, &field.name) else {
            self.refuse_unknown_action(group, Parent::Subscription);
            return None;
        };
        let arguments = Arguments::read(self, field, watch.arguments());
        self.require_selection(field, Parent::Subscription);
        let (waits_for, filters, told) = match watch {
            Watch::FindingChanged => {
                let filters = self.filters(of, "where", arguments.get_unless_null(self, "where"));
                (WaitsFor::FindingChanged, filters, Told::Change(self.change_fields(of, group)))
            }
            Watch::CheckRunFinished => {
                let check = self.text_of(&arguments, "check", ScalarType::Id);
                let all = Filters(vec![(of, None)]);
                (WaitsFor::CheckRunFinished { check }, all, Told::Asset(self.output(of, &group.selected)))
            }
        };
        Some(SubscriptionField { key: group.key.to_owned(), waits_for, of, filters, told })
    }

    fn change_fields(&self, of: TypeId, group: &Group<'a>) -> Vec<ChangeField> {
        self.generated_fields(Parent::FindingChange, &group.selected, |group, name| {
            let kind = match name {
                "__typename" => ChangeFieldKind::Typename,
                "kind" => ChangeFieldKind::Kind,
                "at" => ChangeFieldKind::At,
                FINDING => ChangeFieldKind::Finding(self.output(of, &group.selected)),
                _ => return None,
            };
            Some(ChangeField { key: group.key.to_owned(), kind })
        })
    }

    fn refuse_unknown_action(&self, group: &Group<'a>, parent: Parent) {
        let field = group.first.1;
        let known = parent.fields(self.catalog);
        let kind =
            QueryErrorKind::UnknownField { parent: parent.name(self.catalog), field: field.name.to_string() };
        let help = match known.as_slice() {
            [] => format!("the schema lacks the types of {WATCHED}"),
            known => did_you_mean(&field.name, known.iter().map(String::as_str))
                .unwrap_or_else(|| format!("it has {}", known.join(", "))),
        };
        self.refuse(kind, field.name.location(), Some(help));
    }

    fn required(
        &self,
        group: &Group<'a>,
        arguments: &Arguments<'a>,
        name: &'static str,
    ) -> Option<Input<'a>> {
        let field = group.first.1;
        let Some(input) = arguments.get(name) else {
            let kind = QueryErrorKind::MissingArgument { field: field.name.to_string(), argument: name };
            self.refuse(kind, field.name.location(), None);
            return None;
        };
        if matches!(input.shape(self.scope), Shape::Null) {
            self.refuse_null(name, input, "give a value");
            return None;
        }
        Some(input)
    }

    fn required_text(
        &self,
        group: &Group<'a>,
        arguments: &Arguments<'a>,
        name: &'static str,
        scalar: ScalarType,
    ) -> Option<String> {
        let input = self.required(group, arguments, name)?;
        self.text(name, input, scalar)
    }

    fn text_of(&self, arguments: &Arguments<'a>, name: &str, scalar: ScalarType) -> Option<String> {
        self.text(name, arguments.get_unless_null(self, name)?, scalar)
    }

    fn text(&self, name: &str, input: Input<'a>, scalar: ScalarType) -> Option<String> {
        match self.operand(scalar, name, input)? {
            Operand::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list of texts; a single one is a list of one, as the specification says.
    fn texts(&self, arguments: &Arguments<'a>, name: &str) -> Vec<String> {
        let Some(input) = arguments.get_unless_null(self, name) else { return Vec::new() };
        let items = match input.shape(self.scope) {
            Shape::List(items) => items,
            _ => vec![input],
        };
        items
            .into_iter()
            .filter_map(|item| match item.shape(self.scope) {
                Shape::Null | Shape::Absent => {
                    self.refuse_null(name, item, "leave it out");
                    None
                }
                _ => self.text(name, item, ScalarType::String),
            })
            .collect()
    }
}
