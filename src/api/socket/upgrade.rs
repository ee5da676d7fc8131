//! Who may open a WebSocket: pages of this server and of the origins that were named, programs, and so many at once.
//! A browser sends the cookies and reaches the addresses of its user whatever page asks, and asks nobody first.

use axum::{
    extract::{FromRequestParts, Request, WebSocketUpgrade},
    http::{self, HeaderMap, Method, header},
    response::Response,
};

use std::sync::Arc;

use super::{
    super::{App, HttpError, graphql, negotiate::MediaType, request::header_text},
    PROTOCOL, Sockets, session,
};

/// Whether a request wants to become a WebSocket.
pub(in super::super) fn is_upgrade<B>(request: &http::Request<B>) -> bool {
    let wants = |value: &str| value.trim().eq_ignore_ascii_case("websocket");
    request.method() == Method::GET
        && header_text(request.headers(), header::UPGRADE).is_some_and(|value| value.split(',').any(wants))
}

/// Makes a WebSocket of a request, or says why not.
pub(in super::super) async fn upgrade(app: &Arc<App>, request: Request) -> Response {
    match accept(app, request).await {
        Ok(response) => response,
        Err(error) => graphql::refusal(&error, MediaType::Json),
    }
}

async fn accept(app: &Arc<App>, request: Request) -> Result<Response, HttpError> {
    let (mut parts, _) = request.into_parts();
    app.host_rule.check(header_text(&parts.headers, header::HOST))?;
    check_origin(&parts.headers, &app.sockets)?;
    let limit = app.sockets.limits.connections;
    let place =
        Arc::clone(&app.sockets.open).try_acquire_owned().map_err(|_| HttpError::TooManySockets { limit })?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|error| HttpError::BadUpgrade { reason: error.to_string() })?;
    let app = Arc::clone(app);
    let most = usize::try_from(app.limits.body_bytes).unwrap_or(usize::MAX);
    Ok(upgrade.protocols([PROTOCOL]).max_message_size(most).max_frame_size(most).on_upgrade(
        move |socket| async move {
            session::run(socket, app).await;
            drop(place);
        },
    ))
}

/// W4: a page of another origin is refused. A program names no origin.
fn check_origin(headers: &HeaderMap, sockets: &Sockets) -> Result<(), HttpError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let is_own = match (authority, header_text(headers, header::HOST)) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    };
    if is_own || sockets.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(HttpError::ForeignOrigin { origin: origin.to_owned() })
}
