//! The place that flow logs are to deliver to, as the user names it and as templates see it.

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
}

/// A text that names no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no destination: write s3:BUCKET, logs:GROUP:ROLE or firehose:ARN")]
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
            _ => return Err(refused()),
        };
        if is_printable(rest) { Ok(destination) } else { Err(refused()) }
    }
}

impl Destination {
    /// One of each kind, for trying templates.
    pub(super) fn placeholders() -> [Self; 3] {
        [
            Self::S3 { bucket: "BUCKET".to_owned() },
            Self::Logs { group: "LOG_GROUP".to_owned(), role: "ROLE".to_owned() },
            Self::Firehose { arn: "STREAM_ARN".to_owned() },
        ]
    }

    /// As templates see it, for resources of an account and region. `arguments` are those of `aws ec2 create-flow-logs`,
    /// quoted.
    pub(super) fn value(&self, partition: &str, account: &str, region: &str) -> Value {
        let arguments = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
            Value::from_safe_string(words.join(" "))
        };
        match self {
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
                let role_arn = if role.starts_with("arn:") {
                    role.clone()
                } else {
                    format!("arn:{partition}:iam::{account}:role/{role}")
                };
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
        }
    }
}
