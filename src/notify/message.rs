//! What is said of a run: one message for each channel, however many findings changed.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::{Value, json};

use super::channel::{Channel, ChannelKind};
use crate::{check::Severity, model::Time};

/// How a finding changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// An asset fails that did not before.
    Opened,
    /// An asset fails again.
    Reopened,
    /// An asset fails no longer, or is gone.
    Resolved,
    /// Whether an asset fails is no longer known.
    Unknown,
}

/// A word that names no change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no change of a finding: write opened, reopened, resolved or unknown")]
pub struct UnknownKind(pub String);

impl ChangeKind {
    /// Every kind, in the order they are told.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Reopened, Self::Unknown, Self::Resolved];

    /// The form configurations and messages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for ChangeKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One finding that changed, as far as others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// The id of the check.
    pub check: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// The id of the asset.
    pub asset: String,
    /// What people call the asset.
    pub name: String,
    /// Its account.
    pub account: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Labels of the check's priority rules that are true of it.
    pub priority: Vec<String>,
}

/// What a run changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The id of the run.
    pub run: String,
    /// When it ended.
    pub at: Time,
    /// What changed, the most severe first.
    pub changes: Vec<Change>,
}

/// So many changes stand in the message for a program; the others are counted.
const TOLD_TO_PROGRAMS: usize = 100;
/// So many lines stand in the message for people, for each kind.
const TOLD_TO_PEOPLE: usize = 10;

impl Digest {
    /// The message for a channel; nothing where the run changed nothing that it tells of.
    #[must_use]
    pub fn message(&self, channel: &Channel) -> Option<String> {
        let mut changes: Vec<&Change> = self.changes.iter().filter(|change| channel.wants(change)).collect();
        if changes.is_empty() {
            return None;
        }
        let rank = |kind: ChangeKind| ChangeKind::ALL.iter().position(|known| *known == kind);
        changes.sort_by(|one, other| {
            let urgency = |change: &Change| (!change.priority.is_empty(), change.severity);
            rank(one.kind).cmp(&rank(other.kind)).then_with(|| urgency(other).cmp(&urgency(one))).then_with(
                || (&one.check, &one.account, &one.asset).cmp(&(&other.check, &other.account, &other.asset)),
            )
        });
        Some(match &channel.kind {
            ChannelKind::Webhook { .. } => self.for_programs(&changes).to_string(),
            ChannelKind::Slack => json!({ "text": for_people(&changes) }).to_string(),
        })
    }

    fn for_programs(&self, changes: &[&Change]) -> Value {
        let told: Vec<Value> = changes
            .iter()
            .take(TOLD_TO_PROGRAMS)
            .map(|change| {
                json!({
                    "kind": change.kind.as_str(),
                    "check": change.check,
                    "title": change.title,
                    "severity": change.severity.as_str(),
                    "asset": change.asset,
                    "name": change.name,
                    "accountId": change.account,
                    "region": change.region,
                    "priority": change.priority,
                })
            })
            .collect();
        json!({
            "type": "findings.changed",
            "timestamp": self.at.to_string(),
            "data": {
                "run": self.run,
                "counts": counts(changes),
                "changes": told,
                "notShown": changes.len().saturating_sub(TOLD_TO_PROGRAMS),
            },
        })
    }
}

fn counts(changes: &[&Change]) -> BTreeMap<&'static str, usize> {
    ChangeKind::ALL
        .iter()
        .map(|kind| (kind.as_str(), changes.iter().filter(|change| change.kind == *kind).count()))
        .collect()
}

fn for_people(changes: &[&Change]) -> String {
    let headline: Vec<String> = ChangeKind::ALL
        .iter()
        .map(|kind| (kind, changes.iter().filter(|change| change.kind == *kind).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let mut text = format!("*passmuster: {}*", headline.join(", "));
    for kind in ChangeKind::ALL {
        let of_kind: Vec<&&Change> = changes.iter().filter(|change| change.kind == kind).collect();
        for change in of_kind.iter().take(TOLD_TO_PEOPLE) {
            let place: Vec<&str> =
                [change.account.as_deref(), change.region.as_deref()].into_iter().flatten().collect();
            let labels = if change.priority.is_empty() {
                String::new()
            } else {
                format!(" [{}]", change.priority.join(", "))
            };
            let line = format!(
                "\n{kind}: {} ({}) {} {}{labels}",
                change.title,
                change.severity,
                change.name,
                place.join(" ")
            );
            text.push_str(&escaped(&line));
        }
        if of_kind.len() > TOLD_TO_PEOPLE {
            text.push_str(&format!("\n.. and {} more {kind}", of_kind.len() - TOLD_TO_PEOPLE));
        }
    }
    text
}

/// Text in which nothing is a link, a mention or markup of its own: names of assets are anybody's.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '*' | '_' | '~' | '`' => {
                // A zero-width space keeps it from pairing up.
                escaped.push('\u{200b}');
                escaped.push(letter);
            }
            '\n' => escaped.push('\n'),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
