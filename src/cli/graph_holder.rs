//! The graph that a server answers from: replaced whole when there is a newer one; a running query keeps the graph it
//! began with.

use std::{
    sync::{Arc, Condvar, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::{ArcSwapOption, Guard};

use super::{
    past_graphs::{KnownMoments, PastGraphs},
    server::{Changes, Publisher, Requested},
};
use crate::{
    api::{Answer, Answered, Delivery, Operation, Outlet, Status, Stop, Waited},
    graph::Graph,
    query::{
        Engine, ExplainRequest, MomentError, QueryErrorKind, Request, Response,
        run::{RunError, RunLimits, Stop as RunStop},
    },
    store::Revision,
};

/// The newest graph.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    /// The graph.
    pub(crate) graph: Arc<Graph>,
    /// What of its store it shows; nothing where it is not that of a store.
    pub(crate) revision: Option<Revision>,
    /// Whether it was read from the store's image of it.
    pub(crate) is_from_image: bool,
}

impl Present {
    /// The last commit it shows; nothing where it is not that of a store.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.revision.map(|revision| revision.sequence)
    }

    /// A graph that is not that of a store.
    pub(crate) fn of_file(graph: Graph) -> Self {
        Self { graph: Arc::new(graph), revision: None, is_from_image: false }
    }
}

/// Holds the newest graph, once there is one.
#[derive(Debug, Default)]
pub(crate) struct GraphHolder {
    newest: ArcSwapOption<Present>,
    /// Held while the newest is replaced, for those who wait for one.
    replacing: Mutex<()>,
    replaced: Condvar,
}

impl GraphHolder {
    /// Queries that begin from now on see this graph.
    pub(crate) fn replace(&self, present: Present) {
        let guard = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        self.newest.store(Some(Arc::new(present)));
        drop(guard);
        self.replaced.notify_all();
    }

    /// The newest graph.
    pub(crate) fn get(&self) -> Option<Arc<Present>> {
        self.newest.load_full()
    }

    /// The newest graph for a moment: without the count of who holds it, which all threads would write to.
    fn glance(&self) -> Guard<Option<Arc<Present>>> {
        self.newest.load()
    }

    /// The newest graph, once it shows a commit. Blocking; nothing where that takes too long.
    pub(crate) fn wait_for(&self, sequence: u64, longest: Duration) -> Option<Arc<Present>> {
        let shows = || self.get().filter(|present| present.sequence().is_some_and(|shown| shown >= sequence));
        let guard = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.replaced.wait_timeout_while(guard, longest, |()| shows().is_none());
        drop(waited);
        shows()
    }
}

/// The bounds of one query's answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimits {
    /// The most assets in an answer, nested ones included.
    pub(crate) rows: u64,
    /// The most bytes of an answer.
    pub(crate) bytes: u64,
    /// How long it may run.
    pub(crate) time: Duration,
}

/// About so many rows may be looked at or written where others wait for the thread: less than a millisecond.
const WORK_AT_ONCE: u64 = 10_000;

impl AnswerLimits {
    /// The limits as the engine takes them.
    pub(crate) fn limits<'a>(&self, stop: &'a (dyn Fn() -> Option<RunStop> + Sync)) -> RunLimits<'a> {
        RunLimits { max_rows: self.rows, max_bytes: self.bytes, max_work: u64::MAX, stop }
    }

    /// Says when a query is to stop: its time is up, the waiting for the client not counted; or nobody waits any more.
    pub(crate) fn stop<'a>(
        &self,
        stop: &'a Stop,
        waited: Waited,
    ) -> impl Fn() -> Option<RunStop> + Sync + 'a {
        let (started, limit) = (Instant::now(), self.time);
        move || {
            let elapsed = started.elapsed().saturating_sub(waited.so_far());
            if elapsed >= limit {
                Some(RunStop::OutOfTime { limit, elapsed })
            } else if stop.is_requested() {
                Some(RunStop::Cancelled)
            } else {
                None
            }
        }
    }
}

/// Answers operations from the newest graph.
#[derive(Debug)]
pub(crate) struct Serving {
    /// What runs them.
    pub(crate) engine: Arc<Engine>,
    /// What they run over.
    pub(crate) graph: Arc<GraphHolder>,
    /// What answers `asOf`; nothing for a file.
    pub(crate) past: Option<PastGraphs>,
    /// Their bounds.
    pub(crate) limits: AnswerLimits,
    /// What changes and tells, once the store is open; nothing where there is no store to change.
    pub(crate) live: Option<Arc<OnceLock<Live>>>,
}

