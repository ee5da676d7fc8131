//! What several test modules share: scratch folders, the built binary, servers.

pub(crate) mod aws;
mod fault_paging;
pub(crate) mod fault_server;
pub(crate) mod made_aws;
pub(crate) mod moto;
pub(crate) mod organization;
pub(crate) mod socket;
pub(crate) use fault_paging::{Paging, without_items};
