//! What a complete list no longer names is asked for once more before it is removed: EC2 is eventually consistent, and
//! an asset that goes from the store and comes back would be a false finding, or a false PASS, meanwhile.
//!
//! **Invariant**: nothing is removed but what two answers leave out, and the second was a whole one.

use std::collections::BTreeSet;

use super::{failure::Failure, pages};
use crate::{model::Asset, store::Packed};

/// The native ids of assets, by which AWS is asked.
pub(crate) fn native_ids(assets: &[Asset]) -> Vec<String> {
    assets.iter().filter_map(|asset| asset.text("nativeId")).map(str::to_owned).collect()
}

/// The list with what a second answer still shows of the assets that are missing from it. Where the second answer
/// fails, nobody knows what is gone, and the list is not complete.
pub(crate) async fn confirm(
    mut list: Packed,
    missing: &[Asset],
    second: impl Future<Output = Result<Vec<Asset>, Failure>>,
) -> Result<Packed, Failure> {
    if missing.is_empty() {
        return Ok(list);
    }
    let mut shown = second.await.map_err(Failure::when_confirming)?;
    let missing: BTreeSet<&str> = missing.iter().map(|asset| asset.id.as_str()).collect();
    shown.retain(|asset| missing.contains(asset.id.as_str()));
    pages::pack(&mut list, &shown)?;
    Ok(list)
}
