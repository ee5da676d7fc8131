//! The directives of the schema language, and reading their arguments.

use apollo_compiler::{
    Node,
    ast::{Directive, Value},
};

use super::{
    definitions::Places,
    error::{Report, SchemaProblem, suggest},
    source::Place,
};

/// What a directive may stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Type,
    Field,
    Other,
}

/// One directive of the language.
pub(super) struct Known {
    pub(super) name: &'static str,
    arguments: &'static [&'static str],
    on: Position,
}

/// All directives of the language.
pub(super) const DIRECTIVES: [Known; 5] = [
    Known {
        name: "relation",
        arguments: &["fields", "references", "anywhere", "paths"],
        on: Position::Field,
    },
    Known { name: "computed", arguments: &["where"], on: Position::Field },
    Known { name: "values", arguments: &["list"], on: Position::Field },
    Known { name: "plural", arguments: &["value"], on: Position::Type },
    Known { name: "limit", arguments: &["default", "max"], on: Position::Type },
];

/// A word of a directive's argument and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) place: Place,
}

/// The directives of one definition, known ones only.
pub(super) struct Directives<'d>(Vec<&'d Node<Directive>>);

impl<'d> Directives<'d> {
    /// Keeps the directives that may stand here; notes the others.
    pub(super) fn read(
        given: &[&'d Node<Directive>],
        position: Position,
        places: &Places,
        report: &mut Report<'_>,
    ) -> Self {
        let mut kept: Vec<&'d Node<Directive>> = Vec::new();
        for directive in given {
            let place = places.of(directive.name.location());
            let name = directive.name.to_string();
            let Some(known) = DIRECTIVES.iter().find(|known| known.name == name) else {
                let names = DIRECTIVES.map(|known| known.name);
                let remedy = suggest(&name, &names, "there are");
                report.add(&place, SchemaProblem::UnknownDirective { name }, remedy);
                continue;
            };
            if known.on != position {
                let remedy = match known.on {
                    Position::Type => "it belongs behind the name of a type",
                    Position::Field | Position::Other => "it belongs behind the type of a field",
                };
                let on = match position {
                    Position::Type => "a type",
                    Position::Field => "a field",
                    Position::Other => "an enum",
                };
                report.add(&place, SchemaProblem::MisplacedDirective { name, on }, remedy);
            } else if kept.iter().any(|other| other.name == directive.name) {
                report.add(&place, SchemaProblem::DuplicateDirective { name }, "remove one of the two");
            } else {
                check_arguments(directive, known, places, report);
                kept.push(directive);
            }
        }
        Self(kept)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'d Node<Directive>> {
        self.0.iter().copied().find(|directive| directive.name == name)
    }
}

fn check_arguments(directive: &Directive, known: &Known, places: &Places, report: &mut Report<'_>) {
    for argument in &directive.arguments {
        if !known.arguments.contains(&argument.name.as_str()) {
            report.add(
                &places.of(argument.name.location()),
                SchemaProblem::UnknownArgument {
                    directive: known.name.to_owned(),
                    name: argument.name.to_string(),
                },
                suggest(&argument.name, known.arguments, "there are"),
            );
        }
    }
}

/// The text of an argument; notes anything else.
pub(super) fn text(
    directive: &Node<Directive>,
    name: &str,
    expected: &'static str,
    places: &Places,
    report: &mut Report<'_>,
) -> Option<Word> {
    let given = directive.specified_argument_by_name(name);
    if let Some(value) = given
        && let Value::String(text) = &**value
    {
        return Some(Word { text: text.clone(), place: places.of(value.location()) });
    }
    refuse(directive, given, expected, places, report);
    None
}

/// The texts of a list argument, a single text being a list of one; `None` where the argument is not given. Notes
/// anything else, and an empty list.
pub(super) fn texts(
    directive: &Node<Directive>,
    name: &str,
    expected: &'static str,
    places: &Places,
    report: &mut Report<'_>,
) -> Option<Vec<Word>> {
    let given = directive.specified_argument_by_name(name)?;
    let items = match &**given {
        Value::List(items) => items.iter().collect(),
        _ => vec![given],
    };
    let words: Option<Vec<Word>> = items
        .into_iter()
        .map(|item| {
            let text = item.as_str()?.to_owned();
            Some(Word { text, place: places.of(item.location()) })
        })
        .collect();
    match words {
        Some(words) if !words.is_empty() => Some(words),
        _ => {
            refuse(directive, Some(given), expected, places, report);
            None
        }
    }
}

/// True or false, false where the argument is not given. Notes anything else.
pub(super) fn flag(
    directive: &Node<Directive>,
    name: &str,
    expected: &'static str,
    places: &Places,
    report: &mut Report<'_>,
) -> Option<bool> {
    let Some(given) = directive.specified_argument_by_name(name) else { return Some(false) };
    let flag = given.to_bool();
    if flag.is_none() {
        refuse(directive, Some(given), expected, places, report);
    }
    flag
}

/// A count from 0 to 2^31-1; `None` where the argument is not given. Notes anything else.
pub(super) fn count(
    directive: &Node<Directive>,
    name: &str,
    expected: &'static str,
    places: &Places,
    report: &mut Report<'_>,
) -> Option<u32> {
    let given = directive.specified_argument_by_name(name)?;
    let number = given.to_i32().and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        refuse(directive, Some(given), expected, places, report);
    }
    number
}

/// Notes an argument that is missing or of the wrong kind.
pub(super) fn refuse(
    directive: &Node<Directive>,
    given: Option<&Node<Value>>,
    expected: &'static str,
    places: &Places,
    report: &mut Report<'_>,
) {
    let location = given.map_or_else(|| directive.location(), Node::location);
    report.add(
        &places.of(location),
        SchemaProblem::BadArgument { directive: directive.name.to_string(), expected },
        example(&directive.name),
    );
}

fn example(directive: &str) -> &'static str {
    match directive {
        "relation" => "write it as in @relation(fields: [\"vpcId\"], references: [\"vpcId\"])",
        "computed" => {
            "write it as in @computed(where: \"{hasFlowLog_NONE: {flowLogStatus: \\\"ACTIVE\\\"}}\")"
        }
        "values" => "write it as in @values(list: [\"ACTIVE\", \"INACTIVE\"])",
        "plural" => "write it as in @plural(value: \"virtualClouds\")",
        _ => "write it as in @limit(default: 100, max: 1000)",
    }
}
