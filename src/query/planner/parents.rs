//! The types that selections are written against: the query root, the types of the catalog, and those generated beside
//! them. What lies below a field follows from the type it is a field of.

use super::super::{
    actions::{Act, CHANGE_FIELDS, FINDING, FINDING_CHANGE, MUTATION, SUBSCRIPTION, Watch},
    names,
};
use crate::catalog::{
    Catalog, FieldKind, SCALARS_WITH_FIGURES, ScalarType, TypeDef, TypeId, TypeKind, figures,
};

/// A type that selections are written against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    Root,
    /// A type of the catalog.
    Type(TypeId),
    /// `VpcsConnection`
    Connection(TypeId),
    /// `VpcEdge`
    Edge(TypeId),
    /// `PageInfo`
    PageInfo,
    /// `VpcAggregation`
    Aggregation(TypeId),
    /// `VpcFigures`
    Figures(TypeId),
    /// `IntFigures`
    ScalarFigures(ScalarType),
    /// `VpcGroup`
    Group(TypeId),
    /// `VpcGroupKey`
    GroupKey(TypeId),
    /// `SearchHit`
    SearchHit,
    /// `SearchedAsset`: any asset type.
    SearchedAsset,
    Mutation,
    Subscription,
    /// `FindingChange`
    FindingChange,
}

/// What a field of the query root asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Many(TypeId),
    One(TypeId),
    Connection(TypeId),
    Aggregate(TypeId),
    Group(TypeId),
    Search,
}

/// A field beside a relation: the relation's name, and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Connection,
    Aggregate,
}

/// The types with root fields.
fn rooted(catalog: &Catalog) -> impl Iterator<Item = (TypeId, &TypeDef)> {
    catalog.iter().filter(|(_, definition)| definition.kind != TypeKind::Embedded)
}

impl Root {
    /// Understands the name of a root field.
    pub(super) fn find(catalog: &Catalog, name: &str) -> Option<Self> {
        if name == names::SEARCH {
            return Some(Self::Search);
        }
        rooted(catalog).find_map(|(id, definition)| {
            if definition.singular == name {
                return Some(Self::One(id));
            }
            match name.strip_prefix(definition.plural.as_str())? {
                "" => Some(Self::Many(id)),
                "Connection" => Some(Self::Connection(id)),
                "Aggregate" => Some(Self::Aggregate(id)),
                "Group" => Some(Self::Group(id)),
                _ => None,
            }
        })
    }

    /// Every name of a root field, for messages that name the nearest.
    pub(super) fn names(catalog: &Catalog) -> Vec<String> {
        let mut all = vec![names::SEARCH.to_owned()];
        for (_, TypeDef { singular, plural, .. }) in rooted(catalog) {
            all.extend([singular.clone(), plural.clone()]);
            all.extend(["Connection", "Aggregate", "Group"].map(|suffix| format!("{plural}{suffix}")));
        }
        all
    }

    /// What selections below it are written against.
    fn below(self) -> Parent {
        match self {
            Self::Many(id) | Self::One(id) => Parent::Type(id),
            Self::Connection(id) => Parent::Connection(id),
            Self::Aggregate(id) => Parent::Aggregation(id),
            Self::Group(id) => Parent::Group(id),
            Self::Search => Parent::SearchHit,
        }
    }
}

impl Beside {
    /// Understands a field that is none of the type itself: a relation's connection or aggregate.
    pub(super) fn find<'n>(definition: &TypeDef, name: &'n str) -> Option<(&'n str, TypeId, Self)> {
        let found = |suffix: &str, beside: Self| {
            let relation = name.strip_suffix(suffix)?;
            match definition.find(relation)?.1.kind {
                FieldKind::Relation { target, many, .. } if many || beside == Self::Aggregate => {
                    Some((relation, target, beside))
                }
                _ => None,
            }
        };
        found("Connection", Self::Connection).or_else(|| found("Aggregate", Self::Aggregate))
    }

    /// Every such name of a type.
    pub(super) fn names(definition: &TypeDef) -> Vec<String> {
        let mut all = Vec::new();
        for field in &definition.fields {
            if let FieldKind::Relation { many, .. } = field.kind {
                all.push(format!("{}Aggregate", field.name));
                if many {
                    all.push(format!("{}Connection", field.name));
                }
            }
        }
        all
    }
}

impl Parent {
    /// The type of this name, as fragments write it.
    pub(super) fn find(catalog: &Catalog, name: &str) -> Option<Self> {
        match name {
            "Query" => return Some(Self::Root),
            names::PAGE_INFO => return Some(Self::PageInfo),
            names::SEARCH_HIT => return Some(Self::SearchHit),
            names::SEARCHED_ASSET => return Some(Self::SearchedAsset),
            MUTATION => return Some(Self::Mutation),
            SUBSCRIPTION => return Some(Self::Subscription),
            FINDING_CHANGE => return Some(Self::FindingChange),
            _ => {}
        }
        if let Some((id, _)) = catalog.find(name) {
            return Some(Self::Type(id));
        }
        let of_scalar = |scalar: &ScalarType| names::scalar_figures(*scalar) == Some(name);
        if let Some(scalar) = SCALARS_WITH_FIGURES.into_iter().find(of_scalar) {
            return Some(Self::ScalarFigures(scalar));
        }
        let parents = rooted(catalog).flat_map(|(id, _)| {
            [
                Self::Connection(id),
                Self::Edge(id),
                Self::Aggregation(id),
                Self::Figures(id),
                Self::Group(id),
                Self::GroupKey(id),
            ]
        });
        parents.into_iter().find(|parent| parent.name(catalog) == name)
    }

