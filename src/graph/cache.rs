//! Graphs of past moments, kept for a while: each is built once, however many ask for it at the same time, and the one
//! that nobody has asked for longest goes first.

use std::sync::{Arc, Mutex, PoisonError};

use super::Graph;

/// A graph, once somebody has built it. Whoever builds it holds the lock, and the others wait.
type Slot = Mutex<Option<Arc<Graph>>>;

/// Graphs by the number of the commit they show.
#[derive(Debug)]
pub struct GraphCache {
    capacity: usize,
    /// The one asked for last stands last.
    slots: Mutex<Vec<(u64, Arc<Slot>)>>,
}

impl GraphCache {
    /// Keeps at most `capacity` graphs, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), slots: Mutex::default() }
    }

    /// The graph of a commit, from `build` where it isn't kept.
    ///
    /// # Errors
    /// What `build` returns; the next to ask tries again.
    pub fn get_or_build<E>(
        &self,
        sequence: u64,
        build: impl FnOnce() -> Result<Graph, E>,
    ) -> Result<Arc<Graph>, E> {
        let slot = self.slot(sequence);
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(graph) = &*kept {
            return Ok(Arc::clone(graph));
        }
        let graph = Arc::new(build()?);
        *kept = Some(Arc::clone(&graph));
        Ok(graph)
    }

    fn slot(&self, sequence: u64) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let place = slots.iter().position(|(known, _)| *known == sequence);
        let (_, slot) = place.map(|place| slots.remove(place)).unwrap_or_default();
        slots.push((sequence, Arc::clone(&slot)));
        if slots.len() > self.capacity {
            slots.remove(0);
        }
        slot
    }
}
