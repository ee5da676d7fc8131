//! Messages on their way to others: put on record together with what they tell, sent when they are due, kept as they
//! stand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::super::failure::chain;
use crate::{
    check::{
        Check, Severity,
        ledger::{ChangeKind as Became, News, Outbox},
    },
    model::{Clock, Time},
    notify::{
        Attempt, Change, ChangeKind, Channel, ChannelKind, Client, Delivery, DeliveryState, Digest, after,
        deliveries_addition, is_due, keep_deliveries, read_deliveries,
    },
    schedule::Rebuild,
    store::{LedgerAddition, Store, StoreError},
};

/// So many messages of a channel that have come to an end are kept in the present.
const ENDED_KEPT: usize = 100;
/// So many messages are on the wire at once.
const AT_ONCE: usize = 8;
/// The longest sleep before the clock is asked again.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Sends messages.
#[derive(Debug)]
pub(crate) struct Notifier {
    channels: Vec<Channel>,
    client: Client,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    rebuild: Rebuild,
    /// Those that are known, by id.
    known: Mutex<BTreeMap<String, Delivery>>,
    wake: Notify,
}

impl Notifier {
    /// Takes over what an earlier process left. Blocking.
    pub(crate) fn new(
        channels: Vec<Channel>,
        client: Client,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        rebuild: Rebuild,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let mut changed = Vec::new();
        let mut known = BTreeMap::new();
        for mut delivery in read_deliveries(&store)? {
            let channel = channels.iter().find(|channel| channel.name == delivery.channel);
            let before = delivery.clone();
            if delivery.state == DeliveryState::Sending {
                let is_told_apart =
                    channel.is_some_and(|channel| matches!(channel.kind, ChannelKind::Webhook { .. }));
                delivery = after(&delivery, &Attempt::Lost { is_told_apart }, now);
            }
            if delivery.state == DeliveryState::Pending && channel.is_none() {
                let why = "its channel is no longer in the configuration".to_owned();
                delivery = after(&delivery, &Attempt::Refused { why }, now);
            }
            if delivery != before {
                changed.push(delivery.clone());
            }
            known.insert(delivery.id.clone(), delivery);
        }
        keep_deliveries(&store, now, &changed, &[])?;
        Ok(Self { channels, client, store, clock, rebuild, known: Mutex::new(known), wake: Notify::new() })
    }

    /// What makes messages of a run, for its record.
    pub(crate) fn letters<'n>(&'n self, checks: &'n [Check], now: Time) -> Letters<'n> {
        Letters { notifier: self, checks, now, fresh: Vec::new(), gone: Vec::new() }
    }

    /// Sends what is due until the task is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let now = self.clock.now();
            let due: Vec<Delivery> = self
                .lock()
                .values()
                .filter(|delivery| is_due(delivery, now))
                .take(AT_ONCE)
                .cloned()
                .collect();
            if due.is_empty() {
                let next = self
                    .lock()
                    .values()
                    .filter(|one| one.state == DeliveryState::Pending)
                    .filter_map(|one| one.next)
                    .min();
                let sleep = next.map_or(LONGEST_SLEEP, |next| next.since(now)).min(LONGEST_SLEEP);
                tokio::select! {
                    () = tokio::time::sleep(sleep.max(Duration::from_millis(20))) => {}
                    () = self.wake.notified() => {}
                }
                continue;
            }
            if !self.deliver(&due).await {
                // The disk is full, or worse: what is not on record is not sent.
                tokio::time::sleep(LONGEST_SLEEP).await;
            }
        }
    }

    /// Sends messages side by side. False where that can't be put on record.
    async fn deliver(self: &Arc<Self>, due: &[Delivery]) -> bool {
        let sending: Vec<Delivery> = due.iter().map(Delivery::sending).collect();
        if !self.keep(sending.clone()).await {
            return false;
        }
        let attempts = sending.iter().map(|delivery| self.attempt(delivery));
        let ended = join_all(attempts).await;
        let now = self.clock.now();
        let states = sending.iter().zip(&ended).map(|(delivery, attempt)| after(delivery, attempt, now));
        let states: Vec<Delivery> = states.collect();
        for state in states.iter().filter(|state| state.state != DeliveryState::Delivered) {
            let note = state.note.as_deref().unwrap_or_default();
            tracing::warn!("a message to `{}` did not arrive: {note}", state.channel);
        }
        self.keep(states).await
    }

    async fn attempt(&self, delivery: &Delivery) -> Attempt {
        let channel = self.channels.iter().find(|channel| channel.name == delivery.channel);
        match (channel, &delivery.body) {
            (Some(channel), Some(body)) => {
                self.client.attempt(channel, &delivery.id, body, self.clock.now()).await
            }
            _ => Attempt::Refused { why: "its channel is no longer in the configuration".to_owned() },
        }
    }

    async fn keep(self: &Arc<Self>, states: Vec<Delivery>) -> bool {
        let this = Arc::clone(self);
        let keeping = move || {
            let kept = keep_deliveries(&this.store, this.clock.now(), &states, &[]);
            // What was sent counts here even where it can't be kept: it is not sent again by this process.
            this.lock().extend(states.into_iter().map(|state| (state.id.clone(), state)));
            kept
        };
        match tokio::task::spawn_blocking(keeping).await {
            Ok(Ok(())) => {
                self.rebuild.request();
                true
            }
            Ok(Err(error)) => {
                tracing::error!("the state of messages could not be kept: {}", chain(&error));
                false
            }
            Err(error) => {
                tracing::error!(%error, "keeping the state of messages panicked");
                false
            }
        }
    }

    /// The oldest of each channel's messages that have come to an end, beyond those that are kept.
    fn ended_too_many(&self) -> Vec<String> {
        let known = self.lock();
        let mut gone = Vec::new();
        for channel in &self.channels {
            let is_ended = |one: &&Delivery| {
                one.channel == channel.name
                    && matches!(one.state, DeliveryState::Delivered | DeliveryState::GivenUp)
            };
            let mut ended: Vec<&Delivery> = known.values().filter(is_ended).collect();
            ended.sort_by_key(|one| (one.created, &one.id));
            let many = ended.len().saturating_sub(ENDED_KEPT);
            gone.extend(ended.into_iter().take(many).map(|one| one.id.clone()));
        }
        gone
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Delivery>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages of a run: on record with it, and on their way from then on.
#[derive(Debug)]
pub(crate) struct Letters<'n> {
    notifier: &'n Notifier,
    checks: &'n [Check],
    now: Time,
    /// What the record holds that is being written.
    fresh: Vec<Delivery>,
    /// The ids of what that record lets go of.
    gone: Vec<String>,
}

