//! From a request to a plan that is ready to run, and the memory of both: a document that was let through once is not
//! guarded, parsed and validated again, and the same operation with the same variables is not planned again, nor with
//! others that only fill the blanks of its outline. Refusals are never kept: there is no end of them.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use rustc_hash::FxHasher;

use super::{
    Request,
    cache::Cache,
    document::{Fragments, QueryDocument, place_in},
    error::{QueryError, QueryErrorKind},
    guard::{GuardLimits, guard},
    outlines::{Filled, Outlines},
    plan::{Action, RootKind, Test},
    planner::{self, Outline, Planned},
    specification::{Specification, ValidDocument},
};
use crate::catalog::Catalog;

/// How much is remembered of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// About the most bytes of parsed documents.
    pub document_bytes: usize,
    /// About the most bytes of plans.
    pub plan_bytes: usize,
}

impl CacheLimits {
    /// Nothing is remembered.
    pub const NONE: Self = Self { document_bytes: 0, plan_bytes: 0 };
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { document_bytes: 32 << 20, plan_bytes: 16 << 20 }
    }
}

/// How often requests were prepared from scratch: what is remembered is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preparations {
    /// Documents guarded and parsed.
    pub parsed: u64,
    /// Documents held to the rules of the specification.
    pub validated: u64,
    /// Operations planned, or their outlines.
    pub planned: u64,
}

/// A plan ready to run, with what else the response needs.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) planned: Planned,
    pub(super) document: Arc<KnownDocument>,
    /// The JSON of each introspection root by its response key.
    pub(super) introspection: BTreeMap<String, Vec<u8>>,
}

/// A plan to run: one that was made for this request, or an outline with what fills its blanks.
#[derive(Debug)]
pub(super) enum Ready {
    Whole(Arc<Prepared>),
    Filled { document: Arc<KnownDocument>, outline: Arc<Outline>, given: Vec<Test> },
}

/// An outline shows nothing of the schema.
static NO_INTROSPECTION: BTreeMap<String, Vec<u8>> = BTreeMap::new();

impl Ready {
    pub(super) fn planned(&self) -> &Planned {
        match self {
            Self::Whole(prepared) => &prepared.planned,
            Self::Filled { outline, .. } => &outline.planned,
        }
    }

    /// What fills the blanks; empty for a plan without any.
    pub(super) fn given(&self) -> &[Test] {
        match self {
            Self::Whole(_) => &[],
            Self::Filled { given, .. } => given,
        }
    }

    pub(super) fn document(&self) -> &KnownDocument {
        match self {
            Self::Whole(prepared) => &prepared.document,
            Self::Filled { document, .. } => document,
        }
    }

    pub(super) fn introspection(&self) -> &BTreeMap<String, Vec<u8>> {
        match self {
            Self::Whole(prepared) => &prepared.introspection,
            Self::Filled { .. } => &NO_INTROSPECTION,
        }
    }
}

/// A document that the guard let through and that keeps every rule, whatever the variables are.
#[derive(Debug)]
pub(super) struct KnownDocument {
    pub(super) parsed: QueryDocument,
    valid: ValidDocument,
    text_hash: u64,
    /// How many more times it is taken to be long without being tried.
    taken_as_long: AtomicU32,
    /// The bytes of its last answer.
    answer_bytes: AtomicUsize,
    outlines: Outlines,
}

/// A document that turned out to be long is not tried at once for so many times.
const TIMES_TAKEN_AS_LONG: u32 = 32;
/// Answers are given so many bytes to begin with.
const SHORTEST_ROOM: usize = 512;
/// And no more, however long the last one was.
const LONGEST_ROOM: usize = 64 * 1024;
/// A longer document is not tried at once: planning it takes a while already.
const LONGEST_SHORT: usize = 8 * 1024;

