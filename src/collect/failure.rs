//! What an error of AWS means for a slice: its outcome and a reason in our own words. AWS's own message is never
//! passed on, since it may hold names of resources, principals and encoded policies.

use std::borrow::Cow;

use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::cut_short::is_cut_short;
use crate::model::Outcome;

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// AWS's error code, or `HTTP 500` where there is none.
    pub(crate) code: Option<String>,
    /// More, in our own words.
    pub(crate) detail: Option<Cow<'static, str>>,
    /// The call that failed, where it is not the one its slice is named for.
    pub(crate) action: Option<&'static str>,
    /// Whether the list itself came whole, and only the second look at what it no longer names failed.
    pub(crate) when_confirming: bool,
}

/// The rows of the error table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// AWS refused for load until the attempts were used up.
    Throttled,
    /// The caller may not make this call.
    Denied,
    /// The region is not enabled, or the credentials are bad: one look at the caller's identity tells which.
    RegionOrCredentials,
    /// The credentials have expired.
    Credentials,
    /// The SDK had no credentials to sign with, or could not make the request.
    NotSent,
    /// There is no such thing, any more or yet.
    NotFound,
    /// No answer or no connection within the time there was.
    TimedOut,
    /// Its region was given up for the account; the detail says it all.
    GivenUp,
    /// Anything else.
    Other,
}

const THROTTLED: &[&str] = &[
    "RequestLimitExceeded",
    "EC2ThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
];
const DENIED: &[&str] = &["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"];
const REGION_OR_CREDENTIALS: &[&str] =
    &["AuthFailure", "OptInRequired", "UnrecognizedClientException", "InvalidClientTokenId"];
const CREDENTIALS: &[&str] =
    &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "RegionDisabledException"];

const NOT_FOUND: &[&str] = &[
    "ResourceNotFoundException",
    "NoSuchEntity",
    "NoSuchBucket",
    "NotFound",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "ReplicationConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
];

impl Failure {
    /// A failure found by ourselves, in an answer that AWS gave.
    pub(crate) fn other(detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: FailureKind::Other,
            code: None,
            detail: Some(detail.into()),
            action: None,
            when_confirming: false,
        }
    }

    /// Why nothing more was asked of a region.
    pub(crate) fn given_up(detail: String) -> Self {
        Self { kind: FailureKind::GivenUp, ..Self::other(detail) }
    }

    fn timed_out(detail: &'static str) -> Self {
        Self { kind: FailureKind::TimedOut, ..Self::other(detail) }
    }

    /// Reads what the SDK reports after its last attempt.
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if is_cut_short(error) {
            return Self::other("the answer was cut short");
        }
        match error {
            SdkError::TimeoutError(_) => Self::timed_out("no answer in time"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::timed_out("no connection in time")
            }
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.as_other().is_some() => {
                Self::other("the connection failed")
            }
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => Self {
                kind: FailureKind::NotSent,
                code: None,
                detail: Some("the request could not be signed or sent".into()),
                action: None,
                when_confirming: false,
            },
            SdkError::ServiceError(service) => {
                of_code(service.err().code(), service.err().message(), service.raw().status().as_u16())
            }
            SdkError::ResponseError(response) if !response.raw().status().is_success() => {
                of_code(None, None, response.raw().status().as_u16())
            }
            _ => Self::other("the answer could not be read"),
        }
    }

    /// Says which call failed, where one slice takes several.
    pub(crate) fn during(self, action: &'static str) -> Self {
        Self { action: Some(action), ..self }
    }

    /// Says that it was the second look at what a list no longer names that failed.
    pub(crate) fn when_confirming(self) -> Self {
        Self { when_confirming: true, ..self }
    }

    /// The outcome of a slice that ended so, once it is known whether the caller's credentials still hold.
    pub(crate) fn outcome(&self, credentials_hold: bool) -> Outcome {
        match self.kind {
            FailureKind::Throttled => Outcome::Throttled,
            FailureKind::Denied => Outcome::Denied,
            FailureKind::RegionOrCredentials if credentials_hold => Outcome::Disabled,
            _ => Outcome::Failed,
        }
    }

    /// `ec2:DescribeFlowLogs: UnauthorizedOperation (explicit deny in a service control policy)`.
    pub(crate) fn reason(&self, action: &str) -> String {
        let action = self.action.unwrap_or(action);
        if let (FailureKind::GivenUp, Some(detail)) = (self.kind, &self.detail) {
            return detail.to_string();
        }
        let mut reason = match (&self.code, &self.detail) {
            (Some(code), Some(detail)) => format!("{action}: {code} ({detail})"),
            (Some(code), None) => format!("{action}: {code}"),
            (None, Some(detail)) => format!("{action}: {detail}"),
            (None, None) => format!("{action}: failed"),
        };
        if self.when_confirming {
            reason.push_str(", when asked again for what the list no longer names");
        }
        reason
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        Self::of(&error)
    }
}

fn of_code(code: Option<&str>, message: Option<&str>, status: u16) -> Failure {
    let Some(code) = code else {
        // What answers HEAD has no body, and so no code.
        let kind = match status {
            403 => FailureKind::Denied,
            404 => FailureKind::NotFound,
            429 | 503 => FailureKind::Throttled,
            _ => FailureKind::Other,
        };
        return Failure {
            kind,
            code: Some(format!("HTTP {status}")),
            detail: None,
            action: None,
            when_confirming: false,
        };
    };
    let (kind, detail) = match code {
        _ if THROTTLED.contains(&code) => (FailureKind::Throttled, None),
        _ if DENIED.contains(&code) => (FailureKind::Denied, explain_denial(message)),
        _ if REGION_OR_CREDENTIALS.contains(&code) => (FailureKind::RegionOrCredentials, None),
        _ if CREDENTIALS.contains(&code) => {
            (FailureKind::Credentials, Some("the credentials have expired: renew them and collect again"))
        }
        _ if NOT_FOUND.contains(&code) => (FailureKind::NotFound, None),
        _ if status == 503 => (FailureKind::Throttled, None),
        _ => (FailureKind::Other, None),
    };
    Failure {
        kind,
        code: Some(plain_code(code)),
        detail: detail.map(Cow::Borrowed),
        action: None,
        when_confirming: false,
    }
}

/// Which policy denies is only said in AWS's message; the message itself names principals and resources.
fn explain_denial(message: Option<&str>) -> Option<&'static str> {
    let message = message?.to_ascii_lowercase();
    if !message.contains("explicit deny") {
        return None;
    }
    Some(match () {
        () if message.contains("service control policy") => "explicit deny in a service control policy",
        () if message.contains("permissions boundary") => "explicit deny in a permissions boundary",
        () if message.contains("session policy") => "explicit deny in a session policy",
        () if message.contains("resource control policy") => "explicit deny in a resource control policy",
        () => "explicit deny in a policy",
    })
}

/// A code as it may be shown: whatever answered is not trusted to send only codes.
fn plain_code(code: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let kept: String = code.chars().filter(plain).take(64).collect();
    if kept.is_empty() { "an error without a code".to_owned() } else { kept }
}
