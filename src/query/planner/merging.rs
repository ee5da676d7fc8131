//! Whether two fields under one response key are given the same arguments: in any order, and the keys of their objects
//! in any order too.

use apollo_compiler::{
    Node,
    ast::{Argument, Value},
};

/// Whether two lists of arguments are the same.
pub(super) fn same_arguments(one: &[Node<Argument>], other: &[Node<Argument>]) -> bool {
    one.len() == other.len()
        && one.iter().all(|argument| {
            other.iter().any(|same| same.name == argument.name && same_value(&same.value, &argument.value))
        })
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other.iter().any(|(same, other)| same == key && same_value(value, other))
                })
        }
        (one, other) => one == other,
    }
}
