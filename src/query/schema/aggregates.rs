//! The inputs of `relAggregate`: how many related assets, and figures over their fields.

use async_graphql::dynamic::{InputObject, InputValue, SchemaBuilder, TypeRef};

use super::{filters::add_combinators, related_types};
use crate::catalog::{Catalog, FIGURE_COMPARISONS, FieldKind, ScalarType, TypeDef, figures};

/// How a count is compared.
const COUNT_KEYS: [&str; 5] = ["count", "count_LT", "count_LTE", "count_GT", "count_GTE"];

/// The input of the demands on related assets as a whole.
pub(super) fn where_name(target: &TypeDef) -> String {
    format!("{}AggregateWhere", target.name)
}

fn node_where_name(target: &TypeDef) -> String {
    format!("{}AggregateNodeWhere", target.name)
}

/// Registers the inputs for every type that relations lead to.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    for id in related_types(catalog) {
        let target = catalog.get(id);
        builder = builder.register(aggregate_where(target)).register(node_where(catalog, target));
    }
    builder
}

fn aggregate_where(target: &TypeDef) -> InputObject {
    let name = where_name(target);
    let input = InputObject::new(&name).description("What the related assets must be as a whole.");
    let input = COUNT_KEYS
        .iter()
        .fold(input, |input, key| input.field(InputValue::new(*key, TypeRef::named(TypeRef::INT))));
    let node = InputValue::new("node", TypeRef::named(node_where_name(target)));
    add_combinators(input.field(node), &name)
}

fn node_where(catalog: &Catalog, target: &TypeDef) -> InputObject {
    let name = node_where_name(target);
    let mut input = InputObject::new(&name)
        .description("Figures over the fields of the related assets; nulls are ignored, and over nothing only a sum is known (0).");
    for field in &target.fields {
        let FieldKind::Scalar { scalar, .. } = field.kind else { continue };
        for figure in figures(field) {
            for comparison in FIGURE_COMPARISONS {
                let of = operand(catalog, scalar, figure, comparison);
                let key = format!("{}{figure}{comparison}", field.name);
                input = input.field(InputValue::new(key, TypeRef::named(&of)));
            }
        }
    }
    add_combinators(input, &name)
}

/// What a figure is compared with.
fn operand(catalog: &Catalog, scalar: ScalarType, figure: &str, comparison: &str) -> String {
    let is_text = matches!(scalar, ScalarType::String | ScalarType::Id);
    match figure {
        // Order among texts goes by their length, equality by the text itself.
        "" if is_text && comparison != "_EQUAL" => TypeRef::INT.to_owned(),
        "_AVERAGE" | "_AVERAGE_LENGTH" => TypeRef::FLOAT.to_owned(),
        "_SHORTEST_LENGTH" | "_LONGEST_LENGTH" => TypeRef::INT.to_owned(),
        _ => catalog.scalar_name(scalar).to_owned(),
    }
}
