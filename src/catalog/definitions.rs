//! The definitions of all files together, as they are written: extensions merged into what they extend, everything
//! that has no place in an inventory schema refused.

use std::collections::BTreeMap;

use apollo_compiler::{
    Name, Node,
    ast::{Definition, Directive, Document, EnumValueDefinition, FieldDefinition},
    parser::{FileId, Parser, SourceSpan},
};

use super::{
    directives::DIRECTIVES,
    error::{Report, SchemaProblem, suggest},
    source::{Place, Source, byte_at},
    syntax::check_schema,
    types::ScalarType,
};

/// Brackets inside brackets that a schema may have; a filter of a computed field is a string, so few are needed.
const NESTING: usize = 64;
/// Tokens of one file; the AWS schema has a few thousand.
const TOKENS: usize = 2_000_000;

/// The scalars of the language, by their GraphQL names.
pub(super) const SCALARS: [(&str, ScalarType); 11] = [
    ("String", ScalarType::String),
    ("ID", ScalarType::Id),
    ("Int", ScalarType::Int),
    ("BigInt", ScalarType::BigInt),
    ("Float", ScalarType::Float),
    ("Boolean", ScalarType::Boolean),
    ("DateTime", ScalarType::DateTime),
    ("Date", ScalarType::Date),
    ("CIDR", ScalarType::Cidr),
    ("IPAddress", ScalarType::IpAddress),
    ("JSON", ScalarType::Json),
];

/// One object type or interface.
pub(super) struct RawType<'d> {
    pub(super) name: &'d Name,
    pub(super) is_interface: bool,
    pub(super) description: Option<&'d str>,
    pub(super) implements: Vec<&'d Name>,
    pub(super) directives: Vec<&'d Node<Directive>>,
    pub(super) fields: Vec<&'d Node<FieldDefinition>>,
}

/// One enum.
pub(super) struct RawEnum<'d> {
    pub(super) name: &'d Name,
    pub(super) description: Option<&'d str>,
    pub(super) directives: Vec<&'d Node<Directive>>,
    pub(super) values: Vec<&'d Node<EnumValueDefinition>>,
}

/// All definitions, each kind in the order of the files.
#[derive(Default)]
pub(super) struct Definitions<'d> {
    pub(super) types: Vec<RawType<'d>>,
    pub(super) enums: Vec<RawEnum<'d>>,
    names: BTreeMap<&'d str, (Defined, Place)>,
}

/// What a name stands for: an index into the types or the enums.
#[derive(Clone, Copy, Debug)]
pub(super) enum Defined {
    Type(usize),
    Enum(usize),
}

/// The parsed files, and where everything in them stands.
pub(super) struct Parsed {
    documents: Vec<Document>,
    pub(super) places: Places,
}

/// Turns the parser's locations into places.
pub(super) struct Places {
    files: BTreeMap<FileId, usize>,
    texts: Vec<String>,
}

impl Places {
    /// The place of a parsed node, without the blanks the parser counts in at its end.
    pub(super) fn of(&self, location: Option<SourceSpan>) -> Place {
        let Some(location) = location else { return Place::default() };
        let source = self.files.get(&location.file_id()).copied().unwrap_or_default();
        let whole = location.offset()..location.end_offset();
        let written = self.texts.get(source).and_then(|text| text.get(whole.clone())).unwrap_or_default();
        let kept = written.trim_end_matches(|last: char| last.is_whitespace() || last == ',').len();
        Place { source, span: whole.start..whole.start + kept }
    }
}

