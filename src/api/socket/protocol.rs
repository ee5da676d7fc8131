//! The protocol `graphql-transport-ws` as a state machine: what arrives goes in, what is to be done comes out. It knows
//! no sockets and no clock.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value, json};

use super::super::Operation;

/// The name of the protocol, as client and server agree on it.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// The most bytes of a reason in a close frame.
const LONGEST_REASON: usize = 123;
/// The most bytes of the id of an operation: it comes back with every message.
const LONGEST_ID: usize = 256;

/// Why a connection is closed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// The server stops.
    GoingAway = 1001,
    /// The client takes its messages too slowly. It may come again.
    TooSlow = 1013,
    /// A message that the protocol does not know, or knows otherwise.
    BadRequest = 4400,
    /// An operation before the acknowledgement.
    Unauthorized = 4401,
    /// Another protocol than this one.
    ProtocolNotAcceptable = 4406,
    /// No `connection_init` in time.
    InitTimeout = 4408,
    /// An id that is in use.
    SubscriberExists = 4409,
    /// A second `connection_init`.
    TooManyInits = 4429,
}

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Its code.
    pub code: CloseCode,
    /// Why, for people; no more than a close frame takes.
    pub reason: String,
}

impl Close {
    /// A close with a reason, which is cut where it is too long for a frame.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
        Self { code, reason }
    }
}

impl fmt::Display for Close {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.code as u16, self.reason)
    }
}

/// What arrives.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'a> {
    /// A text frame.
    Text(&'a str),
    /// A binary frame.
    Binary,
    /// The time for `connection_init` is up.
    InitTimedOut,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this text.
    Send(String),
    /// Begin a subscription; say [`Protocol::refused`] where it can't begin.
    Begin {
        /// What the client calls it.
        id: String,
        /// What it asks.
        operation: Operation,
    },
    /// Nobody listens to this subscription any more.
    Stop {
        /// What the client called it.
        id: String,
    },
    /// Close the connection. Nothing follows.
    Close(Close),
}

/// One connection's state.
#[derive(Debug)]
pub struct Protocol {
    is_initialised: bool,
    active: BTreeSet<String>,
    most: usize,
}

impl Protocol {
    /// A connection that has just been opened, with at most so many subscriptions at once.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { is_initialised: false, active: BTreeSet::new(), most }
    }

    /// Whether `connection_init` has come.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.is_initialised
    }

    /// How many subscriptions are active.
    #[must_use]
    pub fn active(&self) -> usize {
        self.active.len()
    }

    /// What something that arrives causes.
    pub fn take(&mut self, incoming: Incoming<'_>) -> Option<Effect> {
        match incoming {
            Incoming::Text(text) => match Message::read(text) {
                Ok(message) => self.take_message(message),
                Err(reason) => Some(close(CloseCode::BadRequest, reason)),
            },
            Incoming::Binary => Some(close(CloseCode::BadRequest, "messages are text, not binary")),
            Incoming::InitTimedOut if self.is_initialised => None,
            Incoming::InitTimedOut => {
                Some(close(CloseCode::InitTimeout, "no `connection_init` came in time"))
            }
        }
    }

    fn take_message(&mut self, message: Message) -> Option<Effect> {
        match message {
            Message::Init if self.is_initialised => {
                Some(close(CloseCode::TooManyInits, "`connection_init` comes once"))
            }
            Message::Init => {
                self.is_initialised = true;
                Some(send(&json!({"type": "connection_ack"})))
            }
            Message::Ping => Some(send(&json!({"type": "pong"}))),
            Message::Pong => None,
            Message::Subscribe { .. } if !self.is_initialised => {
                Some(close(CloseCode::Unauthorized, "send `connection_init` first"))
            }
            Message::Subscribe { id, .. } if self.active.contains(&id) => {
                Some(close(CloseCode::SubscriberExists, format!("there is a subscriber `{id}` already")))
            }
            Message::Subscribe { id, .. } if self.active.len() >= self.most => {
                let told = format!(
                    "{0} subscriptions are active on this connection, the limit is {0}: complete one first",
                    self.most
                );
                let errors = json!([{"message": told, "extensions": {"code": "too_many_subscriptions"}}]);
                Some(send(&json!({"type": "error", "id": id, "payload": errors})))
            }
            Message::Subscribe { id, operation } => {
                self.active.insert(id.clone());
                Some(Effect::Begin { id, operation })
            }
            Message::Complete { id } => self.active.remove(&id).then_some(Effect::Stop { id }),
        }
    }

    /// A subscription could not begin: the errors as a JSON list.
    pub fn refused(&mut self, id: &str, errors: &str) -> Option<Effect> {
        self.active.remove(id).then(|| Effect::Send(framed("error", id, errors)))
    }

    /// A subscription has something to say: a GraphQL response as JSON. Nothing where nobody listens to it any more.
    #[must_use]
    pub fn next(&self, id: &str, response: &str) -> Option<Effect> {
        self.active.contains(id).then(|| Effect::Send(framed("next", id, response)))
    }
}

fn close(code: CloseCode, reason: impl Into<String>) -> Effect {
    Effect::Close(Close::new(code, reason))
}

fn send(message: &Value) -> Effect {
    Effect::Send(message.to_string())
}

/// A message around a payload that is JSON already.
fn framed(kind: &str, id: &str, payload: &str) -> String {
    format!(r#"{{"type":"{kind}","id":{},"payload":{payload}}}"#, Value::from(id))
}

/// What a client may say.
enum Message {
    Init,
    Ping,
    Pong,
    Subscribe { id: String, operation: Operation },
    Complete { id: String },
}

impl Message {
    /// Reads a message; what is wrong with it otherwise.
    fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|_| "the message is not JSON".to_owned())?;
        let Value::Object(mut message) = value else { return Err("the message is not an object".to_owned()) };
        let Some(Value::String(kind)) = message.remove("type") else {
            return Err("the message has no `type`".to_owned());
        };
        match kind.as_str() {
            "connection_init" => no_more_than_an_object(&message).map(|()| Self::Init),
            "ping" => no_more_than_an_object(&message).map(|()| Self::Ping),
            "pong" => no_more_than_an_object(&message).map(|()| Self::Pong),
            "complete" => Ok(Self::Complete { id: id(&mut message)? }),
            "subscribe" => {
                let id = id(&mut message)?;
                let Some(Value::Object(payload)) = message.remove("payload") else {
                    return Err("`subscribe` has no `payload`".to_owned());
                };
                Ok(Self::Subscribe { id, operation: operation(payload)? })
            }
            _ => Err("the message is of a `type` that is not known".to_owned()),
        }
    }
}

fn no_more_than_an_object(message: &Map<String, Value>) -> Result<(), String> {
    match message.get("payload") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err("`payload` is not an object".to_owned()),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if id.len() > LONGEST_ID => {
            Err(format!("`id` has {} bytes, the limit is {LONGEST_ID}", id.len()))
        }
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err("`id` is not a text that names the operation".to_owned()),
    }
}

fn operation(mut payload: Map<String, Value>) -> Result<Operation, String> {
    let Some(Value::String(query)) = payload.remove("query") else {
        return Err("`query` is not a text".to_owned());
    };
    let operation_name = match payload.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err("`operationName` is not a text".to_owned()),
    };
    let mut object = |name: &str| match payload.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(format!("`{name}` is not an object")),
    };
    Ok(Operation {
        query,
        operation_name,
        variables: object("variables")?,
        extensions: object("extensions")?,
    })
}
