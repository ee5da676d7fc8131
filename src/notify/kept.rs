//! Messages on their way, in the store: so that a restart neither forgets one nor sends one twice.

use serde_json::Value;

use super::outbox::{Delivery, DeliveryState};
use crate::{
    model::{Asset, NOTIFICATION_TYPE, Time},
    store::{LedgerAddition, LedgerCommit, Store, StoreError},
};

/// Reads every message that is kept.
///
/// # Errors
/// Where the store can't be read.
pub fn read_deliveries(store: &Store) -> Result<Vec<Delivery>, StoreError> {
    let mut all = Vec::new();
    store.read_ledger(NOTIFICATION_TYPE, "", &mut |asset| match read(&asset) {
        Some(delivery) => all.push(delivery),
        None => tracing::warn!("what is kept of the message `{}` makes no sense: it is not sent", asset.id),
    })?;
    Ok(all)
}

/// Keeps messages as they stand, and lets go of others. Blocking: returns when the disk has confirmed it.
///
/// # Errors
/// Where the store can't be written.
pub fn keep_deliveries(
    store: &Store,
    now: Time,
    deliveries: &[Delivery],
    gone: &[String],
) -> Result<(), StoreError> {
    let LedgerAddition { puts, removes } = deliveries_addition(deliveries, gone);
    store.begin_ledger().commit(&LedgerCommit { at: now, puts, removes }).map(drop)
}

/// Messages as they stand, and others that are let go of, for whoever commits them together with what they tell of.
#[must_use]
pub fn deliveries_addition(deliveries: &[Delivery], gone: &[String]) -> LedgerAddition {
    LedgerAddition {
        puts: deliveries.iter().map(asset).collect(),
        removes: gone.iter().map(|id| (NOTIFICATION_TYPE.to_owned(), id.clone())).collect(),
    }
}

fn asset(delivery: &Delivery) -> Asset {
    let moment = |time: Option<Time>| time.map_or(Value::Null, |time| time.to_string().into());
    Asset::new(NOTIFICATION_TYPE, &*delivery.id)
        .with("channel", &*delivery.channel)
        .with("run", &*delivery.run)
        .with("createdAt", moment(Some(delivery.created)))
        .with("status", delivery.state.as_str())
        .with("attempts", delivery.attempts)
        .with("nextAttemptAt", moment(delivery.next))
        .with("note", delivery.note.clone())
        .with("message", delivery.body.clone())
}

fn read(asset: &Asset) -> Option<Delivery> {
    let moment = |field: &str| match asset.text(field) {
        None => Some(None),
        Some(text) => text.parse::<Time>().ok().map(Some),
    };
    let status = asset.text("status")?;
    Some(Delivery {
        id: asset.id.clone(),
        channel: asset.text("channel")?.to_owned(),
        run: asset.text("run")?.to_owned(),
        created: moment("createdAt")??,
        state: DeliveryState::ALL.into_iter().find(|state| state.as_str() == status)?,
        attempts: u32::try_from(asset.fields.get("attempts").and_then(Value::as_u64)?).ok()?,
        next: moment("nextAttemptAt")?,
        note: asset.text("note").map(str::to_owned),
        body: asset.text("message").map(str::to_owned),
    })
}
