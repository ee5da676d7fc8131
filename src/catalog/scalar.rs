//! Reading scalars from text and JSON, the same way wherever they come from: assets, arguments, keys.

use ipnet::IpNet;
use jiff::civil;
use serde_json::Value;

use crate::model::Time;

/// A moment in any ISO 8601 form, a bare date included, as milliseconds since 1970.
#[must_use]
pub fn parse_datetime(text: &str) -> Option<i64> {
    text.parse::<Time>().ok().map(Time::millis)
}

/// A day such as `2026-11-20`, as days since 1970-01-01. A time behind it is refused.
#[must_use]
pub fn parse_date(text: &str) -> Option<i64> {
    // The library reads dates out of times as well.
    if text.contains(['T', 't', ' ', ':']) {
        return None;
    }
    let date = text.parse::<civil::Date>().ok()?;
    let epoch = civil::date(1970, 1, 1);
    Some(i64::from(date.since((jiff::Unit::Day, epoch)).ok()?.get_days()))
}

/// The day so many days after 1970-01-01, as `2026-11-20`.
#[must_use]
pub fn write_date(days: i64) -> Option<String> {
    let span = jiff::Span::new().try_days(days).ok()?;
    civil::date(1970, 1, 1).checked_add(span).ok().map(|date| date.to_string())
}

/// A prefix with its host bits cleared; an address is a prefix of full length.
#[must_use]
pub fn parse_net(text: &str) -> Option<IpNet> {
    match text.parse::<IpNet>() {
        Ok(net) => Some(net.trunc()),
        Err(_) => text.parse::<std::net::IpAddr>().ok().map(IpNet::from),
    }
}

/// A 64-bit integer, from a JSON integer or a string of digits.
#[must_use]
pub fn read_big_int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => parse_big_int(text),
        _ => None,
    }
}

/// A 64-bit integer from its digits, without blanks or a plus sign.
#[must_use]
pub fn parse_big_int(text: &str) -> Option<i64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// A 32-bit integer, from a JSON integer; `3.0` counts, as GraphQL says.
#[must_use]
pub fn read_int(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    let whole = number.as_i64().or_else(|| {
        #[expect(clippy::cast_possible_truncation, reason = "the value is whole and within 32 bits")]
        let whole = number.as_f64().filter(|float| float.fract() == 0.0 && in_int_range(*float))? as i64;
        Some(whole)
    })?;
    i32::try_from(whole).ok().map(i64::from)
}

fn in_int_range(float: f64) -> bool {
    (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&float)
}

/// A finite double, from any JSON number.
#[must_use]
pub fn read_float(value: &Value) -> Option<f64> {
    value.as_f64().filter(|float| float.is_finite())
}

/// An id, from a string or a JSON integer.
#[must_use]
pub fn read_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}