impl Outbox for Letters<'_> {
    fn messages(&mut self, sequence: u64, news: &News<'_>) -> LedgerAddition {
        let digest = digest_of(news, self.checks, sequence, self.now);
        let notifier = self.notifier;
        self.fresh.clear();
        for channel in &notifier.channels {
            let id = message_id(&channel.name, &digest.run);
            // Of one run a channel is told once, whatever happens.
            if notifier.lock().contains_key(&id) {
                continue;
            }
            if let Some(body) = digest.message(channel) {
                self.fresh.push(Delivery::new(id, &channel.name, &digest.run, self.now, body));
            }
        }
        self.gone = if self.fresh.is_empty() { Vec::new() } else { notifier.ended_too_many() };
        deliveries_addition(&self.fresh, &self.gone)
    }

    fn confirm(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut known = self.notifier.lock();
        self.gone.drain(..).for_each(|id| drop(known.remove(&id)));
        known.extend(self.fresh.drain(..).map(|delivery| (delivery.id.clone(), delivery)));
        drop(known);
        self.notifier.wake.notify_one();
    }
}

/// The id of the message that tells a channel of a run: always the same.
fn message_id(channel: &str, run: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(channel.as_bytes()).update(&[0]).update(run.as_bytes());
    let hex: String = hasher.finalize().to_hex().chars().take(26).collect();
    format!("msg_{hex}")
}

/// What a run changed, as far as others are told.
fn digest_of(news: &News<'_>, checks: &[Check], sequence: u64, now: Time) -> Digest {
    let title = |id: &str| {
        checks.iter().find(|check| check.id == id).map_or_else(|| id.to_owned(), |check| check.title.clone())
    };
    let changed = news.changes.iter().filter_map(|change| {
        let kind = match change.kind {
            Became::Opened => ChangeKind::Opened,
            Became::Reopened
            | Became::ExceptionExpired
            | Became::ExceptionRevoked
            | Became::ExceptionLeft => ChangeKind::Reopened,
            Became::Resolved => ChangeKind::Resolved,
            // Closed, and nobody says that it passes.
            Became::CheckGone => ChangeKind::Unknown,
            // Told as what is not known, below; or nothing that others wait for.
            Became::BecameUnknown | Became::Excepted | Became::SeenAgain => return None,
        };
        let finding = &change.finding;
        Some(told(kind, &finding.check_id, finding.severity, finding.asset.as_ref(), &finding.priority))
    });
    let unknown = news.unknown.iter().map(|unknown| {
        told(ChangeKind::Unknown, &unknown.check_id, unknown.severity, unknown.asset.as_ref(), &[])
    });
    let mut changes: Vec<Change> = changed.chain(unknown).collect();
    for change in &mut changes {
        change.title = title(&change.check);
    }
    Digest { run: sequence.to_string(), at: now, changes }
}

fn told(
    kind: ChangeKind,
    check: &str,
    severity: Severity,
    asset: Option<&crate::check::AssetName>,
    priority: &[String],
) -> Change {
    Change {
        kind,
        check: check.to_owned(),
        title: String::new(),
        severity,
        asset: asset.map(|asset| asset.id.clone()).unwrap_or_default(),
        name: asset.map_or_else(
            || "as a whole".to_owned(),
            |asset| match &asset.name {
                Some(name) => format!("{} ({name})", asset.short_id()),
                None => asset.short_id().to_owned(),
            },
        ),
        account: asset.and_then(|asset| asset.account_id.clone()),
        region: asset.and_then(|asset| asset.region.clone()),
        priority: priority.to_vec(),
    }
}
