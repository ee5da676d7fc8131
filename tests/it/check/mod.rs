//! Stored checks: the files they are read from, the verdicts they give, the cases they come with.

mod evidence;
mod expectations;
mod files;
mod frameworks;
mod ledger;
mod outbox;
mod quoting;
mod recorded;
mod rego;
mod remediation;
mod unread;
mod verdicts;
mod whole;

use std::sync::{Arc, LazyLock};

use passmuster::{
    catalog::{self, Catalog},
    check::{self, Check, Sources},
    query::{Engine, GuardLimits},
};

/// An engine over the shipped types, with the fragments of `sources`.
fn engine_for(sources: &Sources) -> Engine {
    let catalog = Catalog::read(&catalog::shipped()).expect("the shipped schema is valid");
    let fragments = sources.fragments().clone();
    Engine::new(Arc::new(catalog), fragments, GuardLimits::default()).expect("an engine")
}

/// The shipped checks and an engine that runs them, made once.
static SHIPPED: LazyLock<(Engine, Vec<Check>)> = LazyLock::new(|| {
    let sources = check::shipped();
    let engine = engine_for(&sources);
    let checks = check::load(&sources, &engine).unwrap_or_else(|errors| panic!("{errors}"));
    (engine, checks)
});

/// The engine, and a copy of the shipped checks.
pub(crate) fn shipped() -> (&'static Engine, Vec<Check>) {
    (&SHIPPED.0, SHIPPED.1.clone())
}
