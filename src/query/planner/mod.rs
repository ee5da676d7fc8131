//! From a parsed document to a plan: names looked up in the catalog, arguments coerced as the specification says,
//! fragments spread, fields merged. Everything wrong is reported with its place, not only the first thing.

mod action;
mod aggregate;
mod computed;
mod connection;
mod figures;
mod filter;
mod group;
mod input;
mod keys;
mod merging;
mod moment;
mod nodes;
mod operand;
mod outline;
mod parents;
mod rewrite;
mod search;
mod selection;
mod sort;
mod tested;
mod variables;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use apollo_compiler::{
    Node,
    ast::{OperationDefinition, OperationType},
    parser::SourceSpan,
};
use serde_json::{Map, Value as Json};

pub(super) use self::{
    action::plan_action,
    outline::{Outline, Outlined, outline},
    tested::{Tested, Tests},
};
use self::{
    input::{Entry, Input, Scope, Shape},
    outline::Blanks,
    tested::Record,
};
use super::{
    document::QueryDocument,
    error::{Place, QueryError, QueryErrorKind, did_you_mean},
    plan::Plan,
};
use crate::catalog::{Catalog, TypeId};

/// The most fields and filter keys a plan may have once fragments are spread and interfaces bound.
const LARGEST_PLAN: usize = 200_000;

/// What is being planned, and what was found wrong so far.
#[derive(Debug)]
struct Planner<'a> {
    catalog: &'a Catalog,
    document: &'a QueryDocument,
    scope: &'a Scope,
    errors: RefCell<Vec<QueryError>>,
    nodes: Cell<usize>,
    /// Computed fields being followed, against circles.
    computing: RefCell<Vec<(TypeId, String)>>,
    /// What the filters test, for the lint.
    record: Record,
    /// The blanks of an outline, and what was tried of them.
    blanks: Blanks,
}

/// An operation, planned.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// The plan before it was simplified, if that is wanted.
    pub(super) written: Option<Plan>,
    pub(super) tested: Vec<Tested>,
    /// How many fields and filter keys it has.
    pub(super) nodes: usize,
}

/// Plans one operation of a document.
///
/// # Errors
/// Everything wrong with it, in the order of the text.
pub(super) fn plan(
    catalog: &Catalog,
    document: &QueryDocument,
    operation_name: Option<&str>,
    variables: &Map<String, Json>,
    keeps_written: bool,
) -> Result<Planned, Vec<QueryError>> {
    let found = find_operation(document, operation_name)?;
    let operation: &OperationDefinition = found;
    let refused = match operation.operation_type {
        OperationType::Query => None,
        OperationType::Mutation => Some("mutation"),
        OperationType::Subscription => Some("subscription"),
    };
    if let Some(operation) = refused {
        let place = place_of_begin(document, found, operation.len());
        return Err(vec![QueryError::new(QueryErrorKind::NotAQuery { operation }).at(place)]);
    }
    let mut errors = Vec::new();
    let scope = variables::bind(catalog, document, operation, variables, &mut errors);
    let planner = Planner::new(catalog, document, &scope, errors);
    planner.planned(operation, keeps_written).map_err(|mut errors| {
        errors.sort_by(|one, other| one.place.cmp(&other.place));
        errors.dedup();
        errors
    })
}

/// Where an operation begins: the whole of it would be no place.
fn place_of_begin(
    document: &QueryDocument,
    operation: &Node<OperationDefinition>,
    length: usize,
) -> Option<Place> {
    let place = document.place(operation.location())?;
    Some(Place { end: place.end.min(place.start + length), ..place })
}

