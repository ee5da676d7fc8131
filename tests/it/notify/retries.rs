//! When a message is tried again, and when no more.

use std::time::Duration;

use passmuster::{
    model::Time,
    notify::{Attempt, Delivery, DeliveryState, after, is_due},
};

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn fresh() -> Delivery {
    Delivery::new("id".to_owned(), "ops", "run-1", at("2026-11-20T12:00"), "{}".to_owned())
}

fn failed() -> Attempt {
    Attempt::Failed { why: "`example.com` answered 503".to_owned(), retry_after: None }
}

#[test]
fn waits_grow_and_come_to_an_end() {
    let mut now = at("2026-11-20T12:00");
    let mut delivery = fresh();
    assert!(is_due(&delivery, now));
    let mut waits = Vec::new();
    loop {
        delivery = delivery.sending();
        assert!(!is_due(&delivery, now), "it is on its way");
        delivery = after(&delivery, &failed(), now);
        let Some(next) = delivery.next else { break };
        waits.push(next.since(now).as_secs());
        assert!(!is_due(&delivery, Time::from_millis(next.millis() - 1).unwrap()));
        assert!(is_due(&delivery, next));
        now = next;
    }
    assert_eq!(waits, [5, 30, 120, 600, 3600, 21_600]);
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::GivenUp, 7));
    assert_eq!(delivery.body, None, "what is not sent any more is not kept");
    assert_eq!(delivery.note.as_deref(), Some("given up after 7 attempts: `example.com` answered 503"));
    assert!(!is_due(&delivery, at("2030-01-01")));
}

#[test]
fn what_was_taken_is_never_sent_again() {
    let delivered = after(&fresh().sending(), &Attempt::Taken, at("2026-11-20T12:01"));
    assert_eq!(
        (delivered.state, delivered.body.clone(), delivered.next),
        (DeliveryState::Delivered, None, None)
    );
    assert!(!is_due(&delivered, at("2030-01-01")));
}

#[test]
fn what_can_never_work_is_not_tried_again() {
    let refused = Attempt::Refused { why: "`example.com` answered 404".to_owned() };
    let delivery = after(&fresh().sending(), &refused, at("2026-11-20T12:01"));
    assert_eq!(delivery.state, DeliveryState::GivenUp);
    assert_eq!(delivery.note.as_deref(), Some("`example.com` answered 404"));
}

#[test]
fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
    let now = at("2026-11-20T12:00");
    let asked =
        |seconds| Attempt::Failed { why: "busy".to_owned(), retry_after: Some(Duration::from_secs(seconds)) };
    let next =
        |seconds| after(&fresh().sending(), &asked(seconds), now).next.map(|next| next.since(now).as_secs());
    assert_eq!(next(100), Some(100));
    assert_eq!(next(1), Some(5), "not sooner than without asking");
    assert_eq!(next(u64::MAX), None);
    assert_eq!(after(&fresh().sending(), &asked(u64::MAX), now).state, DeliveryState::GivenUp);
}

/// Whether a message arrived is not known where the process ended while it was sent.
#[test]
fn a_message_that_was_cut_off_goes_again_only_to_who_can_tell() {
    let now = at("2026-11-20T12:00");
    let again = after(&fresh().sending(), &Attempt::Lost { is_told_apart: true }, now);
    assert_eq!((again.state, again.id.as_str()), (DeliveryState::Pending, "id"), "by the same id");
    let once = after(&fresh().sending(), &Attempt::Lost { is_told_apart: false }, now);
    assert_eq!(once.state, DeliveryState::GivenUp);
    assert!(once.note.unwrap().contains("could not tell a second one"), "and says so");
}
