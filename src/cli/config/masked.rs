//! A configuration as it may be shown beside a mistake in it (A4): the way of an address, and what is called a secret, as
//! stars. Nobody is to write a secret there, and whoever does finds it in no log.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// An address in any quotes or none: who, where, and the rest; a signing secret; the value of a key that is called one.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let address = r#"[A-Za-z][A-Za-z0-9+.-]*://(?P<who>[^\s"'/?\#]*@)?[^\s"'/?\#@]*[/?\#]?(?P<way>[^\s"']*)"#;
    let signing = r#"(?P<signing>whsec_[^\s"']*)"#;
    let called = r#"(?i:[\w-]*(?:secret|token|password))["']?\s*=\s*(?:"(?P<double>[^"\n]*)|'(?P<single>[^'\n]*)|(?P<bare>[^\s"'\#]+))"#;
    Regex::new(&format!("{address}|{signing}|{called}")).ok()
});

/// The text with stars for what may be secret, as long as it was, byte for byte, so that places in it stay.
pub(crate) fn masked(text: &str) -> String {
    let Some(secrets) = &*SECRETS else { return text.chars().map(|letter| star(letter, true)).collect() };
    let mut spans: Vec<Range<usize>> = Vec::new();
    for found in secrets.captures_iter(text) {
        let parts = ["who", "way", "signing", "double", "single", "bare"]
            .into_iter()
            .filter_map(|part| found.name(part));
        spans.extend(parts.map(|part| part.range()));
    }
    let is_secret = |at: usize| spans.iter().any(|span| span.contains(&at));
    text.char_indices().map(|(at, letter)| star(letter, is_secret(at))).collect()
}

fn star(letter: char, is_secret: bool) -> String {
    if is_secret && letter != '\n' { "*".repeat(letter.len_utf8()) } else { letter.to_string() }
}

/// What was written as the name of a variable or a file, where it can be shown: one that is an address or a secret itself,
/// put in the wrong place, is not.
pub(super) fn named(name: &str) -> String {
    if name.contains("://") || name.starts_with("whsec_") {
        return "(not shown: it looks like a secret itself)".to_owned();
    }
    format!("`{name}`")
}
