//! Computed fields: the filter that a field's `@computed(where)` writes, planned where it is used.

use std::collections::BTreeMap;

use apollo_compiler::ast::Selection;

use super::{Planner, filter::Binding, input::Input};
use crate::{
    catalog::{FieldKind, TypeId},
    query::{
        document::{Fragments, QueryDocument},
        plan::Filter,
    },
};

impl Planner<'_> {
    /// The filter behind a computed field of an asset type, two-valued; always TRUE where it makes no demand.
    pub(super) fn computed_filter(&self, of: TypeId, name: &str) -> Option<Filter> {
        let definition = self.catalog.get(of);
        let (_, field) = definition.find(name)?;
        let FieldKind::Computed { filter } = &field.kind else { return None };
        let key = (of, name.to_owned());
        if self.computing.borrow().contains(&key) {
            // The catalog refuses such circles; a filter is bounded all the same.
            return None;
        }
        self.computing.borrow_mut().push(key);
        let planned = self.plan_written_filter(of, filter);
        self.computing.borrow_mut().pop();
        Some(planned.map_or(Filter::Constant(true), |filter| Filter::Holds(Box::new(filter))))
    }

    /// Plans a filter that the schema writes, in a planner of its own: its places are not those of the query.
    fn plan_written_filter(&self, of: TypeId, filter: &str) -> Option<Filter> {
        let document =
            QueryDocument::parse(&format!("{{computed(where: {filter}) {{id}}}}"), &Fragments::new()).ok()?;
        let operation = document.operations.first()?;
        let Selection::Field(field) = operation.selection_set.first()? else { return None };
        let argument = field.arguments.first()?;
        let scope = super::Scope { declared: Vec::new(), values: BTreeMap::new() };
        let mut planner = Planner::new(self.catalog, &document, &scope, Vec::new());
        (planner.nodes, planner.computing) = (self.nodes.clone(), self.computing.clone());
        let binding = Binding { written: self.catalog.get(of), bound: of };
        let planned = planner.filter_value(binding, "where", Input::Literal(&argument.value));
        self.nodes.set(planner.nodes.get());
        let errors = planner.errors.into_inner();
        self.errors.borrow_mut().extend(errors.into_iter().map(|error| error.at(None)));
        planned
    }
}
