//! Patterns of `_MATCHES`: of linear time, but linear in the pattern times the text, so that one pattern over one long
//! text can still take minutes. Long texts are therefore read in pieces, with a word to the caller between them (Q22).

use std::sync::{Arc, OnceLock};

use regex::Regex;
use regex_automata::{
    Anchored,
    hybrid::dfa::{Cache, DFA},
    nfa::thompson,
    util::start,
};

/// Compiled patterns are bounded in bytes, so that one query can't take the machine's memory.
const LARGEST_PATTERN: usize = 1 << 18;
/// Texts up to so many bytes are matched at once.
const SHORT_TEXT: usize = 4096;
/// The bytes of a long text that are read between two words to the caller.
const PIECE: usize = 1024;
/// What a pattern that can't be read in pieces may cost over one text: its bytes times those of the text.
const LARGEST_PRODUCT: usize = 1 << 32;

/// A regular expression, anchored at both ends, and the text it was written as.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Anchored.
    regex: Regex,
    /// The same for long texts, made for the first of them; nothing where it can't be made.
    stepwise: Arc<OnceLock<Option<DFA>>>,
}

/// Why a text was not matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmatched {
    /// The caller said to stop.
    Stopped,
    /// The pattern can't be read in pieces, and at once it could take too long.
    TooCostly,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in the words of the compiler.
    pub fn new(text: String) -> Result<Self, String> {
        // The pattern must be one by itself: `a)|(b` is none, though the anchored form would be.
        let compile = |pattern: &str| {
            regex::RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).dot_matches_new_line(false).build()
        };
        match compile(&text).and_then(|_| compile(&anchored(&text))) {
            Ok(regex) => Ok(Self { text, regex, stepwise: Arc::default() }),
            Err(regex::Error::CompiledTooBig(limit)) => Err(format!(
                "it takes more than {limit} bytes when compiled; write fewer or smaller repetitions"
            )),
            Err(error) => {
                let error = error.to_string();
                let line = error.lines().last().unwrap_or(&error);
                Err(line.strip_prefix("error: ").unwrap_or(line).to_owned())
            }
        }
    }

    /// Whether the whole of a text matches. `go_on` is told of each piece of a long text before it is read.
    pub(crate) fn is_match(&self, text: &str, go_on: &dyn Fn(usize) -> bool) -> Result<bool, Unmatched> {
        if text.len() <= SHORT_TEXT {
            return Ok(self.regex.is_match(text));
        }
        let automaton = self.stepwise.get_or_init(|| build_stepwise(&anchored(&self.text)));
        let stepped = match automaton {
            Some(automaton) => step_through(automaton, &mut automaton.create_cache(), text, go_on)?,
            None => None,
        };
        if let Some(matches) = stepped {
            return Ok(matches);
        }
        let size = automaton.as_ref().map_or(LARGEST_PATTERN, |known| known.get_nfa().memory_usage());
        if size.saturating_mul(text.len()) > LARGEST_PRODUCT {
            return Err(Unmatched::TooCostly);
        }
        Ok(self.regex.is_match(text))
    }

    /// Whether the whole of a text matches, however long that takes.
    pub(crate) fn is_match_at_once(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn anchored(text: &str) -> String {
    format!("^(?:{text})$")
}

/// An automaton whose states are made as they are met. It knows Unicode's word boundaries only among ASCII.
fn build_stepwise(anchored: &str) -> Option<DFA> {
    let limits = thompson::Config::new().nfa_size_limit(Some(LARGEST_PATTERN));
    let config = DFA::config().unicode_word_boundary(true).skip_cache_capacity_check(true);
    DFA::builder().configure(config).thompson(limits).build(anchored).ok()
}

/// Whether the text matches; nothing where the automaton doesn't know.
fn step_through(
    automaton: &DFA,
    cache: &mut Cache,
    text: &str,
    go_on: &dyn Fn(usize) -> bool,
) -> Result<Option<bool>, Unmatched> {
    let start = start::Config::new().anchored(Anchored::Yes);
    let Ok(mut state) = automaton.start_state(cache, &start) else { return Ok(None) };
    for piece in text.as_bytes().chunks(PIECE) {
        if !go_on(piece.len()) {
            return Err(Unmatched::Stopped);
        }
        for byte in piece {
            let Ok(next) = automaton.next_state(cache, state, *byte) else { return Ok(None) };
            if next.is_dead() {
                return Ok(Some(false));
            }
            if next.is_quit() {
                return Ok(None);
            }
            state = next;
        }
    }
    Ok(automaton.next_eoi_state(cache, state).ok().map(|end| end.is_match()))
}
