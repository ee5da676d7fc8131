//! Words, numbers and times as people read them, and text from outside made safe for a terminal.

use std::time::Duration;

use crate::model::Time;

/// Text for a terminal: control characters and those that turn the direction of writing are shown as escapes, so
/// that a name from an inventory can't move the cursor, recolour the screen or hide what stands beside it.
#[must_use]
pub fn printable(text: &str) -> String {
    let is_unsafe = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(is_unsafe) {
        return text.to_owned();
    }
    text.chars().fold(String::new(), |mut safe, letter| {
        if is_unsafe(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
        safe
    })
}

/// A number with thousands separators: `1,204`.
#[must_use]
pub fn thousands(number: u64) -> String {
    group(&number.to_string())
}

/// The digits of a number with thousands separators; a sign and what stands after a point are kept.
pub(super) fn group(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, rest) = digits.find(['.', 'e', 'E']).map_or((digits, ""), |at| digits.split_at(at));
    let mut grouped = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(rest);
    grouped
}

/// How old something is, in the largest unit that fits: `2 min old`, `3 h old`; under a minute `just now`.
#[must_use]
pub fn age(age: Duration) -> String {
    if age.as_secs() < 60 { "just now".to_owned() } else { format!("{} old", span(age)) }
}

/// A span of time in the largest unit that fits: `40 s`, `2 min`, `3 h`, `5 d`.
#[must_use]
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", group(&(seconds / 86_400).to_string())),
    }
}

/// The day of a moment, in UTC: `2026-11-03`.
#[must_use]
pub fn day(time: Time) -> String {
    time.to_string().chars().take_while(|letter| *letter != 'T').collect()
}

/// A count and the noun of a type as people say it: `41 VPCs`, `1 flow log`, `no VPCs`.
#[must_use]
pub fn counted(count: u64, typename: &str) -> String {
    let number = if count == 0 { "no".to_owned() } else { thousands(count) };
    format!("{number} {}", noun(typename, count))
}

/// The noun of a type, e.g. `VPC`, `flow logs`.
#[must_use]
pub fn noun(typename: &str, count: u64) -> String {
    let words: Vec<String> = words_of(typename).iter().map(|word| spoken(word)).collect();
    let noun = words.join(" ");
    if count == 1 {
        return noun;
    }
    let is_short = words.last().is_some_and(|word| word.chars().all(|letter| !letter.is_lowercase()));
    if is_short { format!("{noun}s") } else { pluralizer::pluralize(&noun, 2, false) }
}

/// A field's name as a table's heading: `hasFlowLog` is `HAS FLOW LOG`.
pub(super) fn heading(key: &str) -> String {
    words_of(key).join(" ").to_uppercase()
}

/// Short names that are written in capitals.
const SHORT_NAMES: &[&str] = &["acl", "arn", "dns", "ec2", "eni", "iam", "ip", "kms", "nat", "s3", "vpc"];

fn spoken(word: &str) -> String {
    let lower = word.to_lowercase();
    if SHORT_NAMES.contains(&lower.as_str()) { lower.to_uppercase() } else { lower }
}

/// `FlowLog`, `flowLog` and `S3Bucket` as their words.
fn words_of(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for (index, letter) in letters.iter().copied().enumerate() {
        let ends_acronym = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts_word =
            letter.is_uppercase() && before.is_some_and(|before| !before.is_uppercase() || ends_acronym);
        if before.is_none() || starts_word || matches!(before, Some('_' | '.')) {
            words.push(String::new());
        }
        if let (Some(word), false) = (words.last_mut(), matches!(letter, '_' | '.')) {
            word.push(letter);
        }
        before = Some(letter);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Cuts text that is longer than `width` characters, marking the cut.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
