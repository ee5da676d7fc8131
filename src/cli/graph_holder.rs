//! The graph that a server answers from: replaced whole when there is a newer one; a running query keeps the graph it
//! began with.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;

use super::past_graphs::{KnownMoments, PastGraphs};
use crate::{
    api::{Answer, Answered, Operation, Status, Stop},
    graph::Graph,
    query::{
        Engine, ExplainRequest, MomentError, QueryErrorKind, Request,
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
pub(crate) struct GraphHolder(ArcSwapOption<Present>);

impl GraphHolder {
    /// Queries that begin from now on see this graph.
    pub(crate) fn replace(&self, present: Present) {
        self.0.store(Some(Arc::new(present)));
    }

    /// The newest graph.
    pub(crate) fn get(&self) -> Option<Arc<Present>> {
        self.0.load_full()
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

impl AnswerLimits {
    /// The limits as the engine takes them; `stop` says that nobody waits any more.
    pub(crate) fn with_stop<R>(&self, stop: &Stop, run: impl FnOnce(&RunLimits<'_>) -> R) -> R {
        let started = Instant::now();
        let limit = self.time;
        let ask = move || {
            let elapsed = started.elapsed();
            if elapsed >= limit {
                Some(RunStop::OutOfTime { limit, elapsed })
            } else if stop.is_requested() {
                Some(RunStop::Cancelled)
            } else {
                None
            }
        };
        run(&RunLimits { max_rows: self.rows, max_bytes: self.bytes, stop: &ask })
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
}

impl Answer for Serving {
    fn is_ready(&self) -> bool {
        self.graph.get().is_some()
    }

    fn answer(&self, operation: &Operation, stop: &Stop) -> Answered {
        let Some(present) = self.graph.get() else {
            let body = br#"{"errors":[{"message":"the inventory is still being read: try again in a moment","extensions":{"code":"not_ready"}}]}"#;
            return Answered { body: body.to_vec(), status: Status::NotReady };
        };
        let request = Request {
            query: operation.query.clone(),
            operation_name: operation.operation_name.clone(),
            variables: operation.variables.clone(),
            explain: ExplainRequest::read(&operation.extensions),
            as_of: None,
        };
        let moments = KnownMoments { present: Some(present), past: self.past.as_ref() };
        let response =
            self.limits.with_stop(stop, |limits| self.engine.execute_at(&moments, &request, limits));
        let is_stopped = response.errors.iter().any(|error| {
            matches!(error.kind, QueryErrorKind::Stopped(RunError::OutOfTime { .. } | RunError::Cancelled))
        });
        let is_unreadable = response
            .errors
            .iter()
            .any(|error| matches!(error.kind, QueryErrorKind::Moment(MomentError::Unreadable { .. })));
        let status = match (response.has_data, is_stopped) {
            (_, true) => Status::Stopped,
            (true, false) => Status::Ran,
            (false, false) if is_unreadable => Status::NotReady,
            (false, false) => Status::Refused,
        };
        Answered { body: response.body, status }
    }
}
