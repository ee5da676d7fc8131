//! The protocol graphql-transport-ws: what each message causes, in every state.

use passmuster::api::{CloseCode, Effect, Incoming, Protocol};
use serde_json::{Value, json};

/// A connection that has been acknowledged.
fn acknowledged() -> Protocol {
    let mut protocol = Protocol::new(2);
    assert_eq!(
        sent(take(&mut protocol, &json!({"type": "connection_init"}))),
        json!({"type": "connection_ack"})
    );
    protocol
}

fn take(protocol: &mut Protocol, message: &Value) -> Option<Effect> {
    protocol.take(Incoming::Text(&message.to_string()))
}

fn subscribe(id: &str) -> Value {
    json!({"type": "subscribe", "id": id, "payload": {"query": "subscription { checkRunFinished { id } }"}})
}

#[track_caller]
fn sent(effect: Option<Effect>) -> Value {
    match effect {
        Some(Effect::Send(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("not a message: {other:?}"),
    }
}

#[track_caller]
fn closed(effect: Option<Effect>) -> (u16, String) {
    match effect {
        Some(Effect::Close(close)) => (close.code as u16, close.reason),
        other => panic!("not a close: {other:?}"),
    }
}

#[test]
fn a_subscription_begins_tells_and_ends() {
    let mut protocol = acknowledged();
    let message = json!({"type": "subscribe", "id": "a", "payload": {
        "query": "subscription S($c: ID) { checkRunFinished(check: $c) { id } }",
        "operationName": "S", "variables": {"c": "x"}, "extensions": null,
    }});
    let Some(Effect::Begin { id, operation }) = take(&mut protocol, &message) else { panic!("it begins") };
    assert_eq!((id.as_str(), operation.operation_name.as_deref()), ("a", Some("S")));
    assert_eq!(operation.variables["c"], "x");
    assert_eq!(
        sent(protocol.next("a", r#"{"data":{"x":1}}"#)),
        json!({"type": "next", "id": "a", "payload": {"data": {"x": 1}}})
    );
    assert_eq!(
        take(&mut protocol, &json!({"type": "complete", "id": "a"})),
        Some(Effect::Stop { id: "a".to_owned() })
    );
    assert_eq!(protocol.next("a", "{}"), None, "nobody listens any more");
    assert_eq!(
        take(&mut protocol, &json!({"type": "complete", "id": "a"})),
        None,
        "it may cross with an end"
    );
    assert!(
        matches!(take(&mut protocol, &subscribe("a")), Some(Effect::Begin { .. })),
        "its id is free again"
    );
}

#[test]
fn a_refused_subscription_is_an_error_of_its_own_and_frees_its_id() {
    let mut protocol = acknowledged();
    take(&mut protocol, &subscribe("a \"quoted\""));
    assert_eq!(
        sent(protocol.refused("a \"quoted\"", r#"[{"message":"no"}]"#)),
        json!({"type": "error", "id": "a \"quoted\"", "payload": [{"message": "no"}]})
    );
    assert_eq!(protocol.active(), 0);
    assert_eq!(protocol.refused("a", "[]"), None, "of what was never begun nothing is said");
}

/// W1
#[test]
fn init_comes_once_and_in_time() {
    let mut protocol = Protocol::new(1);
    let (code, _) = closed(protocol.take(Incoming::InitTimedOut));
    assert_eq!(code, 4408);
    let mut protocol = acknowledged();
    assert_eq!(protocol.take(Incoming::InitTimedOut), None, "it came");
    assert_eq!(closed(take(&mut protocol, &json!({"type": "connection_init", "payload": {}}))).0, 4429);
}

/// W2
#[test]
fn nothing_is_subscribed_to_before_the_acknowledgement() {
    let mut protocol = Protocol::new(1);
    assert_eq!(closed(take(&mut protocol, &subscribe("a"))).0, 4401);
}

/// W2
#[test]
fn an_id_that_is_in_use_ends_the_connection() {
    let mut protocol = acknowledged();
    take(&mut protocol, &subscribe("a"));
    let (code, reason) = closed(take(&mut protocol, &subscribe("a")));
    assert_eq!((code, reason.as_str()), (4409, "there is a subscriber `a` already"));
}

/// W5
#[test]
fn so_many_subscriptions_are_active_and_no_more() {
    let mut protocol = acknowledged();
    for id in ["a", "b"] {
        assert!(matches!(take(&mut protocol, &subscribe(id)), Some(Effect::Begin { .. })));
    }
    let told = sent(take(&mut protocol, &subscribe("c")));
    assert_eq!((&told["type"], &told["id"]), (&json!("error"), &json!("c")));
    assert_eq!(told["payload"][0]["extensions"]["code"], "too_many_subscriptions");
    assert_eq!(protocol.active(), 2);
    take(&mut protocol, &json!({"type": "complete", "id": "a"}));
    assert!(matches!(take(&mut protocol, &subscribe("c")), Some(Effect::Begin { .. })));
}

#[test]
fn pings_are_answered_before_and_after_the_acknowledgement() {
    for mut protocol in [Protocol::new(1), acknowledged()] {
        for payload in [json!({"type": "ping"}), json!({"type": "ping", "payload": {"a": 1}})] {
            assert_eq!(sent(take(&mut protocol, &payload)), json!({"type": "pong"}));
        }
        assert_eq!(take(&mut protocol, &json!({"type": "pong", "payload": null})), None);
    }
}

/// W3
#[test]
fn what_the_protocol_does_not_know_ends_the_connection() {
    let long = "x".repeat(300);
    let refused = [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "\"connection_init\"".to_owned(),
        "{}".to_owned(),
        r#"{"type": 1}"#.to_owned(),
        r#"{"type": "start"}"#.to_owned(),
        format!(r#"{{"type": "{long}"}}"#),
        r#"{"type": "ping", "payload": []}"#.to_owned(),
        r#"{"type": "subscribe", "payload": {"query": "x"}}"#.to_owned(),
        r#"{"type": "subscribe", "id": "", "payload": {"query": "x"}}"#.to_owned(),
        r#"{"type": "subscribe", "id": 1, "payload": {"query": "x"}}"#.to_owned(),
        format!(r#"{{"type": "subscribe", "id": "{long}", "payload": {{"query": "x"}}}}"#),
        r#"{"type": "subscribe", "id": "a"}"#.to_owned(),
        r#"{"type": "subscribe", "id": "a", "payload": "x"}"#.to_owned(),
        r#"{"type": "subscribe", "id": "a", "payload": {}}"#.to_owned(),
        r#"{"type": "subscribe", "id": "a", "payload": {"query": 1}}"#.to_owned(),
        r#"{"type": "subscribe", "id": "a", "payload": {"query": "x", "variables": []}}"#.to_owned(),
        r#"{"type": "subscribe", "id": "a", "payload": {"query": "x", "operationName": 1}}"#.to_owned(),
        r#"{"type": "complete"}"#.to_owned(),
        r#"{"type": "next", "id": "a", "payload": {}}"#.to_owned(),
    ];
    for text in refused {
        let (code, reason) = closed(acknowledged().take(Incoming::Text(&text)));
        assert_eq!(code, CloseCode::BadRequest as u16, "{text}");
        assert!(!reason.is_empty() && reason.len() <= 123, "{text}: {reason}");
        assert!(!reason.contains("xxx"), "what a client sends is not sent back: {reason}");
    }
    assert_eq!(closed(acknowledged().take(Incoming::Binary)).0, 4400);
}

/// The reason of a close frame has 123 bytes at most, whatever the id is.
#[test]
fn a_reason_is_cut_between_letters() {
    let mut protocol = acknowledged();
    let id = "ü".repeat(100);
    take(&mut protocol, &subscribe(&id));
    let (code, reason) = closed(take(&mut protocol, &subscribe(&id)));
    assert_eq!(code, 4409);
    assert!(reason.len() <= 123 && reason.ends_with('ü'), "{reason}");
}
