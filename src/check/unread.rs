//! Regions that an account may use and that nothing was ever read from, because the collection was narrowed. No slice
//! stands for them, so no verdict rests on them or misses them: whoever reads verdicts has to be told.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Graph;

/// The type that lists the regions of an account, as far as the schema has it.
const REGION_TYPE: &str = "Region";
/// What AWS says of a region that the account can't use.
const NOT_OPTED_IN: &str = "not-opted-in";

/// The enabled regions that nothing was ever read from, by account. Accounts from whose regions nothing at all was read
/// are not among them: their verdicts are UNKNOWN. Empty for an inventory without slices, which counts as complete.
#[must_use]
pub fn unread_regions(graph: &Graph) -> BTreeMap<String, BTreeSet<String>> {
    let mut unread: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Some(slices) = graph.slices() else { return unread };
    let Some((of, _)) = graph.catalog().find(REGION_TYPE) else { return unread };
    let Some((_, table)) = graph.table_of(of) else { return unread };
    for row in table.all().iter() {
        let text = |field: &str| graph.text(of, row, field);
        let (Some(account), Some(region)) = (text("accountId"), text("region")) else { continue };
        let is_usable = text("optInStatus").is_none_or(|status| status != NOT_OPTED_IN);
        let read: Vec<&str> = slices.regions_of(&account).collect();
        let is_unread = !read.is_empty() && !read.contains(&&*region);
        if is_usable && is_unread {
            unread.entry(account.into_owned()).or_default().insert(region.into_owned());
        }
    }
    unread
}
