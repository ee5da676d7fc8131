//! From what AWS answers to an asset: the header every asset has, and small steps for fields of each kind. What AWS
//! leaves out stays out, which the graph reads as null.

use aws_sdk_ec2::{primitives::DateTime, types::Tag};
use serde_json::{Map, Value, json};

use super::{failure::Failure, referred::Target};
use crate::model::{Asset, Time};

/// Whose answer it is: the same for every asset of a slice.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// `aws`, `aws-cn`, `aws-us-gov`..: taken from the caller's ARN.
    pub(crate) partition: String,
    /// The account whose credentials made the call.
    pub(crate) caller: String,
    /// The region that was asked.
    pub(crate) region: String,
}

impl Origin {
    /// `arn:P:ec2:R:OWNER:RESOURCE`.
    pub(crate) fn ec2_arn(&self, owner: &str, resource: &str) -> String {
        format!("arn:{}:ec2:{}:{owner}:{resource}", self.partition, self.region)
    }

    /// True where the caller sees what another account owns; nothing where it owns it itself, since AWS does not tell
    /// an owner who else sees it.
    pub(crate) fn sees_as_participant(&self, owner: &str) -> Option<bool> {
        (owner != self.caller).then_some(true)
    }

    /// The same origin, seen from another region.
    pub(crate) fn within(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }
}

/// An asset in the making.
#[derive(Debug)]
pub(crate) struct Shape(Asset);

impl Shape {
    /// Begins with the header. `native_id` is the id AWS uses within the account (`vpc-0123`), `owner` the account
    /// the thing belongs to, which need not be the caller's.
    pub(crate) fn new(typename: &str, id: String, native_id: &str, owner: &str, origin: &Origin) -> Self {
        Self(
            Asset::new(typename, id)
                .with("provider", "aws")
                .with("source", "live")
                .with("partition", origin.partition.as_str())
                .with("accountId", owner)
                .with("region", origin.region.as_str())
                .with("nativeId", native_id),
        )
    }

    /// Text, and enum values as they came over the wire.
    pub(crate) fn text(self, field: &str, value: Option<&str>) -> Self {
        self.json(field, value.map(Value::from))
    }

    pub(crate) fn flag(self, field: &str, value: Option<bool>) -> Self {
        self.json(field, value.map(Value::from))
    }

    pub(crate) fn number(self, field: &str, value: Option<i32>) -> Self {
        self.json(field, value.map(Value::from))
    }

    pub(crate) fn long(self, field: &str, value: Option<i64>) -> Self {
        self.json(field, value.map(Value::from))
    }

    pub(crate) fn list(self, field: &str, values: Vec<Value>) -> Self {
        self.json(field, Some(Value::Array(values)))
    }

    /// Texts whose order means nothing, sorted.
    pub(crate) fn texts<'v>(self, field: &str, values: impl Iterator<Item = &'v str>) -> Self {
        self.list(field, sorted(values).into_iter().map(Value::from).collect())
    }

    /// A moment, as UTC with milliseconds.
    pub(crate) fn time(self, field: &str, value: Option<&DateTime>) -> Self {
        self.millis(field, value.and_then(|time| time.to_millis().ok()))
    }

    /// A moment given in milliseconds since 1970.
    pub(crate) fn millis(self, field: &str, value: Option<i64>) -> Self {
        let time = value.and_then(Time::from_millis);
        self.json(field, time.map(|time| Value::from(time.to_string())))
    }

    /// The tags sorted by key, and the name from the `Name` tag.
    pub(crate) fn tags(self, tags: &[Tag]) -> Self {
        self.tag_pairs(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default()))))
    }

    /// Tags of something whose name is no tag.
    pub(crate) fn tag_list<'v>(self, pairs: impl Iterator<Item = (&'v str, &'v str)>) -> Self {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        let list = pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        self.list("tags", list)
    }

    /// The same from pairs of key and value.
    pub(crate) fn tag_pairs<'v>(self, pairs: impl Iterator<Item = (&'v str, &'v str)>) -> Self {
        let pairs: Vec<_> = pairs.collect();
        let name = pairs.iter().filter(|(key, _)| *key == "Name").map(|(_, value)| *value).min();
        self.text("name", name).tag_list(pairs.into_iter())
    }

    /// Fields that exist and could not be looked at: neither a value nor null.
    pub(crate) fn unseen(mut self, fields: &[&str]) -> Self {
        self.0.unknown.extend(fields.iter().map(|field| (*field).to_owned()));
        self
    }

    /// Marks an asset of which nothing but its name is known.
    pub(crate) fn stub_reason(self, reason: StubReason) -> Self {
        self.text("stubReason", Some(reason.as_str()))
    }

    pub(crate) fn build(self) -> Asset {
        self.0
    }

    fn json(mut self, field: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.0.fields.insert(field.to_owned(), value);
        }
        self
    }
}

/// Why no more than the name of something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StubReason {
    /// It belongs to an account that was not asked.
    NotScanned,
    /// AWS does not let the caller see it, or whether it is there.
    Denied,
    /// What AWS says of it is in a form that is not understood.
    Unreadable,
}

impl StubReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::NotScanned => "NOT_SCANNED",
            Self::Denied => "DENIED",
            Self::Unreadable => "UNREADABLE",
        }
    }
}

/// Begins an asset of which a flow log gives the name and nobody gives more.
pub(crate) fn stub(typename: &str, target: &Target, origin: &Origin, reason: StubReason) -> Shape {
    let mut shape = Shape::new(typename, target.arn.clone(), &target.name, &target.account_id, origin)
        .text("name", Some(&target.name))
        .stub_reason(reason)
        .unseen(&["tags"]);
    if target.account_id.is_empty() {
        shape.0.fields.remove("accountId");
        shape = shape.unseen(&["accountId"]);
    }
    shape
}

/// Texts sorted, each once.
pub(crate) fn sorted<'v>(values: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut values: Vec<&str> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The ARN that AWS gives, else one made by its rules.
pub(crate) fn given_or(arn: Option<&str>, made: impl FnOnce() -> String) -> String {
    arn.filter(|arn| !arn.is_empty()).map_or_else(made, str::to_owned)
}

/// An embedded object out of those fields that have a value.
pub(crate) fn object<const N: usize>(fields: [(&str, Option<&str>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?.into())));
    Value::Object(given.collect::<Map<_, _>>())
}

/// A field without which an item can't be told from others: an answer that lacks it makes no sense.
pub(crate) fn required<'a>(value: Option<&'a str>, complaint: &'static str) -> Result<&'a str, Failure> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Failure::other(complaint))
}
