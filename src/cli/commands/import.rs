//! `passmuster import`: a file of assets into the store.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use serde_json::json;

use super::super::{
    Exit,
    arguments::{SummaryArguments, SummaryForm},
    context::Context,
    failure::Failure,
};
use crate::{
    import::{ImportLimits, SliceBatch, read_file, slice_batches},
    model::{Outcome, SliceKey, SliceState, Time, is_ledger_type},
    report::{Changes, collection_text},
    store::{SliceCommit, Store, StoreError},
};

/// Read a file of assets (NDJSON) into the store
#[derive(Debug, Args)]
#[command(
    after_help = "One asset a line: {\"__typename\": \"Vpc\", \"id\": \"arn:..\", \"accountId\": \"..\", \"region\": \"..\", ..}.
Slices are lines too and say how complete the file is; a file without any counts as complete, as it stands.
Nothing of a file with a mistake is kept.

Examples:
  passmuster import vpcs.ndjson
  gunzip -c export.ndjson.gz | passmuster import -
  passmuster import vpcs.ndjson --store ./scratch && passmuster check --store ./scratch"
)]
pub(crate) struct ImportArguments {
    /// The file, - for stdin, e.g. vpcs.ndjson
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    summary: SummaryArguments,
}

/// What an import came to.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// The slices that were committed, sorted, each with its latest outcome.
    pub(crate) slices: Vec<SliceState>,
    /// What changed in the store.
    pub(crate) changes: Changes,
}

pub(crate) fn run(arguments: &ImportArguments, context: &Context) -> Result<Exit, Failure> {
    let catalog = context.catalog()?;
    let mut assets = Vec::new();
    let mut take = |asset| {
        assets.push(asset);
        Ok(())
    };
    let summary = read_file(&arguments.file, &catalog, ImportLimits::default(), &mut take)
        .map_err(|error| Failure::input(&error))?;
    let batches = slice_batches(&catalog, assets, summary.slices);
    if let Some(batch) = batches.iter().find(|batch| is_ledger_type(&batch.key.asset_type)) {
        return Err(Failure::input(&StoreError::NotCollected { typename: batch.key.asset_type.clone() }));
    }
    let store = context.open_store(&context.common.store)?;
    let imported = commit_all(batches, &store, context.now())?;
    match arguments.summary.form {
        SummaryForm::Json => context.output.line(&as_json(&imported))?,
        SummaryForm::Table => {
            context.output.write(collection_text(&imported.slices, imported.changes).as_bytes())?;
        }
    }
    Ok(Exit::Pass)
}

/// Commits every slice of a file; `now` is the time of those that say none.
pub(crate) fn commit_all(batches: Vec<SliceBatch>, store: &Store, now: Time) -> Result<Imported, Failure> {
    let mut changes = Changes::default();
    let mut states: BTreeMap<SliceKey, SliceState> = BTreeMap::new();
    for batch in batches {
        let SliceBatch { key, api, outcome, reason, at, assets } = batch;
        let at = at.unwrap_or(now);
        changes.assets += assets.len() as u64;
        let completed_before = states.get(&key).and_then(|state| state.completed_at);
        let state = SliceState {
            key: key.clone(),
            api: api.clone(),
            outcome,
            reason: reason.clone(),
            attempted_at: Some(at),
            completed_at: if outcome == Outcome::Complete { Some(at) } else { completed_before },
            assets: assets.len() as u64,
        };
        let report = store
            .commit_slice(SliceCommit { key: key.clone(), api, outcome, reason, at, assets })
            .map_err(|error| Failure::program(&error))?;
        changes.added += report.added;
        changes.changed += report.changed;
        changes.removed += report.removed;
        states.insert(key, state);
    }
    Ok(Imported { slices: states.into_values().collect(), changes })
}

fn as_json(imported: &Imported) -> String {
    let Changes { assets, added, changed, removed } = imported.changes;
    let outcomes: BTreeMap<&str, usize> = Outcome::ALL
        .iter()
        .map(|outcome| {
            let count = imported.slices.iter().filter(|slice| slice.outcome == *outcome).count();
            (outcome.as_str(), count)
        })
        .collect();
    json!({
        "assets": assets, "added": added, "changed": changed, "removed": removed, "slices": outcomes,
    })
    .to_string()
}
