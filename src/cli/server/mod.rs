//! What `passmuster serve` does beside answering queries: judging, running what is due, doing what a mutation asks for,
//! telling subscribers and channels.

mod background;
mod change;
mod jobs;
mod judge;
mod notifier;
mod publisher;

pub(super) use background::{Background, Plan};
pub(super) use change::{Changes, Permission, Requested};
pub(super) use jobs::planned;
pub(super) use publisher::Publisher;