/// What a server does with mutations and subscriptions.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// Does what mutations ask for.
    pub(crate) changes: Arc<Changes>,
    /// Tells subscribers.
    pub(crate) publisher: Arc<Publisher>,
}

impl Serving {
    fn live(&self) -> Result<&Live, Requested> {
        let Some(live) = &self.live else { return Err(Requested::OfFile) };
        live.get().ok_or(Requested::TooEarly)
    }

    /// Answers what is no query; nothing where it is one, right or wrong.
    fn change(&self, operation: &Operation, response: &Response) -> Option<Answered> {
        if is_query(response) {
            return None;
        }
        Some(match self.live() {
            Ok(live) => live.changes.answer(operation),
            Err(requested) => answered(self.engine.refuse(vec![requested.error()])),
        })
    }
}

impl Answer for Serving {
    fn is_ready(&self) -> bool {
        self.graph.get().is_some()
    }

    fn answer_at_once(&self, operation: Operation) -> Result<Answered, Operation> {
        let present = self.graph.glance();
        let Some(present) = present.as_deref() else { return Err(operation) };
        let limits = RunLimits { max_work: WORK_AT_ONCE, ..self.limits.limits(&|| None) };
        let Operation { query, operation_name, variables, extensions } = operation;
        let explain = ExplainRequest::read(&extensions);
        let request = Request { query, operation_name, variables, explain, as_of: None };
        let response = self.engine.execute_at_once(&present.graph, &request, &limits);
        response.filter(is_query).map(answered).ok_or_else(|| {
            let Request { query, operation_name, variables, .. } = request;
            Operation { query, operation_name, variables, extensions }
        })
    }

    fn answer(&self, operation: &Operation, stop: &Stop, outlet: &mut Outlet) -> Answered {
        let Some(present) = self.graph.get() else {
            let body = br#"{"errors":[{"message":"the inventory is still being read: try again in a moment","extensions":{"code":"not_ready"}}]}"#;
            return Answered { body: body.to_vec(), status: Status::NotReady };
        };
        let moments = KnownMoments { present: Some(present), past: self.past.as_ref() };
        let stop = self.limits.stop(stop, outlet.waited());
        let mut hand_on = |piece| outlet.send(piece);
        let limits = self.limits.limits(&stop);
        let response = self.engine.stream_at(&moments, &request(operation), &limits, &mut hand_on);
        self.change(operation, &response).unwrap_or_else(|| answered(response))
    }

    fn subscribe(&self, operation: &Operation, delivery: Delivery) -> Result<(), String> {
        match self.live() {
            Ok(live) => live.publisher.subscribe(operation, delivery),
            Err(requested) => Err(serde_json::Value::Array(vec![requested.error().to_json()]).to_string()),
        }
    }
}

/// Whether what was answered was a query, right or wrong: else it asks to change something or to be told.
fn is_query(response: &Response) -> bool {
    !response.errors.iter().any(|error| matches!(error.kind, QueryErrorKind::NotAQuery { .. }))
}

/// An operation as the engine takes it.
pub(crate) fn request(operation: &Operation) -> Request {
    Request {
        query: operation.query.clone(),
        operation_name: operation.operation_name.clone(),
        variables: operation.variables.clone(),
        explain: ExplainRequest::read(&operation.extensions),
        as_of: None,
    }
}

/// The answer as HTTP takes it, and how it went.
pub(crate) fn answered(response: Response) -> Answered {
    let stopped = response.errors.iter().find_map(|error| match &error.kind {
        QueryErrorKind::Stopped(error) => Some(error),
        _ => None,
    });
    let is_out_of_time = matches!(stopped, Some(RunError::OutOfTime { .. } | RunError::Cancelled));
    let is_cut_short = stopped.is_some() && response.sent > 0;
    if let Some(error) = stopped.filter(|_| is_cut_short) {
        tracing::warn!("an answer broke off after {} bytes: {error}", response.sent);
    }
    let is_unreadable = response
        .errors
        .iter()
        .any(|error| matches!(error.kind, QueryErrorKind::Moment(MomentError::Unreadable { .. })));
    let status = match response.has_data {
        _ if is_out_of_time || is_cut_short => Status::Stopped,
        true => Status::Ran,
        false if is_unreadable => Status::NotReady,
        false => Status::Refused,
    };
    Answered { body: response.body, status }
}