impl KnownDocument {
    /// Whether to try to answer it where others wait. Each answer counts.
    pub(super) fn may_be_short(&self) -> bool {
        let less = |times: u32| times.checked_sub(1);
        self.parsed.text.len() <= LONGEST_SHORT
            && self.taken_as_long.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err()
    }

    /// Room for an answer such as the last one: mostly that of the same document is about as long.
    pub(super) fn room_for_answer(&self) -> usize {
        let last = self.answer_bytes.load(Ordering::Relaxed);
        (last + last / 8).clamp(SHORTEST_ROOM, LONGEST_ROOM)
    }

    /// Remembers how long an answer was, where that is something new: it is read by all threads.
    pub(super) fn was_answered(&self, bytes: usize) {
        let last = self.answer_bytes.load(Ordering::Relaxed);
        if bytes.abs_diff(last) > last / 16 {
            self.answer_bytes.store(bytes, Ordering::Relaxed);
        }
    }

    /// Remembers that it took too long.
    pub(super) fn was_long(&self) {
        self.taken_as_long.store(TIMES_TAKEN_AS_LONG, Ordering::Relaxed);
    }
}

/// Prepares requests.
#[derive(Debug)]
pub(super) struct Preparer {
    pub(super) catalog: Arc<Catalog>,
    fragments: Fragments,
    specification: Specification,
    guard: GuardLimits,
    /// By the text as it was sent.
    documents: Cache<String, KnownDocument>,
    plans: Cache<PlanKey, Prepared>,
    parsed: AtomicU64,
    validated: AtomicU64,
    planned: AtomicU64,
}

/// What a plan depends on beside the catalog. The moment that is asked for by default is not part of it.
#[derive(Debug)]
struct PlanKey {
    document: Arc<KnownDocument>,
    operation: Option<String>,
    /// As JSON text: the order of keys is kept in what is said of them.
    variables: Vec<u8>,
    keeps_written: bool,
}

/// A byte of a document takes about so many once it is parsed twice over, as written and as bound to the schema.
const BYTES_A_BYTE: usize = 60;
/// A field or filter key of a plan takes about so many bytes.
const BYTES_A_NODE: usize = 400;
/// What a small entry takes.
const BYTES_AT_LEAST: usize = 1024;
/// The outlines of a document may take so many times what the document does. They are counted in advance.
const ROOM_FOR_OUTLINES: usize = 2;

/// What a document takes, about.
fn weight_of_document(document: &QueryDocument) -> usize {
    BYTES_AT_LEAST + document.text.len() * BYTES_A_BYTE
}

/// What a plan takes, about.
pub(super) fn weight_of(planned: &Planned) -> usize {
    BYTES_AT_LEAST + planned.nodes * BYTES_A_NODE
}

impl Preparer {
    pub(super) fn new(
        catalog: Arc<Catalog>,
        fragments: Fragments,
        specification: Specification,
        guard: GuardLimits,
        cache: CacheLimits,
    ) -> Self {
        Self {
            catalog,
            fragments,
            specification,
            guard,
            documents: Cache::new(cache.document_bytes),
            plans: Cache::new(cache.plan_bytes),
            parsed: AtomicU64::new(0),
            validated: AtomicU64::new(0),
            planned: AtomicU64::new(0),
        }
    }

    /// How often requests were prepared from scratch so far.
    pub(super) fn preparations(&self) -> Preparations {
        Preparations {
            parsed: self.parsed.load(Ordering::Relaxed),
            validated: self.validated.load(Ordering::Relaxed),
            planned: self.planned.load(Ordering::Relaxed),
        }
    }

