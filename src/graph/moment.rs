//! Moments and days as JSON strings, written by hand for the years 0 to 9999: a calendar library costs ten times the
//! rest of a row.

use crate::model::Time;

const DAY_MS: i64 = 86_400_000;

/// Appends `"2026-11-20T12:04:11.000Z"` for milliseconds since 1970.
pub(crate) fn write_datetime(millis: i64, out: &mut Vec<u8>) {
    let (days, rest) = (millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    out.push(b'"');
    if (0..=9999).contains(&year) {
        write_civil(year, month, day, out);
        out.push(b'T');
        digits(rest / 3_600_000, 2, out);
        out.push(b':');
        digits(rest / 60_000 % 60, 2, out);
        out.push(b':');
        digits(rest / 1000 % 60, 2, out);
        out.push(b'.');
        digits(rest % 1000, 3, out);
        out.push(b'Z');
    } else {
        match Time::from_millis(millis) {
            Some(time) => out.extend_from_slice(time.to_string().as_bytes()),
            None => out.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Appends `"2026-11-20"` for days since 1970-01-01.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    out.push(b'"');
    if year < 0 {
        out.push(b'-');
        digits(year.saturating_neg(), 6, out);
        out.push(b'-');
        digits(month, 2, out);
        out.push(b'-');
        digits(day, 2, out);
    } else {
        write_civil(year, month, day, out);
    }
    out.push(b'"');
}

fn write_civil(year: i64, month: i64, day: i64, out: &mut Vec<u8>) {
    digits(year, 4, out);
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
}

fn digits(value: i64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        out.push(b'0' + u8::try_from(value / 10i64.pow(place) % 10).unwrap_or(0));
    }
}

/// Year, month and day of a day since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
