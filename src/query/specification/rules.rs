//! The rules that apollo-compiler names, as codes and messages of ours.

use crate::query::error::{QueryError, QueryErrorKind};

/// A fragment that no operation uses.
pub(super) const UNUSED_FRAGMENT: &str = "UnusedFragment";

/// A broken rule as an error: a code that stays the same whatever the library calls the rule, and a message in the
/// library's words, which are ours in form.
pub(super) fn error(rule: &str, message: &str) -> QueryError {
    let message = message.trim().trim_end_matches('.').to_owned();
    let (code, help) = match rule {
        "UnusedVariable" => ("unused_variable", Some("use it, or leave it out of the operation's head")),
        UNUSED_FRAGMENT => ("unused_fragment", Some("spread it somewhere, or leave it out")),
        "UniqueVariable" | "UniqueArgument" | "UniqueInputValue" => ("given_twice", None),
        "OperationNameCollision" | "FragmentNameCollision" => {
            ("given_twice", Some("give each operation and each fragment a name of its own"))
        }
        "AmbiguousAnonymousOperation" => {
            ("anonymous_operation", Some("an operation without a name stands alone: name each of them"))
        }
        "UndefinedField" => ("unknown_field", None),
        "UndefinedArgument" => ("unknown_argument", None),
        "UndefinedInputValue" => ("unknown_key", None),
        "UndefinedDirective" => ("unknown_directive", None),
        "UndefinedDefinition"
        | "UndefinedTypeInNamedFragmentTypeCondition"
        | "UndefinedTypeInInlineFragmentTypeCondition" => ("unknown_type", None),
        "RequiredArgument" => ("missing_argument", None),
        "RequiredField" => ("missing_key", None),
        "UnsupportedValueType" | "UndefinedEnumValue" | "IntCoercionError" | "FloatCoercionError" => {
            ("wrong_value", None)
        }
        "VariableInputType" => {
            ("not_an_input_type", Some("a variable holds a scalar, an enum or an input object"))
        }
        "InvalidFragmentTarget" => ("fragment_on_value", Some("a fragment stands on a type that has fields")),
        "InvalidFragmentSpread" => {
            ("fragment_never_applies", Some("nothing can be both: leave it out, or spread it somewhere else"))
        }
        "UniqueDirective" => ("directive_repeated", Some("write it once")),
        "UnsupportedLocation" => ("directive_misplaced", None),
        "MissingSubselection" => ("selection_missing", None),
        "SubselectionOnScalarType" | "SubselectionOnEnumType" => ("selection_on_scalar", None),
        "ConflictingFieldName" | "ConflictingFieldArgument" | "ConflictingFieldType" => {
            ("conflicting_fields", Some("give one of the two another name, as in `other: name`"))
        }
        "UndefinedRootOperation" => ("not_a_query", Some("the schema has no such root")),
        _ => ("invalid", None),
    };
    let error = QueryError::new(QueryErrorKind::RuleBroken { code, message });
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}
