//! Mutations and subscriptions through the engine: planned like queries, with the same guard, rules and messages; what
//! came of them is printed like assets that are asked for by id.

use std::collections::BTreeMap;

use serde_json::{Value as Json, value::RawValue};

use super::{
    Engine, Request, Response,
    actions::{FINDING_CHANGE, MUTATION},
    error::{QueryError, QueryErrorKind},
    plan::{
        Action, AskedId, ChangeFieldKind, Filter, Filters, MutationField, Nodes, Operand, Output, Plan,
        RootField, RootKind, SubscriptionField, Test, Told,
    },
    response::{push_errors, refused, stopped},
    run::{FieldError, PathSegment, Ran, RunError, RunLimits, run},
};
use crate::{catalog::TypeId, graph::Graph, model::Time};

/// Why what a mutation asks for was not done: a stable code and a message that is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDone {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// The key of a list that decides whether an asset is told of.
const DECIDES: &str = "?";

impl Engine {
    /// Plans a mutation or a subscription; nothing where the request is a query.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn action(&self, request: &Request) -> Result<Option<Action>, Vec<QueryError>> {
        self.preparer().prepare_action(request)
    }

    /// Answers a mutation: `done` holds for each field the id of what came of it.
    #[must_use]
    pub fn answer_mutation(
        &self,
        graph: &Graph,
        fields: &[MutationField],
        done: &[Result<String, NotDone>],
        limits: &RunLimits<'_>,
    ) -> Response {
        let mut errors = Vec::new();
        let mut roots = Vec::new();
        for (field, done) in fields.iter().zip(done).filter(|(field, _)| field.command.is_some()) {
            match done {
                Ok(id) => {
                    let kind = RootKind::Node {
                        of: field.of,
                        id: AskedId::Known(id.clone()),
                        output: field.output.clone(),
                    };
                    roots.push(RootField { key: field.key.clone(), as_of: None, kind });
                }
                Err(NotDone { code, message }) => {
                    let kind = QueryErrorKind::NotDone { code, message: message.clone() };
                    let path = vec![PathSegment::Key(field.key.clone())];
                    errors.push(QueryError { path, ..QueryError::new(kind) });
                }
            }
        }
        let (printed, rows) = match print(graph, roots, limits) {
            Ok((printed, unfulfilled, rows)) => {
                errors.extend(unfulfilled.into_iter().map(QueryError::from));
                (printed, rows)
            }
            // It is done nevertheless: only the answer is too large.
            Err(error) => return stopped(error, 0),
        };
        let entries = fields.iter().map(|field| {
            let value = match &field.command {
                None => Json::from(MUTATION).to_string(),
                Some(_) => printed.get(&field.key).map_or("null", |value| value.get()).to_owned(),
            };
            format!("{}:{value}", Json::from(field.key.as_str()))
        });
        let data = entries.collect::<Vec<_>>().join(",");
        let mut body = format!("{{\"data\":{{{data}}}").into_bytes();
        push_errors(&mut body, &errors);
        body.push(b'}');
        Response { body, sent: 0, has_data: true, errors, rows, warnings: Vec::new(), explanation: None }
    }

    /// The response to a request that can't be done at all.
    #[must_use]
    pub fn refuse(&self, errors: Vec<QueryError>) -> Response {
        refused(errors)
    }

    /// What a subscription tells of an asset, as a GraphQL response; nothing where its filter does not keep the asset.
    /// `kind` and `at` say how it changed, and when.
    #[must_use]
    pub fn tell(
        &self,
        graph: &Graph,
        field: &SubscriptionField,
        (id, kind, at): (&str, &str, Time),
        limits: &RunLimits<'_>,
    ) -> Option<String> {
        let (id_field, _) = self.catalog().get(field.of).find("id")?;
        let chosen = Filter::Field(id_field, Test::Equal(Operand::Text(id.to_owned())));
        let kept = field.filters.of(field.of).cloned();
        let filter = Filter::All(std::iter::once(chosen).chain(kept).collect());
        let list = |key: &str, output: Output| list_of(key, field.of, filter.clone(), output);
        let entries: Vec<RootField> = match &field.told {
            Told::Asset(output) => vec![list(&field.key, output.clone())],
            Told::Change(entries) => entries
                .iter()
                .filter_map(|entry| match &entry.kind {
                    ChangeFieldKind::Finding(output) => Some(list(&entry.key, output.clone())),
                    _ => None,
                })
                .collect(),
        };
        // On its own, or what can't be given of the asset would count as not kept.
        let decided = print(graph, vec![list(DECIDES, Output::default())], limits);
        let printed = decided.and_then(|(kept, _, _)| {
            let kept = first(&kept, DECIDES);
            kept.map(|_| print(graph, entries, limits)).transpose()
        });
        let (printed, unfulfilled) = match printed {
            Ok(Some((printed, unfulfilled, _))) => (printed, unfulfilled),
            Ok(None) => return None,
            Err(error) => return String::from_utf8(stopped(error, 0).body).ok(),
        };
        // The root may not be null, so nothing can stand where the asset can't.
        let data = told_value(field, &printed, (kind, at)).map_or_else(
            || "null".to_owned(),
            |value| format!("{{{}:{value}}}", Json::from(field.key.as_str())),
        );
        let mut body = format!("{{\"data\":{data}").into_bytes();
        let errors = unfulfilled.into_iter().map(|error| QueryError::from(placed(error, field)));
        push_errors(&mut body, &errors.collect::<Vec<_>>());
        body.push(b'}');
        String::from_utf8(body).ok()
    }
}

