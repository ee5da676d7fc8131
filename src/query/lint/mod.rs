//! Filters that can't match, though nothing is wrong with them as queries: a value the field never has, a string in
//! the wrong case, an empty list, keys that contradict each other, a field that is null for every asset. Warnings
//! change no answer.

mod conflict;

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use self::conflict::conflicts;
use super::{
    document::QueryDocument,
    error::{Place, response_form},
    explain::Words,
    plan::{Operand, Test},
    planner::{Tested, Tests},
};
use crate::{
    catalog::{Catalog, FieldKind, ScalarType},
    graph::{Graph, Table, TextData},
    model::nearest,
};

/// The most warnings of one query.
const MOST_WARNINGS: usize = 20;
/// A column with more distinct texts is not searched for one in another case.
const MOST_TEXTS: usize = 4_096;
/// So many known values are named.
const SHOWN_VALUES: usize = 8;

/// A part of a filter that can't match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is odd.
    pub kind: WarningKind,
    /// Where in the text, if it has a place there.
    pub place: Option<Place>,
    /// What to write instead.
    pub help: Option<String>,
}

/// What is odd about a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// A value that is none of those the schema documents, and that no asset has.
    UnknownValue {
        /// The field.
        field: String,
        /// The value, as the language writes it.
        value: String,
        /// The documented ones.
        known: Vec<String>,
    },
    /// A text that no asset has, but for another case.
    WrongCase {
        /// The field.
        field: String,
        /// The value, as the language writes it.
        value: String,
        /// What assets have.
        present: String,
    },
    /// `_IN: []`
    EmptyList {
        /// The key.
        key: String,
    },
    /// Two keys that can't hold of one asset.
    Contradiction {
        /// The key it stands at.
        key: String,
        /// The earlier one.
        other: String,
    },
    /// A field without a value in any asset.
    AlwaysNull {
        /// The field.
        field: String,
        /// The type.
        typename: String,
        /// How many assets there are.
        assets: usize,
    },
}

impl WarningKind {
    /// The stable code behind `extensions.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownValue { .. } => "unknown_value",
            Self::WrongCase { .. } => "wrong_case",
            Self::EmptyList { .. } => "empty_list",
            Self::Contradiction { .. } => "contradiction",
            Self::AlwaysNull { .. } => "always_null",
        }
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownValue { field, value, known } => {
                let shown = known.iter().take(SHOWN_VALUES).cloned().collect::<Vec<_>>().join(", ");
                let more = if known.len() > SHOWN_VALUES { ", .." } else { "" };
                let unquoted = value.trim_matches('"').to_lowercase();
                let is_case = known.iter().any(|known| known.to_lowercase() == unquoted);
                let note = if is_case { " (case matters)" } else { "" };
                write!(formatter, "`{field}` is never {value}: known values are {shown}{more}{note}")
            }
            Self::WrongCase { field, value, present } => {
                write!(formatter, "`{field}` is never {value}, but {present} (case matters)")
            }
            Self::EmptyList { key } => write!(formatter, "`{key}: []` matches nothing"),
            Self::Contradiction { key, other } if key == other => {
                write!(formatter, "the two `{key}` can't both hold of one asset")
            }
            Self::Contradiction { key, other } => {
                write!(formatter, "`{key}` can't hold where `{other}` does")
            }
            Self::AlwaysNull { field, typename, assets } => {
                write!(formatter, "`{field}` is null for every {typename} ({assets} of them)")
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl Warning {
    /// The form of the GraphQL response, like that of an error.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let help = self.help.as_deref();
        response_form(&self.to_string(), self.place.as_ref(), Vec::new(), self.kind.code(), help)
    }
}

/// Where a key stands, as far as it identifies the key.
type At = (Option<(usize, usize)>, String);

/// Looks at what a query tests, with the tests that fill its blanks. With a graph, at the values its assets have, too.
pub(super) fn lint(
    catalog: &Catalog,
    document: &QueryDocument,
    (tested, given): (&[Tested], &[Test]),
    graph: Option<&Graph>,
) -> Vec<Warning> {
    let lint = Lint { catalog, given, graph };
    if lint.is_plain(tested) {
        return Vec::new();
    }
    let mut places: Vec<At> = Vec::new();
    let mut keys: BTreeMap<At, Vec<&Tested>> = BTreeMap::new();
    for one in tested {
        let at = at(one);
        if !keys.contains_key(&at) {
            places.push(at.clone());
        }
        keys.entry(at).or_default().push(one);
    }
    let conflicting = conflicts(tested, given);
    let mut warnings = Vec::new();
    for at in places {
        let Some(of_key) = keys.get(&at) else { continue };
        let span = of_key.first().and_then(|one| one.span);
        let contradiction = conflicting.get(&at).and_then(|others| {
            // Over an interface a key is bound to several types: it must be odd for all of them.
            (others.len() == of_key.len()).then(|| others.first()).flatten()
        });
        let contradiction = contradiction.map(|other| {
            (WarningKind::Contradiction { key: at.1.clone(), other: (*other).to_owned() }, None)
        });
        for (kind, help) in lint.key(of_key).into_iter().chain(contradiction) {
            let is_told = warnings.iter().any(|told: &Warning| told.kind == kind);
            if !is_told && warnings.len() < MOST_WARNINGS {
                warnings.push(Warning { kind, place: document.place(span), help });
            }
        }
    }
    warnings.sort_by(|one, other| one.place.cmp(&other.place));
    warnings
}

