//! The whole HTTP surface on one screen.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{any, get},
};
use tokio::sync::Semaphore;

use super::{Answer, HttpError, Sockets, graphql, health, negotiate::MediaType, socket};

/// What every handler shares.
#[derive(Clone, Debug)]
pub struct App {
    /// What answers operations.
    pub(super) answer: Arc<dyn Answer>,
    /// The bounds of one request.
    pub(super) limits: HttpLimits,
    /// Which `Host` headers are served.
    pub(super) host_rule: HostRule,
    /// One permit for each query that may run at once.
    pub(super) running: Arc<Semaphore>,
    /// Its WebSocket connections.
    pub(super) sockets: Sockets,
}

impl App {
    /// An app that answers with `answer`.
    #[must_use]
    pub fn new(answer: Arc<dyn Answer>, limits: HttpLimits, host_rule: HostRule) -> Self {
        let running = Arc::new(Semaphore::new(limits.concurrent_queries));
        Self { answer, limits, host_rule, running, sockets: Sockets::default() }
    }

    /// The same with other WebSocket connections.
    #[must_use]
    pub fn with_sockets(self, sockets: Sockets) -> Self {
        Self { sockets, ..self }
    }
}

/// The bounds of one request and of the connections. Each one reached is an error that names it.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// The most bytes of a body.
    pub body_bytes: u64,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long the request line and headers may take, and how long a connection may idle.
    pub header_time: Duration,
    /// How long a query may run.
    pub query_time: Duration,
    /// How long a query may wait for a free thread.
    pub queue_time: Duration,
    /// How long a client may take nothing of an answer that is ready for it.
    pub client_time: Duration,
    /// How many queries run at once.
    pub concurrent_queries: usize,
    /// How many connections are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long running requests are waited for when the server stops.
    pub stop_time: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            body_time: Duration::from_secs(10),
            header_time: Duration::from_secs(10),
            query_time: Duration::from_secs(30),
            queue_time: Duration::from_secs(5),
            client_time: Duration::from_secs(30),
            concurrent_queries: std::thread::available_parallelism().map_or(2, usize::from),
            connections: 1024,
            stop_time: Duration::from_secs(10),
        }
    }
}

/// Which `Host` headers are served. A server of the own machine alone refuses foreign names, or any web page could
/// reach it through a name of its own that resolves to 127.0.0.1 (DNS rebinding).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// `localhost` and loopback addresses.
    OwnMachine,
    /// Every name.
    Any,
}

impl HostRule {
    pub(super) fn check(self, host: Option<&str>) -> Result<(), HttpError> {
        match (self, host) {
            (Self::Any, _) | (Self::OwnMachine, None) => Ok(()),
            (Self::OwnMachine, Some(host)) if is_own_machine(host) => Ok(()),
            (Self::OwnMachine, Some(host)) => Err(HttpError::ForeignHost { host: host.to_owned() }),
        }
    }
}

fn is_own_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where operations go.
const GRAPHQL: &str = "/graphql";

/// The routes of all requests that are no operations.
pub(super) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route(GRAPHQL, any(subscriptions))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .with_state(app)
}

/// Whether a request is an operation, which [`graphql::handle`] answers: a query or a mutation, right or wrong.
pub(super) fn is_operation<B>(request: &axum::http::Request<B>) -> bool {
    request.uri().path() == GRAPHQL && !socket::is_upgrade(request)
}

/// A connection for subscriptions.
async fn subscriptions(State(app): State<Arc<App>>, request: Request) -> Response {
    socket::upgrade(&app, request).await
}

async fn not_found(request: Request) -> Response {
    let error = HttpError::NotFound { path: request.uri().path().to_owned() };
    graphql::refusal(&error, MediaType::Json)
}
