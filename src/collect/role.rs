//! A role in another account, taken on once and held for all clients of that account: the SDK's own provider would be
//! asked again by each client.

use std::{collections::BTreeMap, time::Duration};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::types::Tag;
use tokio::{sync::Mutex, time::Instant};

use super::failure::Failure;

/// The call as a policy names it.
pub(crate) const ACTION: &str = "sts:AssumeRole";

/// How long a session lasts where nobody asks for longer.
const USUAL_DURATION: Duration = Duration::from_secs(3600);

/// A session is renewed before it ends, so that no call is signed with one that ends on the way.
const MARGIN: Duration = Duration::from_secs(120);

/// Which role, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleRequest {
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) duration: Option<Duration>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl RoleRequest {
    /// The role's name without account and path, for messages.
    pub(crate) fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// The credentials of a role.
#[derive(Debug)]
pub(crate) struct AssumedRole {
    sts: aws_sdk_sts::Client,
    request: RoleRequest,
    session: Mutex<Option<Session>>,
}

#[derive(Clone, Debug)]
struct Session {
    credentials: Credentials,
    began: Instant,
}

impl AssumedRole {
    /// Makes no call yet. The client speaks for whoever takes the role on.
    pub(crate) fn new(sts: aws_sdk_sts::Client, request: RoleRequest) -> Self {
        Self { sts, request, session: Mutex::new(None) }
    }

    /// The credentials of the session, which is begun or renewed where there is none that lasts. Whoever else asks
    /// meanwhile waits for it.
    pub(crate) async fn credentials(&self) -> Result<Credentials, Failure> {
        let mut session = self.session.lock().await;
        let lasts = self.request.duration.unwrap_or(USUAL_DURATION).saturating_sub(MARGIN);
        if let Some(held) = session.as_ref().filter(|held| held.began.elapsed() < lasts) {
            return Ok(held.credentials.clone());
        }
        let began = Instant::now();
        let credentials = Box::pin(self.assume()).await?;
        *session = Some(Session { credentials: credentials.clone(), began });
        Ok(credentials)
    }

    /// Lets go of a session that AWS no longer takes, unless a newer one than of that moment has begun.
    pub(crate) async fn let_go(&self, at: Instant) {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|held| held.began <= at) {
            *session = None;
        }
    }

    async fn assume(&self) -> Result<Credentials, Failure> {
        let request = &self.request;
        let seconds = request.duration.and_then(|span| i32::try_from(span.as_secs()).ok());
        let tags = request.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>();
        let tags = tags.map_err(|_| Failure::other("a session tag has no key or no value"))?;
        let call = self
            .sts
            .assume_role()
            .role_arn(&request.arn)
            .role_session_name(request.session_name.as_deref().unwrap_or("passmuster"))
            .set_external_id(request.external_id.clone())
            .set_duration_seconds(seconds)
            .set_tags((!tags.is_empty()).then_some(tags));
        let answer = call.send().await?;
        let Some(keys) = answer.credentials() else {
            return Err(Failure::other("an answer without credentials"));
        };
        Ok(Credentials::new(
            keys.access_key_id(),
            keys.secret_access_key(),
            Some(keys.session_token().to_owned()),
            None,
            "AssumedRole",
        ))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let why = |failure: Failure| CredentialsError::not_loaded(failure.reason(ACTION));
            self.credentials().await.map_err(why)
        })
    }
}
