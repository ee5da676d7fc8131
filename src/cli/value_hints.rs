//! Hints about filters that can hardly match: a value that the schema's `@values` does not know, such as `Active`
//! where it is `ACTIVE`. Never an error, since AWS may know more values than the schema.

use std::collections::BTreeSet;

use crate::{
    catalog::{Catalog, FieldId, FieldKind, TypeId},
    query::{Filter, Filters, Operand, Plan, Test},
};

/// One sentence for each value that the schema does not know, sorted.
pub(crate) fn value_hints(catalog: &Catalog, plan: &Plan) -> Vec<String> {
    let mut hints = Hints { catalog, found: BTreeSet::new() };
    plan.each_where(&mut |filters| hints.of_filters(filters));
    hints.found.into_iter().collect()
}

struct Hints<'a> {
    catalog: &'a Catalog,
    found: BTreeSet<String>,
}

impl Hints<'_> {
    fn of_filters(&mut self, filters: &Filters) {
        for (of, filter) in &filters.0 {
            if let Some(filter) = filter {
                self.of_filter(*of, filter);
            }
        }
    }

    fn of_filter(&mut self, of: TypeId, filter: &Filter) {
        match filter {
            Filter::All(filters) | Filter::Any(filters) => {
                filters.iter().for_each(|filter| self.of_filter(of, filter));
            }
            Filter::Not(filter) => self.of_filter(of, filter),
            Filter::Related { filters, .. } => self.of_filters(filters),
            Filter::Field(field, test) => self.of_test(of, *field, test),
            // What a computed field asks is the schema's, not the query's.
            Filter::Holds(_)
            | Filter::Constant(_)
            | Filter::IsNull(_)
            | Filter::NoneRelated(_)
            | Filter::Aggregate { .. } => {}
        }
    }

    fn of_test(&mut self, of: TypeId, field: FieldId, test: &Test) {
        let operands = match test {
            Test::Equal(operand) | Test::Includes(operand) => std::slice::from_ref(operand),
            Test::In { values, .. } => values.as_slice(),
            _ => return,
        };
        let field = self.catalog.get(of).get(field);
        let FieldKind::Scalar { known_values, .. } = &field.kind else { return };
        if known_values.is_empty() {
            return;
        }
        for operand in operands {
            let Operand::Text(value) = operand else { continue };
            if !known_values.contains(value) {
                let known = known_values.join(", ");
                let verb = if known_values.len() == 1 { "value is" } else { "values are" };
                self.found.insert(format!(
                    "{} is never known to be \"{value}\": its known {verb} {known} (case matters)",
                    field.name
                ));
            }
        }
    }
}
