//! What is missing, told once for each account and region and not for each row: the rows of one place share their
//! reasons, of which there may be one for every region.

use std::{cell::OnceCell, rc::Rc};

use super::{judge::Reason, places::Places, world::World};
use crate::{
    catalog::{FieldId, KeyPairs, TypeId},
    graph::TableId,
    model::{GLOBAL_REGION, SliceKey, Time},
};

/// Why something of a row is not known.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// For a reason of its own.
    Own(Box<Reason>),
    /// For those of its place.
    OfPlace(Rc<[Reason]>),
}

impl Cause {
    /// One of its own.
    pub(super) fn own(reason: Reason) -> Self {
        Self::Own(Box::new(reason))
    }

    /// The reasons one by one, sorted and distinct.
    pub(super) fn reasons(causes: Vec<Self>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for cause in causes {
            match cause {
                Self::Own(reason) => reasons.push(*reason),
                Self::OfPlace(of_place) => reasons.extend(of_place.iter().cloned()),
            }
        }
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }
}

/// Places, with something that is worked out for each at most once.
#[derive(Debug)]
pub(super) struct ByPlace {
    places: Rc<Places>,
    told: Vec<OnceCell<Rc<[Reason]>>>,
}

impl ByPlace {
    fn new(places: Rc<Places>) -> Self {
        let told = places.distinct().iter().map(|_| OnceCell::new()).collect();
        Self { places, told }
    }

    /// What is told of the place of a row; nothing for a row without one.
    fn of(
        &self,
        row: u32,
        tell: impl FnOnce(Option<&str>, Option<&str>) -> Vec<Reason>,
    ) -> Option<Rc<[Reason]>> {
        let place = self.places.number(row)?;
        let (account, region) = self.places.of(row)?;
        Some(Rc::clone(self.told.get(place)?.get_or_init(|| tell(account, region).into())))
    }
}

impl World<'_> {
    /// Adds the slices that keep a relation of a row from being complete.
    pub(super) fn add_needs(
        &self,
        (id, field): (TableId, FieldId),
        target: TypeId,
        keys: &KeyPairs,
        row: u32,
        found: &mut Vec<Cause>,
    ) {
        let beyond = self.remembered_needs((id, field), || {
            self.places_needed(id, keys).into_iter().map(ByPlace::new).collect()
        });
        for places in beyond.iter().flat_map(|beyond| beyond.iter()) {
            let missing = |account: Option<&str>, region: Option<&str>| {
                self.missing_at(target, account, region).into_iter().map(|need| self.reason(need)).collect()
            };
            found.extend(places.of(row, missing).filter(|reasons| !reasons.is_empty()).map(Cause::OfPlace));
        }
    }

    /// Adds the slice of a row that is stale, and when that was collected.
    pub(super) fn add_own_slice(&self, id: TableId, row: u32, found: &mut Vec<Cause>) {
        let own = self.remembered_own(id, || self.places(id).map(ByPlace::new));
        let typename = &self.graph.catalog().get(self.graph.table(id).of).name;
        let listed = own.as_deref().and_then(|own| {
            own.of(row, |account, region| {
                let slices = self.graph.slices();
                let own = slices.and_then(|slices| slices.own(typename, account.unwrap_or_default(), region));
                let stale =
                    own.map(|own| Reason::Stale { key: own.key.clone(), completed_at: own.completed_at });
                stale.into_iter().collect()
            })
        });
        match listed {
            Some(reasons) if !reasons.is_empty() => found.push(Cause::OfPlace(reasons)),
            _ => found.extend(
                self.own_slice(id, row)
                    .map(|(key, completed_at)| Cause::own(Reason::Stale { key, completed_at })),
            ),
        }
    }

    /// The slice that a row was listed by, or would be, and when that was.
    pub(super) fn own_slice(&self, id: TableId, row: u32) -> Option<(SliceKey, Option<Time>)> {
        let typename = &self.graph.catalog().get(self.graph.table(id).of).name;
        let places = self.places(id)?;
        let (account, region) = places.of(row)?;
        let account = account.unwrap_or_default();
        if let Some(own) = self.graph.slices()?.own(typename, account, region) {
            return Some((own.key.clone(), own.completed_at));
        }
        let key = SliceKey::new(account, region.unwrap_or(GLOBAL_REGION), typename);
        Some((key, self.last_seen(id, row)))
    }
}
