//! Files of assets: NDJSON read line by line, judged against the catalog, nothing of a bad file kept; and what a file
//! means for a store, slice by slice.

mod batches;
mod error;
mod lines;
mod ndjson;
mod slice_line;

pub use batches::{NO_ACCOUNT, SliceBatch, UNDECLARED_REASON, slice_batches};
pub use error::{ImportError, SinkError, SliceProblem};
pub use ndjson::{FileSummary, ImportLimits, read_file, read_ndjson};
