//! What a run visits, and its steps where they are asked for. Counting is a few additions for each pass over a table,
//! never for each row of it, so it is always on; steps and times are kept only for `explain`.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use super::limits::RunError;

/// What was visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visited {
    /// Rows whose value was looked at, in a scan or one by one.
    pub rows: u64,
    /// Edges followed.
    pub edges: u64,
    /// Distinct values that a predicate was asked of.
    pub distinct: u64,
    /// Rows put in order.
    pub sorted: u64,
}

impl Visited {
    fn less(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_sub(other.rows),
            edges: self.edges.saturating_sub(other.edges),
            distinct: self.distinct.saturating_sub(other.distinct),
            sorted: self.sorted.saturating_sub(other.sorted),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            edges: self.edges + other.edges,
            distinct: self.distinct + other.distinct,
            sorted: self.sorted + other.sorted,
        }
    }
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How deep below the step of its root field.
    pub depth: usize,
    /// What it does, in the words of the query language.
    pub what: String,
    /// Rows it had to choose from.
    pub rows_in: u64,
    /// Rows it left; for a root field the assets it wrote, nested ones included.
    pub rows_out: u64,
    /// What it visited itself, the steps below it left out.
    pub visited: Visited,
    /// Bytes of JSON it wrote.
    pub bytes: u64,
    /// How long it took, the steps below it included.
    pub took: Duration,
}

/// The counters of one run.
#[derive(Debug, Default)]
pub(super) struct Work {
    visited: Cell<Visited>,
    trace: Option<RefCell<Trace>>,
    /// Bytes that predicates read since the last look at the clock.
    unlooked: Cell<usize>,
    /// Why the run is to end, once a predicate found out.
    stopped: RefCell<Option<RunError>>,
}

#[derive(Debug, Default)]
struct Trace {
    steps: Vec<Step>,
    /// What the steps below each open step visited.
    below: Vec<Visited>,
}

/// A step that has begun.
#[derive(Debug)]
pub(super) struct Begun {
    place: usize,
    visited: Visited,
    at: Instant,
}

impl Work {
    /// Keeps the steps, too.
    pub(super) fn traced() -> Self {
        Self { trace: Some(RefCell::default()), ..Self::default() }
    }

    pub(super) fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    pub(super) fn visited(&self) -> Visited {
        self.visited.get()
    }

    pub(super) fn take_steps(&self) -> Vec<Step> {
        self.trace.as_ref().map(|trace| trace.take().steps).unwrap_or_default()
    }

    #[inline]
    pub(super) fn add_rows(&self, rows: usize) {
        let visited = self.visited.get();
        self.visited.set(Visited { rows: visited.rows + rows as u64, ..visited });
    }

    #[inline]
    pub(super) fn add_edges(&self, edges: usize) {
        let visited = self.visited.get();
        self.visited.set(Visited { edges: visited.edges + edges as u64, ..visited });
    }

    pub(super) fn add_distinct(&self, distinct: usize) {
        let visited = self.visited.get();
        self.visited.set(Visited { distinct: visited.distinct + distinct as u64, ..visited });
    }

    pub(super) fn add_sorted(&self, sorted: usize) {
        let visited = self.visited.get();
        self.visited.set(Visited { sorted: visited.sorted + sorted as u64, ..visited });
    }

    /// Counts bytes that a predicate is about to read; whether it is time to look at the clock.
    #[inline]
    pub(super) fn is_look_due(&self, bytes: usize, every: usize) -> bool {
        let unlooked = self.unlooked.get() + bytes;
        let is_due = unlooked >= every;
        self.unlooked.set(if is_due { 0 } else { unlooked });
        is_due
    }

    /// Notes why the run is to end; the first reason is kept.
    pub(super) fn stop(&self, error: RunError) {
        self.stopped.borrow_mut().get_or_insert(error);
    }

    pub(super) fn stopped(&self) -> Option<RunError> {
        self.stopped.borrow().clone()
    }

    /// Begins a step; nothing where steps are not kept. Its words are asked for only where they are.
    pub(super) fn begin(&self, what: impl FnOnce() -> String) -> Option<Begun> {
        let trace = self.trace.as_ref()?;
        let what = what();
        let mut trace = trace.borrow_mut();
        let (place, depth) = (trace.steps.len(), trace.below.len());
        trace.below.push(Visited::default());
        trace.steps.push(Step {
            depth,
            what,
            rows_in: 0,
            rows_out: 0,
            visited: Visited::default(),
            bytes: 0,
            took: Duration::ZERO,
        });
        Some(Begun { place, visited: self.visited.get(), at: Instant::now() })
    }

    /// Ends a step.
    pub(super) fn end(&self, begun: Option<Begun>, rows_in: usize, rows_out: usize, bytes: usize) {
        let (Some(begun), Some(trace)) = (begun, self.trace.as_ref()) else { return };
        let took = begun.at.elapsed();
        let whole = self.visited.get().less(begun.visited);
        let mut trace = trace.borrow_mut();
        let below = trace.below.pop().unwrap_or_default();
        if let Some(around) = trace.below.last_mut() {
            *around = around.plus(whole);
        }
        if let Some(step) = trace.steps.get_mut(begun.place) {
            step.rows_in = rows_in as u64;
            step.rows_out = rows_out as u64;
            step.visited = whole.less(below);
            step.bytes = bytes as u64;
            step.took = took;
        }
    }
}
