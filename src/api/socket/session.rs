//! One connection: takes what arrives, does what the protocol says, sends what subscriptions have to tell.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::{
    sync::{Notify, mpsc},
    time::{Duration, Instant, interval_at, sleep, timeout},
};

use super::{
    super::{App, HttpError, Operation},
    Delivery,
    delivery::Told,
    protocol::{Close, CloseCode, Effect, Incoming, PROTOCOL, Protocol},
};

/// How long a client may take to answer a close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Serves a connection to its end.
pub(super) async fn run(socket: WebSocket, app: Arc<App>) {
    let (outbox, told) = mpsc::channel(app.sockets.limits.messages_ahead);
    let protocol = Protocol::new(app.sockets.limits.subscriptions);
    let is_ours = socket.protocol().is_some_and(|chosen| chosen == PROTOCOL);
    let mut session = Session {
        socket,
        app,
        protocol,
        listening: BTreeMap::new(),
        numbers: BTreeMap::new(),
        next: 0,
        outbox,
        slow: Arc::default(),
    };
    let ended = if is_ours {
        session.serve(told).await
    } else {
        let reason = format!("offer `{PROTOCOL}` in Sec-WebSocket-Protocol");
        Some(Close::new(CloseCode::ProtocolNotAcceptable, reason))
    };
    for delivery in session.listening.values() {
        delivery.end();
    }
    if let Some(close) = ended {
        tracing::debug!("closed a WebSocket: {close}");
        session.close(close).await;
    }
}

struct Session {
    socket: WebSocket,
    app: Arc<App>,
    protocol: Protocol,
    /// The active subscriptions by the client's ids.
    listening: BTreeMap<String, Delivery>,
    /// The same ids by number.
    numbers: BTreeMap<u64, String>,
    next: u64,
    outbox: mpsc::Sender<Told>,
    slow: Arc<Notify>,
}

impl Session {
    /// Serves until the connection ends; says why where it is this side that ends it.
    async fn serve(&mut self, mut told: mpsc::Receiver<Told>) -> Option<Close> {
        let limits = self.app.sockets.limits;
        let mut stopping = self.app.sockets.stopping.subscribe();
        let slow = Arc::clone(&self.slow);
        let mut init = std::pin::pin!(sleep(limits.init_time));
        let mut pings = interval_at(Instant::now() + limits.ping_time, limits.ping_time);
        let mut is_alive = true;
        loop {
            let effect = tokio::select! {
                biased;
                () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {
                    return Some(Close::new(CloseCode::GoingAway, "the server stops"));
                }
                () = slow.notified() => {
                    let reason = format!(
                        "too slow: {} messages were waiting, and no more are kept", limits.messages_ahead
                    );
                    return Some(Close::new(CloseCode::TooSlow, reason));
                }
                () = &mut init, if !self.protocol.is_initialised() => {
                    self.protocol.take(Incoming::InitTimedOut)
                }
                received = self.socket.recv() => {
                    is_alive = true;
                    match received {
                        Some(Ok(Message::Text(text))) => self.protocol.take(Incoming::Text(&text)),
                        Some(Ok(Message::Binary(_))) => self.protocol.take(Incoming::Binary),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    }
                }
                Some((number, response)) = told.recv() => match self.numbers.get(&number) {
                    Some(id) => self.protocol.next(id, &response),
                    None => None,
                },
                _ = pings.tick() => {
                    if !is_alive || !self.send(Message::Ping(Vec::new().into())).await {
                        return None;
                    }
                    is_alive = false;
                    None
                }
            };
            if let Some(effect) = effect
                && let ControlFlow::Break(close) = self.perform(effect).await
            {
                return close;
            }
        }
    }

    /// Does what the protocol says; breaks where the connection ends by it, with why where it is this side that ends it.
    async fn perform(&mut self, effect: Effect) -> ControlFlow<Option<Close>> {
        let text = match effect {
            Effect::Send(text) => Some(text),
            Effect::Begin { id, operation } => self.begin(id, operation).await,
            Effect::Stop { id } => {
                if let Some(delivery) = self.listening.remove(&id) {
                    delivery.end();
                    self.numbers.retain(|_, known| *known != id);
                }
                None
            }
            Effect::Close(close) => return ControlFlow::Break(Some(close)),
        };
        let Some(text) = text else { return ControlFlow::Continue(()) };
        if self.send(Message::Text(text.into())).await {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(None)
        }
    }

    /// Begins a subscription on a thread that may block; where it can't begin, that is to be sent.
    async fn begin(&mut self, id: String, operation: Operation) -> Option<String> {
        self.next += 1;
        let delivery = Delivery::new(self.next, self.outbox.clone(), Arc::clone(&self.slow));
        let answer = Arc::clone(&self.app.answer);
        let place = timeout(self.app.limits.queue_time, Arc::clone(&self.app.running).acquire_owned()).await;
        let begun = match place {
            Ok(Ok(place)) => {
                let listener = delivery.clone();
                let work = move || {
                    let begun = answer.subscribe(&operation, listener);
                    drop(place);
                    begun
                };
                tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "a subscription panicked; the process goes on");
                    Err(errors(&HttpError::Internal))
                })
            }
            Ok(Err(_)) | Err(_) => {
                let (limit, waited) = (self.app.limits.concurrent_queries, self.app.limits.queue_time);
                Err(errors(&HttpError::Busy { limit, waited }))
            }
        };
        match begun {
            Ok(()) => {
                self.numbers.insert(self.next, id.clone());
                self.listening.insert(id, delivery);
                None
            }
            Err(errors) => {
                delivery.end();
                match self.protocol.refused(&id, &errors) {
                    Some(Effect::Send(text)) => Some(text),
                    _ => None,
                }
            }
        }
    }

    /// Sends a message; false where the client has gone or takes nothing.
    async fn send(&mut self, message: Message) -> bool {
        let sent = timeout(self.app.sockets.limits.send_time, self.socket.send(message)).await;
        matches!(sent, Ok(Ok(())))
    }

    /// Says why the connection ends, and lets the client answer that.
    async fn close(mut self, close: Close) {
        let frame = CloseFrame { code: close.code as u16, reason: close.reason.into() };
        let ending = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        if timeout(CLOSE_TIME, ending).await.is_err() {
            tracing::debug!("a client did not answer a close");
        }
    }
}

fn errors(error: &HttpError) -> String {
    serde_json::json!([{ "message": error.to_string(), "extensions": { "code": error.code() } }]).to_string()
}
