//! Any bytes as a file of assets: they are refused with a line, or read, and then a graph can be built of them. Read line
//! by line or straight into columns, in blocks of any size, they are the same file.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use passmuster_fuzz::{
    catalog,
    catalog::Catalog,
    graph::GraphBuilder,
    import::{Division, ImportLimits, read_ndjson, read_rows},
    model::Time,
};

thread_local! {
    static CATALOG: Arc<Catalog> = catalog();
}

const FILE: &str = "fuzz.ndjson";

fuzz_target!(|bytes: &[u8]| {
    CATALOG.with(|catalog| {
        let mut assets = Vec::new();
        let limits = ImportLimits { line_bytes: 4096 };
        let read = read_ndjson(FILE, bytes, catalog, limits, &mut |asset| {
            assets.push(asset);
            Ok(())
        });
        let built_at = Time::from_millis(0).expect("a time");
        let mut straight = GraphBuilder::new(Arc::clone(catalog));
        let division = Division { threads: 2, block_bytes: 1 + bytes.len() / 3 };
        let rows = read_rows(FILE, bytes, catalog, limits, division, &mut straight);
        match (read, rows) {
            (Ok(summary), Ok(rows)) => {
                assert_eq!(summary.assets, assets.len() as u64);
                assert_eq!(summary, rows);
                let mut builder = GraphBuilder::new(Arc::clone(catalog));
                for asset in &assets {
                    builder.push(asset).expect("what was judged fits");
                }
                builder.finish(summary.slices, built_at).expect("a graph");
                straight.finish(rows.slices, built_at).expect("a graph");
            }
            (Err(error), Err(straight)) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(error.to_string(), straight.to_string());
            }
            (read, rows) => panic!("line by line {read:?}, straight {rows:?}"),
        }
    });
});
