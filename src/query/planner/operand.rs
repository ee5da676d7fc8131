//! One input value, coerced to the form its column stores. The specification's rules, plus the readings of our own
//! scalars: an error names the key, what it takes and what was given.

use serde_json::Value as Json;

use super::input::{Input, Scope, Shape};
use crate::{
    catalog::{Catalog, ScalarType, scalar},
    query::{
        error::{QueryErrorKind, did_you_mean},
        plan::Operand,
    },
};

/// Why a value can't be coerced, with what to write instead.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: QueryErrorKind,
    pub(super) help: Option<String>,
}

/// Coerces a value that is neither null nor absent. `name` is the key or argument it stands at.
pub(super) fn coerce(
    catalog: &Catalog,
    scope: &Scope,
    scalar: ScalarType,
    name: &str,
    input: Input<'_>,
) -> Result<Operand, Refusal> {
    coerce_shape(catalog, scalar, name, &input.shape(scope), input.is_json(scope))
}

/// Whether a variable's JSON fits a scalar.
pub(super) fn check_json(catalog: &Catalog, scalar: ScalarType, json: &Json) -> Result<(), QueryErrorKind> {
    let scope = Scope { declared: Vec::new(), values: Default::default() };
    let shape = Input::Json(json, None).shape(&scope);
    coerce_shape(catalog, scalar, "", &shape, true).map(|_| ()).map_err(|refusal| refusal.kind)
}

fn coerce_shape(
    catalog: &Catalog,
    scalar: ScalarType,
    name: &str,
    shape: &Shape<'_>,
    is_json: bool,
) -> Result<Operand, Refusal> {
    let operand = match (scalar, shape) {
        (ScalarType::String, Shape::Text(text)) => Some(Operand::Text((*text).to_owned())),
        (ScalarType::Id, Shape::Text(text)) => Some(Operand::Text((*text).to_owned())),
        // An id is a text: however many digits it has, all of them count.
        (ScalarType::Id, Shape::Number(number)) if !number.contains(['.', 'e', 'E']) => {
            Some(Operand::Text(number.clone()))
        }
        (ScalarType::Id, Shape::Number(number)) => {
            whole(number, is_json).map(|whole| Operand::Text(whole.to_string()))
        }
        (ScalarType::Int, Shape::Number(number)) => {
            whole(number, is_json).filter(|whole| i32::try_from(*whole).is_ok()).map(Operand::Int)
        }
        (ScalarType::BigInt, Shape::Number(number)) => whole(number, is_json).map(Operand::Int),
        (ScalarType::BigInt, Shape::Text(text)) => scalar::parse_big_int(text).map(Operand::Int),
        (ScalarType::Float, Shape::Number(number)) => {
            number.parse::<f64>().ok().filter(|float| float.is_finite()).map(Operand::Float)
        }
        (ScalarType::Boolean, Shape::Boolean(value)) => Some(Operand::Bool(*value)),
        (ScalarType::DateTime, Shape::Text(text)) => scalar::parse_datetime(text).map(Operand::Int),
        (ScalarType::Date, Shape::Text(text)) => scalar::parse_date(text).map(Operand::Int),
        (ScalarType::Cidr | ScalarType::IpAddress, Shape::Text(text)) => {
            scalar::parse_net(text).map(|net| Operand::Net(net.trunc()))
        }
        (ScalarType::Enum(id), shape) => {
            let written = match shape {
                Shape::Name(written) => Some(*written),
                Shape::Text(written) if is_json => Some(*written),
                _ => None,
            };
            let values = &catalog.get_enum(id).values;
            let known = written.filter(|written| values.iter().any(|value| value == written));
            if let (Some(written), None) = (written, known) {
                return Err(Refusal {
                    kind: wrong(catalog, scalar, name, shape),
                    help: did_you_mean(written, values.iter().map(String::as_str)),
                });
            }
            known.map(|known| Operand::Text(known.to_owned()))
        }
        _ => None,
    };
    operand.ok_or_else(|| Refusal { kind: wrong(catalog, scalar, name, shape), help: help(scalar, shape) })
}

/// A whole number. In JSON `3.0` is one, in a query it is not.
fn whole(number: &str, is_json: bool) -> Option<i64> {
    if let Ok(whole) = number.parse() {
        return Some(whole);
    }
    let float = number.parse::<f64>().ok().filter(|_| is_json)?;
    let is_exact = float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
    is_exact.then_some(float as i64)
}

fn wrong(catalog: &Catalog, scalar: ScalarType, name: &str, shape: &Shape<'_>) -> QueryErrorKind {
    let expected = match scalar {
        ScalarType::Int => "an Int (a whole number of 32 bits)".to_owned(),
        ScalarType::BigInt => "a BigInt (a whole number of 64 bits, or one as a string)".to_owned(),
        ScalarType::DateTime => "a DateTime such as `\"2026-11-20T12:04:11Z\"`".to_owned(),
        ScalarType::Date => "a Date such as `\"2026-11-20\"`".to_owned(),
        ScalarType::Cidr => "a prefix such as `\"10.0.0.0/16\"`".to_owned(),
        ScalarType::IpAddress => "an address such as `\"10.0.0.1\"`".to_owned(),
        ScalarType::Enum(id) => format!("one of {}", catalog.get_enum(id).values.join(", ")),
        other => format!("a value of type {}", catalog.scalar_name(other)),
    };
    QueryErrorKind::WrongValue { name: name.to_owned(), expected, found: shape.describe() }
}

fn help(scalar: ScalarType, shape: &Shape<'_>) -> Option<String> {
    match (scalar, shape) {
        (ScalarType::String | ScalarType::Id, Shape::Name(written)) => Some(format!("write `\"{written}\"`")),
        (ScalarType::Enum(_), Shape::Text(written)) => Some(format!("write `{written}` without quotes")),
        _ => None,
    }
}
