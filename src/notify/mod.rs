//! Telling others of findings: webhooks and Slack-compatible messages, grouped by run, signed, delivered once. Which
//! addresses may be spoken to, what is said and when to try again are pure functions; `send` alone speaks to the network.

mod address;
mod channel;
mod kept;
mod message;
mod outbox;
mod send;
mod signature;

pub use address::{AddressRule, RefusedAddress, Target, TargetError};
pub use channel::{Channel, ChannelKind, Secret, SecretError};
pub use kept::{deliveries_addition, keep_deliveries, read_deliveries};
pub use message::{Change, ChangeKind, Digest, UnknownKind};
pub use outbox::{Attempt, Delivery, DeliveryState, after, is_due};
pub use send::{Client, Resolve, Resolved, SendError, SystemResolver};
pub use signature::sign;