impl Parsed {
    /// Parses every file; notes what is no GraphQL at all.
    pub(super) fn read(sources: &[Source], report: &mut Report<'_>) -> Self {
        let mut parsed = Self {
            documents: Vec::new(),
            places: Places {
                files: BTreeMap::new(),
                texts: sources.iter().map(|source| source.text.clone()).collect(),
            },
        };
        for (position, source) in sources.iter().enumerate() {
            if let Err(malformed) = check_schema(&source.text) {
                let place = Place { source: position, span: malformed.start..malformed.end };
                report.add(&place, SchemaProblem::Syntax { message: malformed.message }, malformed.remedy);
                continue;
            }
            let mut parser = Parser::new().recursion_limit(NESTING).token_limit(TOKENS);
            let document = match parser.parse_ast(source.text.as_str(), &source.name) {
                Ok(document) => document,
                Err(refused) => {
                    for diagnostic in refused.errors.iter() {
                        let range = diagnostic.line_column_range();
                        let at = range
                            .map_or(0, |range| byte_at(&source.text, range.start.line, range.start.column));
                        let length = source.text.get(at..).and_then(|rest| rest.chars().next());
                        let end = at + length.map_or(0, char::len_utf8);
                        let message = diagnostic.error.to_string();
                        report.add(
                            &Place { source: position, span: at..end },
                            SchemaProblem::Syntax { message: message.trim_end_matches('.').to_owned() },
                            "write it as the GraphQL schema language does",
                        );
                    }
                    refused.partial
                }
            };
            parsed.places.files.extend(document.sources.keys().map(|file| (*file, position)));
            parsed.documents.push(document);
        }
        parsed
    }

    /// Sorts the definitions by kind; notes what can't be kept.
    pub(super) fn definitions<'d>(&'d self, report: &mut Report<'_>) -> Definitions<'d> {
        let mut definitions = Definitions::default();
        for definition in self.documents.iter().flat_map(|document| &document.definitions) {
            definitions.add(definition, &self.places, report);
        }
        for definition in self.documents.iter().flat_map(|document| &document.definitions) {
            definitions.extend(definition, &self.places, report);
        }
        definitions
    }
}

impl<'d> Definitions<'d> {
    /// What a name stands for, unless it is a scalar or unknown.
    pub(super) fn find(&self, name: &str) -> Option<Defined> {
        self.names.get(name).map(|(defined, _)| *defined)
    }

