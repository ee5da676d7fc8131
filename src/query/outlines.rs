//! The outlines that are remembered of one document: plans that serve whatever values are compared with. See
//! `planner::outline`.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use serde_json::{Map, Value as Json};

use super::{
    document::QueryDocument,
    plan::Test,
    planner::{self, Outline, Outlined},
    prepare::weight_of,
};
use crate::catalog::Catalog;

/// The most outlines of an operation: one for each way its other variables are given.
const MOST_OUTLINES: usize = 8;
/// The most operations of a document that have any.
const MOST_OPERATIONS: usize = 32;
/// So many outlines that were made in vain, and no more are.
const MOST_VAIN: u32 = 16;

/// The outlines of a document, by operation.
#[derive(Debug)]
pub(super) struct Outlines {
    all: RwLock<Vec<OfOperation>>,
    /// The most bytes of them, about.
    room: usize,
}

#[derive(Debug, Default)]
struct OfOperation {
    name: Option<String>,
    /// Variables that the plan depends on.
    known: BTreeSet<String>,
    /// The newest last.
    outlines: Vec<Arc<Outline>>,
    /// How many were made beyond those that are kept: where every request brings another value that the plan depends
    /// on, none serves a second one.
    vain: u32,
}

/// An outline, and what fills its blanks.
pub(super) type Filled = (Arc<Outline>, Vec<Test>);

impl Outlines {
    /// Of a document whose outlines may take so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { all: RwLock::default(), room }
    }

    /// An outline that was made for values such as these.
    pub(super) fn find(
        &self,
        catalog: &Catalog,
        document: &QueryDocument,
        operation: Option<&str>,
        given: &Map<String, Json>,
    ) -> Option<Filled> {
        let all = self.read();
        let outlines = all.iter().find(|of| of.name.as_deref() == operation)?.outlines.iter();
        outlines
            .rev()
            .find_map(|outline| Some((Arc::clone(outline), outline.fill(catalog, document, given)?)))
    }

    /// Makes an outline for values such as these, if the operation has any that is worth it. `planning` is told of each
    /// attempt.
    pub(super) fn make(
        &self,
        catalog: &Catalog,
        document: &QueryDocument,
        operation: Option<&str>,
        given: &Map<String, Json>,
        planning: impl Fn(),
    ) -> Option<Filled> {
        let mut known = BTreeSet::new();
        if let Some(of) = self.read().iter().find(|of| of.name.as_deref() == operation) {
            if of.vain >= MOST_VAIN {
                return None;
            }
            known.clone_from(&of.known);
        }
        let outline = loop {
            match planner::outline(catalog, document, operation, given, &known, &planning) {
                Outlined::Made(outline) => break Some(Arc::from(outline)),
                Outlined::Depends(more) if !more.is_subset(&known) => known.extend(more),
                Outlined::Depends(_) | Outlined::NotThese => return None,
                Outlined::Never => break None,
            }
        };
        self.keep(operation, known, outline.clone());
        let outline: Arc<Outline> = outline?;
        let tests = outline.fill(catalog, document, given)?;
        Some((outline, tests))
    }

    /// Keeps an outline, or that there is none.
    fn keep(&self, operation: Option<&str>, known: BTreeSet<String>, outline: Option<Arc<Outline>>) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let bytes = outline.as_ref().map_or(0, |outline| weight_of(&outline.planned));
        let is_room = all.iter().flat_map(OfOperation::weights).sum::<usize>() + bytes <= self.room;
        let place = all.iter().position(|of| of.name.as_deref() == operation).unwrap_or_else(|| {
            all.push(OfOperation { name: operation.map(str::to_owned), ..OfOperation::default() });
            all.len() - 1
        });
        let is_one_of_many = place >= MOST_OPERATIONS;
        let Some(of) = all.get_mut(place) else { return };
        of.known.extend(known);
        match outline {
            Some(outline) if is_room && !is_one_of_many => {
                if of.outlines.len() >= MOST_OUTLINES {
                    of.outlines.remove(0);
                    of.vain += 1;
                }
                of.outlines.push(outline);
            }
            Some(_) => of.vain += 1,
            None => of.vain = MOST_VAIN,
        }
        if is_one_of_many {
            all.pop();
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<OfOperation>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfOperation {
    fn weights(&self) -> impl Iterator<Item = usize> {
        self.outlines.iter().map(|outline| weight_of(&outline.planned))
    }
}