fn find_operation<'a>(
    document: &'a QueryDocument,
    name: Option<&str>,
) -> Result<&'a Node<OperationDefinition>, Vec<QueryError>> {
    let operations = &document.operations;
    let begin = || operations.first().and_then(|first| place_of_begin(document, first, 0));
    let place = begin().or_else(|| document.place_of_offset(0));
    match (name, operations.as_slice()) {
        (None, [only]) => Ok(only),
        (None, several) => Err(vec![
            QueryError::new(QueryErrorKind::WhichOperation { count: several.len() })
                .with_help("send the name of one as `operationName`")
                .at(place),
        ]),
        (Some(name), several) => several
            .iter()
            .find(|operation| operation.name.as_ref().is_some_and(|known| known.as_str() == name))
            .ok_or_else(|| {
                let known = several.iter().filter_map(|operation| operation.name.as_ref());
                let mut error = QueryError::new(QueryErrorKind::UnknownOperation { name: name.to_owned() });
                error.help = did_you_mean(name, known.map(|name| name.as_str()));
                error.place = place;
                vec![error]
            }),
    }
}

impl<'a> Planner<'a> {
    fn new(
        catalog: &'a Catalog,
        document: &'a QueryDocument,
        scope: &'a Scope,
        errors: Vec<QueryError>,
    ) -> Self {
        Self {
            catalog,
            document,
            scope,
            errors: RefCell::new(errors),
            nodes: Cell::new(0),
            computing: RefCell::default(),
            record: Record::default(),
            blanks: Blanks::default(),
        }
    }

    /// The plan of an operation, or what is wrong with it in the order it was found.
    fn planned(
        &self,
        operation: &'a OperationDefinition,
        keeps_written: bool,
    ) -> Result<Planned, Vec<QueryError>> {
        let plan = Plan { roots: self.roots(&operation.selection_set) };
        let errors = self.errors.take();
        if !errors.is_empty() {
            return Err(errors);
        }
        let written = keeps_written.then(|| plan.clone());
        let plan = rewrite::simplify(plan);
        Ok(Planned { plan, written, tested: self.record.take_tested(), nodes: self.nodes.get() })
    }

    /// What was planned, or everything wrong with it in the order of the text.
    fn finish<T>(self, planned: T) -> Result<T, Vec<QueryError>> {
        let mut errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok(planned);
        }
        errors.sort_by(|one, other| one.place.cmp(&other.place));
        errors.dedup();
        Err(errors)
    }

    /// Reports something wrong.
    fn refuse(&self, kind: QueryErrorKind, span: Option<SourceSpan>, help: Option<String>) {
        let place = self.document.place(span);
        self.errors.borrow_mut().push(QueryError { kind, place, help, path: Vec::new() });
    }

    fn refuse_null(&self, name: &str, input: Input<'a>, help: &str) {
        let kind = QueryErrorKind::NullNotAllowed { name: name.to_owned() };
        self.refuse(kind, input.span(), Some(help.to_owned()));
    }

    fn refuse_shape(&self, name: &str, input: Input<'a>, expected: &str, shape: &Shape<'_>) {
        if let Shape::Blank(blank) = shape {
            self.blanks.need(*blank);
        }
        let help = match shape {
            Shape::Undeclared(variable) => {
                did_you_mean(variable, self.scope.declared.iter().map(String::as_str))
            }
            _ => None,
        };
        let kind = match shape {
            Shape::Undeclared(variable) => QueryErrorKind::UnknownVariable { name: (*variable).to_owned() },
            other => QueryErrorKind::WrongValue {
                name: name.to_owned(),
                expected: expected.to_owned(),
                found: other.describe(),
            },
        };
        self.refuse(kind, input.span(), help);
    }

    fn refuse_twice(&self, entries: &[Entry<'a>]) {
        let mut earlier = BTreeSet::new();
        for entry in entries {
            if !earlier.insert(entry.key) {
                let kind = QueryErrorKind::GivenTwice { name: entry.key.to_owned() };
                self.refuse(kind, entry.key_span, None);
            }
        }
    }

    /// Counts one more part of the plan; says whether there is room for more.
    fn count_node(&self) -> bool {
        let nodes = self.nodes.get() + 1;
        self.nodes.set(nodes);
        if nodes == LARGEST_PLAN + 1 {
            let (limit, actual) = (LARGEST_PLAN as u64, nodes as u64);
            let what = "fields and filter keys once its fragments are spread";
            self.refuse(QueryErrorKind::TooLarge { what, limit, actual }, None, None);
        }
        nodes <= LARGEST_PLAN
    }
}
