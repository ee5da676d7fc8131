//! `/graphql`: negotiate, read, run off the async threads within the limits, write.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::JoinError,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Answered, App, HttpError, Operation, Status, Stop,
    answer::StopOnDrop,
    negotiate::{self, MediaType},
    operation::selects_mutation,
    request::{header_text, read_get, read_post},
};

/// Handles every method on `/graphql`.
pub(super) async fn handle(State(app): State<App>, request: Request) -> Response {
    // Several `Accept` headers are one list.
    let accepted = request.headers().get_all(header::ACCEPT);
    let accepted: Vec<&str> = accepted.iter().filter_map(|value| value.to_str().ok()).collect();
    let media_type = match negotiate::choose(&accepted.join(",")) {
        Ok(media_type) => media_type,
        Err(error) => return refusal(&error, MediaType::Json),
    };
    match answer(&app, request).await {
        Ok(answered) => respond(answered, media_type),
        Err(error) => refusal(&error, media_type),
    }
}

async fn answer(app: &App, request: Request) -> Result<Answered, HttpError> {
    app.host_rule.check(header_text(request.headers(), header::HOST))?;
    let operation = match *request.method() {
        Method::GET | Method::HEAD => {
            let operation = read_get(request.uri())?;
            if selects_mutation(&operation.query, operation.operation_name.as_deref()) {
                return Err(HttpError::MutationOverGet);
            }
            operation
        }
        Method::POST => {
            let (parts, body) = request.into_parts();
            read_post(&parts.headers, body, app.limits.body_bytes, app.limits.body_time).await?
        }
        ref method => return Err(HttpError::MethodNotAllowed { method: method.to_string() }),
    };
    run(app, operation).await
}

/// Runs the operation on a thread of its own. Dropping this future (the client went) tells the query to stop.
async fn run(app: &App, operation: Operation) -> Result<Answered, HttpError> {
    let permit = acquire(app).await?;
    let deadline = Instant::now() + app.limits.query_time;
    let stop = Stop::default();
    let guard = StopOnDrop(stop.clone());
    let answer = Arc::clone(&app.answer);
    let running = tokio::task::spawn_blocking(move || {
        let _until_done: OwnedSemaphorePermit = permit;
        answer.answer(&operation, &stop)
    });
    let finished = timeout_at(deadline, running).await;
    drop(guard);
    match finished {
        Ok(Ok(answered)) => Ok(answered),
        Ok(Err(error)) => {
            log_panic(&error);
            Err(HttpError::Internal)
        }
        Err(_) => Err(HttpError::TimeLimit { limit: app.limits.query_time }),
    }
}

async fn acquire(app: &App) -> Result<OwnedSemaphorePermit, HttpError> {
    let waited = app.limits.queue_time;
    match timeout(waited, Arc::clone(&app.running).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(HttpError::Busy { limit: app.limits.concurrent_queries, waited }),
    }
}

fn log_panic(error: &JoinError) {
    tracing::error!(%error, "a query panicked; the process goes on");
}

fn respond(answered: Answered, media_type: MediaType) -> Response {
    let status = match (answered.status, media_type) {
        (Status::Ran, _) | (Status::Refused, MediaType::Json) => StatusCode::OK,
        (Status::Refused, MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (Status::Stopped | Status::NotReady, _) => StatusCode::SERVICE_UNAVAILABLE,
    };
    write(status, answered.body, media_type)
}

/// The response that says why a request was refused.
pub(super) fn refusal(error: &HttpError, media_type: MediaType) -> Response {
    let mut response = write(error.status(), error.body(), media_type);
    if let Some(allow) = error.allow() {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn write(status: StatusCode, body: Vec<u8>, media_type: MediaType) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
