//! The argument `asOf`, which every root field of the inventory takes.

use apollo_compiler::ast::Field as AstField;

use super::{
    Planner,
    input::{Input, Shape},
};
use crate::{
    catalog::ScalarType,
    model::Time,
    query::{error::QueryErrorKind, plan::Operand},
};

/// The name of the argument.
pub(super) const AS_OF: &str = "asOf";

impl<'a> Planner<'a> {
    /// The moment a root field asks for; null is the same as leaving it out. What else is wrong with the argument is
    /// reported where the arguments are read.
    pub(super) fn as_of(&self, field: &'a AstField) -> Option<Time> {
        let argument = field.arguments.iter().find(|argument| argument.name == AS_OF)?;
        let input = Input::Literal(&argument.value);
        if matches!(input.shape(self.scope), Shape::Absent | Shape::Null | Shape::Undeclared(_)) {
            return None;
        }
        let Operand::Int(millis) = self.operand(ScalarType::DateTime, AS_OF, input)? else { return None };
        let moment = Time::from_millis(millis);
        if moment.is_none() {
            let (expected, found) = ("a moment in the years -9999 to 9999".to_owned(), "another".to_owned());
            let kind = QueryErrorKind::WrongValue { name: AS_OF.to_owned(), expected, found };
            self.refuse(kind, input.span(), None);
        }
        moment
    }
}
