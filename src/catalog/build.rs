//! Builds one type after the other from its definition: its names, its fields and what each of them holds. What spans
//! types is checked afterwards.

use apollo_compiler::{
    Name, Node,
    ast::{FieldDefinition, Type},
};

use super::{
    definitions::{Defined, Definitions, Places, RawType, SCALARS},
    directives::{self, Directives, Position},
    error::{Report, SchemaProblem},
    names,
    read::FieldNotes,
    relations,
    source::Place,
    types::{
        EnumId, Field, FieldKind, ListShape, PageLimit, RelationKeys, ScalarType, TypeDef, TypeId, TypeKind,
    },
};
use crate::model::nearest;

/// Builds types one by one; looks other types up by their definitions alone.
pub(super) struct Builder<'b, 'd> {
    pub(super) definitions: &'b Definitions<'d>,
    pub(super) places: &'b Places,
}

/// The shape of a field's type: of what, in a list or not.
struct Shape<'d> {
    name: &'d Name,
    nullable: bool,
    list: Option<ListShape>,
}

/// What the name of a field's type stands for.
enum Target {
    Scalar(ScalarType),
    Embedded(TypeId),
    Assets(TypeId),
}

impl<'d> Builder<'_, 'd> {
    pub(super) fn build_type(
        &self,
        raw: &RawType<'d>,
        report: &mut Report<'_>,
    ) -> (TypeDef, Vec<FieldNotes>) {
        let name = raw.name.to_string();
        let kind = kind_of(raw);
        let given = Directives::read(&raw.directives, Position::Type, self.places, report);
        let mut fields: Vec<Field> = Vec::new();
        let mut notes: Vec<FieldNotes> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for definition in &raw.fields {
            if seen.contains(&definition.name.as_str()) {
                report.add(
                    &self.places.of(definition.name.location()),
                    SchemaProblem::DuplicateField { owner: name.clone(), field: definition.name.to_string() },
                    "remove one of the two",
                );
                continue;
            }
            seen.push(&definition.name);
            if let Some((field, places)) = self.build_field(raw, kind, definition, report) {
                fields.push(field);
                notes.push(places);
            }
        }
        let place = self.places.of(raw.name.location());
        if raw.fields.is_empty() {
            let problem = SchemaProblem::EmptyType { owner: name.clone(), what: "fields" };
            report.add(&place, problem, "write them in braces behind its name, `id: ID!` first");
        } else if kind == TypeKind::Interface && !seen.contains(&"id") {
            let problem = SchemaProblem::InterfaceWithoutId { owner: name.clone() };
            report.add(&place, problem, "add `id: ID!`: only assets can share an interface");
        }
        let plural = self.plural(&given, report);
        let (singular, plural) = names::root_names(&name, plural.as_deref());
        let definition = TypeDef {
            kind,
            singular,
            plural,
            description: raw.description.map(str::to_owned),
            fields,
            interfaces: self.interfaces(raw, report),
            implementors: Vec::new(),
            limit: self.limit(&given, report),
            name,
        };
        (definition, notes)
    }

    fn plural(&self, given: &Directives<'_>, report: &mut Report<'_>) -> Option<String> {
        let directive = given.get("plural")?;
        let word = directives::text(directive, "value", "a text `value`", self.places, report)?;
        if names::is_name(&word.text) && !word.text.starts_with("__") {
            return Some(word.text);
        }
        let problem = SchemaProblem::BadPlural { value: word.text };
        report.add(&word.place, problem, "use letters, digits and single underscores, a letter first");
        None
    }

    fn limit(&self, given: &Directives<'_>, report: &mut Report<'_>) -> Option<PageLimit> {
        let directive = given.get("limit")?;
        let expected = "`default` and `max` to be counts";
        let limit = PageLimit {
            default: directives::count(directive, "default", expected, self.places, report),
            max: directives::count(directive, "max", expected, self.places, report),
        };
        if let PageLimit { default: Some(default), max: Some(max) } = limit
            && default > max
        {
            let place = self.places.of(directive.location());
            report.add(
                &place,
                SchemaProblem::LimitOrder { default, max },
                "lower the default or raise the max",
            );
        }
        if directive.arguments.is_empty() {
            directives::refuse(directive, None, "a `default`, a `max` or both", self.places, report);
        }
        Some(limit)
    }

    fn interfaces(&self, raw: &RawType<'d>, report: &mut Report<'_>) -> Vec<TypeId> {
        let owner = raw.name.to_string();
        if raw.is_interface && !raw.implements.is_empty() {
            let place = self.places.of(raw.name.location());
            let remedy = "let the types implement both interfaces instead";
            report.add(&place, SchemaProblem::InterfaceImplements { owner }, remedy);
            return Vec::new();
        }
        let mut found = Vec::new();
        for interface in &raw.implements {
            let name = interface.to_string();
            let place = self.places.of(interface.location());
            let at = match self.definitions.find(&name) {
                Some(Defined::Type(at))
                    if self.definitions.types.get(at).is_some_and(|raw| raw.is_interface) =>
                {
                    at
                }
                _ => {
                    let interfaces = self.definitions.types.iter().filter(|raw| raw.is_interface);
                    let near = nearest(&name, interfaces.map(|raw| raw.name.as_str()));
                    let remedy = near.map_or_else(
                        || format!("write `interface {name} {{ id: ID! }}`, or leave it out"),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let problem = SchemaProblem::NotAnInterface { owner: owner.clone(), name };
                    report.add(&place, problem, remedy);
                    continue;
                }
            };
            let id = type_id(at);
            if found.contains(&id) {
                let problem = SchemaProblem::DuplicateInterface { owner: owner.clone(), name };
                report.add(&place, problem, "name it once");
            } else {
                found.push(id);
            }
        }
        found
    }

    fn build_field(
        &self,
        raw: &RawType<'d>,
        kind: TypeKind,
        definition: &'d Node<FieldDefinition>,
        report: &mut Report<'_>,
    ) -> Option<(Field, FieldNotes)> {
        let owner = raw.name.to_string();
        let name = definition.name.to_string();
        let place = self.places.of(definition.name.location());
        let mut notes = FieldNotes { name: place.clone(), ..FieldNotes::default() };
        check_field_name(&owner, &name, &place, report)?;
        if !definition.arguments.is_empty() {
            let problem = SchemaProblem::FieldArguments { owner: owner.clone(), field: name.clone() };
            report.add(&place, problem, "remove them: the arguments of fields are generated");
        }
        let Some(shape) = shape_of(&definition.ty) else {
            let problem = SchemaProblem::NestedList { owner, field: name };
            report.add(&place, problem, "use an embedded type that holds the inner list");
            return None;
        };
        if name == "id" && definition.ty.to_string() != "ID!" {
            let problem = SchemaProblem::IdType { owner, found: definition.ty.to_string() };
            report.add(&place, problem, "write `id: ID!`, or rename the field of an embedded type");
            return None;
        }
        let target = self.target(&shape, report)?;
        let given = self.directives_of(raw, definition, report);
        let kind = match target {
            Target::Scalar(scalar) => {
                self.scalar_field(&owner, definition, &shape, scalar, kind, &given, &mut notes, report)?
            }
            Target::Embedded(of) => {
                self.refuse_derived(&owner, &name, &shape, &given, report)?;
                FieldKind::Embedded { of, list: shape.list }
            }
            Target::Assets(target) => {
                if kind == TypeKind::Embedded {
                    let problem = SchemaProblem::DerivedInEmbedded { owner, field: name };
                    report.add(
                        &place,
                        problem,
                        "keep the id, and put the relation on the asset that holds it",
                    );
                    return None;
                }
                let Some(directive) = given.get("relation") else {
                    let remedy = self.relation_to_write(raw, definition, target);
                    report.add(&place, SchemaProblem::MissingRelation { owner, field: name }, remedy);
                    return None;
                };
                let many = shape.list.is_some();
                let keys = relations::read_keys(directive, self.places, &mut notes, report)?;
                if !many && matches!(keys, RelationKeys::Paths(_)) {
                    let problem = SchemaProblem::PathToOne { owner, field: name.clone() };
                    report.add(&place, problem, format!("write `{name}: [{}!]!`", shape.name));
                    return None;
                }
                FieldKind::Relation { target, many, keys }
            }
        };
        let description =
            definition.description.as_deref().or_else(|| self.inherited_description(raw, &name));
        let field =
            Field { name, description: description.map(str::to_owned), nullable: shape.nullable, kind };
        Some((field, notes))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one field, handed on once")]
    fn scalar_field(
        &self,
        owner: &str,
        definition: &FieldDefinition,
        shape: &Shape<'_>,
        scalar: ScalarType,
        kind: TypeKind,
        given: &Directives<'_>,
        notes: &mut FieldNotes,
        report: &mut Report<'_>,
    ) -> Option<FieldKind> {
        let field = definition.name.to_string();
        if given.get("relation").is_some() {
            self.refuse_derived(owner, &field, shape, given, report)?;
        }
        let known_values = self.known_values(owner, &field, scalar, given, report);
        let Some(directive) = given.get("computed") else {
            return Some(FieldKind::Scalar { scalar, list: shape.list, known_values });
        };
        let owner = owner.to_owned();
        if kind == TypeKind::Embedded {
            let problem = SchemaProblem::DerivedInEmbedded { owner, field };
            report.add(&notes.name, problem, "put the computed field on the asset that holds it");
            return None;
        }
        if scalar != ScalarType::Boolean || shape.list.is_some() {
            let found = definition.ty.to_string();
            let remedy = format!("write `{field}: Boolean!`");
            report.add(&notes.name, SchemaProblem::ComputedType { owner, field, found }, remedy);
            return None;
        }
        let word = directives::text(directive, "where", "a filter as a text `where`", self.places, report)?;
        let filter = word.text.clone();
        notes.filter = Some(word);
        Some(FieldKind::Computed { filter })
    }

    fn known_values(
        &self,
        owner: &str,
        field: &str,
        scalar: ScalarType,
        given: &Directives<'_>,
        report: &mut Report<'_>,
    ) -> Vec<String> {
        let Some(directive) = given.get("values") else { return Vec::new() };
        if scalar != ScalarType::String {
            let problem = SchemaProblem::ValuesOnOther {
                owner: owner.to_owned(),
                field: field.to_owned(),
                what: "not a string",
            };
            report.add(&self.places.of(directive.location()), problem, "remove it");
            return Vec::new();
        }
        let expected = "a list of texts `list`";
        match directives::texts(directive, "list", expected, self.places, report) {
            Some(words) => words.into_iter().map(|word| word.text).collect(),
            None => {
                if directive.specified_argument_by_name("list").is_none() {
                    directives::refuse(directive, None, expected, self.places, report);
                }
                Vec::new()
            }
        }
    }

    /// Notes `@relation` and `@computed` on a field of a type that can't have them.
    fn refuse_derived(
        &self,
        owner: &str,
        field: &str,
        shape: &Shape<'_>,
        given: &Directives<'_>,
        report: &mut Report<'_>,
    ) -> Option<()> {
        for directive in ["relation", "computed"] {
            if let Some(written) = given.get(directive) {
                let problem = SchemaProblem::RelationToNoAsset {
                    owner: owner.to_owned(),
                    field: field.to_owned(),
                    directive,
                    type_name: shape.name.to_string(),
                };
                report.add(
                    &self.places.of(written.location()),
                    problem,
                    "remove the directive, or name a type of assets",
                );
                return None;
            }
        }
        Some(())
    }

    /// The directives of a field; those of the interface where the field itself has none that derives it.
    fn directives_of(
        &self,
        raw: &RawType<'d>,
        definition: &'d Node<FieldDefinition>,
        report: &mut Report<'_>,
    ) -> Directives<'d> {
        let own: Vec<_> = definition.directives.iter().collect();
        let given = Directives::read(&own, Position::Field, self.places, report);
        if ["relation", "computed", "values"].iter().any(|name| given.get(name).is_some()) {
            return given;
        }
        match self.interface_fields(raw, &definition.name).find(|field| !field.directives.is_empty()) {
            // What is wrong with them was said where they are written.
            Some(inherited) => {
                let inherited: Vec<_> = inherited.directives.iter().collect();
                Directives::read(&inherited, Position::Field, self.places, &mut Report::new(&[]))
            }
            None => given,
        }
    }

    fn inherited_description(&self, raw: &RawType<'d>, field: &str) -> Option<&'d str> {
        self.interface_fields(raw, field).find_map(|field| field.description.as_deref())
    }

    fn interface_fields(
        &self,
        raw: &RawType<'d>,
        field: &str,
    ) -> impl Iterator<Item = &'d Node<FieldDefinition>> {
        raw.implements
            .iter()
            .filter_map(|interface| match self.definitions.find(interface)? {
                Defined::Type(at) => self.definitions.types.get(at),
                Defined::Enum(_) => None,
            })
            .filter(|interface| interface.is_interface)
            .filter_map(move |interface| interface.fields.iter().copied().find(|each| each.name == field))
    }

    fn target(&self, shape: &Shape<'_>, report: &mut Report<'_>) -> Option<Target> {
        if let Some((_, scalar)) = SCALARS.iter().find(|(name, _)| *name == shape.name.as_str()) {
            return Some(Target::Scalar(*scalar));
        }
        match self.definitions.find(shape.name) {
            Some(Defined::Enum(at)) => {
                Some(Target::Scalar(ScalarType::Enum(EnumId(u32::try_from(at).unwrap_or(u32::MAX)))))
            }
            Some(Defined::Type(at)) => {
                let raw = self.definitions.types.get(at)?;
                Some(match kind_of(raw) {
                    TypeKind::Embedded => Target::Embedded(type_id(at)),
                    TypeKind::Asset | TypeKind::Interface => Target::Assets(type_id(at)),
                })
            }
            None => {
                let name = shape.name.to_string();
                let remedy = match nearest(&name, self.definitions.known_names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("define it, as in `type {name} {{ id: ID! }}`"),
                };
                let place = self.places.of(shape.name.location());
                report.add(&place, SchemaProblem::UnknownType { name }, remedy);
                None
            }
        }
    }

    /// The line that makes a relation of a field that has none, with the keys that look right.
    fn relation_to_write(&self, raw: &RawType<'d>, definition: &FieldDefinition, target: TypeId) -> String {
        let target = self.definitions.types.get(target.0 as usize);
        let has = |raw: &RawType<'_>, name: &str| raw.fields.iter().any(|field| field.name == name);
        let key_of = |raw: &RawType<'_>| format!("{}Id", names::root_names(raw.name, None).0);
        let (field, reference) = match target {
            Some(target) if has(raw, &key_of(target)) && has(target, &key_of(target)) => {
                (key_of(target), key_of(target))
            }
            Some(target) if has(raw, &key_of(raw)) && has(target, &key_of(raw)) => (key_of(raw), key_of(raw)),
            Some(target) => (key_of(target), "id".to_owned()),
            None => ("id".to_owned(), "id".to_owned()),
        };
        let (name, ty) = (&definition.name, &definition.ty);
        format!("write `{name}: {ty} @relation(fields: [\"{field}\"], references: [\"{reference}\"])`")
    }
}

