//! A region that does not answer costs one deadline and not one a call: once a call of an account has waited in vain,
//! nothing more of that account is asked there in this collection, and what is waiting there waits no longer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::failure::{Failure, FailureKind};

/// The call that waited in vain, once one has.
type Silence = watch::Sender<Option<&'static str>>;

/// The regions of one account.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    regions: Mutex<BTreeMap<String, Arc<Silence>>>,
}

impl Breaker {
    /// Reads something of a region, by the call named, for as long as the region answers.
    pub(crate) async fn guard<T>(
        &self,
        region: &str,
        action: &'static str,
        reading: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let silence = self.silence(region);
        let mut heard = silence.subscribe();
        let given_up = async {
            match heard.wait_for(Option::is_some).await {
                Ok(silent) => given_up(region, silent.unwrap_or(action)),
                // Its sender is held above, so there is always one.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            failure = given_up => Err(failure),
            read = reading => {
                if let Err(failure) = &read
                    && failure.kind == FailureKind::TimedOut
                {
                    silence.send_if_modified(|silent| silent.replace(failure.action.unwrap_or(action)).is_none());
                }
                read
            }
        }
    }

    fn silence(&self, region: &str) -> Arc<Silence> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(regions.entry(region.to_owned()).or_insert_with(|| Arc::new(watch::Sender::new(None))))
    }
}

fn given_up(region: &str, silent: &str) -> Failure {
    Failure::given_up(format!("{region} gave no answer to {silent} in time, so nothing more was asked there"))
}
