//! What the HTTP layer asks of the rest: answer one operation, on a thread that may block, and stop when told to.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Map, Value};

use super::{Delivery, Outlet};

/// One GraphQL request, with its parameters in their right types and nothing judged yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation {
    /// The document.
    pub query: String,
    /// Which of the document's operations; nothing where it has one.
    pub operation_name: Option<String>,
    /// By name, without `$`.
    pub variables: Map<String, Value>,
    /// Wishes beyond the specification, e.g. `{"explain": true}`.
    pub extensions: Map<String, Value>,
}

/// How an answer went, as far as HTTP cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The operation ran: there is a `data` entry, with or without errors beside it.
    Ran,
    /// The operation was refused before it ran: parse, validation, variables, a limit.
    Refused,
    /// The operation began and was ended: by a time limit, or because the client went; where pieces of its answer were
    /// handed on, by any limit.
    Stopped,
    /// There is no graph to answer from, yet or of the moment asked for: not the operation's fault.
    NotReady,
}

/// The response, as JSON text, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The GraphQL response, `{"data": .., "errors": .., "extensions": ..}`; or the end of it, behind the pieces that
    /// were handed on.
    pub body: Vec<u8>,
    /// How it went.
    pub status: Status,
}

/// Answers operations. Called from several threads at once, each of which may block.
pub trait Answer: Send + Sync + fmt::Debug + 'static {
    /// Whether there is a graph to answer from.
    fn is_ready(&self) -> bool;

    /// Answers one operation where others wait for the thread, if it is known to take no longer than they can. A panic is
    /// caught by the caller.
    ///
    /// # Errors
    /// The operation, where it may take longer: nothing is lost by asking.
    fn answer_at_once(&self, operation: Operation) -> Result<Answered, Operation> {
        Err(operation)
    }

    /// Answers one operation from the graph there is at this moment, on a thread that may block. A large answer is
    /// handed on piece by piece. A panic is caught by the caller.
    fn answer(&self, operation: &Operation, stop: &Stop, outlet: &mut Outlet) -> Answered;

    /// Begins a subscription, on a thread that may block: from now on `delivery` is told what it asks for.
    ///
    /// # Errors
    /// Why it can't begin: GraphQL errors as a JSON list.
    fn subscribe(&self, operation: &Operation, delivery: Delivery) -> Result<(), String> {
        let (_, _) = (operation, delivery);
        let error =
            r#"[{"message":"there is nothing to subscribe to","extensions":{"code":"no_subscriptions"}}]"#;
        Err(error.to_owned())
    }
}

/// Tells a running query to end early: nobody waits for its answer any more.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for code that checks it between two steps of work.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Asks for the end when it is dropped, which is what happens to a handler whose client has gone.
#[derive(Debug)]
pub(super) struct StopOnDrop(pub(super) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}
