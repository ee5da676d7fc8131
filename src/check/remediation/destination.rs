//! The place that logs are to go to, as the user names it and as templates see it: what flow logs deliver to
//! (`destination`), or what records are sent on to from there (`receiver`).

use std::str::FromStr;

use minijinja::{Value, context};

use super::quoting::shell_word;

/// Where logs are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `s3:BUCKET`, with a prefix or without.
    S3 {
        /// The bucket and what follows it, e.g. `org-logs/flow`.
        bucket: String,
    },
    /// `logs:GROUP:ROLE`.
    Logs {
        /// The log group, made with the first record where there is none.
        group: String,
        /// The ARN or the name of the role that delivers.
        role: String,
    },
    /// `firehose:ARN`.
    Firehose {
        /// The stream.
        arn: String,
    },
    /// `forward:ARN:ROLE`, or `forward:ARN` where AWS needs no role.
    Forward {
        /// What takes records on. `{region}` and `{account}` in it stand for those of the log group.
        arn: String,
        /// The ARN or the name of the role that sends to a stream.
        role: Option<String>,
    },
}

/// What commands need to be told: where flow logs deliver to, or where their records are sent on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// What flow logs can deliver to.
    Destination,
    /// What subscription filters can send to.
    Receiver,
}

impl Need {
    /// Every need.
    pub(super) const ALL: [Self; 2] = [Self::Destination, Self::Receiver];

    /// What it is called in templates.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Receiver => "receiver",
        }
    }

    /// How it is written.
    pub(super) fn forms(self) -> &'static str {
        match self {
            Self::Destination => "s3:BUCKET, logs:GROUP:ROLE or firehose:ARN",
            Self::Receiver => "forward:ARN or forward:ARN:ROLE",
        }
    }
}

/// A text that names no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no destination: write s3:BUCKET, logs:GROUP:ROLE or firehose:ARN; or, to send on, forward:ARN of a \
     function or a destination of CloudWatch Logs, or forward:ARN:ROLE of a stream"
)]
pub struct DestinationError(pub String);

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let refused = || DestinationError(text.to_owned());
        let is_printable = |part: &str| !part.is_empty() && !part.chars().any(char::is_control);
        let (kind, rest) = text.split_once(':').ok_or_else(refused)?;
        let destination = match kind {
            "s3" => {
                let name = rest.split('/').next().unwrap_or_default();
                let is_letter = |letter: char| {
                    letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter)
                };
                if !(3..=63).contains(&name.len()) || !name.chars().all(is_letter) {
                    return Err(refused());
                }
                Self::S3 { bucket: rest.to_owned() }
            }
            "logs" => {
                let (group, role) = rest.split_once(':').ok_or_else(refused)?;
                if !is_printable(group) || !is_printable(role) {
                    return Err(refused());
                }
                Self::Logs { group: group.to_owned(), role: role.to_owned() }
            }
            "firehose" if rest.starts_with("arn:") => Self::Firehose { arn: rest.to_owned() },
            "forward" => forward(rest).ok_or_else(refused)?,
            _ => return Err(refused()),
        };
        if is_printable(rest) { Ok(destination) } else { Err(refused()) }
    }
}

/// An ARN of what subscription filters send to, and a role for the two kinds of stream.
fn forward(text: &str) -> Option<Destination> {
    let arn = Arn::read(text)?;
    let is_place = |part: &str, own: &str| {
        part == own
            || (!part.is_empty()
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'))
    };
    if arn.partition.is_empty() || !is_place(arn.region, REGION) || !is_place(arn.account, ACCOUNT) {
        return None;
    }
    let (resource, role) = match (arn.service, arn.resource.split_once(':')) {
        ("kinesis" | "firehose", Some((stream, role))) if !role.is_empty() => (stream, Some(role.to_owned())),
        ("lambda" | "logs", Some((_, name))) if !name.is_empty() => (arn.resource, None),
        _ => return None,
    };
    let arn = format!("arn:{}:{}:{}:{}:{resource}", arn.partition, arn.service, arn.region, arn.account);
    Some(Destination::Forward { arn, role })
}

/// What stands in an ARN for the log group's own region and account.
const REGION: &str = "{region}";
const ACCOUNT: &str = "{account}";

/// The parts of an ARN.
struct Arn<'a> {
    partition: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let is_arn = parts.next() == Some("arn");
        let mut next = || parts.next();
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        is_arn.then_some(arn)
    }
}

