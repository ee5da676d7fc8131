//! Subscriptions over WebSocket: the protocol without sockets, and what only a socket can show on a few.

mod connections;
mod protocol;
