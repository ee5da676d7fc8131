//! Messages on their way, through the store and a restart.

use passmuster::{
    model::Time,
    notify::{Attempt, Delivery, DeliveryState, after, keep_deliveries, read_deliveries},
    store::{Store, StoreOptions},
};

#[test]
fn messages_on_their_way_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), &StoreOptions::default()).unwrap().store;
    let now: Time = "2026-11-20T12:00".parse().unwrap();
    let fresh = |id: &str| Delivery::new(id.to_owned(), "ops", "17", now, "{\"a\":\"\\u0001 ü\"}".to_owned());
    let failed = Attempt::Failed { why: "`example.com` answered 503".to_owned(), retry_after: None };
    let all = vec![
        fresh("msg_1"),
        fresh("msg_2").sending(),
        after(&fresh("msg_3").sending(), &failed, now),
        after(&fresh("msg_4").sending(), &Attempt::Taken, now),
    ];
    let store = open();
    keep_deliveries(&store, now, &all, &[]).unwrap();
    drop(store);
    let store = open();
    assert_eq!(read_deliveries(&store).unwrap(), all);
    keep_deliveries(&store, now, &[fresh("msg_5")], &["msg_4".to_owned(), "msg_9".to_owned()]).unwrap();
    let ids: Vec<(String, DeliveryState)> =
        read_deliveries(&store).unwrap().into_iter().map(|one| (one.id, one.state)).collect();
    let expected = [
        ("msg_1", DeliveryState::Pending),
        ("msg_2", DeliveryState::Sending),
        ("msg_3", DeliveryState::Pending),
        ("msg_5", DeliveryState::Pending),
    ];
    assert_eq!(ids, expected.map(|(id, state)| (id.to_owned(), state)));
}
