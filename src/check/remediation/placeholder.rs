//! An asset that stands for any: every field holds its own name in capitals. What a template is tried with, and shown with.

use heck::ToShoutySnakeCase;
use serde_json::{Value, json};

use super::Fields;
use crate::{
    catalog::{Catalog, FieldKind, ListShape, ScalarType, TypeId, TypeKind},
    query::{Output, OutputKind},
};

/// The own fields of a type, and those of a selection.
pub(super) fn of_type(catalog: &Catalog, of: TypeId, selected: Option<&Output>) -> Fields {
    let mut fields = own_fields(catalog, of);
    if let Some(selected) = selected {
        fields.extend(of_output(catalog, selected));
    }
    fields
}

fn own_fields(catalog: &Catalog, of: TypeId) -> Fields {
    let mut fields = Fields::new();
    let definition = catalog.get(of);
    if definition.kind != TypeKind::Embedded {
        fields.insert("__typename".to_owned(), definition.name.as_str().into());
    }
    for field in &definition.fields {
        let (value, list) = match &field.kind {
            FieldKind::Scalar { scalar, list, known_values } => {
                let known = known_values.first().map(|known| Value::from(known.as_str()));
                (known.unwrap_or_else(|| scalar_value(catalog, *scalar, &field.name)), *list)
            }
            FieldKind::Embedded { of, list } => (Value::Object(own_fields(catalog, *of)), *list),
            FieldKind::Relation { .. } | FieldKind::Computed { .. } => continue,
        };
        fields.insert(field.name.clone(), listed(value, list));
    }
    fields
}

fn of_output(catalog: &Catalog, output: &Output) -> Fields {
    let mut fields = Fields::new();
    for (of, selected) in &output.0 {
        let definition = catalog.get(*of);
        for field in selected {
            let value = match &field.kind {
                OutputKind::Typename => definition.name.as_str().into(),
                OutputKind::Scalar(id) => match &definition.get(*id).kind {
                    FieldKind::Scalar { scalar, list, .. } => {
                        listed(scalar_value(catalog, *scalar, field.key.name()), *list)
                    }
                    _ => Value::Null,
                },
                OutputKind::Computed(_) => true.into(),
                OutputKind::Embedded { field: id, output } => {
                    let list = match &definition.get(*id).kind {
                        FieldKind::Embedded { list, .. } => *list,
                        _ => None,
                    };
                    listed(of_output(catalog, output).into(), list)
                }
                OutputKind::Many { nodes, .. } => json!([of_output(catalog, &nodes.output)]),
                OutputKind::One { output, .. } => of_output(catalog, output).into(),
                // Pages and figures are no things to mend.
                OutputKind::Connection { .. } | OutputKind::Aggregate { .. } => continue,
            };
            fields.insert(field.key.name().to_owned(), value);
        }
    }
    fields
}

fn scalar_value(catalog: &Catalog, scalar: ScalarType, name: &str) -> Value {
    match scalar {
        ScalarType::Int => 1.into(),
        ScalarType::Float => json!(1.5),
        ScalarType::Boolean => true.into(),
        ScalarType::Json => json!({}),
        ScalarType::Enum(id) => {
            let values = catalog.enums().get(id.0 as usize).map(|known| known.values.as_slice());
            values.and_then(|values| values.first()).map_or(Value::Null, |first| first.as_str().into())
        }
        _ => name.to_shouty_snake_case().into(),
    }
}

fn listed(value: Value, list: Option<ListShape>) -> Value {
    if list.is_some() { json!([value]) } else { value }
}
