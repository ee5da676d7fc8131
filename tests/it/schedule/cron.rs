//! Cron expressions: which are read, and their moments, where the clock is changed too.

use passmuster::model::{Cron, CronError, Zone};

use super::at;

fn cron(text: &str) -> Cron {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The next moments after one, in UTC.
fn next(text: &str, after: &str, count: usize) -> Vec<String> {
    let cron = cron(text);
    let mut moments = Vec::new();
    let mut time = at(after);
    for _ in 0..count {
        time = cron.after(time).unwrap();
        moments.push(time.to_string().replace(":00.000Z", ""));
    }
    moments
}

#[test]
fn moments_are_those_of_the_wall_clock_of_the_zone() {
    assert_eq!(next("0 6 * * *", "2026-11-27T05:59:59", 2), ["2026-11-27T06:00", "2026-11-28T06:00"]);
    assert_eq!(next("0 6 * * *", "2026-11-27T06:00", 1), ["2026-11-28T06:00"], "after, not at");
    assert_eq!(
        next("30 2 * * mon-fri Asia/Kolkata", "2026-11-27", 2),
        ["2026-11-29T21:00", "2026-11-30T21:00"]
    );
    assert_eq!(next("0 0 29 2 *", "2026-01-01", 1), ["2028-02-29T00:00"]);
    assert_eq!(next("0 0 L * *", "2026-02-01", 2), ["2026-02-28T00:00", "2026-03-31T00:00"]);
}

/// Berlin goes from 02:00 to 03:00 on 2026-03-29: there is no 02:30 that night.
#[test]
fn a_moment_that_does_not_exist_comes_right_after_the_gap() {
    assert_eq!(
        next("30 2 * * * Europe/Berlin", "2026-03-27T12:00", 3),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    );
    assert_eq!(
        next("*/30 * * * * Europe/Berlin", "2026-03-29T00:00", 4),
        ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30", "2026-03-29T02:00"],
        "what recurs within the hour notices nothing"
    );
}

/// Berlin goes back from 03:00 to 02:00 on 2026-10-25: there is a 02:30 twice, at 00:30 and 01:30 UTC.
#[test]
fn a_moment_that_exists_twice_comes_once() {
    assert_eq!(
        next("30 2 * * * Europe/Berlin", "2026-10-24T12:00", 2),
        ["2026-10-25T00:30", "2026-10-26T01:30"],
    );
    assert_eq!(
        next("*/30 * * * * Europe/Berlin", "2026-10-25T00:00", 4),
        ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
        "what recurs within the hour goes on"
    );
}

/// What was is the counterpart of what will be, through a whole year of both changes.
#[test]
fn backwards_and_forwards_are_the_same_moments() {
    for text in
        ["30 2 * * * Europe/Berlin", "*/20 * * * * Europe/Berlin", "0 3 * * 0 America/New_York", "0 * * * *"]
    {
        let cron = cron(text);
        let mut time = at("2026-01-01");
        while time < at("2026-12-31") {
            let next = cron.after(time).unwrap();
            assert!(next > time, "{text}: {next} after {time}");
            assert_eq!(cron.at_or_before(next), Some(next), "{text}");
            if let Some(before) = cron.before(next) {
                assert!(before < next, "{text}");
            }
            time = next;
        }
    }
}

#[test]
fn a_zone_that_is_given_later_is_that_of_expressions_that_name_none() {
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    assert_eq!(cron("0 6 * * *").or_in(&berlin).to_string(), "0 6 * * * Europe/Berlin");
    assert_eq!(cron("0 6 * * * Asia/Tokyo").or_in(&berlin).to_string(), "0 6 * * * Asia/Tokyo");
    assert_eq!(cron("  0   6 * * *  ").to_string(), "0 6 * * *");
}

#[test]
fn what_is_no_expression_is_refused_with_what_to_write() {
    let refused = |text: &str| text.parse::<Cron>().unwrap_err();
    let cases = [
        ("", "write minute, hour, day, month and weekday"),
        ("daily", "write minute, hour, day, month and weekday"),
        ("@daily", "write minute, hour, day, month and weekday"),
        ("* * * *", "write minute, hour, day, month and weekday"),
        ("0 0 6 * * * Europe/Berlin", "write minute, hour, day, month and weekday"),
        ("0 ６ * * *", "write minute, hour, day, month and weekday"),
        ("60 * * * *", "`60 * * * *` is not a cron expression: number out of bounds"),
        ("* * * * $", "`* * * * $` is not a cron expression"),
        ("*/0 * * * *", "`*/0 * * * *` is not a cron expression"),
        ("5-1 * * * *", "`5-1 * * * *` is not a cron expression"),
        ("0 0 31 2 *", "never comes"),
        ("0 6 * * * Europe/Belrin", "there is no time zone `Europe/Belrin`: did you mean `Europe/Berlin`?"),
        ("0 6 * * * Nowhere", "there is no time zone `Nowhere`"),
        ("0 6 * * * ../../etc/passwd", "there is no time zone"),
    ];
    for (text, told) in cases {
        let error = refused(text);
        assert!(error.to_string().contains(told), "{text}: {error}");
    }
    assert!(matches!(refused("0 0 30 2 *"), CronError::Never { .. }));
    assert!(matches!(refused("0 6 * * * CET/Nowhere"), CronError::UnknownZone { .. }));
}
