//! Every way a request is refused before the engine sees it, with its HTTP status and its stable code.

use std::time::Duration;

use axum::http::StatusCode;

/// A request that is refused. The message is safe to show to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A method other than GET and POST.
    #[error("`{method}` is not allowed here: send POST, or GET for a query")]
    MethodNotAllowed {
        /// As sent.
        method: String,
    },
    /// A mutation in a GET request.
    #[error("a mutation is not allowed over GET: send it with POST")]
    MutationOverGet,
    /// The response can't be written in any media type the client accepts.
    #[error(
        "`Accept: {accept}` allows no answer: accept application/graphql-response+json or application/json, in utf-8"
    )]
    NotAcceptable {
        /// As sent.
        accept: String,
    },
    /// No `Content-Type` on a POST.
    #[error("the content type is missing: send `Content-Type: application/json`")]
    MissingContentType,
    /// A media type or charset that is not read.
    #[error("`Content-Type: {content_type}` is not supported: send application/json in utf-8")]
    UnsupportedContentType {
        /// As sent.
        content_type: String,
    },
    /// A compressed body.
    #[error("`Content-Encoding: {encoding}` is not supported: send the body uncompressed")]
    UnsupportedEncoding {
        /// As sent.
        encoding: String,
    },
    /// A body over the limit.
    #[error("the body has {actual_bytes} bytes{}, the limit is {limit_bytes}", if *.is_exact { "" } else { " and more" })]
    BodyTooLarge {
        /// Its declared length, or how much had arrived when it was given up.
        actual_bytes: u64,
        /// Whether that is its whole length.
        is_exact: bool,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// A body that did not arrive in time.
    #[error("the body had not arrived whole after {} s, the limit is {} s", .limit.as_secs_f64(), .limit.as_secs_f64())]
    BodyTooSlow {
        /// How long is waited.
        limit: Duration,
    },
    /// The connection broke while the body was read.
    #[error("the body could not be read to its end")]
    BodyBroken,
    /// A POST without a body.
    #[error("the body is empty: send a JSON object with a `query`")]
    EmptyBody,
    /// A body or parameter that is not JSON.
    #[error("{place} is not valid JSON: {message}")]
    BadJson {
        /// `the body`, or which parameter.
        place: &'static str,
        /// Where and why.
        message: String,
    },
    /// A list of operations.
    #[error("a batch of {operations} operations is not supported: send one operation a request")]
    Batch {
        /// How many there were.
        operations: usize,
    },
    /// A JSON body that is not an object.
    #[error("the body is {found}: send a JSON object with a `query`")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// No `query`.
    #[error("`query` is missing: send the document as a string")]
    MissingQuery,
    /// A parameter of the wrong type.
    #[error("`{parameter}` is {found}: it must be {expected}")]
    BadParameter {
        /// Which.
        parameter: &'static str,
        /// What it is.
        found: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A `Host` that is not this machine, while nothing but this machine is served (DNS rebinding).
    #[error("`Host: {host}` is not served: this server answers its own machine alone (see --allow-remote)")]
    ForeignHost {
        /// As sent.
        host: String,
    },
    /// A page of another origin that wants a WebSocket.
    #[error(
        "a page of `{origin}` may not connect here: name it in `allowed_origins` of [server] if it is to"
    )]
    ForeignOrigin {
        /// As sent.
        origin: String,
    },
    /// No place for another WebSocket.
    #[error("{limit} WebSocket connections are open, the limit is {limit}: try again later")]
    TooManySockets {
        /// How many may be.
        limit: usize,
    },
    /// Not what a WebSocket begins with.
    #[error("this is no way to begin a WebSocket: {reason}")]
    BadUpgrade {
        /// What is wrong.
        reason: String,
    },
    /// No thread became free in time.
    #[error("{limit} queries were running for {} s already, the limit is {limit}: try again", .waited.as_secs_f64())]
    Busy {
        /// How many run at once.
        limit: usize,
        /// How long this one waited.
        waited: Duration,
    },
    /// The query ran too long.
    #[error("the query ran for more than {} s, the limit is {} s: ask for less", .limit.as_secs_f64(), .limit.as_secs_f64())]
    TimeLimit {
        /// How long it may run.
        limit: Duration,
    },
    /// There is nothing at this path.
    #[error("there is nothing at `{path}`: queries go to /graphql")]
    NotFound {
        /// As sent.
        path: String,
    },
    /// The engine broke; the log has the details.
    #[error("the query could not be answered because of an internal error, which is logged")]
    Internal,
}

impl HttpError {
    /// The stable code in `extensions.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::MutationOverGet => "mutation_over_get",
            Self::NotAcceptable { .. } => "not_acceptable",
            Self::MissingContentType => "missing_content_type",
            Self::UnsupportedContentType { .. } => "unsupported_content_type",
            Self::UnsupportedEncoding { .. } => "unsupported_encoding",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyTooSlow { .. } => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::EmptyBody => "empty_body",
            Self::BadJson { .. } => "bad_json",
            Self::Batch { .. } => "batch_not_supported",
            Self::NotAnObject { .. } => "body_not_an_object",
            Self::MissingQuery => "missing_query",
            Self::BadParameter { .. } => "bad_parameter",
            Self::ForeignHost { .. } => "foreign_host",
            Self::ForeignOrigin { .. } => "foreign_origin",
            Self::TooManySockets { .. } => "too_many_connections",
            Self::BadUpgrade { .. } => "bad_upgrade",
            Self::Busy { .. } => "too_busy",
            Self::TimeLimit { .. } => "time_limit",
            Self::NotFound { .. } => "not_found",
            Self::Internal => "internal_error",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MethodNotAllowed { .. } | Self::MutationOverGet => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::MissingContentType
            | Self::UnsupportedContentType { .. }
            | Self::UnsupportedEncoding { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::BodyBroken
            | Self::EmptyBody
            | Self::BadJson { .. }
            | Self::Batch { .. }
            | Self::NotAnObject { .. }
            | Self::MissingQuery
            | Self::BadUpgrade { .. }
            | Self::BadParameter { .. } => StatusCode::BAD_REQUEST,
            Self::ForeignOrigin { .. } => StatusCode::FORBIDDEN,
            Self::ForeignHost { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::Busy { .. } | Self::TooManySockets { .. } | Self::TimeLimit { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The methods that would be right, for the `Allow` header of a 405.
    #[must_use]
    pub(super) fn allow(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed { .. } => Some("GET, POST"),
            Self::MutationOverGet => Some("POST"),
            _ => None,
        }
    }

    /// The GraphQL response that says so.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let response = serde_json::json!({
            "errors": [{ "message": self.to_string(), "extensions": { "code": self.code() } }]
        });
        response.to_string().into_bytes()
    }
}