    /// Every name a field can be of.
    pub(super) fn known_names(&self) -> Vec<&'d str> {
        let scalars = SCALARS.iter().map(|(name, _)| *name);
        self.names.keys().copied().chain(scalars).collect()
    }

    fn add(&mut self, definition: &'d Definition, places: &Places, report: &mut Report<'_>) {
        match definition {
            Definition::ObjectTypeDefinition(object) => {
                let defined = Defined::Type(self.types.len());
                if self.claim(&object.name, defined, places, report) {
                    self.types.push(RawType {
                        name: &object.name,
                        is_interface: false,
                        description: object.description.as_deref(),
                        implements: object.implements_interfaces.iter().collect(),
                        directives: object.directives.iter().collect(),
                        fields: object.fields.iter().collect(),
                    });
                }
            }
            Definition::InterfaceTypeDefinition(interface) => {
                let defined = Defined::Type(self.types.len());
                if self.claim(&interface.name, defined, places, report) {
                    self.types.push(RawType {
                        name: &interface.name,
                        is_interface: true,
                        description: interface.description.as_deref(),
                        implements: interface.implements_interfaces.iter().collect(),
                        directives: interface.directives.iter().collect(),
                        fields: interface.fields.iter().collect(),
                    });
                }
            }
            Definition::EnumTypeDefinition(definition) => {
                let defined = Defined::Enum(self.enums.len());
                if self.claim(&definition.name, defined, places, report) {
                    self.enums.push(RawEnum {
                        name: &definition.name,
                        description: definition.description.as_deref(),
                        directives: definition.directives.iter().collect(),
                        values: definition.values.iter().collect(),
                    });
                }
            }
            Definition::ScalarTypeDefinition(scalar) => {
                check_scalar(&scalar.name, places, report);
            }
            // An editor wants the directives defined; ours are known anyway.
            Definition::DirectiveDefinition(directive) => {
                let known: Vec<&str> = DIRECTIVES.iter().map(|known| known.name).collect();
                if !known.contains(&directive.name.as_str()) {
                    report.add(
                        &places.of(directive.name.location()),
                        SchemaProblem::UnknownDirective { name: directive.name.to_string() },
                        suggest(&directive.name, &known, "there are"),
                    );
                }
            }
            Definition::ObjectTypeExtension(_)
            | Definition::InterfaceTypeExtension(_)
            | Definition::EnumTypeExtension(_) => {}
            other => refuse(other, places, report),
        }
    }

    fn extend(&mut self, definition: &'d Definition, places: &Places, report: &mut Report<'_>) {
        match definition {
            Definition::ObjectTypeExtension(extension) => {
                if let Some(raw) = self.extended(&extension.name, false, places, report) {
                    raw.implements.extend(&extension.implements_interfaces);
                    raw.directives.extend(extension.directives.iter());
                    raw.fields.extend(&extension.fields);
                }
            }
            Definition::InterfaceTypeExtension(extension) => {
                if let Some(raw) = self.extended(&extension.name, true, places, report) {
                    raw.implements.extend(&extension.implements_interfaces);
                    raw.directives.extend(extension.directives.iter());
                    raw.fields.extend(&extension.fields);
                }
            }
            Definition::EnumTypeExtension(extension) => match self.find(&extension.name) {
                Some(Defined::Enum(at)) => {
                    if let Some(raw) = self.enums.get_mut(at) {
                        raw.directives.extend(extension.directives.iter());
                        raw.values.extend(&extension.values);
                    }
                }
                _ => self.refuse_extension(&extension.name, places, report),
            },
            _ => {}
        }
    }

    fn extended(
        &mut self,
        name: &Name,
        is_interface: bool,
        places: &Places,
        report: &mut Report<'_>,
    ) -> Option<&mut RawType<'d>> {
        let found = match self.find(name) {
            Some(Defined::Type(at)) if self.types.get(at)?.is_interface == is_interface => Some(at),
            _ => None,
        };
        if found.is_none() {
            self.refuse_extension(name, places, report);
        }
        self.types.get_mut(found?)
    }

    fn refuse_extension(&self, name: &Name, places: &Places, report: &mut Report<'_>) {
        let known: Vec<&str> = self.names.keys().copied().collect();
        report.add(
            &places.of(name.location()),
            SchemaProblem::UnknownExtension { extended: name.to_string() },
            suggest(name, &known, "extend one of the same kind"),
        );
    }

    /// Takes a name for a definition; notes a name that is taken or reserved.
    fn claim(&mut self, name: &'d Name, defined: Defined, places: &Places, report: &mut Report<'_>) -> bool {
        let place = places.of(name.location());
        if name.starts_with("__") {
            let problem = SchemaProblem::ReservedName { name: name.to_string() };
            report.add(&place, problem, "rename the type");
            return false;
        }
        if SCALARS.iter().any(|(scalar, _)| *scalar == name.as_str()) {
            let problem = SchemaProblem::ReservedTypeName { name: name.to_string() };
            report.add(&place, problem, "rename it: this is the name of a scalar");
            return false;
        }
        if let Some((_, first)) = self.names.get(name.as_str()) {
            let first = report.written(first);
            report.add(
                &place,
                SchemaProblem::DuplicateType { name: name.to_string(), first },
                format!("rename one of the two, or add fields with `extend type {name}`"),
            );
            return false;
        }
        self.names.insert(name.as_str(), (defined, place));
        true
    }
}

fn check_scalar(name: &Name, places: &Places, report: &mut Report<'_>) {
    let known = SCALARS.map(|(scalar, _)| scalar);
    if !known.contains(&name.as_str()) {
        report.add(
            &places.of(name.location()),
            SchemaProblem::UnknownScalar { name: name.to_string() },
            suggest(name, &known, "there are"),
        );
    }
}

fn refuse(definition: &Definition, places: &Places, report: &mut Report<'_>) {
    let (what, remedy) = match definition {
        Definition::UnionTypeDefinition(_) | Definition::UnionTypeExtension(_) => {
            ("a union", "write an interface that the types implement")
        }
        Definition::InputObjectTypeDefinition(_) | Definition::InputObjectTypeExtension(_) => {
            ("an input type", "remove it: filters are generated from the types")
        }
        Definition::OperationDefinition(_) | Definition::FragmentDefinition(_) => {
            ("a query", "put queries and fragments into the folder `queries`")
        }
        _ => ("a `schema` definition", "remove it: the root types are generated"),
    };
    let location = definition.name().and_then(Name::location).or_else(|| definition.location());
    report.add(&places.of(location), SchemaProblem::UnsupportedDefinition { what: what.to_owned() }, remedy);
}
