//! Files of assets: NDJSON judged against the catalog, line by line into assets or straight into the rows of a graph,
//! nothing of a bad file kept; and what a file means for a store, slice by slice.

mod batches;
mod blocks;
mod cursor;
mod error;
mod judge;
mod lines;
mod ndjson;
mod rows;
mod slice_line;
mod straight;

pub use batches::{AssetText, NO_ACCOUNT, SliceBatch, UNDECLARED_REASON, WaitingAssets, slice_batches};
pub use error::{ImportError, SinkError, SliceProblem};
pub use ndjson::{FileSummary, ImportLimits, read_file, read_ndjson};
pub use rows::{Division, read_file_rows, read_rows};
