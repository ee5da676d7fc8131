//! One file for each command: its arguments, its help, what it does.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod collect;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod evidence;
pub(crate) mod except;
pub(crate) mod findings;
pub(crate) mod import;
pub(crate) mod notify;
pub(crate) mod query;
pub(crate) mod remediate;
pub(crate) mod schedule;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod store;
