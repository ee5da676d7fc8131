//! Telling others: which addresses are spoken to, what is said, when it is tried again, and what goes over the wire.

mod address;
mod kept;
mod messages;
mod retries;
mod wire;

use passmuster::{
    check::Severity,
    notify::{AddressRule, Change, ChangeKind, Channel, ChannelKind, Secret, Target},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the tests' own receivers need.
const PRIVATE: AddressRule = AddressRule { allow_private: true, allow_http: true };

fn channel(kind: ChannelKind, url: &str, rule: AddressRule) -> Channel {
    Channel {
        name: "ops".to_owned(),
        kind,
        target: Target::read(url, rule).unwrap(),
        rule,
        on: ChangeKind::ALL.to_vec(),
        severity: Severity::Low,
        checks: Vec::new(),
    }
}

fn signed() -> ChannelKind {
    ChannelKind::Webhook { secret: Some(Secret::read(SECRET).unwrap()) }
}

fn change(kind: ChangeKind, check: &str, asset: &str) -> Change {
    Change {
        kind,
        check: check.to_owned(),
        title: format!("Title of {check}"),
        severity: Severity::Medium,
        asset: format!("arn:aws:ec2:eu-west-1:123456789012:vpc/{asset}"),
        name: asset.to_owned(),
        account: Some("123456789012".to_owned()),
        region: Some("eu-west-1".to_owned()),
        priority: Vec::new(),
    }
}
