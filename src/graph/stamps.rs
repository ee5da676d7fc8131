//! Whether two graphs say the same of some types: numbers to compare, so that an answer that was worked out over one of
//! them may stand for the other.

use super::{Graph, column::Data, slices::is_own_type};
use crate::{catalog::TypeId, model::Time};

/// The field that says when an asset was last collected.
const LAST_SEEN: &str = "lastSeenAt";

/// What a graph says of some types: equal only where nothing differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamps(Vec<u64>);

impl Graph {
    /// The stamps of some asset types: their assets, where relations from them lead, the states of their slices, and
    /// what places anything was collected from. Two graphs of which neither was made from the other share none.
    #[must_use]
    pub fn stamps(&self, types: impl IntoIterator<Item = TypeId>) -> Stamps {
        let types: Vec<TypeId> = types.into_iter().collect();
        let mut stamps: Vec<u64> =
            types.iter().map(|of| self.table_of(*of).map_or(0, |(_, table)| table.stamp)).collect();
        if let Some(slices) = &self.slices {
            stamps.extend(slices.stamps(types.iter().map(|of| self.catalog.get(*of).name.as_str())));
        }
        Stamps(stamps)
    }

    /// Of the times from `oldest` on at which assets of some types were collected, the first: until that is too old,
    /// nothing becomes stale.
    #[must_use]
    pub fn first_collected_since(
        &self,
        types: impl IntoIterator<Item = TypeId>,
        oldest: Time,
    ) -> Option<Time> {
        let slices = self.slices.as_ref()?;
        let mut first: Option<Time> = None;
        let mut take = |time: Option<Time>| {
            let later = time.filter(|time| *time >= oldest);
            first = first.into_iter().chain(later).min();
        };
        for of in types {
            let definition = self.catalog.get(of);
            if is_own_type(&definition.name) {
                continue;
            }
            take(slices.first_completed(&definition.name, oldest));
            let Some((id, table)) = self.table_of(of) else { continue };
            // Where each asset is listed by a slice that is complete, the slice is all that is asked.
            if slices.is_whole_since(&definition.name, Some(oldest)) && self.is_placed(id) {
                continue;
            }
            let column = definition.find(LAST_SEEN).map(|(field, _)| table.column(field));
            if let Some(Data::Int { values, .. }) = column.map(|column| &column.data) {
                let later = values.iter().copied().filter(|seen| *seen >= oldest.millis());
                take(later.min().and_then(Time::from_millis));
            }
        }
        first
    }
}
