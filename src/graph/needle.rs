//! A text that is looked for inside the texts of dictionaries, all at once: as a pattern over what is stored, and as the
//! pairs of bytes without which a dictionary need not be read at all.

use std::iter;

use regex::{Regex, RegexBuilder};

use super::dictionary::escape_into;

/// A text to look for.
#[derive(Debug)]
pub(crate) struct Needle {
    text: String,
    ignores_case: bool,
    stored: Regex,
    /// The pairs of its bytes that every stored text with it has.
    pairs: Vec<Pair>,
}

/// Two bytes beside each other, ASCII letters in small.
#[derive(Clone, Copy, Debug)]
struct Pair {
    number: u16,
    /// Whether a letter in it has a form beyond ASCII: `k` the Kelvin sign, `s` the long s.
    has_other_form: bool,
}

/// Which pairs of bytes stand beside each other anywhere in some texts.
#[derive(Debug)]
pub(super) struct Pairs {
    bits: Box<[u64]>,
    is_ascii: bool,
}

impl Needle {
    /// Nothing where the text is too long for a pattern: then no dictionary has it.
    pub(crate) fn new(text: &str, ignores_case: bool) -> Option<Self> {
        let stored = pattern(&[text], ignores_case, "")?;
        let mut escaped = String::new();
        escape_into(&mut escaped, text);
        // Beyond ASCII the other case of a letter may be other bytes.
        let is_kept = |byte: u8| byte.is_ascii() || !ignores_case;
        let pairs = escaped.as_bytes().windows(2).filter_map(|pair| match *pair {
            [one, other] if is_kept(one) && is_kept(other) => {
                let has_other_form = [one, other].iter().any(|byte| b"kKsS".contains(byte));
                Some(Pair { number: number(one, other), has_other_form: ignores_case && has_other_form })
            }
            _ => None,
        });
        let pairs = pairs.collect();
        Some(Self { text: text.to_owned(), ignores_case, stored, pairs })
    }

    /// What finds it in texts as they are stored. What is found in an escape need not be in the raw text.
    pub(super) fn stored(&self) -> &Regex {
        &self.stored
    }

    /// Whether texts with these pairs may hold it.
    pub(super) fn may_be_in(&self, pairs: &Pairs) -> bool {
        let mut needed = self.pairs.iter().filter(|pair| pairs.is_ascii || !pair.has_other_form);
        needed.all(|pair| pairs.has(pair.number))
    }

    /// What may stand at the beginning of a text where the rest of it ends the text before: for each place to cut it at
    /// behind a byte that `can_end` says.
    pub(super) fn rests(&self, can_end: impl Fn(u8) -> bool) -> Vec<&str> {
        let ends = |before: char| {
            let (small, large) = (before.to_ascii_lowercase(), before.to_ascii_uppercase());
            match (u8::try_from(small), u8::try_from(large)) {
                (Ok(small), Ok(large)) if before.is_ascii() => {
                    can_end(small) || can_end(large) || (self.ignores_case && (0x80..=0xff).any(&can_end))
                }
                _ => (0x80..=0xff).any(&can_end) || (self.ignores_case && (0..0x80).any(&can_end)),
            }
        };
        let cuts = self.text.char_indices().map(|(place, before)| (place + before.len_utf8(), before));
        cuts.filter(|(_, before)| ends(*before))
            .filter_map(|(place, _)| self.text.get(place..).filter(|rest| !rest.is_empty()))
            .collect()
    }

    /// What finds the stored texts that begin with one of these; nothing where they are too long for a pattern.
    pub(super) fn beginning_with(&self, rests: &[&str]) -> Option<Regex> {
        pattern(rests, self.ignores_case, "\"")
    }
}

fn pattern(texts: &[&str], ignores_case: bool, before: &str) -> Option<Regex> {
    let mut any = String::new();
    for text in texts {
        let mut stored = String::new();
        escape_into(&mut stored, text);
        any.push_str(if any.is_empty() { "" } else { "|" });
        any.push_str(&regex::escape(&stored));
    }
    RegexBuilder::new(&format!("{before}(?:{any})")).case_insensitive(ignores_case).build().ok()
}

impl Pairs {
    /// The pairs in a text.
    pub(super) fn of(text: &str) -> Self {
        const PAIRS: usize = 1 << 16;
        let mut found = vec![false; PAIRS];
        let bytes = text.as_bytes();
        for (one, other) in iter::zip(bytes, bytes.iter().skip(1)) {
            if let Some(slot) = found.get_mut(usize::from(number(*one, *other))) {
                *slot = true;
            }
        }
        let word = |bits: &[bool]| bits.iter().rev().fold(0, |word, bit| word << 1 | u64::from(*bit));
        Self { bits: found.chunks(64).map(word).collect(), is_ascii: text.is_ascii() }
    }

    fn has(&self, pair: u16) -> bool {
        self.bits.get(usize::from(pair / 64)).is_some_and(|word| word >> (pair % 64) & 1 == 1)
    }
}

fn number(one: u8, other: u8) -> u16 {
    u16::from_be_bytes([one.to_ascii_lowercase(), other.to_ascii_lowercase()])
}
