//! Checks that are gone: what they found is closed, with a verdict of its own, since nobody says that it passes.

use super::{
    excepting::Matches,
    finding::Finding,
    known::{Known, read_previous},
    record::{LedgerError, Run, SettledRun},
    run::{CheckState, RunRecord},
    settle::{Settling, settle_gone},
};
use crate::{
    check::{Check, Severity},
    model::{CHECK_TYPE, UNKNOWN_VERDICT_TYPE},
    store::Store,
};

/// Of the checks with these ids, those that are not among all that there are.
pub fn gone<'s>(known: impl IntoIterator<Item = &'s str>, all: &[Check]) -> Vec<&'s str> {
    known.into_iter().filter(|id| !all.iter().any(|check| check.id == *id)).collect()
}

/// Closes what is known of the checks with these ids, as a part of a run.
pub(super) fn close(
    store: &Store,
    ids: &[String],
    known: &Known,
    run: Run<'_>,
    settled: &mut SettledRun,
) -> Result<(), LedgerError> {
    for check_id in ids {
        let Some(before) = store.find_ledger(CHECK_TYPE, check_id)? else { continue };
        let state = CheckState::from_asset(&before)?;
        let previous = read_previous(store, check_id)?;
        let matches = Matches::default();
        let settling = Settling {
            check_id,
            // Not used: nothing opens.
            severity: Severity::Low,
            exceptions: &known.exceptions,
            matches: &matches,
            now: run.now,
        };
        let closed = settle_gone(&previous, settling);
        let record = RunRecord::gone(&state, closed.findings.len() as u64, run.trigger, run.now);
        settled.puts.push(state.gone_asset(&before, &record));
        settled.puts.push(record.to_asset());
        settled.puts.extend(closed.findings.iter().map(Finding::to_asset));
        let known = closed.known.iter().map(|id| (UNKNOWN_VERDICT_TYPE.to_owned(), id.clone()));
        settled.removes.extend(known);
        settled.changes.extend(closed.changes);
        settled.runs.push(record);
    }
    Ok(())
}
