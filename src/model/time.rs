//! Moments and the clock. Every moment the product stores or prints is UTC with milliseconds; the clock is handed in,
//! so that nothing but [`SystemClock`] ever asks the machine what time it is.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use jiff::{Timestamp, civil, tz::TimeZone};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, between the years -9999 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// Text that is not a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write it as in 2026-11-20 or 2026-11-20T12:04:11Z")]
pub struct TimeError(pub String);

impl Time {
    /// From milliseconds since 1970; nothing beyond the years -9999 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        Timestamp::from_millisecond(millis).ok().map(|_| Self(millis))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This moment moved back by a span; stops at the earliest moment there is.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis).max(Timestamp::MIN.as_millisecond()))
    }

    /// How long after `earlier` this is; zero where it isn't after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(formatter, "{timestamp:.3}"),
            Err(_) => write!(formatter, "{}ms", self.0),
        }
    }
}

impl FromStr for Time {
    type Err = TimeError;

    /// Reads any ISO 8601 form with a date: `2026-11-20`, `2026-11-20T12:04` (taken as UTC), with `Z` or an offset.
    /// Digits below a millisecond are cut off.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refuse = || TimeError(text.to_owned());
        let timestamp = match text.parse::<Timestamp>() {
            Ok(timestamp) => timestamp,
            Err(_) => text
                .parse::<civil::DateTime>()
                .ok()
                .and_then(|local| local.to_zoned(TimeZone::UTC).ok())
                .ok_or_else(refuse)?
                .timestamp(),
        };
        Self::from_millis(timestamp.as_nanosecond().div_euclid(1_000_000).try_into().map_err(|_| refuse())?)
            .ok_or_else(refuse)
    }
}

/// How old a complete collection may be before what it said no longer counts: `90s`, `15m`, `24h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(pub Duration);

impl MaxAge {
    /// What holds where a check says nothing.
    pub const DEFAULT: Self = Self(Duration::from_secs(24 * 60 * 60));
}

/// Text that is not a span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a span: write a number and a unit, as in 90s, 15m, 24h or 7d")]
pub struct SpanError(pub String);

impl FromStr for MaxAge {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let refuse = || SpanError(text.to_owned());
        let unit = text.chars().next_back().ok_or_else(refuse)?;
        let seconds_per_unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(refuse()),
        };
        let count: u64 = text.strip_suffix(unit).and_then(|digits| digits.parse().ok()).ok_or_else(refuse)?;
        count
            .checked_mul(seconds_per_unit)
            .map(|seconds| Self(Duration::from_secs(seconds)))
            .ok_or_else(refuse)
    }
}

impl fmt::Display for MaxAge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            _ if seconds.is_multiple_of(86_400) => write!(formatter, "{}d", seconds / 86_400),
            _ if seconds.is_multiple_of(3_600) => write!(formatter, "{}h", seconds / 3_600),
            _ if seconds.is_multiple_of(60) => write!(formatter, "{}m", seconds / 60),
            _ => write!(formatter, "{seconds}s"),
        }
    }
}

/// Where the present moment comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Time;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
        let now = Timestamp::now();
        Time(now.as_millisecond())
    }
}

/// A clock that stands until it is set, for tests and replays.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that stands at `time`.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(AtomicI64::new(time.0))
    }

    /// Moves the clock to `time`.
    pub fn set(&self, time: Time) {
        self.0.store(time.0, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}
