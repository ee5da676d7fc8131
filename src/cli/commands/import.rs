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
    import::{AssetText, ImportLimits, SliceBatch, WaitingAssets, read_file, slice_batches},
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
    let mut assets = WaitingAssets::default();
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

/// So many slices, or assets, are confirmed by the disk together.
const SLICES_PER_GROUP: usize = 1024;
const ASSETS_PER_GROUP: usize = 16 * 1024;

/// Commits every slice of a file; `now` is the time of those that say none.
pub(crate) fn commit_all(batches: Vec<SliceBatch>, store: &Store, now: Time) -> Result<Imported, Failure> {
    let mut imported = Importing { changes: Changes::default(), states: BTreeMap::new() };
    let (mut group, mut assets) = (Vec::new(), 0);
    for SliceBatch { key, api, outcome, reason, at, assets: listed } in batches {
        assets += listed.len();
        let listed = listed.iter().map(AssetText::read).collect::<Result<Vec<_>, _>>();
        let listed = listed.map_err(|error| Failure::program(&error))?;
        group.push(SliceCommit { key, api, outcome, reason, at: at.unwrap_or(now), assets: listed });
        if group.len() >= SLICES_PER_GROUP || assets >= ASSETS_PER_GROUP {
            imported.commit(std::mem::take(&mut group), store)?;
            assets = 0;
        }
    }
    imported.commit(group, store)?;
    Ok(Imported { slices: imported.states.into_values().collect(), changes: imported.changes })
}

/// What has been committed so far.
struct Importing {
    changes: Changes,
    states: BTreeMap<SliceKey, SliceState>,
}

impl Importing {
    fn commit(&mut self, group: Vec<SliceCommit>, store: &Store) -> Result<(), Failure> {
        for SliceCommit { key, api, outcome, reason, at, assets } in &group {
            self.changes.assets += assets.len() as u64;
            let completed_before = self.states.get(key).and_then(|state| state.completed_at);
            let state = SliceState {
                key: key.clone(),
                api: api.clone(),
                outcome: *outcome,
                reason: reason.clone(),
                attempted_at: Some(*at),
                completed_at: if *outcome == Outcome::Complete { Some(*at) } else { completed_before },
                assets: assets.len() as u64,
            };
            self.states.insert(key.clone(), state);
        }
        for report in store.commit_slices(group).map_err(|error| Failure::program(&error))? {
            self.changes.added += report.added;
            self.changes.changed += report.changed;
            self.changes.removed += report.removed;
        }
        Ok(())
    }
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
