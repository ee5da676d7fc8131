//! A channel: where to tell whom of what, with its secrets.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    address::{AddressRule, Target},
    message::{Change, ChangeKind},
};
use crate::check::Severity;

/// What a message looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// JSON for a program, signed where there is a secret.
    Webhook {
        /// What the signature is made with.
        secret: Option<Secret>,
    },
    /// Text for people, as Slack, Mattermost and their like take it.
    Slack,
}

/// One entry of `[[notifications]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name in the configuration.
    pub name: String,
    /// What a message looks like.
    pub kind: ChannelKind,
    /// Where it goes.
    pub target: Target,
    /// What the target may be.
    pub rule: AddressRule,
    /// The changes it tells of.
    pub on: Vec<ChangeKind>,
    /// The mildest check it tells of.
    pub severity: Severity,
    /// The checks it tells of; all where there are none. One that ends with `*` is the beginning of an id.
    pub checks: Vec<String>,
}

impl Channel {
    /// Whether it tells of a change.
    #[must_use]
    pub fn wants(&self, change: &Change) -> bool {
        let is_of = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => change.check.starts_with(beginning),
            None => *pattern == change.check,
        };
        self.on.contains(&change.kind)
            && change.severity >= self.severity
            && (self.checks.is_empty() || self.checks.iter().any(is_of))
    }
}

/// What messages are signed with. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too short to be one.
    #[error("the secret has {bytes} bytes: it takes 24 at least, as `openssl rand -base64 32` gives them")]
    TooShort {
        /// How many it has.
        bytes: usize,
    },
    /// Behind `whsec_` is no base64.
    #[error("what follows `whsec_` in the secret is no base64")]
    NotBase64,
}

/// The fewest bytes of a secret.
const SHORTEST_SECRET: usize = 24;

impl Secret {
    /// Reads a secret: base64 behind `whsec_`, or else the bytes as they are, without space around them.
    ///
    /// # Errors
    /// Where it is too short, or no base64.
    pub fn read(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let bytes = match text.strip_prefix("whsec_") {
            Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| SecretError::NotBase64)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < SHORTEST_SECRET {
            return Err(SecretError::TooShort { bytes: bytes.len() });
        }
        Ok(Self(bytes))
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}
