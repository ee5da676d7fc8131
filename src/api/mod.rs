//! The HTTP surface: `POST` and `GET /graphql` as the GraphQL-over-HTTP specification says, subscriptions over WebSocket
//! at the same path, `/healthz`, `/readyz`.
//! What answers a query is handed in as an [`Answer`], so this room knows HTTP and nothing of graphs.

mod answer;
mod ends;
mod error;
mod graphql;
mod health;
mod lanes;
mod negotiate;
mod operation;
mod outlet;
mod request;
mod router;
mod server;
mod socket;

pub use answer::{Answer, Answered, Operation, Status, Stop};
pub use error::HttpError;
pub use outlet::{Outlet, Waited};
pub use router::{App, HostRule, HttpLimits};
pub use server::{ServeError, Surface, refuse_remote, serve};
pub use socket::{Close, CloseCode, Delivery, Effect, Incoming, PROTOCOL, Protocol, SocketLimits, Sockets};
