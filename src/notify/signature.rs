//! The signature of a message, as the Standard Webhooks specification has it, so that receivers find a library for it:
//! HMAC-SHA256 over its id, its time and its body.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Secret;

/// The value of the header `webhook-signature` for a message sent at so many seconds since 1970.
#[must_use]
pub fn sign(secret: &Secret, id: &str, seconds: i64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.key()).ok()?;
    for part in [id, ".", &seconds.to_string(), ".", body] {
        mac.update(part.as_bytes());
    }
    Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}
