//! Types must restate the fields of their interfaces, with types that fit.

use apollo_compiler::ast::Type;

use super::{
    error::{Report, SchemaProblem},
    read::Draft,
    types::TypeDef,
};

/// Notes fields of interfaces that an implementor lacks or has with another type.
pub(super) fn check(draft: &Draft<'_>, report: &mut Report<'_>) {
    for (definition, raw) in draft.catalog.types.iter().zip(&draft.raw) {
        for interface in &definition.interfaces {
            let Some(demanded) = draft.raw.get(interface.0 as usize) else { continue };
            for wanted in &demanded.fields {
                let field = wanted.name.to_string();
                let owner = definition.name.clone();
                let interface = demanded.name.to_string();
                let Some(own) = raw.fields.iter().find(|field| field.name == wanted.name) else {
                    let remedy = format!("add `{field}: {}`", wanted.ty);
                    let problem = SchemaProblem::MissingInterfaceField { owner, interface, field };
                    report.add(&draft.places.of(raw.name.location()), problem, remedy);
                    continue;
                };
                if !fits(draft, &own.ty, &wanted.ty) || relates_elsewhere(draft, &own.ty, &wanted.ty) {
                    let (found, expected) = (own.ty.to_string(), wanted.ty.to_string());
                    let remedy = format!("write `{field}: {expected}`");
                    let problem =
                        SchemaProblem::InterfaceFieldType { owner, interface, field, found, expected };
                    report.add(&draft.places.of(own.name.location()), problem, remedy);
                }
            }
        }
    }
}

/// Whether values of one type are values of the other: never null where that is promised, of an implementor where an
/// interface is promised.
fn fits(draft: &Draft<'_>, own: &Type, wanted: &Type) -> bool {
    match (own, wanted) {
        (Type::NonNullNamed(own) | Type::Named(own), Type::Named(wanted))
        | (Type::NonNullNamed(own), Type::NonNullNamed(wanted)) => {
            own == wanted || implements(draft, own, wanted)
        }
        (Type::NonNullList(own) | Type::List(own), Type::List(wanted))
        | (Type::NonNullList(own), Type::NonNullList(wanted)) => fits(draft, own, wanted),
        _ => false,
    }
}

/// Filters over the interface's relation must be filters over the implementor's, so both lead to the same type.
fn relates_elsewhere(draft: &Draft<'_>, own: &Type, wanted: &Type) -> bool {
    let (own, wanted) = (own.inner_named_type(), wanted.inner_named_type());
    own != wanted && draft.catalog.find(wanted).is_some()
}

fn implements(draft: &Draft<'_>, own: &str, wanted: &str) -> bool {
    let interfaces = draft.catalog.find(own).map(|(_, TypeDef { interfaces, .. })| interfaces.as_slice());
    interfaces.unwrap_or_default().iter().any(|interface| draft.catalog.get(*interface).name == wanted)
}
