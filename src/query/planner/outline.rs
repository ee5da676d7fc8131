//! The outline of a plan: what is the same of an operation whatever scalars some of its variables stand for. Where a
//! variable is only compared with, in a test of a stored field or as the id of an asset, a blank stands for it, and each
//! request fills the blanks with tests of its own. What a variable decides beyond that (which keys and fields there are,
//! an order, a page) is part of what an outline is made for.

use std::{cell::RefCell, collections::BTreeSet};

use apollo_compiler::{
    Node,
    ast::{OperationDefinition, OperationType, Type},
};
use serde_json::{Map, Value as Json};

use super::{
    Planned, Planner,
    filter::StoredKey,
    find_operation,
    input::{Blank, Entry, Input, Scope, VariableValue, VariableValues},
    keys::Operator,
    variables,
};
use crate::{
    catalog::{Catalog, FieldId, ScalarType},
    query::{
        document::QueryDocument,
        plan::{Filter, RootKind, Test},
    },
};

/// A plan with blanks, and how they are filled.
#[derive(Debug)]
pub(in crate::query) struct Outline {
    /// The plan; its tests may be [`Test::Blank`].
    pub(in crate::query) planned: Planned,
    variables: Vec<Variable>,
    /// What stands for each blank.
    asked: Vec<Asked>,
}

/// Whether an operation has an outline.
#[derive(Debug)]
pub(in crate::query) enum Outlined {
    /// It has.
    Made(Box<Outline>),
    /// Not while these variables are blank: the plan depends on what they are.
    Depends(BTreeSet<String>),
    /// Not for values such as these: none can be left blank, or something is wrong with them.
    NotThese,
    /// It has none.
    Never,
}

/// A variable of the operation.
#[derive(Debug)]
struct Variable {
    name: String,
    of: Node<Type>,
    value: Value,
}

/// What an outline knows of a variable's value.
#[derive(Debug)]
enum Value {
    Blank(Blank),
    /// It must be this one, or not given.
    Known(Option<Json>),
}

/// The blanks of a plan that is being made.
#[derive(Debug, Default)]
pub(super) struct Blanks {
    asked: RefCell<Vec<Asked>>,
    /// The variables that can't be blank.
    needed: RefCell<BTreeSet<usize>>,
}

/// What a blank stands for.
#[derive(Clone, Debug)]
struct Asked {
    /// The place of its variable.
    variable: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// The id of an asset.
    Id,
    /// The test behind a key of a stored field.
    Stored { id: FieldId, key: String, name: String, scalar: ScalarType, operator: Operator },
}

impl Blanks {
    /// Notes that a plan can't be made without this value.
    pub(super) fn need(&self, blank: Blank) {
        self.needed.borrow_mut().insert(blank.variable);
    }

    /// A test to be filled in; nothing where the plan depends on the value.
    pub(super) fn test(&self, stored: &StoredKey<'_>, key: &str, blank: Blank) -> Option<Test> {
        let StoredKey { id, name, scalar, is_list, operator } = *stored;
        if is_list || (blank.is_list && operator != Operator::In) {
            return None;
        }
        let what = What::Stored { id, key: key.to_owned(), name: name.to_owned(), scalar, operator };
        Some(Test::Blank(self.add(blank, what)))
    }

    /// The number of an id to be filled in; nothing where none can be.
    pub(super) fn id(&self, blank: Blank) -> Option<usize> {
        (!blank.is_list).then(|| self.add(blank, What::Id))
    }

    fn add(&self, blank: Blank, what: What) -> usize {
        let mut asked = self.asked.borrow_mut();
        asked.push(Asked { variable: blank.variable, what });
        asked.len() - 1
    }
}

