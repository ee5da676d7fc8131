//! The operation's variables, coerced as the specification says: a default where nothing is given, an error where a
//! non-null one is missing. Values of scalar types are checked here; those of input objects where they are used.

use apollo_compiler::ast::{OperationDefinition, Type, VariableDefinition};
use serde_json::{Map, Value as Json};

use super::{
    input::{Scope, VariableValue, VariableValues},
    operand,
};
use crate::{
    catalog::{Catalog, ScalarType},
    query::{
        document::QueryDocument,
        error::{QueryError, QueryErrorKind},
    },
};

/// Binds the variables that were sent to those the operation declares.
pub(super) fn bind(
    catalog: &Catalog,
    document: &QueryDocument,
    operation: &OperationDefinition,
    given: &Map<String, Json>,
    errors: &mut Vec<QueryError>,
) -> Scope {
    let mut values = VariableValues::new();
    let mut declared = Vec::new();
    for definition in &operation.variables {
        let name = definition.name.as_str();
        declared.push(name.to_owned());
        match given.get(name) {
            Some(json) => match check(catalog, json, &definition.ty) {
                Ok(()) => {
                    values.insert(name.to_owned(), VariableValue::Given(json.clone()));
                }
                Err(kind) => errors.push(place(document, definition, rename(kind, name))),
            },
            None => match &definition.default_value {
                Some(default) => {
                    values.insert(name.to_owned(), VariableValue::Default(default.clone()));
                }
                None if definition.ty.is_non_null() => {
                    let of = definition.ty.to_string();
                    let kind = QueryErrorKind::MissingVariable { name: name.to_owned(), of };
                    errors.push(place(document, definition, kind));
                }
                None => {}
            },
        }
    }
    Scope { declared, values }
}

fn place(document: &QueryDocument, definition: &VariableDefinition, kind: QueryErrorKind) -> QueryError {
    QueryError::new(kind).at(document.place(definition.name.location()))
}

fn rename(kind: QueryErrorKind, variable: &str) -> QueryErrorKind {
    match kind {
        QueryErrorKind::WrongValue { expected, found, .. } => {
            QueryErrorKind::WrongValue { name: format!("${variable}"), expected, found }
        }
        QueryErrorKind::NullNotAllowed { .. } => {
            QueryErrorKind::NullNotAllowed { name: format!("${variable}") }
        }
        other => other,
    }
}

/// Whether JSON fits a declared type: exactly for scalars, enums and lists of them; for input objects only that it is
/// an object, since its keys are checked where the variable is used.
pub(super) fn check(catalog: &Catalog, json: &Json, of: &Type) -> Result<(), QueryErrorKind> {
    if json.is_null() {
        return if of.is_non_null() {
            Err(QueryErrorKind::NullNotAllowed { name: String::new() })
        } else {
            Ok(())
        };
    }
    match of {
        Type::List(item) | Type::NonNullList(item) => match json {
            Json::Array(items) => items.iter().try_for_each(|one| check(catalog, one, item)),
            single => check(catalog, single, item),
        },
        Type::Named(name) | Type::NonNullNamed(name) => match scalar_named(catalog, name) {
            Some(scalar) => operand::check_json(catalog, scalar, json),
            None => Ok(()),
        },
    }
}

pub(super) fn scalar_named(catalog: &Catalog, name: &str) -> Option<ScalarType> {
    const PLAIN: [ScalarType; 10] = [
        ScalarType::String,
        ScalarType::Id,
        ScalarType::Int,
        ScalarType::BigInt,
        ScalarType::Float,
        ScalarType::Boolean,
        ScalarType::DateTime,
        ScalarType::Date,
        ScalarType::Cidr,
        ScalarType::IpAddress,
    ];
    PLAIN
        .into_iter()
        .find(|scalar| catalog.scalar_name(*scalar) == name)
        .or_else(|| catalog.find_enum(name).map(ScalarType::Enum))
}
