//! Any text as a schema: it is refused in words, or an engine can be made of it.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use passmuster_fuzz::{
    catalog::{Catalog, Source},
    query::{Engine, Fragments, GuardLimits},
};

fuzz_target!(|text: &str| {
    match Catalog::read(&[Source::new("fuzz.graphql", text)]) {
        Ok(catalog) => {
            // A name may clash with a generated one, and is refused then.
            let _ = Engine::new(Arc::new(catalog), Fragments::new(), GuardLimits::default());
        }
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
});