fn check_field_name(owner: &str, name: &str, place: &Place, report: &mut Report<'_>) -> Option<()> {
    if name.starts_with("__") {
        report.add(place, SchemaProblem::ReservedName { name: name.to_owned() }, "rename the field");
        return None;
    }
    if super::keys::COMBINATORS.contains(&name) {
        let problem = SchemaProblem::CombinatorName { owner: owner.to_owned(), field: name.to_owned() };
        report.add(place, problem, "rename the field");
        return None;
    }
    Some(())
}

fn kind_of(raw: &RawType<'_>) -> TypeKind {
    if raw.is_interface {
        TypeKind::Interface
    } else if raw.fields.iter().any(|field| field.name == "id") {
        TypeKind::Asset
    } else {
        TypeKind::Embedded
    }
}

fn type_id(at: usize) -> TypeId {
    TypeId(u32::try_from(at).unwrap_or(u32::MAX))
}

fn shape_of(ty: &Type) -> Option<Shape<'_>> {
    let item = |inner: &Type| match inner {
        Type::Named(_) => Some(ListShape { nullable_items: true }),
        Type::NonNullNamed(_) => Some(ListShape { nullable_items: false }),
        Type::List(_) | Type::NonNullList(_) => None,
    };
    let list = match ty {
        Type::Named(_) | Type::NonNullNamed(_) => None,
        Type::List(inner) | Type::NonNullList(inner) => Some(item(inner)?),
    };
    Some(Shape { name: ty.inner_named_type(), nullable: !ty.is_non_null(), list })
}
