//! The object types and interfaces that queries select from.

use async_graphql::dynamic::{
    Field as OutputField, FieldFuture, FieldValue, InputValue, Interface, InterfaceField, Object,
    SchemaBuilder, TypeRef,
};

use super::{connections, filters::where_name, sorts::sort_name};
use crate::{
    catalog::{Catalog, Field, FieldKind, ListShape, TypeDef, TypeKind},
    query::names,
};

/// Registers every type of the catalog.
pub(super) fn register(catalog: &Catalog, builder: SchemaBuilder) -> SchemaBuilder {
    catalog.types().iter().fold(builder, |builder, definition| match definition.kind {
        TypeKind::Interface => builder.register(interface(catalog, definition)),
        TypeKind::Asset | TypeKind::Embedded => builder.register(object(catalog, definition)),
    })
}

fn object(catalog: &Catalog, definition: &TypeDef) -> Object {
    let mut object = Object::new(&definition.name);
    if let Some(description) = &definition.description {
        object = object.description(description);
    }
    for interface in &definition.interfaces {
        object = object.implement(&catalog.get(*interface).name);
    }
    if definition.kind == TypeKind::Asset {
        object = object.implement(names::SEARCHED_ASSET);
    }
    definition.fields.iter().fold(object, |object, field| {
        let object = object.field(output_field(catalog, field));
        beside(catalog, field).into_iter().fold(object, |object, beside| {
            let output =
                OutputField::new(beside.name, beside.of, |_| nothing()).description(beside.description);
            object.field(beside.arguments.into_iter().fold(output, OutputField::argument))
        })
    })
}

fn output_field(catalog: &Catalog, field: &Field) -> OutputField {
    let output = OutputField::new(&field.name, output_type(catalog, field), |_| nothing());
    let output = arguments(catalog, field).into_iter().fold(output, OutputField::argument);
    match &field.description {
        Some(description) => output.description(description),
        None => output,
    }
}

fn interface(catalog: &Catalog, definition: &TypeDef) -> Interface {
    let mut interface = Interface::new(&definition.name);
    if let Some(description) = &definition.description {
        interface = interface.description(description);
    }
    definition.fields.iter().fold(interface, |interface, field| {
        let output = InterfaceField::new(&field.name, output_type(catalog, field));
        let output = arguments(catalog, field).into_iter().fold(output, InterfaceField::argument);
        let interface = interface.field(match &field.description {
            Some(description) => output.description(description),
            None => output,
        });
        beside(catalog, field).into_iter().fold(interface, |interface, beside| {
            let output = InterfaceField::new(beside.name, beside.of).description(beside.description);
            interface.field(beside.arguments.into_iter().fold(output, InterfaceField::argument))
        })
    })
}

/// A field that a relation brings with it.
struct Beside {
    name: String,
    of: TypeRef,
    description: &'static str,
    arguments: Vec<InputValue>,
}

/// The connection and the aggregate of a relation.
fn beside(catalog: &Catalog, field: &Field) -> Vec<Beside> {
    let FieldKind::Relation { target, many, .. } = field.kind else { return Vec::new() };
    let target = catalog.get(target);
    let mut all = Vec::new();
    if many {
        all.push(Beside {
            name: format!("{}Connection", field.name),
            of: TypeRef::named_nn(names::connection(target)),
            description: "A page of the related assets.",
            arguments: connections::relation_arguments(target),
        });
    }
    all.push(Beside {
        name: format!("{}Aggregate", field.name),
        of: TypeRef::named_nn(names::aggregation(target)),
        description: "How many are related, and figures over them.",
        arguments: vec![where_argument(target)],
    });
    all
}

/// The type a field was declared with.
fn output_type(catalog: &Catalog, field: &Field) -> TypeRef {
    let of = |name: &str, list: Option<ListShape>| match (list, field.nullable) {
        (None, true) => TypeRef::named(name),
        (None, false) => TypeRef::named_nn(name),
        (Some(ListShape { nullable_items: true }), true) => TypeRef::named_list(name),
        (Some(ListShape { nullable_items: false }), true) => TypeRef::named_nn_list(name),
        (Some(ListShape { nullable_items: true }), false) => TypeRef::named_list_nn(name),
        (Some(ListShape { nullable_items: false }), false) => TypeRef::named_nn_list_nn(name),
    };
    match &field.kind {
        FieldKind::Scalar { scalar, list, .. } => of(catalog.scalar_name(*scalar), *list),
        FieldKind::Embedded { of: embedded, list } => of(&catalog.get(*embedded).name, *list),
        FieldKind::Relation { target, many: true, .. } => {
            of(&catalog.get(*target).name, Some(ListShape { nullable_items: false }))
        }
        FieldKind::Relation { target, many: false, .. } => of(&catalog.get(*target).name, None),
        FieldKind::Computed { .. } => of(TypeRef::BOOLEAN, None),
    }
}

fn arguments(catalog: &Catalog, field: &Field) -> Vec<InputValue> {
    match &field.kind {
        FieldKind::Relation { target, many: true, .. } => page_arguments(catalog.get(*target)),
        FieldKind::Relation { target, many: false, .. } => vec![where_argument(catalog.get(*target))],
        _ => Vec::new(),
    }
}

/// `where` over assets of a type.
pub(super) fn where_argument(of: &TypeDef) -> InputValue {
    InputValue::new("where", TypeRef::named(where_name(of))).description("Which ones to keep.")
}

/// `where`, `sort`, `limit` and `offset` over assets of a type.
pub(super) fn page_arguments(of: &TypeDef) -> Vec<InputValue> {
    let int = || TypeRef::named(TypeRef::INT);
    vec![
        where_argument(of),
        InputValue::new("sort", TypeRef::named_nn_list(sort_name(of)))
            .description("In which order, the first key first. By id where nothing is said."),
        InputValue::new("limit", int()).description("The most to return; 0 gives none."),
        InputValue::new("offset", int()).description("How many to leave out at the start."),
    ]
}

/// What resolvers give: the engine answers these fields.
pub(super) fn nothing<'a>() -> FieldFuture<'a> {
    FieldFuture::Value(None)
}

/// What the resolvers of lists that are never null give.
pub(super) fn no_assets<'a>() -> FieldFuture<'a> {
    FieldFuture::Value(Some(FieldValue::list(Vec::<FieldValue<'a>>::new())))
}
