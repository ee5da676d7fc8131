//! Calls that the SDK tries again by itself, taken out of the same bucket as the first attempts: AWS counts them all.
//! A retry waits for the SDK's own pause and not for its turn, so it may leave the bucket below zero; the calls after it
//! wait longer.

use std::sync::Arc;

use aws_sdk_ec2::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
};
use aws_smithy_runtime_api::client::{orchestrator::Metadata, retries::RequestAttempts};

use super::budget::Budgets;

/// Sees every attempt of the clients of one account, region and service.
#[derive(Debug)]
pub(crate) struct CountedRetries {
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) account_id: String,
    pub(crate) region: String,
    /// As policies name it, e.g. `ec2`.
    pub(crate) service: &'static str,
}

impl Intercept for CountedRetries {
    fn name(&self) -> &'static str {
        "CountedRetries"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempt = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        if let Some(call) = config.load::<Metadata>()
            && attempt > 1
        {
            let action = format!("{}:{}", self.service, call.name());
            self.budgets.take(&self.account_id, &self.region, &action);
        }
        Ok(())
    }
}
