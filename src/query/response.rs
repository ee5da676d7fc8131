//! The response as JSON text around the data: errors, and in `extensions` what the answer could not see, what in the
//! query is odd, and how it was answered.

use serde_json::{Map, Value as Json};

use super::{
    Explanation, QueryError, Response, Warning,
    run::{Incomplete, RunError},
};
use crate::model::SliceState;

/// The response to a request that was refused before it ran.
pub(super) fn refused(errors: Vec<QueryError>) -> Response {
    let mut body = vec![b'{'];
    push_errors(&mut body, &errors);
    body.push(b'}');
    Response { body, sent: 0, has_data: false, errors, rows: 0, warnings: Vec::new(), explanation: None }
}

/// The response of a run that was ended. Once part of the data has gone, nothing can be put right behind it.
pub(super) fn stopped(error: RunError, sent: usize) -> Response {
    let errors = vec![QueryError::from(error)];
    let mut body = Vec::new();
    if sent == 0 {
        body.extend_from_slice(b"{\"data\":null");
        push_errors(&mut body, &errors);
        body.push(b'}');
    }
    Response { body, sent, has_data: true, errors, rows: 0, warnings: Vec::new(), explanation: None }
}

/// Appends `"errors": [..]`, with a comma before it unless it is the first entry.
pub(super) fn push_errors(body: &mut Vec<u8>, errors: &[QueryError]) {
    if errors.is_empty() {
        return;
    }
    let list: Vec<Json> = errors.iter().map(QueryError::to_json).collect();
    push_entry(body, "errors", &Json::Array(list));
}

/// Appends `"extensions"`: what the answer could not see, what in the query is odd, how it was answered. Nothing where
/// there is nothing of these.
pub(super) fn push_extensions(
    body: &mut Vec<u8>,
    slices: &[Incomplete],
    warnings: &[Warning],
    explanation: Option<&Explanation>,
) {
    let to_json = |incomplete: &Incomplete| {
        let mut json = slice_to_json(&incomplete.slice);
        if let (Json::Object(object), Some(moment)) = (&mut json, incomplete.as_of) {
            object.insert("asOf".to_owned(), moment.to_string().into());
        }
        json
    };
    let mut extensions = Map::new();
    if !slices.is_empty() {
        extensions.insert("incomplete".to_owned(), slices.iter().map(to_json).collect());
    }
    if !warnings.is_empty() {
        extensions.insert("warnings".to_owned(), warnings.iter().map(Warning::to_json).collect());
    }
    if let Some(explanation) = explanation {
        extensions.insert("explain".to_owned(), explanation.to_json());
    }
    if !extensions.is_empty() {
        push_entry(body, "extensions", &Json::Object(extensions));
    }
}

fn push_entry(body: &mut Vec<u8>, key: &str, value: &Json) {
    if body.len() > 1 {
        body.push(b',');
    }
    body.extend_from_slice(format!("\"{key}\":{value}").as_bytes());
}

/// A slice as the response shows it.
#[must_use]
pub fn slice_to_json(slice: &SliceState) -> Json {
    let mut object = Map::new();
    let mut put = |key: &str, value: Json| {
        if !value.is_null() {
            object.insert(key.to_owned(), value);
        }
    };
    put("assetType", slice.key.asset_type.clone().into());
    put("accountId", slice.key.account_id.clone().into());
    put("region", slice.key.region.clone().into());
    put("outcome", slice.outcome.as_str().into());
    put("reason", slice.reason.clone().into());
    put("attemptedAt", slice.attempted_at.map(|time| time.to_string()).into());
    put("completedAt", slice.completed_at.map(|time| time.to_string()).into());
    Json::Object(object)
}