/// Makes the outline of an operation for requests such as one with these values. The variables that are `known` are not
/// left blank. `planning` is told before anything is planned.
pub(in crate::query) fn outline(
    catalog: &Catalog,
    document: &QueryDocument,
    operation_name: Option<&str>,
    given: &Map<String, Json>,
    known: &BTreeSet<String>,
    planning: impl FnOnce(),
) -> Outlined {
    let Ok(operation) = find_operation(document, operation_name) else { return Outlined::NotThese };
    let operation: &OperationDefinition = operation;
    if operation.operation_type != OperationType::Query {
        return Outlined::NotThese;
    }
    let (mut values, mut declared) = (VariableValues::new(), Vec::new());
    let mut outlined = Vec::with_capacity(operation.variables.len());
    for (place, definition) in operation.variables.iter().enumerate() {
        let name = definition.name.as_str();
        declared.push(name.to_owned());
        let blank = given.get(name).filter(|_| !known.contains(name)).and_then(|json| {
            let blank = Blank { variable: place, is_list: is_list_of_scalars(catalog, &definition.ty)? };
            fits(json, blank).then_some(blank)
        });
        let value = match (blank, given.get(name), &definition.default_value) {
            (Some(blank), ..) => Some(VariableValue::Blank(blank)),
            (None, Some(json), _) => Some(VariableValue::Given(json.clone())),
            (None, None, default) => default.clone().map(VariableValue::Default),
        };
        values.extend(value.map(|value| (name.to_owned(), value)));
        let value = blank.map_or_else(|| Value::Known(given.get(name).cloned()), Value::Blank);
        outlined.push(Variable { name: name.to_owned(), of: definition.ty.clone(), value });
    }
    if !outlined.iter().any(|variable| matches!(variable.value, Value::Blank(_))) {
        return Outlined::NotThese;
    }
    planning();
    let scope = Scope { declared, values };
    let planner = Planner::new(catalog, document, &scope, Vec::new());
    let planned = planner.planned(operation, false);
    let needed = planner.blanks.needed.take();
    if !needed.is_empty() {
        let name = |place: usize| outlined.get(place).map(|variable| variable.name.clone());
        return Outlined::Depends(needed.into_iter().filter_map(name).collect());
    }
    let Ok(planned) = planned else { return Outlined::NotThese };
    // What the schema is asked for is answered beside the plan, for the values of one request.
    if planned.plan.roots.iter().any(|root| matches!(root.kind, RootKind::Introspection)) {
        return Outlined::Never;
    }
    let asked = planner.blanks.asked.take();
    Outlined::Made(Box::new(Outline { planned, variables: outlined, asked }))
}

impl Outline {
    /// The tests that fill the blanks for these values; nothing where the outline was made for others, or where
    /// anything is wrong with them: that is said best of a plan of their own.
    pub(in crate::query) fn fill(
        &self,
        catalog: &Catalog,
        document: &QueryDocument,
        given: &Map<String, Json>,
    ) -> Option<Vec<Test>> {
        for Variable { name, of, value } in &self.variables {
            let json = given.get(name);
            let is_fitting = match (value, json) {
                (Value::Known(known), json) => is_same(known.as_ref(), json),
                (Value::Blank(blank), Some(json)) => {
                    fits(json, *blank) && variables::check(catalog, json, of).is_ok()
                }
                (Value::Blank(_), None) => false,
            };
            if !is_fitting {
                return None;
            }
        }
        let scope = Scope { declared: Vec::new(), values: VariableValues::new() };
        let planner = Planner::new(catalog, document, &scope, Vec::new());
        let test = |asked: &Asked| {
            let json = given.get(&self.variables.get(asked.variable)?.name)?;
            planner.fill(&asked.what, Input::Json(json, None))
        };
        let tests = self.asked.iter().map(test).collect::<Option<Vec<Test>>>()?;
        planner.errors.borrow().is_empty().then_some(tests)
    }
}

impl<'a> Planner<'a> {
    /// The test behind a blank.
    fn fill(&self, what: &'a What, value: Input<'a>) -> Option<Test> {
        match what {
            What::Id => self.operand(ScalarType::Id, "id", value).map(Test::Equal),
            What::Stored { id, key, name, scalar, operator } => {
                let stored =
                    StoredKey { id: *id, name, scalar: *scalar, is_list: false, operator: *operator };
                let entry = Entry { key, key_span: None, value };
                match self.filter_stored(&stored, &entry)? {
                    Filter::Field(_, test) => Some(test),
                    _ => None,
                }
            }
        }
    }
}

/// Whether a type that can be left blank is a list; nothing for one that can't be. Booleans mostly decide what there is.
fn is_list_of_scalars(catalog: &Catalog, of: &Type) -> Option<bool> {
    let (name, is_list) = match of {
        Type::Named(name) | Type::NonNullNamed(name) => (name, false),
        Type::List(item) | Type::NonNullList(item) => match &**item {
            Type::Named(name) | Type::NonNullNamed(name) => (name, true),
            Type::List(_) | Type::NonNullList(_) => return None,
        },
    };
    let scalar = variables::scalar_named(catalog, name)?;
    (scalar != ScalarType::Boolean).then_some(is_list)
}

/// Whether a blank can stand for a value.
fn fits(json: &Json, blank: Blank) -> bool {
    let is_scalar = |json: &Json| matches!(json, Json::String(_) | Json::Number(_));
    match json {
        Json::Array(items) => blank.is_list && !items.is_empty() && items.iter().all(is_scalar),
        json => is_scalar(json),
    }
}

/// Whether a value is the one an outline was made for. The order of keys counts, as it does in what is said of a plan.
fn is_same(known: Option<&Json>, given: Option<&Json>) -> bool {
    match (known, given) {
        (Some(known @ (Json::Object(_) | Json::Array(_))), Some(given)) => {
            let [known, given] = [known, given].map(Json::to_string);
            known == given
        }
        (known, given) => known == given,
    }
}
