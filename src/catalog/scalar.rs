//! Reading scalars from text and JSON, the same way wherever they come from: assets, arguments, keys.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use jiff::civil;
use serde_json::Value;

use crate::model::Time;

/// A moment in any ISO 8601 form, a bare date included, as milliseconds since 1970.
#[must_use]
pub fn parse_datetime(text: &str) -> Option<i64> {
    plain_datetime(text.as_bytes()).or_else(|| text.parse::<Time>().ok().map(Time::millis))
}

/// The form that files are written in, `2026-11-20T12:04:11Z` or with three more digits: read by hand, since millions
/// of assets have some each. Nothing where it is any other form, or no moment.
fn plain_datetime(bytes: &[u8]) -> Option<i64> {
    let (seconds, millis) = match bytes {
        [seconds @ .., b'Z'] if seconds.len() == 19 => (seconds, 0),
        [seconds @ .., b'.', a, b, c, b'Z'] if seconds.len() == 19 => (seconds, digits(&[*a, *b, *c])?),
        _ => return None,
    };
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = seconds
    else {
        return None;
    };
    let (year, month, day) = (digits(&[*y1, *y2, *y3, *y4])?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?);
    let (hour, minute, second) = (digits(&[*h1, *h2])?, digits(&[*n1, *n2])?, digits(&[*s1, *s2])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || !(1..=days_of_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years that begin in March have their leap day last; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

fn digits(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
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
    if let Some(net) = plain_net(text.as_bytes()) {
        return Some(IpNet::V4(net.trunc()));
    }
    match text.parse::<IpNet>() {
        Ok(net) => Some(net.trunc()),
        Err(_) => text.parse::<std::net::IpAddr>().ok().map(IpNet::from),
    }
}

/// An IPv4 prefix in its usual form, `10.0.0.0/16`, with its host bits, read by hand as moments are; nothing where it is
/// any other form. No two texts are the same one.
pub(crate) fn plain_net(bytes: &[u8]) -> Option<Ipv4Net> {
    let mut numbers = [0u32; 5];
    let mut place = 0;
    let mut length = 0;
    for &byte in bytes {
        let number = numbers.get_mut(place)?;
        match byte {
            b'0'..=b'9' if length == 0 || *number > 0 => {
                *number = *number * 10 + u32::from(byte - b'0');
                length += 1;
                if *number > 255 {
                    return None;
                }
            }
            b'.' if length > 0 && place < 3 => (place, length) = (place + 1, 0),
            b'/' if length > 0 && place == 3 => (place, length) = (place + 1, 0),
            _ => return None,
        }
    }
    let [a, b, c, d, prefix] = numbers;
    if place != 4 || length == 0 {
        return None;
    }
    let address = Ipv4Addr::from(a << 24 | b << 16 | c << 8 | d);
    Ipv4Net::new(address, u8::try_from(prefix).ok()?).ok()
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
