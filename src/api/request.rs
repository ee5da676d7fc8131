//! Reads a GraphQL request out of an HTTP one: the parameters of a GET's address or a POST's JSON body.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, Uri, header},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    HttpError, Operation,
    negotiate::{check_content_type, check_encoding},
};
use crate::model::kind_of;

/// A header as text; nothing where it is absent or not ASCII.
pub(super) fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads a POST: JSON in UTF-8 alone, uncompressed, within the limits of size and time.
pub(super) async fn read_post(
    headers: &HeaderMap,
    body: impl HttpBody<Data = Bytes> + Unpin,
    limit_bytes: u64,
    limit: Duration,
) -> Result<Operation, HttpError> {
    check_encoding(header_text(headers, header::CONTENT_ENCODING))?;
    check_content_type(content_type(headers)?)?;
    let declared = header_text(headers, header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if let Some(actual_bytes) = declared.filter(|bytes| *bytes > limit_bytes) {
        return Err(HttpError::BodyTooLarge { actual_bytes, is_exact: true, limit_bytes });
    }
    let bytes = tokio::time::timeout(limit, read_body(body, limit_bytes))
        .await
        .map_err(|_| HttpError::BodyTooSlow { limit })??;
    parse_body(&bytes)
}

/// A content type that is not even text is unsupported, not missing.
fn content_type(headers: &HeaderMap) -> Result<Option<&str>, HttpError> {
    match headers.get(header::CONTENT_TYPE) {
        None => Ok(None),
        Some(value) => value.to_str().map(Some).map_err(|_| HttpError::UnsupportedContentType {
            content_type: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        }),
    }
}

async fn read_body(
    mut body: impl HttpBody<Data = Bytes> + Unpin,
    limit_bytes: u64,
) -> Result<Bytes, HttpError> {
    let mut first = Bytes::new();
    let mut read: Vec<u8> = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // What is no data is a trailer, of which nothing is asked.
        let Ok(chunk) = frame.map_err(|_| HttpError::BodyBroken)?.into_data() else { continue };
        let actual_bytes = (first.len() + read.len() + chunk.len()) as u64;
        if actual_bytes > limit_bytes {
            return Err(HttpError::BodyTooLarge { actual_bytes, is_exact: false, limit_bytes });
        }
        // Most bodies come in one piece, which is taken as it is.
        if first.is_empty() && read.is_empty() {
            first = chunk;
        } else {
            read.extend_from_slice(&std::mem::take(&mut first));
            read.extend_from_slice(&chunk);
        }
    }
    Ok(if read.is_empty() { first } else { read.into() })
}

/// The parameters of a request without a mistake in them.
#[derive(Deserialize)]
struct Parameters {
    query: String,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
    #[serde(default)]
    extensions: Option<Map<String, Value>>,
}

fn parse_body(bytes: &[u8]) -> Result<Operation, HttpError> {
    // A list is none, though one of the right length would be read as the parameters in their order.
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    let parameters = is_object.then(|| serde_json::from_slice(bytes));
    match parameters {
        Some(Ok(Parameters { query, operation_name, variables, extensions })) => Ok(Operation {
            query,
            operation_name: operation_name.filter(|name| !name.is_empty()),
            variables: variables.unwrap_or_default(),
            extensions: extensions.unwrap_or_default(),
        }),
        // What exactly is wrong is told by a second look.
        _ => parse_value(bytes),
    }
}

fn parse_value(bytes: &[u8]) -> Result<Operation, HttpError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(HttpError::EmptyBody);
    }
    let body: Value = serde_json::from_slice(bytes)
        .map_err(|error| HttpError::BadJson { place: "the body", message: error.to_string() })?;
    let mut parameters = match body {
        Value::Object(parameters) => parameters,
        Value::Array(operations) => return Err(HttpError::Batch { operations: operations.len() }),
        other => return Err(HttpError::NotAnObject { found: kind_of(&other) }),
    };
    let query = match parameters.remove("query") {
        Some(Value::String(query)) => query,
        None | Some(Value::Null) => return Err(HttpError::MissingQuery),
        Some(other) => return Err(refuse("query", &other, "a string")),
    };
    let operation_name = match parameters.remove("operationName") {
        Some(Value::String(name)) => Some(name),
        None | Some(Value::Null) => None,
        Some(other) => return Err(refuse("operationName", &other, "a string or null")),
    };
    let variables = take_object(&mut parameters, "variables")?;
    let extensions = take_object(&mut parameters, "extensions")?;
    let operation_name = operation_name.filter(|name| !name.is_empty());
    Ok(Operation { query, operation_name, variables, extensions })
}

fn take_object(
    parameters: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Map<String, Value>, HttpError> {
    match parameters.remove(name) {
        Some(Value::Object(object)) => Ok(object),
        None | Some(Value::Null) => Ok(Map::new()),
        Some(other) => Err(refuse(name, &other, "an object or null")),
    }
}

/// Reads a GET: `query`, `operationName`, and `variables` and `extensions` as JSON.
pub(super) fn read_get(uri: &Uri) -> Result<Operation, HttpError> {
    let mut query = None;
    let mut operation_name = None;
    let (mut variables, mut extensions) = (Map::new(), Map::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "query" => query = Some(value.into_owned()),
            "operationName" => operation_name = Some(value.into_owned()).filter(|name| !name.is_empty()),
            "variables" => variables = parse_object("variables", &value)?,
            "extensions" => extensions = parse_object("extensions", &value)?,
            _ => {}
        }
    }
    let query = query.ok_or(HttpError::MissingQuery)?;
    Ok(Operation { query, operation_name, variables, extensions })
}

fn parse_object(name: &'static str, text: &str) -> Result<Map<String, Value>, HttpError> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(other) => Err(refuse(name, &other, "a JSON object")),
        Err(error) => Err(HttpError::BadJson { place: name, message: error.to_string() }),
    }
}

fn refuse(parameter: &'static str, found: &Value, expected: &'static str) -> HttpError {
    HttpError::BadParameter { parameter, found: kind_of(found), expected }
}
