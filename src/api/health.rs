//! `/healthz` says that the process lives, `/readyz` that it can answer.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::App;

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// 200 as long as the process can answer anything at all.
pub(super) async fn live() -> Response {
    (StatusCode::OK, JSON, "{\"alive\":true}\n").into_response()
}

/// 200 once there is a graph to answer from, 503 before.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.answer.is_ready() {
        (StatusCode::OK, JSON, "{\"ready\":true}\n").into_response()
    } else {
        let body = "{\"ready\":false,\"reason\":\"the graph is being built\"}\n";
        (StatusCode::SERVICE_UNAVAILABLE, JSON, body).into_response()
    }
}
