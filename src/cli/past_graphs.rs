//! The inventory of any moment, out of a store: the present graph as the command holds it, past ones built when they
//! are first asked for.

use std::sync::Arc;

use super::{
    context::{Misfit, fill},
    failure::chain,
    graph_holder::Present,
    late_store::LateStore,
    refresh::patched_to,
};
use crate::{
    catalog::Catalog,
    graph::{Graph, GraphCache, Patched},
    model::Time,
    query::{MomentError, Moments},
    store::{PastWork, StoreError},
};

/// How many past moments are kept. Each may take as much memory as the present.
const KEPT: usize = 4;

/// The past of a store as graphs.
#[derive(Debug)]
pub(crate) struct PastGraphs {
    catalog: Arc<Catalog>,
    store: Arc<LateStore>,
    cache: GraphCache,
}

impl PastGraphs {
    pub(crate) fn new(catalog: Arc<Catalog>, store: Arc<LateStore>) -> Self {
        Self { catalog, store, cache: GraphCache::new(KEPT) }
    }

    fn graph_at(&self, moment: Time, present: Option<&Present>) -> Result<Arc<Graph>, MomentError> {
        let store = self.store.get().map_err(|failure| {
            tracing::error!("the inventory of {moment} can't be read: {}", failure.render(false));
            MomentError::Unreadable { moment: Some(moment), reason: "the log says why".to_owned() }
        })?;
        let in_force = store.in_force(moment).map_err(|error| unreadable(moment, &error))?;
        if let Some(present) = present.filter(|present| present.sequence() == Some(in_force.sequence)) {
            return Ok(Arc::clone(&present.graph));
        }
        self.cache.get_or_build(in_force.sequence, || {
            let near = present.and_then(|present| Some((present.graph.as_ref(), present.sequence()?)));
            if let Some(near) = near {
                let sequence = in_force.sequence;
                match patched_to(&self.catalog, &store, near, Some(sequence), in_force.at) {
                    Ok(Some((Patched { graph, work, .. }, _))) => {
                        tracing::debug!(?work, "took back what changed since {moment}");
                        return Ok(graph);
                    }
                    Ok(None) => {}
                    Err(error) => tracing::debug!("the present could not be taken back: {}", chain(&error)),
                }
            }
            let (builder, past) = fill(&self.catalog, |visit| store.read_past(in_force, visit)).map_err(
                |misfit| match misfit {
                    Misfit::Store(error) => unreadable(moment, &error),
                    Misfit::Asset(error) => {
                        let reason = format!(
                            "an asset of then does not fit the schema of today ({}): use the schema of then",
                            chain(&error)
                        );
                        MomentError::Unreadable { moment: Some(moment), reason }
                    }
                },
            )?;
            let PastWork { commits, records, assets } = past.work;
            tracing::debug!(commits, records, assets, "took back what changed since {moment}");
            builder
                .finish(Some(past.slices), in_force.at)
                .map_err(|error| MomentError::Unreadable { moment: Some(moment), reason: chain(&error) })
        })
    }
}

/// Where the store can't be read, the log says why: its paths are nobody's business outside.
fn unreadable(moment: Time, error: &StoreError) -> MomentError {
    if let StoreError::BeforeHistory { moment, earliest } = error {
        return MomentError::BeforeHistory { moment: *moment, earliest: *earliest };
    }
    tracing::error!("the inventory of {moment} can't be read: {}", chain(error));
    MomentError::Unreadable { moment: Some(moment), reason: "the log says why".to_owned() }
}

/// The moments of an inventory, with the present one as it was when the query began.
#[derive(Debug)]
pub(crate) struct KnownMoments<'a> {
    /// Nothing where the query doesn't ask for it.
    pub(crate) present: Option<Arc<Present>>,
    /// Nothing for a file.
    pub(crate) past: Option<&'a PastGraphs>,
}

impl Moments for KnownMoments<'_> {
    fn graph_at(&self, moment: Option<Time>) -> Result<Arc<Graph>, MomentError> {
        match (moment, &self.present, self.past) {
            (None, Some(present), _) => Ok(Arc::clone(&present.graph)),
            (None, None, _) => {
                Err(MomentError::Unreadable { moment: None, reason: "it was not read".to_owned() })
            }
            (Some(moment), present, Some(past)) => past.graph_at(moment, present.as_deref()),
            (Some(moment), _, None) => Err(MomentError::NoHistory { moment }),
        }
    }
}
