//! The catalog's values: plain data, valid by construction (`read` refuses everything else).

/// A type's place in [`Catalog::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// A field's place in [`TypeDef::fields`]. The same name may stand at different places in different types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

/// An enum's place in [`Catalog::enums`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnumId(pub u32);

/// All types of a deployment.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(super) types: Vec<TypeDef>,
    pub(super) enums: Vec<EnumType>,
    pub(super) fingerprint: [u8; 32],
}

/// What kind of type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// An object type with `id: ID!`: its values are assets, with root fields.
    Asset,
    /// An interface with `id: ID!` over asset types, with root fields.
    Interface,
    /// An object type without an id, stored inside the asset that holds it (`Tag`).
    Embedded,
}

/// One type of the schema.
#[derive(Clone, Debug)]
pub struct TypeDef {
    /// As written in the SDL, e.g. `FlowLog`.
    pub name: String,
    /// Asset, interface or embedded.
    pub kind: TypeKind,
    /// The root field of one, e.g. `flowLog`.
    pub singular: String,
    /// The root field of many, e.g. `flowLogs`.
    pub plural: String,
    /// The description in the SDL.
    pub description: Option<String>,
    /// In the order of the SDL.
    pub fields: Vec<Field>,
    /// The interfaces it implements, in the order of the SDL.
    pub interfaces: Vec<TypeId>,
    /// For an interface, the asset types that implement it, by name; empty otherwise.
    pub implementors: Vec<TypeId>,
    /// `@limit`, if written.
    pub limit: Option<PageLimit>,
}

/// `@limit(default, max)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Rows when a query asks for no limit.
    pub default: Option<u32>,
    /// The most rows a query may get; a greater limit is lowered to it.
    pub max: Option<u32>,
}

/// One field of a type.
#[derive(Clone, Debug)]
pub struct Field {
    /// As written in the SDL.
    pub name: String,
    /// The description in the SDL.
    pub description: Option<String>,
    /// Whether null is allowed (for a list: whether the whole list may be null).
    pub nullable: bool,
    /// What it holds.
    pub kind: FieldKind,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum FieldKind {
    /// A stored scalar or enum, or a list of them.
    Scalar {
        /// Of what.
        scalar: ScalarType,
        /// Set for a list.
        list: Option<ListShape>,
        /// `@values(list)`: the known values of a string, for the lint.
        known_values: Vec<String>,
    },
    /// An embedded object or a list of them.
    Embedded {
        /// The embedded type.
        of: TypeId,
        /// Set for a list.
        list: Option<ListShape>,
    },
    /// Related assets, found by their keys when the graph is built.
    Relation {
        /// An asset type or an interface.
        target: TypeId,
        /// `[Vpc!]!` or `Vpc`.
        many: bool,
        /// How the two ends find each other.
        keys: RelationKeys,
    },
    /// `@computed(where)`: a Boolean, true where the filter holds.
    Computed {
        /// The filter as written, e.g. `{hasFlowLog_NONE: {}}`.
        filter: String,
    },
}

/// The shape of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListShape {
    /// Whether an element may be null.
    pub nullable_items: bool,
}

/// How a relation finds its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationKeys {
    /// `@relation(fields, references)`: equal pairs of (own field, field of the target), by name, since the target may
    /// be an interface whose implementors hold the field at different places. A list-valued field matches by any
    /// element; a null key relates to nothing.
    Fields(KeyPairs),
    /// `@relation(paths)`: the distinct union of other relations of the same type, each several hops long.
    Paths(Vec<Vec<String>>),
}

/// The keys of a relation, and where what they name would be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPairs {
    /// Own field and field of the target.
    pub pairs: Vec<(String, String)>,
    /// `anywhere: true`: assets of every account may be related, so that none is known to lack until all were asked.
    pub anywhere: bool,
}

/// The scalars of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// UTF-8 text.
    String,
    /// Text; an integer is read as its digits.
    Id,
    /// 32 bits, as GraphQL says.
    Int,
    /// 64 bits, read from an integer or a string, written as a string.
    BigInt,
    /// A finite double.
    Float,
    /// true or false.
    Boolean,
    /// A moment, written as UTC with milliseconds.
    DateTime,
    /// A day.
    Date,
    /// A prefix such as `10.0.0.0/16` or `fd00::/8`.
    Cidr,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// Any JSON, kept as it is; has no operators but `null`.
    Json,
    /// One of a fixed set of names.
    Enum(EnumId),
}

/// One enum of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumType {
    /// As written in the SDL.
    pub name: String,
    /// The description in the SDL.
    pub description: Option<String>,
    /// In the order of the SDL.
    pub values: Vec<String>,
}

impl Catalog {
    /// All types in the order of the SDL; [`TypeId`] is an index into it.
    #[must_use]
    pub fn types(&self) -> &[TypeDef] {
        &self.types
    }

    /// Tells whether two catalogs were read from the same files: their order and texts, not their names.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// All enums in the order of the SDL; [`EnumId`] is an index into it.
    #[must_use]
    pub fn enums(&self) -> &[EnumType] {
        &self.enums
    }

    /// Every type with its id.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &TypeDef)> {
        (0u32..).map(TypeId).zip(&self.types)
    }

    /// A type by id.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "a TypeId is only ever made by the catalog it indexes")]
    pub fn get(&self, id: TypeId) -> &TypeDef {
        &self.types[id.0 as usize]
    }

    /// An enum by id.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "an EnumId is only ever made by the catalog it indexes")]
    pub fn get_enum(&self, id: EnumId) -> &EnumType {
        &self.enums[id.0 as usize]
    }

    /// A type by name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(TypeId, &TypeDef)> {
        self.iter().find(|(_, definition)| definition.name == name)
    }

    /// An enum by name.
    #[must_use]
    pub fn find_enum(&self, name: &str) -> Option<EnumId> {
        (0u32..).map(EnumId).zip(&self.enums).find(|(_, known)| known.name == name).map(|(id, _)| id)
    }

    /// The asset types a value of this type can have: itself, or the implementors of an interface.
    #[must_use]
    pub fn concrete(&self, id: TypeId) -> Vec<TypeId> {
        let definition = self.get(id);
        match definition.kind {
            TypeKind::Interface => definition.implementors.clone(),
            TypeKind::Asset | TypeKind::Embedded => vec![id],
        }
    }

    /// The GraphQL name of a scalar or enum, e.g. `DateTime`, `CIDR`.
    #[must_use]
    pub fn scalar_name(&self, scalar: ScalarType) -> &str {
        match scalar {
            ScalarType::String => "String",
            ScalarType::Id => "ID",
            ScalarType::Int => "Int",
            ScalarType::BigInt => "BigInt",
            ScalarType::Float => "Float",
            ScalarType::Boolean => "Boolean",
            ScalarType::DateTime => "DateTime",
            ScalarType::Date => "Date",
            ScalarType::Cidr => "CIDR",
            ScalarType::IpAddress => "IPAddress",
            ScalarType::Json => "JSON",
            ScalarType::Enum(id) => &self.get_enum(id).name,
        }
    }
}

impl TypeDef {
    /// Every field with its id.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &Field)> {
        (0u32..).map(FieldId).zip(&self.fields)
    }

    /// A field by id.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "a FieldId is only ever used with the type that made it")]
    pub fn get(&self, id: FieldId) -> &Field {
        &self.fields[id.0 as usize]
    }

    /// A field by name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(FieldId, &Field)> {
        self.iter().find(|(_, field)| field.name == name)
    }
}
