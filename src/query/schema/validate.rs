//! Validation of a request, and the answers to introspection. An extension stops async-graphql after it has parsed and
//! validated, unless introspection is wanted.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Request, Response, ServerError, ServerResult, Value, Variables, async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery},
    parser::types::ExecutableDocument,
};
use futures_util::FutureExt;
use serde_json::Map;

use super::{GeneratedSchema, introspection::introspection_keys};

/// A document to validate. It must have passed the guard: neither the parser nor the rules survive every text.
#[derive(Clone, Copy, Debug)]
pub struct ValidationRequest<'r> {
    /// The whole document, its fragments included.
    pub document: &'r str,
    /// Which of its operations, where it has several.
    pub operation_name: Option<&'r str>,
    /// The variables as they came.
    pub variables: &'r Map<String, serde_json::Value>,
    /// Whether `__schema` and `__type` are to be answered.
    pub wants_introspection: bool,
}

/// Why a document is not valid against the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValidationError {
    /// What is wrong, in the words of the validator.
    pub message: String,
    /// The line in the document, from 1; 0 where the validator names no place.
    pub line: usize,
    /// The column in characters, from 1; 0 where the validator names no place.
    pub column: usize,
}

impl From<ServerError> for ValidationError {
    fn from(error: ServerError) -> Self {
        let place = error.locations.first();
        Self {
            line: place.map_or(0, |place| place.line),
            column: place.map_or(0, |place| place.column),
            message: without_drawing(&error.message),
        }
    }
}

/// The parser draws the place into its messages, over several lines; the last one says what is wrong.
fn without_drawing(message: &str) -> String {
    match message.rsplit_once("\n  = ").or_else(|| message.rsplit_once("\n = ")) {
        Some((_, wrong)) => format!("syntax error: {}", wrong.trim()),
        None => message.to_owned(),
    }
}

impl GeneratedSchema {
    /// Validates a document, and answers its introspection fields if that is wanted: the JSON of each by its
    /// response key.
    ///
    /// # Errors
    /// Everything the validator found, by place. It does not check the types of variables against where they are used,
    /// nor the range of integers: the planner does.
    pub fn validate(
        &self,
        request: &ValidationRequest<'_>,
    ) -> Result<BTreeMap<String, Vec<u8>>, Vec<ValidationError>> {
        let wish = Arc::new(Wish {
            introspection: request.wants_introspection,
            operation_name: request.operation_name.map(str::to_owned),
            keys: Mutex::default(),
        });
        let variables = Variables::from_json(serde_json::Value::Object(request.variables.clone()));
        let mut prepared = Request::new(request.document).variables(variables).data(Arc::clone(&wish));
        prepared.operation_name.clone_from(&wish.operation_name);
        // Nothing here waits: no resolver, no extension and no lock of the library is pending without another request.
        let Some(response) = self.schema.execute(prepared).now_or_never() else {
            let message = "the validator stopped before it had an answer".to_owned();
            return Err(vec![ValidationError { message, line: 0, column: 0 }]);
        };
        if !response.errors.is_empty() {
            let mut errors: Vec<_> = response.errors.into_iter().map(ValidationError::from).collect();
            // The rules walk operations and fragments in the order of a hash.
            errors.sort_by(|one, other| {
                (one.line, one.column, &one.message).cmp(&(other.line, other.column, &other.message))
            });
            errors.dedup();
            return Err(errors);
        }
        let Value::Object(mut data) = response.data else { return Ok(BTreeMap::new()) };
        let keys = wish.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = keys.iter().filter_map(|key| {
            let answer = data.swap_remove(key.as_str())?;
            Some((key.clone(), serde_json::to_vec(&answer).ok()?))
        });
        Ok(answers.collect())
    }
}

/// What a request wants of the validator, and the introspection fields that were found in it.
struct Wish {
    introspection: bool,
    operation_name: Option<String>,
    keys: Mutex<Vec<String>>,
}

/// Stops after validation, unless introspection is wanted.
pub(super) struct ValidateOnly;

impl ExtensionFactory for ValidateOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for ValidateOnly {
    async fn parse_query(
        &self,
        context: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(context, query, variables).await?;
        if let Some(wish) = context.data_opt::<Arc<Wish>>() {
            let keys = introspection_keys(&document, wish.operation_name.as_deref())
                .map_err(|message| ServerError::new(message, None))?;
            *wish.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(document)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        match context.data_opt::<Arc<Wish>>() {
            Some(wish) if wish.introspection => next.run(context, operation_name).await,
            _ => Response::default(),
        }
    }
}
