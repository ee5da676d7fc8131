//! The values that were sent for an operation's variables, held against the declared types: input objects down to
//! their last key, also where the variable is used in nothing that is shown.

use std::fmt;

use apollo_compiler::{
    Schema,
    ast::{Type, VariableDefinition},
    executable::Operation,
    schema::ExtendedType,
};
use serde_json::{Map, Value as Json};

use crate::query::{
    document::QueryDocument,
    error::{QueryError, QueryErrorKind, did_you_mean},
};

/// Checks every variable of an operation.
pub(super) fn check(
    schema: &Schema,
    document: &QueryDocument,
    operation: &Operation,
    given: &Map<String, Json>,
) -> Vec<QueryError> {
    let mut errors = Vec::new();
    for variable in &operation.variables {
        if let Err((kind, help)) = check_variable(schema, variable, given) {
            let mut error = QueryError::new(kind).at(document.place(variable.name.location()));
            error.help = help;
            errors.push(error);
        }
    }
    errors
}

/// What is wrong with a value, and what to write instead.
type Wrong = (QueryErrorKind, Option<String>);

fn check_variable(
    schema: &Schema,
    variable: &VariableDefinition,
    given: &Map<String, Json>,
) -> Result<(), Wrong> {
    let name = variable.name.as_str();
    match given.get(name) {
        Some(json) => check_value(schema, Place::Variable(name), &variable.ty, json),
        None if variable.ty.is_non_null() && variable.default_value.is_none() => {
            let of = variable.ty.to_string();
            Err((QueryErrorKind::MissingVariable { name: name.to_owned(), of }, None))
        }
        None => Ok(()),
    }
}

/// Where a value stands: `$where.name_IN`.
#[derive(Clone, Copy)]
enum Place<'a> {
    Variable(&'a str),
    Key(&'a Place<'a>, &'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(formatter, "${name}"),
            Self::Key(within, key) => write!(formatter, "{within}.{key}"),
        }
    }
}

fn check_value(schema: &Schema, place: Place<'_>, of: &Type, json: &Json) -> Result<(), Wrong> {
    if json.is_null() {
        return if of.is_non_null() {
            Err((QueryErrorKind::NullNotAllowed { name: place.to_string() }, None))
        } else {
            Ok(())
        };
    }
    match of {
        Type::List(item) | Type::NonNullList(item) => match json {
            Json::Array(items) => items.iter().try_for_each(|one| check_value(schema, place, item, one)),
            single => check_value(schema, place, item, single),
        },
        Type::Named(name) | Type::NonNullNamed(name) => match schema.types.get(name) {
            Some(ExtendedType::InputObject(input)) => {
                let Json::Object(entries) = json else { return Err(wrong(place, name.as_str(), json)) };
                for (key, value) in entries {
                    let Some(field) = input.fields.get(key.as_str()) else {
                        let kind =
                            QueryErrorKind::UnknownKey { input: input.name.to_string(), key: key.clone() };
                        return Err((
                            kind,
                            did_you_mean(key, input.fields.keys().map(|known| known.as_str())),
                        ));
                    };
                    check_value(schema, Place::Key(&place, key), &field.ty, value)?;
                }
                let missing = input
                    .fields
                    .values()
                    .find(|field| field.is_required() && !entries.contains_key(field.name.as_str()));
                match missing {
                    Some(field) => Err((
                        QueryErrorKind::NullNotAllowed { name: format!("{place}.{}", field.name) },
                        None,
                    )),
                    None => Ok(()),
                }
            }
            Some(ExtendedType::Enum(known)) => match json.as_str() {
                Some(value) if known.values.contains_key(value) => Ok(()),
                Some(value) => {
                    let (kind, _) = wrong(place, name.as_str(), json);
                    Err((kind, did_you_mean(value, known.values.keys().map(|known| known.as_str()))))
                }
                None => Err(wrong(place, name.as_str(), json)),
            },
            _ if is_scalar(name.as_str(), json) => Ok(()),
            _ => Err(wrong(place, name.as_str(), json)),
        },
    }
}

/// Whether JSON is a value of a scalar; those beyond GraphQL's own are read where they are used.
fn is_scalar(name: &str, json: &Json) -> bool {
    match name {
        "Int" => json.as_f64().is_some_and(|number| {
            number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number)
        }),
        "Float" => json.as_f64().is_some_and(f64::is_finite),
        "String" => json.is_string(),
        "Boolean" => json.is_boolean(),
        "ID" => json.is_string() || json.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    }
}

fn wrong(place: Place<'_>, of: &str, json: &Json) -> Wrong {
    let found = match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => format!("`{value}`"),
        Json::Number(number) => format!("`{number}`"),
        Json::String(_) => "a string".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    let expected = format!("a value of type {of}");
    (QueryErrorKind::WrongValue { name: place.to_string(), expected, found }, None)
}
