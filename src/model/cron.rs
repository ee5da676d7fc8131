//! When something recurs: a cron expression in a time zone. Its moments are those of the wall clock there; the zones are
//! those the program was built with, so that every machine means the same by one name.

use std::{fmt, str::FromStr};

use croner::{
    errors::CronError as LibraryError,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    Timestamp, Zoned,
    tz::{self, TimeZone},
};

use super::{Time, nearest};

/// The moments of a cron expression: minute, hour, day, month, weekday, and where it is said the time zone.
///
/// A wall clock that is set forward skips times: what stands at one of them, and names its minutes and hours, comes at
/// the first moment after the gap. One that is set back shows times twice: what names its minutes and hours comes the
/// first time only, what recurs within the hour (`*`, `*/15`) both times.
#[derive(Clone, Debug)]
pub struct Cron {
    cron: croner::Cron,
    fields: String,
    zone: Option<Zone>,
}

/// A time zone by its name in the tz database.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Text that is no cron expression, or no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Something other than five fields.
    #[error(
        "`{text}` is not a cron expression: write minute, hour, day, month and weekday, as in \"0 6 * * *\", and where \
         it is not UTC the time zone, as in \"0 6 * * * Europe/Berlin\""
    )]
    NotFive {
        /// As written.
        text: String,
    },
    /// A field that means nothing.
    #[error("`{text}` is not a cron expression: {reason}")]
    Bad {
        /// As written.
        text: String,
        /// What the library says.
        reason: String,
    },
    /// An expression whose moment never comes.
    #[error("`{text}` never comes: there is no such day")]
    Never {
        /// As written.
        text: String,
    },
    /// A zone that is not in the tz database.
    #[error(
        "there is no time zone `{name}`: {}",
        .nearest.as_ref().map_or_else(|| "write it as in Europe/Berlin, or UTC".to_owned(), |zone| format!("did you mean `{zone}`?"))
    )]
    UnknownZone {
        /// As written.
        name: String,
        /// The zone that is most like it.
        nearest: Option<String>,
    },
}

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// Its name, e.g. `Europe/Berlin`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl FromStr for Zone {
    type Err = CronError;

    fn from_str(name: &str) -> Result<Self, CronError> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        match TimeZone::get(name) {
            Ok(zone) => Ok(Self { name: zone.iana_name().unwrap_or(name).to_owned(), zone }),
            Err(_) => {
                let known: Vec<String> = tz::db().available().map(|known| known.to_string()).collect();
                let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
                Err(CronError::UnknownZone { name: name.to_owned(), nearest })
            }
        }
    }
}

/// A day in a leap year, from which every moment that comes at all is less than a search away.
const SEARCHED_FROM: i64 = 946_684_800_000;

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (fields, zone) = match words.as_slice() {
            [_, _, _, _, _] => (words.join(" "), None),
            [fields @ .., zone] if fields.len() == 5 => (fields.join(" "), Some(zone.parse::<Zone>()?)),
            _ => return Err(CronError::NotFive { text: text.to_owned() }),
        };
        let bad = |error: &LibraryError| CronError::Bad { text: text.to_owned(), reason: reason(error) };
        // The library would take letters of any alphabet apart on its own terms.
        if !fields.is_ascii() {
            return Err(CronError::NotFive { text: text.to_owned() });
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&fields).map_err(|error| bad(&error))?;
        let parsed = Self { cron, fields, zone };
        let from = Time::from_millis(SEARCHED_FROM);
        match from.and_then(|from| parsed.after(from)) {
            Some(_) => Ok(parsed),
            None => Err(CronError::Never { text: text.to_owned() }),
        }
    }
}

/// What the library says, in the manner of the product's messages.
fn reason(error: &LibraryError) -> String {
    let said = match error {
        LibraryError::InvalidPattern(said)
        | LibraryError::IllegalCharacters(said)
        | LibraryError::ComponentError(said) => said.clone(),
        other => other.to_string(),
    };
    let mut rest = said.trim_end_matches('.').chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}

impl Cron {
    /// The same where no time zone is said, in this one.
    #[must_use]
    pub fn or_in(self, zone: &Zone) -> Self {
        Self { zone: self.zone.or_else(|| Some(zone.clone())), ..self }
    }

    /// The first moment after one; nothing where none comes any more.
    #[must_use]
    pub fn after(&self, time: Time) -> Option<Time> {
        let next = self.cron.find_next_occurrence(&self.zoned(time)?, false).ok()?;
        time_of(&next)
    }

    /// The last moment that is not after one; nothing where there was none.
    #[must_use]
    pub fn at_or_before(&self, time: Time) -> Option<Time> {
        let last = self.cron.find_previous_occurrence(&self.zoned(time)?, true).ok()?;
        time_of(&last)
    }

    /// The last moment before one; nothing where there was none.
    #[must_use]
    pub fn before(&self, time: Time) -> Option<Time> {
        let last = self.cron.find_previous_occurrence(&self.zoned(time)?, false).ok()?;
        time_of(&last)
    }

    fn zoned(&self, time: Time) -> Option<Zoned> {
        let zone = self.zone.as_ref().map_or(TimeZone::UTC, |zone| zone.zone.clone());
        // Whole seconds: a moment within a second is not after that second's own.
        let seconds = time.millis().div_euclid(1000);
        Some(Timestamp::from_second(seconds).ok()?.to_zoned(zone))
    }
}

fn time_of(zoned: &Zoned) -> Option<Time> {
    Time::from_millis(zoned.timestamp().as_millisecond())
}

impl fmt::Display for Cron {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            None => formatter.write_str(&self.fields),
            Some(zone) => write!(formatter, "{} {}", self.fields, zone.name),
        }
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields && self.zone == other.zone
    }
}

impl Eq for Cron {}
