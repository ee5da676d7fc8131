//! One attempt: resolve, judge every address, speak to one that was judged and to no other, follow nothing.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use reqwest::{StatusCode, header, redirect};

use super::{
    address::RefusedAddress,
    channel::{Channel, ChannelKind},
    outbox::Attempt,
    signature::sign,
};
use crate::model::Time;

/// How long a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long the whole of an attempt may take.
const WHOLE_TIME: Duration = Duration::from_secs(15);

/// Addresses, once they are there.
pub type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a host.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// All of them.
    fn resolve(&self, host: &str) -> Resolved;
}

/// The machine's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Resolved {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why nothing was sent, or nothing came back. Says the host and never more of the address.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The host has no address.
    #[error("`{host}` has no address")]
    Unresolved {
        /// The host.
        host: String,
    },
    /// One of its addresses is not to be spoken to.
    #[error(transparent)]
    Refused(#[from] RefusedAddress),
    /// No connection, or none that lasted.
    #[error("`{host}` could not be reached: {why}")]
    Unreachable {
        /// The host.
        host: String,
        /// In a word or two.
        why: &'static str,
    },
    /// The answer was not the one that says that it is there.
    #[error("`{host}` answered {status}{}", if status.is_redirection() { ", and redirects are not followed" } else { "" })]
    Answered {
        /// The host.
        host: String,
        /// How.
        status: StatusCode,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
}

/// Sends messages.
#[derive(Clone, Debug)]
pub struct Client {
    resolver: Arc<dyn Resolve>,
}

impl Client {
    /// A client that finds addresses with `resolver`.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver }
    }

    /// Makes one attempt at a message.
    pub async fn attempt(&self, channel: &Channel, id: &str, body: &str, now: Time) -> Attempt {
        match self.send(channel, id, body, now).await {
            Ok(()) => Attempt::Taken,
            Err(error) => {
                let why = error.to_string();
                match error {
                    SendError::Refused(_) => Attempt::Refused { why },
                    SendError::Answered { status, .. } if !may_work_later(status) => Attempt::Refused { why },
                    SendError::Answered { retry_after, .. } => Attempt::Failed { why, retry_after },
                    SendError::Unresolved { .. } | SendError::Unreachable { .. } => {
                        Attempt::Failed { why, retry_after: None }
                    }
                }
            }
        }
    }

    /// Sends a message once.
    ///
    /// # Errors
    /// Where nothing was sent, or the receiver did not say that it has it.
    pub async fn send(&self, channel: &Channel, id: &str, body: &str, now: Time) -> Result<(), SendError> {
        let target = &channel.target;
        let host = || target.host().to_owned();
        let addresses = self.addresses(channel).await?;
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            // A proxy would resolve the host itself, and so could be told another address than the one judged here.
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            .timeout(WHOLE_TIME)
            .user_agent(concat!("passmuster/", env!("CARGO_PKG_VERSION")))
            .resolve_to_addrs(target.host(), &addresses)
            .build()
            .map_err(|_| SendError::Unreachable {
                host: host(),
                why: "TLS can't be set up on this machine",
            })?;
        let mut request = client
            .post(target.url().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("idempotency-key", id);
        if let ChannelKind::Webhook { secret: Some(secret) } = &channel.kind {
            let seconds = now.millis().div_euclid(1000);
            request = request.header("webhook-timestamp", seconds);
            if let Some(signature) = sign(secret, id, seconds, body) {
                request = request.header("webhook-signature", signature);
            }
        }
        let answer = request.body(body.to_owned()).send().await;
        // What the library says holds the whole address.
        let answer = answer.map_err(|error| SendError::Unreachable { host: host(), why: why(&error) })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let asked = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        Err(SendError::Answered { host: host(), status, retry_after })
    }

    /// The addresses of a channel, all of which may be spoken to.
    async fn addresses(&self, channel: &Channel) -> Result<Vec<SocketAddr>, SendError> {
        let target = &channel.target;
        let found = match target.literal() {
            Some(address) => vec![address],
            None => self.resolver.resolve(target.host()).await.unwrap_or_default(),
        };
        if found.is_empty() {
            return Err(SendError::Unresolved { host: target.host().to_owned() });
        }
        for address in &found {
            target.allow(*address, channel.rule)?;
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, target.port())).collect())
    }
}

fn may_work_later(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::CONFLICT
        )
}

fn why(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    }
}
