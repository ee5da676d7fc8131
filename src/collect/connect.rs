//! From the options to clients: one HTTP client under all of them, one set of credentials for each account, and for each
//! account and region a retry budget of its own (the SDK's default shares one among all accounts of a process, so that one
//! throttled account would starve the others).

use std::{collections::BTreeMap, sync::Arc};

use aws_config::{AppName, BehaviorVersion, SdkConfig, identity::IdentityCache};
use aws_sdk_ec2::config::{
    ProvideCredentials, Region, SharedCredentialsProvider, SharedHttpClient,
    retry::{RetryConfig, RetryPartition},
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::{Builder, ConnectorBuilder, proxy::ProxyConfig, tls};

use tokio::time::Instant;

use super::{
    budget::Budgets,
    error::CollectError,
    failure::Failure,
    options::{AwsConfig, CollectOptions, Patience},
    profile::Profile,
    retries::CountedRetries,
    role::{AssumedRole, RoleRequest},
};

/// The settings that every client has, whatever its service.
macro_rules! client {
    ($sdk:ident, $connection:expr, $region:expr, $partition:expr $(, $setting:ident($value:expr))*) => {{
        let config = $sdk::config::Builder::from(&$connection.config)
            .region(Region::new($region.to_owned()))
            .timeout_config($connection.timeouts())
            .retry_config($connection.retries())
            .retry_partition(RetryPartition::custom($partition).build())
            .interceptor(super::cut_short::WholeAnswers)
            .retry_classifier(super::cut_short::WholeAnswers)
            $(.$setting($value))*
            .build();
        $sdk::Client::from_conf(config)
    }};
}

/// Everything that is needed to make clients with one set of credentials.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    config: SdkConfig,
    patience: Patience,
    home_region: String,
    budgets: Arc<Budgets>,
    /// Whose credentials these are, where they are a role's.
    role: Option<Arc<AssumedRole>>,
}

impl Connection {
    /// Reads the configuration; makes no call to AWS unless the credentials' own source needs one.
    pub(crate) async fn open(options: &CollectOptions) -> Result<Self, CollectError> {
        let config = match &options.aws {
            AwsConfig::Ambient => {
                let mut loader =
                    aws_config::defaults(BehaviorVersion::latest()).http_client(shared_http_client());
                // So that CloudTrail tells this program's calls from others'.
                if let Ok(name) = AppName::new("passmuster") {
                    loader = loader.app_name(name);
                }
                Box::pin(loader.load()).await
            }
            AwsConfig::Given(config) if config.http_client().is_some() => config.as_ref().clone(),
            AwsConfig::Given(config) => config.to_builder().http_client(shared_http_client()).build(),
        };
        let configured = config.region().map(|region| region.as_ref().to_owned());
        let home_region =
            configured.or_else(|| options.regions.first().cloned()).ok_or(CollectError::NoRegion)?;
        let budgets = Arc::new(Budgets::new());
        Ok(Self { config, patience: options.patience, home_region, budgets, role: None })
    }

    /// The same with the credentials of a role, which is taken on at once, so that a refusal is known before any client
    /// is made.
    pub(crate) async fn assume(&self, request: &RoleRequest) -> Result<Self, Failure> {
        let role = Arc::new(AssumedRole::new(self.sts(), request.clone()));
        Box::pin(role.credentials()).await?;
        let provider: Arc<dyn ProvideCredentials> = Arc::<AssumedRole>::clone(&role);
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(provider))
            // The role holds its session for all clients; the SDK's cache would hold one for each of them, and no more
            // than 64.
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(Self { config, role: Some(role), ..self.clone() })
    }

    /// Has the role taken on anew for the next call, since its session was refused in a call that began then. Says
    /// whether there is a role.
    pub(crate) async fn renew(&self, began: Instant) -> bool {
        let Some(role) = &self.role else { return false };
        role.let_go(began).await;
        true
    }

    /// Waits until the account may make a call in a region.
    pub(crate) async fn pace(&self, account_id: &str, region: &str, action: &str) {
        self.budgets.wait(account_id, region, action).await;
    }

    /// How many calls were taken out of budgets so far, retries included, by API.
    pub(crate) fn metered(&self) -> BTreeMap<String, u64> {
        self.budgets.metered()
    }

    /// The same with the credentials of a profile of the AWS configuration.
    pub(crate) fn with_profile(&self, name: &str) -> Self {
        let profile = Profile::new(name, &self.config);
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(profile))
            .identity_cache(IdentityCache::no_cache())
            .build();
        Self { config, role: None, ..self.clone() }
    }

    /// The region of the calls that answer for the whole account: the configured one, else the first that was asked
    /// for.
    pub(crate) fn home_region(&self) -> &str {
        &self.home_region
    }

    /// A client for the caller's identity.
    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        client!(aws_sdk_sts, self, &self.home_region, "sts".to_owned())
    }

    /// A client for the caller's organisation, which has one endpoint a partition.
    pub(crate) fn organizations(&self) -> aws_sdk_organizations::Client {
        client!(aws_sdk_organizations, self, &self.home_region, "organizations".to_owned())
    }

    /// A client for one account and region, as all of these.
    pub(crate) fn ec2(&self, account_id: &str, region: &str) -> aws_sdk_ec2::Client {
        let counted = self.counted(account_id, region, "ec2");
        client!(aws_sdk_ec2, self, region, format!("{account_id}/{region}/ec2"), interceptor(counted))
    }

    pub(crate) fn logs(&self, account_id: &str, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        let counted = self.counted(account_id, region, "logs");
        let partition = format!("{account_id}/{region}/logs");
        client!(aws_sdk_cloudwatchlogs, self, region, partition, interceptor(counted))
    }

    pub(crate) fn firehose(&self, account_id: &str, region: &str) -> aws_sdk_firehose::Client {
        let counted = self.counted(account_id, region, "firehose");
        client!(
            aws_sdk_firehose,
            self,
            region,
            format!("{account_id}/{region}/firehose"),
            interceptor(counted)
        )
    }

    /// IAM has one endpoint a partition; the region only says which partition.
    pub(crate) fn iam(&self, account_id: &str) -> aws_sdk_iam::Client {
        client!(aws_sdk_iam, self, &self.home_region, format!("{account_id}/iam"))
    }

    /// Buckets by path: one host for all buckets of a region, and names with dots fit its certificate.
    pub(crate) fn s3(&self, account_id: &str, region: &str) -> aws_sdk_s3::Client {
        client!(aws_sdk_s3, self, region, format!("{account_id}/{region}/s3"), force_path_style(true))
    }

    fn counted(&self, account_id: &str, region: &str, service: &'static str) -> CountedRetries {
        let (account_id, region) = (account_id.to_owned(), region.to_owned());
        CountedRetries { budgets: Arc::clone(&self.budgets), account_id, region, service }
    }

    fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.patience.connect_timeout)
            .operation_attempt_timeout(self.patience.attempt_timeout)
            .operation_timeout(self.patience.operation_timeout)
            .build()
    }

    fn retries(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.patience.attempts.max(1))
            .with_initial_backoff(self.patience.initial_backoff)
            .with_max_backoff(self.patience.max_backoff)
    }
}

/// One pool of connections for every client; proxies as the environment says, like the SDK's own client.
fn shared_http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let crypto = tls::rustls_provider::CryptoMode::AwsLc;
        let mut connector = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(crypto));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}