fn at(tested: &Tested) -> At {
    (tested.span.map(|span| (span.offset(), span.end_offset())), tested.key.clone())
}

struct Lint<'a> {
    catalog: &'a Catalog,
    given: &'a [Test],
    graph: Option<&'a Graph>,
}

impl Lint<'_> {
    /// Whether nothing can be odd, told without putting keys together: each by itself is fine, and no two are of one
    /// field of one object.
    fn is_plain(&self, tested: &[Tested]) -> bool {
        /// Each of more of them is not compared with all others.
        const FEW: usize = 32;
        let of = |one: &Tested| (one.conjunction, one.of, one.field);
        tested.len() <= FEW
            && tested.iter().enumerate().all(|(place, one)| {
                let is_apart = !tested.iter().take(place).any(|other| of(other) == of(one));
                is_apart && self.key(&[one]).is_none()
            })
    }

    /// What is odd about a key by itself, for every type it is bound to.
    fn key(&self, of_key: &[&Tested]) -> Option<(WarningKind, Option<String>)> {
        let first = of_key.first()?;
        if matches!(first.what, Tests::Nothing) {
            let bare = first.key.trim_end_matches("_NOT_IN").trim_end_matches("_IN");
            let help = format!("leave it out for no demand, or write `{bare}: null` for no value");
            let is_positive = !first.negated;
            return is_positive.then(|| (WarningKind::EmptyList { key: first.key.clone() }, Some(help)));
        }
        let found: Option<Vec<_>> = of_key.iter().map(|one| self.value(one)).collect();
        if let Some(kind) = found.and_then(|kinds| kinds.into_iter().next()) {
            return Some(kind);
        }
        self.always_null(of_key).map(|kind| (kind, None))
    }

    /// A value that the field never has.
    fn value(&self, tested: &Tested) -> Option<(WarningKind, Option<String>)> {
        let Tests::Value(test) = &tested.what else { return None };
        let definition = self.catalog.get(tested.of).get(tested.field);
        let FieldKind::Scalar { scalar, known_values, .. } = &definition.kind else { return None };
        if !matches!(scalar, ScalarType::String | ScalarType::Id) {
            return None;
        }
        let values = match test.with(self.given) {
            Test::Equal(operand) | Test::Includes(operand) => std::slice::from_ref(operand),
            Test::In { values, .. } => values.as_slice(),
            _ => return None,
        };
        let is_present = |value: &str| {
            self.texts(tested)
                .any(|(table, text)| text.find(value).is_some_and(|code| table.has_text(text, code)))
        };
        for value in values {
            let Operand::Text(value) = value else { continue };
            if is_present(value) || known_values.iter().any(|known| known == value) {
                continue;
            }
            let field = definition.name.clone();
            let written = Words(self.catalog).operand(*scalar, &Operand::Text(value.clone()));
            if !known_values.is_empty() {
                let help = nearest(value, known_values.iter().map(String::as_str))
                    .map(|known| format!("did you mean `\"{known}\"`?"));
                let kind = WarningKind::UnknownValue { field, value: written, known: known_values.clone() };
                return Some((kind, help));
            }
            let mut texts = self.texts(tested);
            if let Some(present) = texts.find_map(|(table, text)| in_another_case(table, text, value)) {
                let help = format!("did you mean `{present}`? `_MATCHES: \"(?i)..\"` ignores case");
                return Some((WarningKind::WrongCase { field, value: written, present }, Some(help)));
            }
        }
        None
    }

    /// The texts that assets, or objects inside assets, have in the field.
    fn texts(&self, tested: &Tested) -> impl Iterator<Item = (&Table, &TextData)> {
        let (of, field) = (tested.of, tested.field);
        let tables = self.graph.into_iter().flat_map(move |graph| graph.tables_of(of));
        tables.filter_map(move |table| Some((table, table.column(field).text_data()?)))
    }

    fn always_null(&self, of_key: &[&Tested]) -> Option<WarningKind> {
        let graph = self.graph?;
        let mut assets = 0;
        for tested in of_key {
            if !matches!(tested.what, Tests::Value(_)) {
                return None;
            }
            for table in graph.tables_of(tested.of) {
                let nulls = table.column(tested.field).nulls.as_ref();
                if table.count() > 0 && !nulls.is_some_and(|nulls| table.is_all(nulls)) {
                    return None;
                }
                assets += table.count();
            }
        }
        let first = of_key.first()?;
        let definition = self.catalog.get(first.of);
        let typename = if of_key.len() > 1 { "asset" } else { definition.name.as_str() };
        (assets > 0).then(|| WarningKind::AlwaysNull {
            field: definition.get(first.field).name.clone(),
            typename: typename.to_owned(),
            assets,
        })
    }
}

/// The text of a column that is equal but for its case, as JSON.
fn in_another_case(table: &Table, texts: &TextData, wanted: &str) -> Option<String> {
    if texts.distinct() > MOST_TEXTS {
        return None;
    }
    let lower = wanted.to_lowercase();
    let is_equal = |text: &str| match text.is_ascii() {
        true => text.len() == lower.len() && text.eq_ignore_ascii_case(&lower),
        false => text.to_lowercase() == lower,
    };
    let is_found = |code: u32, text: &str| is_equal(text) && table.has_text(texts, code);
    let found = texts.iter().find(|(code, text)| is_found(*code, text))?;
    Some(Value::from(found.1.as_ref()).to_string())
}
