//! `/graphql`: negotiate, read, run within the limits (off the async threads, unless it is short), write.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
    response::Response,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::JoinError,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Answered, App, HttpError, Operation, Outlet, Status, Stop,
    answer::StopOnDrop,
    negotiate::{self, MediaType},
    operation::selects_mutation,
    outlet::Rest,
    request::{header_text, read_get, read_post},
};

/// Handles every method on `/graphql`.
pub(super) async fn handle<B>(app: &App, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let media_type = match accepted(request.headers()) {
        Ok(media_type) => media_type,
        Err(error) => return refusal(&error, MediaType::Json),
    };
    match answer(app, request).await {
        Ok(Answering::Whole(answered)) => respond(answered, media_type),
        Ok(Answering::Begun(rest)) => write(StatusCode::OK, rest.into_body(), media_type),
        Err(error) => refusal(&error, media_type),
    }
}

/// An answer, or the beginning of a large one.
enum Answering {
    Whole(Answered),
    Begun(Rest),
}

/// The media type of the response. Several `Accept` headers are one list.
fn accepted(headers: &HeaderMap) -> Result<MediaType, HttpError> {
    let mut all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    match (all.next(), all.next()) {
        (None, _) => negotiate::choose(""),
        (Some(only), None) => negotiate::choose(only),
        (Some(first), Some(second)) => {
            let list: Vec<&str> = [first, second].into_iter().chain(all).collect();
            negotiate::choose(&list.join(","))
        }
    }
}

async fn answer<B>(app: &App, request: Request<B>) -> Result<Answering, HttpError>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
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
    match run_at_once(app, operation)? {
        Ok(answered) => Ok(Answering::Whole(answered)),
        Err(operation) => Box::pin(run(app, operation)).await,
    }
}

/// Runs an operation on this thread, if that is short. It takes no place among the running queries: long ones may have
/// them all.
fn run_at_once(app: &App, operation: Operation) -> Result<Result<Answered, Operation>, HttpError> {
    panic::catch_unwind(AssertUnwindSafe(|| app.answer.answer_at_once(operation))).map_err(|_| {
        tracing::error!("a query panicked; the process goes on");
        HttpError::Internal
    })
}

/// Runs the operation on a thread of its own. Dropping this future, or the body that comes of it (the client went),
/// tells the query to stop.
async fn run(app: &App, operation: Operation) -> Result<Answering, HttpError> {
    let permit = acquire(app).await?;
    let deadline = Instant::now() + app.limits.query_time;
    let stop = Stop::default();
    let guard = StopOnDrop(stop.clone());
    let answer = Arc::clone(&app.answer);
    let (mut outlet, mut pieces) = Outlet::new(permit, Arc::clone(&app.running), app.limits.client_time);
    let running = tokio::task::spawn_blocking(move || answer.answer(&operation, &stop, &mut outlet));
    let finished = async {
        match pieces.recv().await {
            Some(first) => Ok(Answering::Begun(Rest { first, pieces, running, stop: guard })),
            None => running.await.map(Answering::Whole),
        }
    };
    match timeout_at(deadline, finished).await {
        Ok(Ok(answering)) => Ok(answering),
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

fn write(status: StatusCode, body: impl Into<Body>, media_type: MediaType) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
