//! What is said, and the signature under it.

use passmuster::{
    check::Severity,
    model::Time,
    notify::{Change, ChangeKind, ChannelKind, Digest, Secret, SecretError, sign},
};
use serde_json::{Value, json};

use super::{PRIVATE, SECRET, change, channel, signed};

fn digest(changes: Vec<Change>) -> Digest {
    Digest { run: "run-1".to_owned(), at: "2026-11-20T12:04:11Z".parse::<Time>().unwrap(), changes }
}

fn message(digest: &Digest, kind: ChannelKind) -> Value {
    let channel = channel(kind, "http://127.0.0.1/", PRIVATE);
    serde_json::from_str(&digest.message(&channel).unwrap()).unwrap()
}

#[test]
fn one_message_tells_of_a_whole_run() {
    let digest = digest(vec![
        change(ChangeKind::Resolved, "b", "vpc-3"),
        Change { severity: Severity::Critical, ..change(ChangeKind::Opened, "b", "vpc-2") },
        change(ChangeKind::Opened, "a", "vpc-1"),
        Change { priority: vec!["production".to_owned()], ..change(ChangeKind::Opened, "c", "vpc-9") },
        change(ChangeKind::Unknown, "a", "vpc-4"),
    ]);
    let told = message(&digest, signed());
    assert_eq!(told["type"], "findings.changed");
    assert_eq!(told["timestamp"], "2026-11-20T12:04:11.000Z");
    assert_eq!(told["data"]["run"], "run-1");
    assert_eq!(told["data"]["counts"], json!({"opened": 3, "reopened": 0, "resolved": 1, "unknown": 1}));
    let order: Vec<&str> = told["data"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["name"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["vpc-9", "vpc-2", "vpc-1", "vpc-4", "vpc-3"], "urgent and severe first");
    assert_eq!(
        told["data"]["changes"][0],
        json!({
            "kind": "opened", "check": "c", "title": "Title of c", "severity": "medium", "name": "vpc-9",
            "asset": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-9", "accountId": "123456789012",
            "region": "eu-west-1", "priority": ["production"],
        })
    );
    let text = message(&digest, ChannelKind::Slack)["text"].as_str().unwrap().to_owned();
    assert_eq!(text.lines().next(), Some("*passmuster: 3 opened, 1 unknown, 1 resolved*"), "{text}");
    assert!(
        text.contains("\nopened: Title of c (medium) vpc-9 123456789012 eu-west-1 [production]"),
        "{text}"
    );
}

#[test]
fn a_message_has_a_bounded_size_however_many_findings_changed() {
    let digest =
        digest((0..50_000).map(|number| change(ChangeKind::Opened, "a", &format!("vpc-{number}"))).collect());
    let told = message(&digest, signed());
    assert_eq!(told["data"]["counts"]["opened"], 50_000);
    assert_eq!(told["data"]["notShown"], 49_900);
    assert!(told.to_string().len() < 48 * 1024, "{}", told.to_string().len());
    let text = message(&digest, ChannelKind::Slack)["text"].as_str().unwrap().to_owned();
    assert!(text.contains(".. and 49990 more opened"), "{text}");
    assert!(text.len() < 4000, "{}", text.len());
}

#[test]
fn a_channel_is_told_of_what_it_asks_for_and_of_nothing_else() {
    let digest = digest(vec![
        change(ChangeKind::Opened, "aws-vpc-one", "vpc-1"),
        Change { severity: Severity::Low, ..change(ChangeKind::Opened, "aws-vpc-two", "vpc-2") },
        change(ChangeKind::Resolved, "aws-vpc-one", "vpc-3"),
        change(ChangeKind::Opened, "other", "vpc-4"),
    ]);
    let mut channel = channel(signed(), "http://127.0.0.1/", PRIVATE);
    channel.on = vec![ChangeKind::Opened];
    channel.severity = Severity::Medium;
    channel.checks = vec!["aws-vpc-*".to_owned()];
    let told: Value = serde_json::from_str(&digest.message(&channel).unwrap()).unwrap();
    let names: Vec<&str> = told["data"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["vpc-1"]);
    channel.checks = vec!["aws-vpc".to_owned()];
    assert_eq!(digest.message(&channel), None, "a name without a star is a whole name");
}

/// The name of an asset is anybody's text.
#[test]
fn names_of_assets_are_no_markup() {
    let digest =
        digest(vec![change(ChangeKind::Opened, "a", "<!channel> *b* <https://evil|x> & \u{7}\u{202e}")]);
    let text = message(&digest, ChannelKind::Slack)["text"].as_str().unwrap().to_owned();
    assert!(!text.contains("<!channel>") && !text.contains("<https"), "{text}");
    assert!(text.contains("&lt;!channel&gt;") && text.contains("&amp;"), "{text}");
    assert!(!text.contains('\u{7}') && !text.contains("*b*"), "{text}");
}

/// The example of the Standard Webhooks specification's own tests.
#[test]
fn the_signature_is_that_of_standard_webhooks() {
    let secret = Secret::read(SECRET).unwrap();
    let signature = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_secret_is_long_enough_and_never_shown() {
    assert_eq!(Secret::read("short").unwrap_err(), SecretError::TooShort { bytes: 5 });
    assert_eq!(Secret::read("whsec_!!!").unwrap_err(), SecretError::NotBase64);
    assert_eq!(Secret::read("").unwrap_err(), SecretError::TooShort { bytes: 0 });
    let secret = Secret::read(" 0123456789abcdef01234567\n").unwrap();
    assert!(!format!("{secret:?} {:?}", signed()).contains("0123"), "{secret:?}");
    assert!(!format!("{:?}", signed()).contains("Mf"), "nor as bytes");
}

#[test]
fn kinds_are_read_back_and_others_refused() {
    for kind in ChangeKind::ALL {
        assert_eq!(kind.as_str().parse::<ChangeKind>().unwrap(), kind);
    }
    let error = "closed".parse::<ChangeKind>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`closed` is no change of a finding: write opened, reopened, resolved or unknown"
    );
}
