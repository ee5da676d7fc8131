//! What a server tells its subscribers: kept until the graph that shows it answers, then printed for each of them.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::super::graph_holder::{AnswerLimits, Present, request};
use crate::{
    api::{Delivery, Operation, Stop, Waited},
    check::ledger::Recorded,
    model::Time,
    query::{Action, Engine, QueryError, QueryErrorKind, SubscriptionField, WaitsFor},
};

/// What one commit changed.
#[derive(Clone, Debug)]
struct Batch {
    sequence: u64,
    at: Time,
    /// The id of each finding, and how it changed.
    changes: Vec<(String, &'static str)>,
    /// The id of each run, and its check.
    runs: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Listener {
    field: Arc<SubscriptionField>,
    delivery: Delivery,
}

/// Tells subscribers.
#[derive(Debug)]
pub(crate) struct Publisher {
    engine: Arc<Engine>,
    limits: AnswerLimits,
    listeners: Mutex<Vec<Listener>>,
    waiting: Mutex<Vec<Batch>>,
}

impl Publisher {
    pub(crate) fn new(engine: Arc<Engine>, limits: AnswerLimits) -> Self {
        Self { engine, limits, listeners: Mutex::default(), waiting: Mutex::default() }
    }

    /// Begins a subscription.
    pub(crate) fn subscribe(&self, operation: &Operation, delivery: Delivery) -> Result<(), String> {
        let action = self.engine.action(&request(operation)).map_err(|errors| list(&errors))?;
        let Some(Action::Subscription(field)) = action else {
            let message =
                "queries and mutations go over HTTP: send them with POST to the same address".to_owned();
            return Err(list(&[QueryError::new(QueryErrorKind::Invalid { message })]));
        };
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| !listener.delivery.is_over());
        listeners.push(Listener { field: Arc::new(field), delivery });
        Ok(())
    }

    /// Takes what is to be told, once the graph shows it.
    pub(crate) fn take(&self, recorded: &Recorded, at: Time) {
        let Some(sequence) = recorded.sequence else { return };
        let changes =
            recorded.changes.iter().map(|change| (change.finding.id.clone(), change.kind.as_str())).collect();
        let runs = recorded.runs.iter().map(|run| (run.id.clone(), run.check_id.clone())).collect();
        lock(&self.waiting).push(Batch { sequence, at, changes, runs });
    }

    /// Tells what a graph shows. On a thread that may block; nobody who listens is waited for.
    pub(crate) fn publish(&self, present: &Present) {
        let Some(shown) = present.sequence() else { return };
        let (ready, later): (Vec<Batch>, Vec<Batch>) =
            mem::take(&mut *lock(&self.waiting)).into_iter().partition(|batch| batch.sequence <= shown);
        lock(&self.waiting).splice(0..0, later);
        if ready.is_empty() {
            return;
        }
        let listeners = lock(&self.listeners).clone();
        for batch in &ready {
            for listener in &listeners {
                self.tell(listener, batch, present);
            }
        }
        lock(&self.listeners).retain(|listener| !listener.delivery.is_over());
    }

    fn tell(&self, listener: &Listener, batch: &Batch, present: &Present) {
        let Listener { field, delivery } = listener;
        let chosen: Vec<(&str, &str)> = match &field.waits_for {
            WaitsFor::FindingChanged => batch.changes.iter().map(|(id, kind)| (id.as_str(), *kind)).collect(),
            WaitsFor::CheckRunFinished { check } => {
                let of = |run: &&(String, String)| check.as_ref().is_none_or(|check| *check == run.1);
                batch.runs.iter().filter(of).map(|(id, _)| (id.as_str(), "")).collect()
            }
        };
        for (id, kind) in chosen {
            if delivery.is_over() {
                return;
            }
            let never = Stop::default();
            let stop = self.limits.stop(&never, Waited::default());
            let limits = self.limits.limits(&stop);
            if let Some(response) = self.engine.tell(&present.graph, field, (id, kind, batch.at), &limits) {
                delivery.send(response);
            }
        }
    }
}

/// Errors as a JSON list.
fn list(errors: &[QueryError]) -> String {
    serde_json::Value::Array(errors.iter().map(QueryError::to_json).collect()).to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
