//! How a store is opened: sizes, thresholds, and the places where a test may make it fail.

use std::{fmt, io, sync::Arc};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Memory the index may use for its cache, in bytes.
    pub cache_bytes: u64,
    /// What must be free on the disk to open the store or to write to it, in bytes.
    pub min_free_bytes: u64,
    /// A segment of the journal is closed once it is this large, in bytes.
    pub segment_bytes: u64,
    /// For tests: what happens at the points where the disk or the process may fail.
    #[doc(hidden)]
    pub faults: Faults,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 128 << 20,
            min_free_bytes: 64 << 20,
            segment_bytes: 64 << 20,
            faults: Faults::default(),
        }
    }
}

/// A point at which a test may fail the disk or end the process.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultPoint {
    /// Before a segment is created.
    SegmentCreate,
    /// Before a group of records is noted.
    GroupNote,
    /// Before a record is written.
    RecordWrite,
    /// Before the disk is asked to confirm the record.
    RecordSync,
    /// After the journal has confirmed a record, before the index takes it in.
    IndexWrite,
    /// After the index has taken it in, before the caller hears of it.
    Acknowledge,
    /// Before the ledger is read.
    LedgerRead,
    /// While opening, before a record is replayed into the index.
    Replay,
}

type Hook = dyn Fn(FaultPoint) -> io::Result<()> + Send + Sync;

/// What a test does at each [`FaultPoint`]; nothing by default.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<Hook>>);

impl Faults {
    /// Calls `hook` at every point; an error it returns is taken for the system's.
    pub fn new(hook: impl Fn(FaultPoint) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    pub(super) fn reach(&self, point: FaultPoint) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |hook| hook(point))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Faults(hook)" } else { "Faults(none)" })
    }
}