impl Destination {
    /// What it can be used for.
    pub(super) fn serves(&self) -> Need {
        match self {
            Self::S3 { .. } | Self::Logs { .. } | Self::Firehose { .. } => Need::Destination,
            Self::Forward { .. } => Need::Receiver,
        }
    }

    /// One of each kind, for trying templates.
    pub(super) fn placeholders() -> [Self; 5] {
        [
            Self::S3 { bucket: "BUCKET".to_owned() },
            Self::Logs { group: "LOG_GROUP".to_owned(), role: "ROLE".to_owned() },
            Self::Firehose { arn: "STREAM_ARN".to_owned() },
            Self::Forward {
                arn: "arn:aws:firehose:{region}:{account}:deliverystream/STREAM".to_owned(),
                role: Some("ROLE".to_owned()),
            },
            Self::Forward {
                arn: "arn:aws:lambda:{region}:{account}:function:FUNCTION".to_owned(),
                role: None,
            },
        ]
    }

    /// As templates see it, for resources of an account and region. `arguments` are those of `aws ec2 create-flow-logs`
    /// or of `aws logs put-subscription-filter`, quoted.
    ///
    /// # Errors
    /// Why nothing of that account and region can go there.
    pub(super) fn value(&self, partition: &str, account: &str, region: &str) -> Result<Value, String> {
        let arguments = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
            Value::from_safe_string(words.join(" "))
        };
        let role_arn = |role: &str| {
            if role.starts_with("arn:") {
                return role.to_owned();
            }
            format!("arn:{partition}:iam::{account}:role/{role}")
        };
        Ok(match self {
            Self::S3 { bucket } => {
                let arn = format!("arn:{partition}:s3:::{bucket}");
                context! {
                    kind => "s3",
                    type => "s3",
                    bucket => bucket,
                    arguments => arguments(&["--log-destination-type", "s3", "--log-destination", &arn]),
                    arn,
                }
            }
            Self::Logs { group, role } => {
                let role_arn = role_arn(role);
                let group_argument = format!("--log-group-name={group}");
                context! {
                    kind => "logs",
                    type => "cloud-watch-logs",
                    logGroupName => group,
                    arn => format!("arn:{partition}:logs:{region}:{account}:log-group:{group}"),
                    arguments => arguments(&[&group_argument, "--deliver-logs-permission-arn", &role_arn]),
                    roleArn => role_arn,
                }
            }
            Self::Firehose { arn } => context! {
                kind => "firehose",
                type => "kinesis-data-firehose",
                arn => arn,
                arguments => arguments(
                    &["--log-destination-type", "kinesis-data-firehose", "--log-destination", arn],
                ),
            },
            Self::Forward { arn, role } => {
                let arn = arn.replacen(REGION, region, 1).replacen(ACCOUNT, account, 1);
                let kind = receiving(&arn, partition, account, region)?;
                let role_arn = role.as_deref().map(role_arn);
                let mut words = vec!["--destination-arn", &arn];
                words.extend(role_arn.iter().flat_map(|role_arn| ["--role-arn", role_arn]));
                context! { kind, arguments => arguments(&words), arn, roleArn => role_arn }
            }
        })
    }
}

/// The service of an ARN that subscription filters of an account and region can send to: AWS takes only what is in the
/// same region, and only a destination of CloudWatch Logs of another account.
fn receiving(arn: &str, partition: &str, account: &str, region: &str) -> Result<String, String> {
    let Some(to) = Arn::read(arn) else { return Err(format!("`{arn}` is no ARN")) };
    if to.partition != partition {
        return Err(format!("what is in `{partition}` can't be sent on to `{}`", to.partition));
    }
    if to.region != region {
        return Err(format!(
            "log groups can only send to their own region, not to {}: `{REGION}` in the ARN stands for it",
            to.region
        ));
    }
    if to.service != "logs" && to.account != account {
        return Err(format!(
            "log groups can only send to a {} of their own account, not of {}: `{ACCOUNT}` in the ARN stands for it",
            to.service, to.account
        ));
    }
    Ok(to.service.to_owned())
}