/// What a subscription tells, as JSON; nothing where the asset could not be printed.
fn told_value(
    field: &SubscriptionField,
    printed: &BTreeMap<String, Box<RawValue>>,
    (kind, at): (&str, Time),
) -> Option<String> {
    let entries = match &field.told {
        Told::Asset(_) => return first(printed, &field.key),
        Told::Change(entries) => entries,
    };
    let mut values = Vec::with_capacity(entries.len());
    for entry in entries {
        let value = match &entry.kind {
            ChangeFieldKind::Typename => Json::from(FINDING_CHANGE).to_string(),
            ChangeFieldKind::Kind => Json::from(kind).to_string(),
            ChangeFieldKind::At => Json::from(at.to_string()).to_string(),
            ChangeFieldKind::Finding(_) => first(printed, &entry.key)?,
        };
        values.push(format!("{}:{value}", Json::from(entry.key.as_str())));
    }
    Some(format!("{{{}}}", values.join(",")))
}

/// The first item of a list that was printed.
fn first(printed: &BTreeMap<String, Box<RawValue>>, key: &str) -> Option<String> {
    let items: Vec<&RawValue> = serde_json::from_str(printed.get(key)?.get()).ok()?;
    items.first().map(|item| item.get().to_owned())
}

/// An error at its place in what is told, where the asset, printed as the one item of a list, stands by itself.
fn placed(error: FieldError, field: &SubscriptionField) -> FieldError {
    let around = match &field.told {
        Told::Asset(_) => None,
        Told::Change(_) => Some(PathSegment::Key(field.key.clone())),
    };
    let within = error.path.into_iter().enumerate().filter(|(place, _)| *place != 1);
    let path = around.into_iter().chain(within.map(|(_, segment)| segment)).collect();
    FieldError { path, ..error }
}

/// The assets of one type that a filter keeps.
fn list_of(key: &str, of: TypeId, filter: Filter, output: Output) -> RootField {
    let filters = Filters(vec![(of, Some(filter))]);
    let kind = RootKind::Nodes(Nodes { of, filters, sort: Vec::new(), limit: None, offset: 0, output });
    RootField { key: key.to_owned(), as_of: None, kind }
}

/// What came of root fields: the JSON of each by its key, what could not be given, and how many assets there are in it.
type Printed = (BTreeMap<String, Box<RawValue>>, Vec<FieldError>, u64);

fn print(graph: &Graph, roots: Vec<RootField>, limits: &RunLimits<'_>) -> Result<Printed, RunError> {
    let Ran { data, errors, rows } = run(&Plan { roots }, graph, &BTreeMap::new(), limits)?;
    // Null where a field that may not be null reached the top: then there is an error that says so.
    let printed: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_slice(&data).unwrap_or_default();
    Ok((printed.unwrap_or_default(), errors, rows))
}
