//! The arguments of a list of assets: `where`, `sort`, `limit`, `offset`.

use apollo_compiler::ast::Field as AstField;

use super::{
    Planner,
    input::{Input, Shape},
    moment::AS_OF,
    selection::Selected,
};
use crate::{
    catalog::{ScalarType, TypeId},
    query::{
        error::{QueryErrorKind, did_you_mean},
        plan::{Nodes, Operand},
    },
};

/// The arguments of a field that are there: omitted variables are not.
pub(super) struct Arguments<'a>(Vec<(&'a str, Input<'a>)>);

impl<'a> Arguments<'a> {
    /// Reads the arguments of a root field of the inventory: those known, and `asOf`.
    pub(super) fn read_root(planner: &Planner<'a>, field: &'a AstField, known: &[&str]) -> Self {
        let known: Vec<&str> = known.iter().copied().chain([AS_OF]).collect();
        Self::read(planner, field, &known)
    }

    /// Reads the arguments of a field; those it doesn't take are reported.
    pub(super) fn read(planner: &Planner<'a>, field: &'a AstField, known: &[&str]) -> Self {
        let mut arguments: Vec<(&str, Input<'_>)> = Vec::new();
        for argument in &field.arguments {
            let name = argument.name.as_str();
            if !known.contains(&name) {
                let kind = QueryErrorKind::UnknownArgument {
                    field: field.name.to_string(),
                    argument: name.to_owned(),
                };
                let help = did_you_mean(name, known.iter().copied()).or_else(|| match known {
                    [] => Some("it takes none".to_owned()),
                    known => Some(format!("it takes {}", known.join(", "))),
                });
                planner.refuse(kind, argument.name.location(), help);
                continue;
            }
            if arguments.iter().any(|(earlier, _)| *earlier == name) {
                planner.refuse(
                    QueryErrorKind::GivenTwice { name: name.to_owned() },
                    argument.name.location(),
                    None,
                );
            }
            let input = Input::Literal(&argument.value);
            match input.shape(planner.scope) {
                Shape::Absent => {}
                Shape::Undeclared(variable) => {
                    let kind = QueryErrorKind::UnknownVariable { name: variable.to_owned() };
                    let known = planner.scope.declared.iter().map(String::as_str);
                    planner.refuse(kind, argument.value.location(), did_you_mean(variable, known));
                }
                _ => arguments.push((name, input)),
            }
        }
        Self(arguments)
    }

    pub(super) fn get(&self, name: &str) -> Option<Input<'a>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, input)| *input)
    }

    /// An argument where null means the same as leaving it out.
    pub(super) fn get_unless_null(&self, planner: &Planner<'a>, name: &str) -> Option<Input<'a>> {
        self.get(name).filter(|input| !matches!(input.shape(planner.scope), Shape::Null))
    }
}

impl<'a> Planner<'a> {
    /// Many assets of a type, at the root or under a relation.
    pub(super) fn nodes(&self, of: TypeId, arguments: &Arguments<'a>, selected: &[Selected<'a>]) -> Nodes {
        let limit =
            arguments.get_unless_null(self, "limit").and_then(|input| self.page_number("limit", input));
        let offset =
            arguments.get_unless_null(self, "offset").and_then(|input| self.page_number("offset", input));
        Nodes {
            of,
            filters: self.filters(of, "where", arguments.get_unless_null(self, "where")),
            sort: self.sort(of, arguments.get_unless_null(self, "sort")),
            limit: self.page_limit(of, limit),
            offset: offset.unwrap_or(0),
            output: self.output(of, selected),
        }
    }

    /// What `@limit` makes of the limit asked for.
    pub(super) fn page_limit(&self, of: TypeId, asked: Option<u32>) -> Option<u32> {
        let Some(rule) = self.catalog.get(of).limit else { return asked };
        let limit = asked.or(rule.default).or(rule.max);
        match (limit, rule.max) {
            (Some(limit), Some(max)) => Some(limit.min(max)),
            (limit, _) => limit,
        }
    }

    pub(super) fn page_number(&self, name: &str, input: Input<'a>) -> Option<u32> {
        match self.operand(ScalarType::Int, name, input)? {
            Operand::Int(number) => {
                let page = u32::try_from(number).ok();
                if page.is_none() {
                    let kind = QueryErrorKind::WrongValue {
                        name: name.to_owned(),
                        expected: "a number that is not negative".to_owned(),
                        found: format!("`{number}`"),
                    };
                    self.refuse(kind, input.span(), None);
                }
                page
            }
            _ => None,
        }
    }
}
