//! The answers to `__schema` and `__type`, out of the same schema that documents are held against.

use std::collections::BTreeMap;

use apollo_compiler::{
    ExecutableDocument,
    ast::Value,
    executable::Operation,
    introspection::{check_max_depth, partial_execute},
    parser::SourceSpan,
    response::JsonMap,
    validation::Valid,
};
use serde_json::{Map, Value as Json};

use super::{Specification, one_of};

/// Why introspection is refused, and where.
type Refusal = (String, Option<SourceSpan>);

/// Answers the introspection fields of an operation: the JSON of each by its response key.
pub(super) fn answer(
    specification: &Specification,
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    given: &Map<String, Json>,
) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let plain = |message: &dyn std::fmt::Display| (message.to_string(), None);
    check_max_depth(document, operation).map_err(|circles| {
        let message = "introspection may step from types to lists of others 3 times, and this query does so more \
                       often; ask for fewer levels";
        (message.to_owned(), circles.location())
    })?;
    let values = Valid::assume_valid(values(operation, given).map_err(|error| plain(&error))?);
    let rewritten = one_of::ask_instead(&specification.schema, document).map(Valid::assume_valid);
    let document = rewritten.as_ref().unwrap_or(document);
    let name = operation.name.as_ref().map(|name| name.as_str());
    let operation = document.operations.get(name).map_or(operation, |rewritten| &**rewritten);
    let response =
        partial_execute(&specification.schema, &specification.implementers, document, operation, &values)
            .map_err(|refused| (refused.message().to_string(), refused.location()))?;
    if let Some(error) = response.errors.first() {
        return Err((error.message.clone(), None));
    }
    let data = response.data.unwrap_or_default();
    let answers = data.into_iter().map(|(key, value)| {
        let answer = serde_json::to_vec(&one_of::put_back(value)).map_err(|error| plain(&error))?;
        Ok((key.as_str().to_owned(), answer))
    });
    answers.collect()
}

/// The values of the variables, defaults included. Only strings and booleans can be arguments of introspection.
fn values(operation: &Operation, given: &Map<String, Json>) -> Result<JsonMap, serde_json::Error> {
    let mut values = Map::new();
    for variable in &operation.variables {
        let name = variable.name.as_str();
        let value = match (given.get(name), variable.default_value.as_deref()) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(Value::String(text))) => Some(text.as_str().into()),
            (None, Some(Value::Boolean(value))) => Some((*value).into()),
            (None, Some(Value::Null)) => Some(Json::Null),
            (None, _) => None,
        };
        if let Some(value) = value {
            values.insert(name.to_owned(), value);
        }
    }
    serde_json::from_value(Json::Object(values))
}
