//! A profile of the AWS configuration, held for all clients of its account as a role's session is.

use std::time::Duration;

use aws_config::{SdkConfig, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, future},
};
use tokio::{sync::Mutex, time::Instant};

/// How long what a profile gave is held: the shortest session of AWS lasts 15 minutes.
const HELD: Duration = Duration::from_secs(600);

/// The credentials of a profile: its keys, the role it takes on, its single sign-on, its process.
#[derive(Debug)]
pub(crate) struct Profile {
    provider: ProfileFileCredentialsProvider,
    held: Mutex<Option<(Credentials, Instant)>>,
}

impl Profile {
    /// Reads nothing yet.
    pub(crate) fn new(name: &str, config: &SdkConfig) -> Self {
        let mut settings = ProviderConfig::without_region().with_region(config.region().cloned());
        if let Some(client) = config.http_client() {
            settings = settings.with_http_client(client);
        }
        let provider =
            ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(name).build();
        Self { provider, held: Mutex::new(None) }
    }
}

impl ProvideCredentials for Profile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let mut held = self.held.lock().await;
            if let Some((credentials, since)) = held.as_ref()
                && since.elapsed() < HELD
            {
                return Ok(credentials.clone());
            }
            let credentials = self.provider.provide_credentials().await?;
            *held = Some((credentials.clone(), Instant::now()));
            Ok(credentials)
        })
    }
}
