//! Any bytes as a file of assets: they are refused with a line, or read, and then a graph can be built of them.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use passmuster_fuzz::{
    catalog,
    catalog::Catalog,
    graph::GraphBuilder,
    import::{ImportLimits, read_ndjson},
    model::Time,
};

thread_local! {
    static CATALOG: Arc<Catalog> = catalog();
}

fuzz_target!(|bytes: &[u8]| {
    CATALOG.with(|catalog| {
        let mut assets = Vec::new();
        let limits = ImportLimits { line_bytes: 4096 };
        let read = read_ndjson("fuzz.ndjson", bytes, catalog, limits, &mut |asset| {
            assets.push(asset);
            Ok(())
        });
        match read {
            Ok(summary) => {
                assert_eq!(summary.assets, assets.len() as u64);
                let mut builder = GraphBuilder::new(Arc::clone(catalog));
                for asset in &assets {
                    builder.push(asset).expect("what was judged fits");
                }
                let built_at = Time::from_millis(0).expect("a time");
                builder.finish(summary.slices, built_at).expect("a graph");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
});