    /// A plan to run for a request.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(super) fn ready(&self, request: &Request) -> Result<Ready, Vec<QueryError>> {
        match self.recall(&request.query) {
            Some(document) if request.as_of.is_none() => self.ready_recalled(document, request),
            _ => self.prepare(request).map(Ready::Whole),
        }
    }

    /// A plan to run for a request whose document is known, for the moments it names itself.
    ///
    /// # Errors
    /// What is wrong with its operation name and its variables.
    pub(super) fn ready_recalled(
        &self,
        document: Arc<KnownDocument>,
        request: &Request,
    ) -> Result<Ready, Vec<QueryError>> {
        // First what serves any values: it is found without a look at all plans.
        if let Some((outline, given)) = self.outlined(&document, request, false) {
            return Ok(Ready::Filled { document, outline, given });
        }
        let key = PlanKey::new(Arc::clone(&document), request);
        if let Some(prepared) = self.recall_plan(&key) {
            return Ok(Ready::Whole(prepared));
        }
        match self.outlined(&document, request, true) {
            Some((outline, given)) => Ok(Ready::Filled { document, outline, given }),
            None => self.plan_recalled(key, request).map(Ready::Whole),
        }
    }

    /// An outline for a request whose values it takes without a complaint: one that is there, or made for it.
    fn outlined(&self, document: &KnownDocument, request: &Request, is_new: bool) -> Option<Filled> {
        if request.variables.is_empty() || request.explain.is_some() {
            return None;
        }
        let (operation, given) = (request.operation_name.as_deref(), &request.variables);
        let KnownDocument { parsed, valid, outlines, .. } = document;
        let filled = if is_new {
            let planning = || _ = self.planned.fetch_add(1, Ordering::Relaxed);
            outlines.make(&self.catalog, parsed, operation, given, planning)
        } else {
            outlines.find(&self.catalog, parsed, operation, given)
        }?;
        let is_valid = self.specification.check_variables(parsed, valid, operation, given).is_ok();
        is_valid.then_some(filled)
    }

    /// The whole plan of a request.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(super) fn prepare(&self, request: &Request) -> Result<Arc<Prepared>, Vec<QueryError>> {
        let prepared = match self.recall(&request.query) {
            Some(document) => {
                let key = PlanKey::new(document, request);
                match self.recall_plan(&key) {
                    Some(prepared) => prepared,
                    None => self.plan_recalled(key, request)?,
                }
            }
            None => {
                let prepared = Arc::new(self.prepare_anew(request)?);
                let document = Arc::clone(&prepared.document);
                let bytes =
                    request.query.len() + weight_of_document(&document.parsed) * (1 + ROOM_FOR_OUTLINES);
                let key = PlanKey::new(Arc::clone(&document), request);
                self.documents.put(document.text_hash, request.query.clone(), document, bytes);
                self.keep_plan(key.hash(), key, &prepared);
                prepared
            }
        };
        match request.as_of {
            None => Ok(prepared),
            Some(moment) => {
                let mut prepared = Arc::unwrap_or_clone(prepared);
                let Planned { plan, written, .. } = &mut prepared.planned;
                plan.ask_by_default(moment);
                written.iter_mut().for_each(|plan| plan.ask_by_default(moment));
                Ok(Arc::new(prepared))
            }
        }
    }

    /// A document that was let through before.
    pub(super) fn recall(&self, text: &str) -> Option<Arc<KnownDocument>> {
        self.documents.get(hash_of(&text), |known| known == text)
    }

    /// A plan that was made before.
    fn recall_plan(&self, key: &PlanKey) -> Option<Arc<Prepared>> {
        self.plans.get(key.hash(), |known| known.is_same(key))
    }

    /// The plan of a request whose document is known.
    fn plan_recalled(&self, key: PlanKey, request: &Request) -> Result<Arc<Prepared>, Vec<QueryError>> {
        let planned = self.plan(&key.document.parsed, request)?;
        let prepared = Arc::new(self.complete(Arc::clone(&key.document), planned, request)?);
        self.keep_plan(key.hash(), key, &prepared);
        Ok(prepared)
    }

    fn keep_plan(&self, hash: u64, key: PlanKey, prepared: &Arc<Prepared>) {
        let introspection: usize = prepared.introspection.values().map(Vec::len).sum();
        let bytes = weight_of(&prepared.planned) + key.variables.len() * 2 + introspection;
        self.plans.put(hash, key, Arc::clone(prepared), bytes);
    }

    /// Guards and parses a text.
    fn read(&self, text: &str) -> Result<QueryDocument, Vec<QueryError>> {
        self.parsed.fetch_add(1, Ordering::Relaxed);
        guard(text, &self.guard).map_err(|error| {
            let place = place_in(text, error.offset());
            vec![QueryError::new(QueryErrorKind::Guarded(error)).at(Some(place))]
        })?;
        let document = QueryDocument::parse(text, &self.fragments)?;
        // Once more with the stored fragments in it: now sizes and circles are those of the whole document.
        guard(&document.text, &self.guard).map_err(|error| {
            let place = document.place_of_offset(error.offset());
            vec![QueryError::new(QueryErrorKind::Guarded(error)).at(place)]
        })?;
        Ok(document)
    }

    fn prepare_anew(&self, request: &Request) -> Result<Prepared, Vec<QueryError>> {
        let document = self.read(&request.query)?;
        let planned = self.plan(&document, request)?;
        self.validated.fetch_add(1, Ordering::Relaxed);
        let valid = self.specification.check(&document)?;
        let text_hash = hash_of(&request.query.as_str());
        let outlines = Outlines::new(weight_of_document(&document) * ROOM_FOR_OUTLINES);
        let taken_as_long = AtomicU32::new(0);
        let answer_bytes = AtomicUsize::new(0);
        let document =
            KnownDocument { parsed: document, valid, text_hash, taken_as_long, answer_bytes, outlines };
        self.complete(Arc::new(document), planned, request)
    }

    /// Plans a mutation or a subscription, with the same guard and the same rules. Nothing is remembered of them.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(super) fn prepare_action(&self, request: &Request) -> Result<Option<Action>, Vec<QueryError>> {
        let document = self.read(&request.query)?;
        let (operation, variables) = (request.operation_name.as_deref(), &request.variables);
        let Some(action) = planner::plan_action(&self.catalog, &document, operation, variables)? else {
            return Ok(None);
        };
        let valid = self.specification.check(&document)?;
        self.specification.check_variables(&document, &valid, operation, variables)?;
        Ok(Some(action))
    }

    fn plan(&self, document: &QueryDocument, request: &Request) -> Result<Planned, Vec<QueryError>> {
        self.planned.fetch_add(1, Ordering::Relaxed);
        let (operation, variables) = (request.operation_name.as_deref(), &request.variables);
        planner::plan(&self.catalog, document, operation, variables, request.explain.is_some())
    }

    /// What is left once a document is known to be valid and is planned.
    fn complete(
        &self,
        document: Arc<KnownDocument>,
        planned: Planned,
        request: &Request,
    ) -> Result<Prepared, Vec<QueryError>> {
        let (operation, variables) = (request.operation_name.as_deref(), &request.variables);
        let KnownDocument { parsed, valid, .. } = &*document;
        self.specification.check_variables(parsed, valid, operation, variables)?;
        let wants_introspection =
            planned.plan.roots.iter().any(|root| matches!(root.kind, RootKind::Introspection));
        let introspection = if wants_introspection {
            self.specification.introspect(parsed, valid, operation, variables)?
        } else {
            BTreeMap::new()
        };
        Ok(Prepared { planned, document, introspection })
    }
}

impl PlanKey {
    fn new(document: Arc<KnownDocument>, request: &Request) -> Self {
        Self {
            document,
            operation: request.operation_name.clone(),
            // JSON values always have a text.
            variables: serde_json::to_vec(&request.variables).unwrap_or_default(),
            keeps_written: request.explain.is_some(),
        }
    }

    fn hash(&self) -> u64 {
        hash_of(&(self.document.text_hash, &self.operation, &self.variables, self.keeps_written))
    }

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.document, &other.document)
            && self.operation == other.operation
            && self.keeps_written == other.keeps_written
            && self.variables == other.variables
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}
