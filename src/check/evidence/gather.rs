//! Gathering: a moment of a store, what of it a check rests on, and the verdict computed from just that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::super::{
    definition::Check, error::CheckErrors, evaluate::evaluate, load::load, remembered::rests_on,
    result::CheckResult, source::Sources,
};
use super::{Chain, Evidence, FORMAT, SchemaFile, result};
use crate::{
    catalog::{Catalog, CatalogErrors, Source},
    graph::{GraphBuilder, GraphError},
    model::{Asset, SliceState, Time},
    query::{Engine, GuardLimits, QueryError, schema::SchemaError},
    store::{InForce, Store, StoreError},
};

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The store can't be read, or knows nothing of the moment.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema is not valid.
    #[error("the schema is not valid")]
    Schema(#[source] CatalogErrors),
    /// No query language can be made of the schema.
    #[error("the schema makes no query language")]
    Language(#[source] SchemaError),
    /// The check is not valid.
    #[error("the check is not valid")]
    Check(#[source] CheckErrors),
    /// There is no such check in the files.
    #[error("there is no check `{0}` in its files")]
    NoCheck(String),
    /// The query of the check or of a priority can't be run.
    #[error("the check can't be run: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Query(Vec<QueryError>),
    /// The assets make no inventory.
    #[error("the assets do not fit the schema")]
    Assets(#[source] GraphError),
}

/// A moment of a store.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// The last commit then.
    pub in_force: InForce,
}

/// A check with the engine that judges by it.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) check: Check,
    /// The names of the types that the verdict and its priorities rest on.
    pub(super) types: BTreeSet<String>,
}

impl Bench {
    /// Reads the files that a bundle holds.
    pub(super) fn set_up(
        schema: &[SchemaFile],
        files: &BTreeMap<String, String>,
        id: &str,
    ) -> Result<Self, EvidenceError> {
        let schema: Vec<Source> =
            schema.iter().map(|file| Source::new(file.name.clone(), file.text.clone())).collect();
        let catalog = Arc::new(Catalog::read(&schema).map_err(EvidenceError::Schema)?);
        let sources = Sources::sealed("bundle", files.clone());
        let engine = Engine::new(catalog, sources.fragments().clone(), GuardLimits::default())
            .map_err(EvidenceError::Language)?;
        let checks = load(&sources, &engine).map_err(EvidenceError::Check)?;
        let check = checks.into_iter().find(|check| check.id == id);
        let check = check.ok_or_else(|| EvidenceError::NoCheck(id.to_owned()))?;
        let types = rests_on(&check, &engine).map_err(EvidenceError::Query)?;
        let catalog = engine.catalog();
        let types = types.into_iter().map(|of| catalog.get(of).name.clone()).collect();
        Ok(Self { engine, check, types })
    }

    /// What the check says of an inventory.
    pub(super) fn judge(
        &self,
        assets: &[Asset],
        slices: Vec<SliceState>,
        at: Time,
    ) -> Result<CheckResult, EvidenceError> {
        let mut builder = GraphBuilder::new(Arc::clone(self.engine.catalog()));
        for asset in assets {
            builder.push(asset).map_err(EvidenceError::Assets)?;
        }
        let graph = builder.finish(Some(slices), at).map_err(EvidenceError::Assets)?;
        Ok(evaluate(&self.check, &self.engine, &graph, at))
    }

    /// Takes from assets what the store fills in and their types don't declare.
    pub(super) fn fit(&self, assets: &mut [Asset]) {
        let catalog = self.engine.catalog();
        for asset in assets {
            let Some((_, definition)) = catalog.find(&asset.typename) else { continue };
            for field in crate::store::SEEN_FIELDS {
                if definition.find(field).is_none() {
                    asset.fields.remove(field);
                }
            }
        }
    }
}

impl Evidence {
    /// Gathers the evidence of a check's verdict at a moment of a store.
    ///
    /// # Errors
    /// Where schema or check are not valid, or the store can't be read.
    pub fn gather(
        check: &Check,
        sources: &Sources,
        schema: &[Source],
        store: &Store,
        moment: Moment,
    ) -> Result<Self, EvidenceError> {
        let schema: Vec<SchemaFile> = schema
            .iter()
            .map(|source| SchemaFile { name: source.name.clone(), text: source.text.clone() })
            .collect();
        let files = sources.judging_files(&check.id);
        let bench = Bench::set_up(&schema, &files, &check.id)?;
        let Moment { at, in_force } = moment;
        let mut assets = Vec::new();
        let past = store.read_past(in_force, &mut |asset| {
            if bench.types.contains(&asset.typename) {
                assets.push(asset);
            }
        })?;
        bench.fit(&mut assets);
        assets.sort_by(|left, right| (&left.typename, &left.id).cmp(&(&right.typename, &right.id)));
        let mut slices = past.slices;
        slices.retain(|slice| bench.types.contains(&slice.key.asset_type));
        let proof = store.proof(in_force, &bench.types)?;
        let said = result::to_json(&bench.judge(&assets, slices.clone(), at)?);
        let mut evidence = Self {
            format: FORMAT.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            at: at.to_string(),
            check: check.id.clone(),
            files,
            schema,
            types: bench.types.into_iter().collect(),
            result: said,
            slices: slices.iter().map(slice_to_json).collect(),
            assets: assets.iter().map(Asset::to_json).collect(),
            journal: Chain::of(&proof, in_force.sequence),
            digests: BTreeMap::new(),
        };
        evidence.digests = evidence.digests();
        Ok(evidence)
    }
}

pub(super) fn slice_to_json(slice: &SliceState) -> Value {
    json!({
        "accountId": slice.key.account_id,
        "region": slice.key.region,
        "assetType": slice.key.asset_type,
        "api": slice.api,
        "outcome": slice.outcome.as_str(),
        "reason": slice.reason,
        "attemptedAt": slice.attempted_at.map(|at| at.to_string()),
        "completedAt": slice.completed_at.map(|at| at.to_string()),
        "assets": slice.assets,
    })
}

/// The slice that was written so; nothing where it is none.
pub(super) fn slice_of_json(value: &Value) -> Option<SliceState> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let time = |key: &str| match text(key) {
        Some(at) => at.parse::<Time>().map(Some).ok(),
        None => Some(None),
    };
    let key = crate::model::SliceKey::new(text("accountId")?, text("region")?, text("assetType")?);
    Some(SliceState {
        key,
        api: text("api")?.to_owned(),
        outcome: text("outcome")?.parse().ok()?,
        reason: text("reason").map(str::to_owned),
        attempted_at: time("attemptedAt")?,
        completed_at: time("completedAt")?,
        assets: value.get("assets")?.as_u64()?,
    })
}
