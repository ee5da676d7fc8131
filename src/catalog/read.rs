//! Reading a schema: the files are parsed, their definitions sorted, types and fields built, then everything that
//! spans types is checked. All mistakes are collected.

use apollo_compiler::Name;

use super::{
    build::Builder,
    computed,
    definitions::{Definitions, Parsed, Places, RawEnum, RawType},
    directives::{Directives, Position, Word},
    error::{CatalogErrors, Report, SchemaProblem},
    interfaces, names, relations,
    source::{Place, Source},
    types::{Catalog, EnumType, Field, TypeDef, TypeId},
};

/// Where the parts of a field stand, for the checks that come after reading.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldNotes {
    pub(super) name: Place,
    pub(super) fields: Vec<Word>,
    pub(super) references: Vec<Word>,
    pub(super) paths: Vec<Word>,
    pub(super) filter: Option<Word>,
}

/// The types as they are built, with where everything stands: `notes` and `raw` run beside `catalog.types`.
pub(super) struct Draft<'d> {
    pub(super) catalog: Catalog,
    pub(super) notes: Vec<Vec<FieldNotes>>,
    pub(super) raw: Vec<RawType<'d>>,
    pub(super) raw_enums: Vec<RawEnum<'d>>,
    pub(super) places: &'d Places,
}

impl Draft<'_> {
    /// Every field with its type, its id and its notes.
    pub(super) fn fields(&self) -> impl Iterator<Item = (TypeId, &TypeDef, &Field, &FieldNotes)> {
        self.catalog.iter().zip(&self.notes).flat_map(|((id, definition), notes)| {
            definition.fields.iter().zip(notes).map(move |(field, notes)| (id, definition, field, notes))
        })
    }

    /// The names of all types and enums, where they are defined.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.raw.iter().map(|raw| raw.name).chain(self.raw_enums.iter().map(|raw| raw.name))
    }

    /// Whether the SDL writes a field that was refused, so that nothing more need be said about it.
    pub(super) fn was_refused(&self, id: TypeId, field: &str) -> bool {
        self.catalog.get(id).find(field).is_none()
            && self.raw.get(id.0 as usize).is_some_and(|raw| raw.fields.iter().any(|each| each.name == field))
    }

    /// Whether a key of a filter begins with a field that was refused.
    pub(super) fn raw_field_of_key(&self, id: TypeId, key: &str) -> bool {
        self.raw.get(id.0 as usize).is_some_and(|raw| {
            raw.fields.iter().any(|field| {
                key.starts_with(field.name.as_str()) && self.catalog.get(id).find(&field.name).is_none()
            })
        })
    }
}

impl Catalog {
    /// Reads the types of all files together.
    ///
    /// # Errors
    /// Every mistake that was found, each with its place and what to do about it.
    pub fn read(sources: &[Source]) -> Result<Self, CatalogErrors> {
        let mut report = Report::new(sources);
        let parsed = Parsed::read(sources, &mut report);
        if !report.is_empty() {
            // What follows a syntax error is guesswork.
            return Err(report.into_errors());
        }
        let definitions = parsed.definitions(&mut report);
        let draft = build(definitions, &parsed.places, &mut report);
        interfaces::check(&draft, &mut report);
        relations::check(&draft, &mut report);
        names::check(&draft, &mut report);
        computed::check(&draft, &mut report);
        let catalog = Self { fingerprint: fingerprint(sources), ..draft.catalog };
        if report.is_empty() { Ok(catalog) } else { Err(report.into_errors()) }
    }
}

fn fingerprint(sources: &[Source]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for source in sources {
        hasher.update(&(source.text.len() as u64).to_le_bytes()).update(source.text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

pub(super) fn build<'d>(
    definitions: Definitions<'d>,
    places: &'d Places,
    report: &mut Report<'_>,
) -> Draft<'d> {
    let enums = build_enums(&definitions, places, report);
    if definitions.types.is_empty() && report.is_empty() {
        report.add(&Place::default(), SchemaProblem::NoTypes, "write one as in `type Vpc { id: ID! }`");
    }
    let builder = Builder { definitions: &definitions, places };
    let mut types = Vec::new();
    let mut notes = Vec::new();
    for raw in &definitions.types {
        let (definition, places_of_fields) = builder.build_type(raw, report);
        types.push(definition);
        notes.push(places_of_fields);
    }
    link_implementors(&mut types);
    Draft {
        catalog: Catalog { types, enums, fingerprint: Default::default() },
        notes,
        raw: definitions.types,
        raw_enums: definitions.enums,
        places,
    }
}

fn build_enums(definitions: &Definitions<'_>, places: &Places, report: &mut Report<'_>) -> Vec<EnumType> {
    let mut enums = Vec::new();
    for raw in &definitions.enums {
        Directives::read(&raw.directives, Position::Other, places, report);
        let owner = raw.name.to_string();
        let mut values: Vec<String> = Vec::new();
        for value in &raw.values {
            let place = places.of(value.value.location());
            let name = value.value.to_string();
            if values.contains(&name) {
                let problem = SchemaProblem::DuplicateEnumValue { owner: owner.clone(), value: name };
                report.add(&place, problem, "remove one of the two");
            } else if name.starts_with("__") {
                report.add(&place, SchemaProblem::ReservedName { name }, "rename the value");
            } else {
                values.push(name);
            }
        }
        if raw.values.is_empty() {
            let problem = SchemaProblem::EmptyType { owner: owner.clone(), what: "values" };
            report.add(&places.of(raw.name.location()), problem, "write them in braces behind its name");
        }
        enums.push(EnumType { name: owner, description: raw.description.map(str::to_owned), values });
    }
    enums
}

fn link_implementors(types: &mut [TypeDef]) {
    let mut links: Vec<(TypeId, String, TypeId)> = (0u32..)
        .map(TypeId)
        .zip(types.iter())
        .flat_map(|(id, definition)| {
            definition.interfaces.iter().map(move |interface| (*interface, definition.name.clone(), id))
        })
        .collect();
    links.sort();
    for (interface, _, implementor) in links {
        if let Some(interface) = types.get_mut(interface.0 as usize) {
            interface.implementors.push(implementor);
        }
    }
}
