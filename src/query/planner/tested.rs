//! What the filters of a query test, with the place of each key: what the lint is asked about. Recording it changes
//! no plan.

use std::cell::{Cell, RefCell};

use apollo_compiler::parser::SourceSpan;

use super::{Planner, filter::Binding, input::Entry};
use crate::{
    catalog::{FieldId, TypeId},
    query::plan::{Filter, Test},
};

/// More keys than this are not looked at: the lint is a service, not a duty.
const MOST_TESTS: usize = 1_000;

/// One key of a filter.
#[derive(Clone, Debug)]
pub(crate) struct Tested {
    /// The type it is bound to.
    pub(crate) of: TypeId,
    /// The field.
    pub(crate) field: FieldId,
    /// The key as written.
    pub(crate) key: String,
    /// Whether it is `_NOT` of the test.
    pub(crate) negated: bool,
    /// What is asked.
    pub(crate) what: Tests,
    /// Keys with one number hold of one asset together.
    pub(crate) conjunction: u32,
    /// Where the key stands.
    pub(crate) span: Option<SourceSpan>,
}

/// What a key asks of its field.
#[derive(Clone, Debug)]
pub(crate) enum Tests {
    /// Something of its value.
    Value(Test),
    /// That there is none.
    Null,
    /// `_IN: []`, which nothing is.
    Nothing,
}

/// What was recorded so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    tested: RefCell<Vec<Tested>>,
    conjunction: Cell<u32>,
    conjunctions: Cell<u32>,
}

impl Record {
    pub(super) fn take_tested(&self) -> Vec<Tested> {
        self.tested.take()
    }
}

impl<'a> Planner<'a> {
    /// Reads an object whose keys hold together, apart from those around it.
    pub(super) fn apart<T>(&self, read: impl FnOnce() -> T) -> T {
        let around = self.record.conjunction.get();
        let own = self.record.conjunctions.get() + 1;
        self.record.conjunctions.set(own);
        self.record.conjunction.set(own);
        let value = read();
        self.record.conjunction.set(around);
        value
    }

    /// Records what one key of a stored field asks.
    pub(super) fn record_test(
        &self,
        binding: Binding<'a>,
        field: FieldId,
        negated: bool,
        filter: &Filter,
        entry: &Entry<'a>,
    ) {
        let what = match filter {
            Filter::Field(_, test) => Tests::Value(test.clone()),
            Filter::IsNull(_) => Tests::Null,
            Filter::Constant(false) => Tests::Nothing,
            _ => return,
        };
        let mut tested = self.record.tested.borrow_mut();
        if tested.len() < MOST_TESTS {
            tested.push(Tested {
                of: binding.bound,
                field,
                key: entry.key.to_owned(),
                negated,
                what,
                conjunction: self.record.conjunction.get(),
                span: entry.key_span,
            });
        }
    }
}
