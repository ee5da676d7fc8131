//! How long texts are looked at: the clock is looked at by the bytes that predicates read, not by the values, since one
//! value may be long and one pattern slow (Q22). A predicate can't fail, so a stop is noted and the run ends after it.

use super::{
    super::{Test, plan::Unmatched},
    eval::Evaluator,
    limits::{RunError, RunLimits},
    work::Work,
};

/// The bytes that predicates may read between two looks at the clock.
const BYTES_A_LOOK: usize = 4096;

/// The limits of a run, as predicates see them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    limits: &'a RunLimits<'a>,
    work: &'a Work,
}

impl Evaluator<'_, '_> {
    pub(super) fn patience(&self) -> Patience<'_> {
        Patience { limits: &self.limits, work: &self.work }
    }
}

impl Patience<'_> {
    /// The stop that a predicate met, if any: what it said since means nothing.
    pub(super) fn check(self) -> Result<(), RunError> {
        self.work.stopped().map_or(Ok(()), Err)
    }

    /// Whether a text passes; false once the run is to stop.
    pub(super) fn passes(self, test: &Test, text: &str) -> bool {
        if !self.spend(text.len().min(BYTES_A_LOOK)) {
            return false;
        }
        match test {
            Test::Contains(part) => memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some(),
            Test::EndsWith(end) => text.ends_with(end),
            Test::Matches(pattern) => match pattern.is_match(text, &|bytes| self.spend(bytes)) {
                Ok(matches) => matches,
                Err(Unmatched::Stopped) => false,
                Err(Unmatched::TooCostly) if self.limits.are_none() => pattern.is_match_at_once(text),
                Err(Unmatched::TooCostly) => {
                    let pattern = pattern.text.clone();
                    self.work.stop(RunError::PatternTooCostly { pattern, bytes: text.len() });
                    false
                }
            },
            _ => false,
        }
    }

    /// Counts bytes that are to be read; whether the run goes on.
    fn spend(self, bytes: usize) -> bool {
        if !self.work.is_look_due(bytes, BYTES_A_LOOK) {
            return true;
        }
        if self.check().is_ok()
            && let Err(error) = self.limits.check_stop()
        {
            self.work.stop(error);
        }
        self.check().is_ok()
    }
}