    /// The name of the type.
    pub(super) fn name(self, catalog: &Catalog) -> String {
        match self {
            Self::Root => "Query".to_owned(),
            Self::Type(id) => catalog.get(id).name.clone(),
            Self::Connection(id) => names::connection(catalog.get(id)),
            Self::Edge(id) => names::edge(catalog.get(id)),
            Self::PageInfo => names::PAGE_INFO.to_owned(),
            Self::Aggregation(id) => names::aggregation(catalog.get(id)),
            Self::Figures(id) => names::figures(catalog.get(id)),
            Self::ScalarFigures(scalar) => names::scalar_figures(scalar).unwrap_or_default().to_owned(),
            Self::Group(id) => names::group(catalog.get(id)),
            Self::GroupKey(id) => names::group_key(catalog.get(id)),
            Self::SearchHit => names::SEARCH_HIT.to_owned(),
            Self::SearchedAsset => names::SEARCHED_ASSET.to_owned(),
            Self::Mutation => MUTATION.to_owned(),
            Self::Subscription => SUBSCRIPTION.to_owned(),
            Self::FindingChange => FINDING_CHANGE.to_owned(),
        }
    }

    /// The fields of a generated type; those of the catalog's types are the catalog's.
    pub(super) fn fields(self, catalog: &Catalog) -> Vec<String> {
        let fixed = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let with_figures = |id: TypeId| {
            let fields = catalog.get(id).fields.iter().filter(|field| !figures(field).is_empty());
            fields.map(|field| field.name.clone())
        };
        match self {
            Self::Root => Root::names(catalog),
            Self::Type(id) => {
                let definition = catalog.get(id);
                let mut all: Vec<String> = definition.fields.iter().map(|field| field.name.clone()).collect();
                all.extend(Beside::names(definition));
                all
            }
            Self::Connection(_) => fixed(&["totalCount", "pageInfo", "edges"]),
            Self::Edge(_) => fixed(&["cursor", "node"]),
            Self::PageInfo => fixed(&["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]),
            Self::Aggregation(id) => {
                ["count".to_owned(), "node".to_owned()].into_iter().chain(with_figures(id)).collect()
            }
            Self::Figures(id) => with_figures(id).collect(),
            Self::ScalarFigures(scalar) => match scalar {
                ScalarType::String | ScalarType::Id => fixed(&["shortest", "longest"]),
                ScalarType::DateTime | ScalarType::Date => fixed(&["min", "max"]),
                _ => fixed(&["min", "max", "average", "sum"]),
            },
            Self::Group(_) => fixed(&["key", "count"]),
            Self::GroupKey(id) => names::group_keys(catalog.get(id)),
            Self::SearchHit => fixed(&["typename", "id", "name", "field", "asset"]),
            Self::SearchedAsset => fixed(&["id"]),
            Self::Mutation => Act::all(catalog).map(|(act, _)| act.name().to_owned()).collect(),
            Self::Subscription => Watch::all(catalog).map(|(watch, _)| watch.name().to_owned()).collect(),
            Self::FindingChange => fixed(&CHANGE_FIELDS),
        }
    }

    /// What selections below a field are written against; nothing where the field is none or a single value.
    pub(super) fn below(self, catalog: &Catalog, field: &str) -> Option<Self> {
        match self {
            Self::Root => Root::find(catalog, field).map(Root::below),
            Self::Type(id) => {
                let definition = catalog.get(id);
                match definition.find(field).map(|(_, field)| &field.kind) {
                    Some(FieldKind::Relation { target, .. }) => Some(Self::Type(*target)),
                    Some(FieldKind::Embedded { of, .. }) => Some(Self::Type(*of)),
                    Some(_) => None,
                    None => Beside::find(definition, field).map(|(_, target, beside)| match beside {
                        Beside::Connection => Self::Connection(target),
                        Beside::Aggregate => Self::Aggregation(target),
                    }),
                }
            }
            Self::Connection(id) => match field {
                "pageInfo" => Some(Self::PageInfo),
                "edges" => Some(Self::Edge(id)),
                _ => None,
            },
            Self::Edge(id) => (field == "node").then_some(Self::Type(id)),
            Self::Aggregation(id) | Self::Figures(id) => match (self, field) {
                (Self::Aggregation(_), "count") => None,
                (Self::Aggregation(_), "node") => Some(Self::Figures(id)),
                _ => match catalog.get(id).find(field)?.1.kind {
                    FieldKind::Scalar { scalar, list: None, .. } => Some(Self::ScalarFigures(scalar)),
                    _ => None,
                },
            },
            Self::Group(id) => (field == "key").then_some(Self::GroupKey(id)),
            Self::SearchHit => (field == "asset").then_some(Self::SearchedAsset),
            Self::Mutation => Act::find(catalog, field).map(|(_, of)| Self::Type(of)),
            Self::Subscription => Watch::find(catalog, field).map(|(watch, of)| match watch {
                Watch::FindingChanged => Self::FindingChange,
                Watch::CheckRunFinished => Self::Type(of),
            }),
            Self::FindingChange if field == FINDING => Watch::FindingChanged.of(catalog).map(Self::Type),
            Self::FindingChange => None,
            Self::PageInfo | Self::ScalarFigures(_) | Self::GroupKey(_) | Self::SearchedAsset => None,
        }
    }
}
