//! `passmuster diff`: what appeared, changed and vanished between two moments.

use std::sync::Arc;

use clap::Args;

use super::super::{
    Exit,
    arguments::{SummaryArguments, SummaryForm},
    context::Context,
    failure::Failure,
    moment::read_moment,
};
use crate::{
    catalog::{Catalog, TypeKind},
    model::{Change, Time, is_ledger_type, nearest},
    query::slice_to_json,
    report::{Comparison, Unseen},
    store::{InForce, Store, StoreError},
};

/// The most places of which is told that they can't be told about.
const MOST_WARNINGS: usize = 10;

/// Show what appeared, changed and vanished between two moments
#[derive(Debug, Args)]
#[command(
    after_help = "A moment is a day (its beginning, UTC), a time in any ISO 8601 form, or so long ago: 90m, 24h, 7d.
What the store has of the past begins with the first collection.

Examples:
  passmuster diff --from 2d
  passmuster diff --from 2026-11-01 --to 2026-11-20T12:00:00Z --type Vpc
  passmuster diff --from 24h -o json | jq '.changed[].fields[] | select(.field == \"isDefault\")'"
)]
pub(crate) struct DiffArguments {
    /// The earlier moment, e.g. 2d (ago), 2026-11-01 or 2026-11-01T08:00:00Z
    #[arg(long, value_name = "MOMENT")]
    from: String,
    /// The later moment, e.g. 1d (ago) or 2026-11-20
    #[arg(long, value_name = "MOMENT", default_value = "now")]
    to: String,
    /// Keep to one type, e.g. Vpc
    #[arg(long = "type", value_name = "TYPE")]
    typename: Option<String>,
    #[command(flatten)]
    summary: SummaryArguments,
}

pub(crate) fn run(arguments: &DiffArguments, context: &Context) -> Result<Exit, Failure> {
    let now = context.now();
    let moment = |text: &str| read_moment(text, now).map_err(Failure::bad_input);
    let (from, to) = (moment(&arguments.from)?, moment(&arguments.to)?);
    if from > to {
        return Err(Failure::bad_input(format!("--from ({from}) is after --to ({to}): exchange the two")));
    }
    let types = match &arguments.typename {
        Some(name) => Some(find_types(name, &context.catalog()?)?),
        None => None,
    };
    let store = context.open_existing_store()?;
    let comparison = compare(&store, (from, to), types.as_deref())?;
    match arguments.summary.form {
        SummaryForm::Json => context.output.write(comparison.json(slice_to_json).as_bytes())?,
        SummaryForm::Table => {
            context.output.write(comparison.text().as_bytes())?;
            let warnings = comparison.warnings();
            for warning in warnings.iter().take(MOST_WARNINGS) {
                context.output.note(warning);
            }
            if let Some(more) = warnings.len().checked_sub(MOST_WARNINGS).filter(|more| *more > 0) {
                context.output.note(&format!("! .. and {more} more such places: -o json names them all"));
            }
        }
    }
    Ok(Exit::Pass)
}

/// The names of the asset types that a type stands for.
fn find_types(name: &str, catalog: &Arc<Catalog>) -> Result<Vec<String>, Failure> {
    let assets = catalog.types().iter().filter(|definition| definition.kind != TypeKind::Embedded);
    match catalog.find(name).filter(|(_, definition)| definition.kind != TypeKind::Embedded) {
        Some((id, _)) => {
            Ok(catalog.concrete(id).into_iter().map(|of| catalog.get(of).name.clone()).collect())
        }
        None => {
            let help = match nearest(name, assets.map(|definition| definition.name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "passmuster schema lists them".to_owned(),
            };
            Err(Failure::bad_input(format!("there is no asset type `{name}`: {help}")))
        }
    }
}

fn compare(store: &Store, (from, to): (Time, Time), types: Option<&[String]>) -> Result<Comparison, Failure> {
    let in_force = |moment| -> Result<InForce, Failure> {
        store.in_force(moment).map_err(|error| match error {
            StoreError::BeforeHistory { .. } => Failure::input(&error),
            other => Failure::program(&other),
        })
    };
    // What Passmuster itself writes changes with every run: it is compared where it is asked for.
    let matters = |name: &str| match types {
        Some(types) => types.iter().any(|known| known == name),
        None => !is_ledger_type(name),
    };
    let only = match types {
        Some([only]) => Some(only.as_str()),
        _ => None,
    };
    let mut changes = Vec::new();
    let mut keep = |change: Change| {
        let (Change::Appeared(asset) | Change::Changed { after: asset, .. } | Change::Vanished(asset)) =
            &change;
        if matters(&asset.typename) {
            changes.push(change);
        }
    };
    let (before, after) = store
        .changes(in_force(from)?, in_force(to)?, only, &mut keep)
        .map_err(|error| Failure::program(&error))?;
    let unseen = Unseen::between(&before.slices, &after.slices, |key| matters(&key.asset_type));
    Ok(Comparison { from, to, changes, unseen })
}
