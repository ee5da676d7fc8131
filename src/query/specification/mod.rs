//! The rules of the GraphQL specification (September 2025) over a parsed document: those that apollo-compiler checks,
//! and beside them those that it doesn't check or checks wrongly. All of the document is held to them, what is skipped
//! and the operations that are not asked for included.

mod introspection;
mod one_of;
mod positions;
mod rules;
mod variables;

use std::collections::BTreeMap;

use apollo_compiler::{
    ExecutableDocument, Name, Schema,
    ast::{Definition, Document},
    collections::HashMap,
    diagnostic::ToCliReport,
    executable::Operation,
    schema::Implementers,
    validation::Valid,
};
use serde_json::{Map, Value as Json};

use super::{
    document::QueryDocument,
    error::{QueryError, QueryErrorKind},
};

/// The schema, in the form that documents are held against.
#[derive(Debug)]
pub(super) struct Specification {
    schema: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
}

/// A document that keeps every rule.
#[derive(Debug)]
pub(super) struct ValidDocument(Valid<ExecutableDocument>);

impl Specification {
    /// Reads the generated schema.
    ///
    /// # Errors
    /// What is wrong with it, where it isn't GraphQL.
    pub(super) fn new(sdl: &str) -> Result<Self, String> {
        let mut schema =
            Schema::parse(sdl, "schema.graphql").map_err(|invalid| invalid.errors.to_string())?;
        one_of::declare(&mut schema);
        let schema = schema.validate().map_err(|invalid| invalid.errors.to_string())?;
        let implementers = schema.implementers_map();
        Ok(Self { schema, implementers })
    }

    /// Holds a document to every rule, whatever the variables are.
    ///
    /// # Errors
    /// Everything that breaks a rule, in the order of the text.
    pub(super) fn check(&self, document: &QueryDocument) -> Result<ValidDocument, Vec<QueryError>> {
        let operations = document.operations.iter().cloned().map(Definition::OperationDefinition);
        let fragments = document.fragments.values().cloned().map(Definition::FragmentDefinition);
        let mut ast = Document::new();
        ast.definitions = operations.chain(fragments).collect();
        let (executable, diagnostics) = match ast.to_executable_validate(&self.schema) {
            Ok(valid) => (valid.into_inner(), None),
            Err(invalid) => (invalid.partial, Some(invalid.errors)),
        };
        let mut errors = positions::check(&self.schema, document, &executable);
        for diagnostic in diagnostics.iter().flat_map(|list| list.iter()) {
            let span = diagnostic.error.location();
            let rule = diagnostic.error.unstable_error_name().unwrap_or_default();
            let place = document.place(span);
            // Of a stored file only the fragments that are asked for are used.
            let is_stored = place.as_ref().is_some_and(|place| place.fragment.is_some());
            let already_told = errors.iter().any(|known| place.is_some() && known.place == place);
            if positions::covers(rule) || already_told || (rule == rules::UNUSED_FRAGMENT && is_stored) {
                continue;
            }
            errors.push(rules::error(rule, &diagnostic.error.to_string()).at(place));
        }
        if !errors.is_empty() {
            errors.sort_by(|one, other| (&one.place, one.code()).cmp(&(&other.place, other.code())));
            errors.dedup();
            return Err(errors);
        }
        Ok(ValidDocument(Valid::assume_valid(executable)))
    }

    /// Whether the values that were sent are what the operation's variables are declared to be.
    ///
    /// # Errors
    /// Every value that is not.
    pub(super) fn check_variables(
        &self,
        document: &QueryDocument,
        valid: &ValidDocument,
        operation_name: Option<&str>,
        given: &Map<String, Json>,
    ) -> Result<(), Vec<QueryError>> {
        let Some(operation) = valid.operation(operation_name) else { return Ok(()) };
        let errors = variables::check(&self.schema, document, operation, given);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The answers to `__schema` and `__type`: the JSON of each by its response key.
    ///
    /// # Errors
    /// Where the query walks the schema in circles (Q8), or names what the introspection does not have.
    pub(super) fn introspect(
        &self,
        document: &QueryDocument,
        valid: &ValidDocument,
        operation_name: Option<&str>,
        given: &Map<String, Json>,
    ) -> Result<BTreeMap<String, Vec<u8>>, Vec<QueryError>> {
        let Some(operation) = valid.operation(operation_name) else { return Ok(BTreeMap::new()) };
        introspection::answer(self, &valid.0, operation, given).map_err(|(message, span)| {
            let kind = QueryErrorKind::Invalid { message };
            vec![QueryError::new(kind).at(document.place(span))]
        })
    }
}

impl ValidDocument {
    fn operation(&self, name: Option<&str>) -> Option<&Operation> {
        self.0.operations.get(name).ok().map(|operation| &**operation)
    }
}
