//! `__Type.isOneOf`, which the specification has since September 2025 and apollo-compiler's introspection has not: it
//! is declared in the schema, asked as the type's kind under a key of our own, and put back in the answer.

use apollo_compiler::{
    Name, Node, Schema,
    ast::{FieldDefinition, Type},
    executable::{ExecutableDocument, Selection, SelectionSet},
    name,
    response::{JsonMap, JsonValue},
    schema::{Component, ExtendedType},
};

const FIELD: Name = name!("isOneOf");
const ASKED_INSTEAD: Name = name!("kind");
/// Stands before the response key in an answer that is still to be put right.
const MARK: &str = "isOneOf__asked_as__";

/// Adds the field to the schema's `__Type`.
pub(super) fn declare(schema: &mut Schema) {
    let Some(ExtendedType::Object(of)) = schema.types.get_mut("__Type") else { return };
    let definition = FieldDefinition {
        description: None,
        name: FIELD,
        arguments: Vec::new(),
        ty: Type::Named(name!("Boolean")),
        directives: Default::default(),
    };
    of.make_mut().fields.entry(FIELD).or_insert_with(|| Component::new(definition));
}

/// A document that asks for the kind of a type wherever `isOneOf` is asked; nothing where it isn't asked.
pub(super) fn ask_instead(schema: &Schema, document: &ExecutableDocument) -> Option<ExecutableDocument> {
    let kind = &schema.type_field("__Type", ASKED_INSTEAD.as_str()).ok()?.node;
    let mut asked = document.clone();
    let mut found = false;
    let operations = &mut asked.operations;
    for operation in operations.anonymous.iter_mut().chain(operations.named.values_mut()) {
        found |= rewrite(kind, &mut operation.make_mut().selection_set);
    }
    for fragment in asked.fragments.values_mut() {
        found |= rewrite(kind, &mut fragment.make_mut().selection_set);
    }
    found.then_some(asked)
}

fn rewrite(kind: &Node<FieldDefinition>, set: &mut SelectionSet) -> bool {
    let is_type = set.ty == "__Type";
    let mut found = false;
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) => {
                let field = field.make_mut();
                if is_type && field.name == FIELD {
                    field.alias = Name::new(&format!("{MARK}{}", field.response_key())).ok();
                    field.name = ASKED_INSTEAD;
                    field.definition = kind.clone();
                    found = true;
                }
                found |= rewrite(kind, &mut field.selection_set);
            }
            Selection::InlineFragment(inline) => found |= rewrite(kind, &mut inline.make_mut().selection_set),
            Selection::FragmentSpread(_) => {}
        }
    }
    found
}

/// Puts the answers back under their keys: no input of the generated schema is one of several, and nothing else can be.
pub(super) fn put_back(value: JsonValue) -> JsonValue {
    match value {
        JsonValue::Array(items) => JsonValue::Array(items.into_iter().map(put_back).collect()),
        JsonValue::Object(entries) => {
            let mut object = JsonMap::with_capacity(entries.len());
            for (key, value) in entries {
                match key.as_str().strip_prefix(MARK) {
                    Some(asked) if value.as_str() == Some("INPUT_OBJECT") => {
                        object.insert(asked, JsonValue::Bool(false));
                    }
                    Some(asked) => {
                        object.insert(asked, JsonValue::Null);
                    }
                    None => {
                        object.insert(key, put_back(value));
                    }
                }
            }
            JsonValue::Object(object)
        }
        other => other,
    }
}
