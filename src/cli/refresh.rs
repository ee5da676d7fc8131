//! The graph of the present after commits: the one before, patched by what they changed. Only where that is too much,
//! or can't be told, the store is read as a whole.

use std::sync::Arc;

use super::{
    context::{fit_to_catalog, graph_of_store},
    failure::{Failure, chain},
    graph_holder::Present,
};
use crate::{
    catalog::Catalog,
    graph::{Changes, Graph, GraphError, Patched},
    model::{SliceKey, Time},
    store::{Store, StoreError},
};

/// A change of more than one in so many assets is not patched,
const SHARE: usize = 8;
/// unless it is of fewer than this.
const ALWAYS: usize = 1000;

/// A newer present.
#[derive(Debug)]
pub(crate) struct Refreshed {
    /// The newer graph, and its commit.
    pub(crate) present: Present,
    /// Whether one built whole would answer better.
    pub(crate) is_worn: bool,
}

/// Why a graph could not be patched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unpatched {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An asset does not fit the schema, or the graph has become too large.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// The present of a store, given the one before.
pub(crate) fn refreshed(
    catalog: &Arc<Catalog>,
    store: &Store,
    now: Time,
    before: Option<&Present>,
) -> Result<Refreshed, Failure> {
    if let Some((graph, from)) = before.and_then(|before| Some((&before.graph, before.sequence()?))) {
        match patched_to(catalog, store, (graph, from), None, now) {
            Ok(Some((Patched { graph, work, is_worn }, sequence))) => {
                tracing::debug!(?work, sequence, "patched the graph");
                let revision = store.revision_at(sequence).map_err(|error| Failure::program(&error))?;
                let present = Present { graph: Arc::new(graph), revision, is_from_image: false };
                return Ok(Refreshed { present, is_worn });
            }
            Ok(None) => tracing::debug!("too much has changed for a patch: reading everything"),
            // Reading everything meets the same problem, or it was of the patch alone.
            Err(error) => tracing::debug!("the graph could not be patched: {}", chain(&error)),
        }
    }
    let present = graph_of_store(catalog, store, now)?;
    present.graph.index_keys();
    Ok(Refreshed { present, is_worn: false })
}

/// A graph of one commit made into that of another (without one, of the newest), and its number. Nothing where that is
/// more than a patch is for.
pub(crate) fn patched_to(
    catalog: &Arc<Catalog>,
    store: &Store,
    (graph, from): (&Graph, u64),
    to: Option<u64>,
    now: Time,
) -> Result<Option<(Patched, u64)>, Unpatched> {
    let owned = |slice: &SliceKey| {
        let found = catalog.find(&slice.asset_type);
        found.map_or_else(Vec::new, |(of, _)| graph.ids_in(of, &slice.account_id, &slice.region))
    };
    let most = ALWAYS.max(graph.assets() / SHARE);
    let Some(delta) = store.delta(from, to, most, &owned)? else { return Ok(None) };
    let mut changes = Changes { put: delta.put, removed: delta.removed, slices: delta.slices };
    fit_to_catalog(catalog, &mut changes.put);
    let patched = graph.patched(&changes, now)?;
    Ok(Some((patched, delta.sequence)))
}
