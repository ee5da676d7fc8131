//! Random queries over a world: lists, pages, figures, groups, each with what may stand below its rows.

use fastrand::Rng;

use super::generate::{Kind, Object, Relation, Stored, Target, World, object, object_text};

/// A key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SortBy {
    Stored(String),
    Flag,
    Count(String),
    /// A to-one relation, and a field of the asset there.
    Through(String, String),
}

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) filter: Object,
    pub(super) sort: Vec<(SortBy, bool)>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

/// What is shown of each row beside its own fields.
#[derive(Clone, Debug)]
pub(super) enum Below {
    List(Relation, Page),
    /// The first page of a relation's connection.
    Connection(Relation, Page),
    Aggregate(Relation, Object),
}

#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// A list, with something below each row.
    List(Page, Option<Below>),
    /// A connection, walked page by page.
    Connection(Page),
    Aggregate(Object),
    Group {
        filter: Object,
        by: Vec<String>,
        /// A place in `by`, or the count.
        sort: Vec<(Option<usize>, bool)>,
        limit: Option<usize>,
    },
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) target: Target,
    pub(super) ask: Ask,
}

/// A random query over a world.
pub(super) fn query(random: &mut Rng, world: &World) -> Query {
    let target = match random.usize(0..world.types.len() + 1) {
        of if of < world.types.len() => Target::Type(of),
        _ => Target::Interface,
    };
    let ask = match random.u8(0..8) {
        0 => Ask::Aggregate(object(random, world, target, 2)),
        1 => group(random, world, target),
        2 | 3 => Ask::Connection(Page { offset: 0, ..page(random, world, target, 2) }),
        _ => Ask::List(page(random, world, target, 3), below(random, world, target)),
    };
    Query { target, ask }
}

fn below(random: &mut Rng, world: &World, target: Target) -> Option<Below> {
    let Target::Type(of) = target else { return None };
    let relation = random.choice(world.types[of].relations.iter()).unwrap().clone();
    let page = page(random, world, relation.target, 1);
    match random.u8(0..6) {
        0 | 1 => Some(Below::List(relation, page)),
        2 if relation.many => Some(Below::Connection(relation, page)),
        3 => Some(Below::Aggregate(relation, page.filter)),
        _ => None,
    }
}

fn page(random: &mut Rng, world: &World, target: Target, depth: usize) -> Page {
    let mut sort: Vec<(SortBy, bool)> = Vec::new();
    for _ in 0..random.usize(0..3) {
        let by = sort_by(random, world, target);
        if sort.iter().all(|(earlier, _)| *earlier != by) {
            sort.push((by, random.bool()));
        }
    }
    Page {
        filter: object(random, world, target, depth),
        sort,
        limit: (random.u8(0..3) == 0).then(|| random.usize(0..6)),
        offset: if random.u8(0..4) == 0 { random.usize(0..4) } else { 0 },
    }
}

fn sort_by(random: &mut Rng, world: &World, target: Target) -> SortBy {
    let relations: &[Relation] = match target {
        Target::Type(of) => &world.types[of].relations,
        Target::Interface => &[],
    };
    let stored = |random: &mut Rng, target| {
        let fields: Vec<Stored> = world.fields_of(target);
        let single: Vec<&Stored> =
            fields.iter().filter(|field| !matches!(field.kind, Kind::StringList | Kind::Net)).collect();
        random.choice(single).unwrap().name.clone()
    };
    let to_one: Vec<&Relation> = relations.iter().filter(|relation| !relation.many).collect();
    match random.u8(0..6) {
        0 => SortBy::Flag,
        1 if !relations.is_empty() => SortBy::Count(random.choice(relations.iter()).unwrap().name.clone()),
        2 if !to_one.is_empty() => {
            let relation = random.choice(to_one).unwrap();
            SortBy::Through(relation.name.clone(), stored(random, relation.target))
        }
        _ => SortBy::Stored(stored(random, target)),
    }
}

fn group(random: &mut Rng, world: &World, target: Target) -> Ask {
    let mut names: Vec<String> = world
        .fields_of(target)
        .into_iter()
        .filter(|field| field.kind != Kind::StringList)
        .map(|field| field.name)
        .collect();
    names.push("flag".to_owned());
    if target == Target::Interface {
        names.push("typename".to_owned());
    }
    random.shuffle(&mut names);
    names.truncate(random.usize(1..3));
    let mut sort = Vec::new();
    if random.bool() {
        let places = [None, Some(random.usize(0..names.len()))];
        sort.push((*random.choice(places.iter()).unwrap(), random.bool()));
    }
    Ask::Group {
        filter: object(random, world, target, 1),
        by: names,
        sort,
        limit: (random.u8(0..3) == 0).then(|| random.usize(0..4)),
    }
}

impl SortBy {
    fn to_graphql(&self, descending: bool) -> String {
        let direction = if descending { "DESC" } else { "ASC" };
        match self {
            SortBy::Stored(name) => format!("{{{name}: {direction}}}"),
            SortBy::Flag => format!("{{flag: {direction}}}"),
            SortBy::Count(relation) => format!("{{{relation}Aggregate: {{count: {direction}}}}}"),
            SortBy::Through(relation, name) => format!("{{{relation}: {{{name}: {direction}}}}}"),
        }
    }
}

impl Page {
    fn sort_text(&self, wrap: impl Fn(String) -> String) -> Option<String> {
        let keys = self.sort.iter().map(|(by, descending)| wrap(by.to_graphql(*descending)));
        let keys: Vec<String> = keys.collect();
        (!keys.is_empty()).then(|| format!("sort: [{}]", keys.join(", ")))
    }

    fn to_graphql(&self) -> String {
        let mut arguments = vec![format!("where: {}", object_text(&self.filter))];
        arguments.extend(self.sort_text(|key| key));
        arguments.extend(self.limit.map(|limit| format!("limit: {limit}")));
        if self.offset > 0 {
            arguments.push(format!("offset: {}", self.offset));
        }
        format!("({})", arguments.join(", "))
    }

    /// The arguments of a relation's connection.
    fn to_nested_connection(&self) -> String {
        let mut arguments = vec![format!("where: {{node: {}}}", object_text(&self.filter))];
        arguments.extend(self.sort_text(|key| format!("{{node: {key}}}")));
        arguments.extend(self.limit.map(|first| format!("first: {first}")));
        format!("({})", arguments.join(", "))
    }

    /// One page of a connection at the root.
    pub(super) fn to_connection(&self, root: &str, first: usize, after: Option<&str>) -> String {
        let mut arguments = vec![format!("where: {}", object_text(&self.filter)), format!("first: {first}")];
        arguments.extend(self.sort_text(|key| key));
        arguments.extend(after.map(|after| format!("after: {after:?}")));
        format!(
            "{{ page: {root}Connection({}) {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor \
             endCursor }} edges {{ cursor node {{ id }} }} }} }}",
            arguments.join(", ")
        )
    }
}

/// The figures that are asked of every type.
pub(super) fn figures_text(stored: &[Stored]) -> String {
    let mut fields: Vec<String> = Vec::new();
    for field in stored {
        let figures = match field.kind {
            Kind::String | Kind::Id => "shortest longest",
            Kind::Int | Kind::Float | Kind::BigInt => "min max average sum",
            Kind::DateTime | Kind::Date => "min max",
            _ => continue,
        };
        fields.push(format!("{} {{ {figures} }}", field.name));
    }
    format!("count {}", fields.join(" "))
}

impl Query {
    pub(super) fn root(&self, world: &World) -> String {
        match self.target {
            Target::Type(of) => format!("k{}s", &world.types[of].name[1..]),
            Target::Interface => "things".to_owned(),
        }
    }

    /// The query; of a connection the first page only.
    pub(super) fn to_graphql(&self, world: &World) -> String {
        let root = self.root(world);
        match &self.ask {
            Ask::Connection(page) => page.to_connection(&root, 2, None),
            Ask::Aggregate(filter) => format!(
                "{{ {root}Aggregate(where: {}) {{ {} }} }}",
                object_text(filter),
                figures_text(&world.fields_of(self.target))
            ),
            Ask::Group { filter, by, sort, limit } => {
                let mut arguments =
                    vec![format!("by: [{}]", by.join(", ")), format!("where: {}", object_text(filter))];
                let keys = sort.iter().map(|(place, descending)| {
                    let direction = if *descending { "DESC" } else { "ASC" };
                    match place {
                        None => format!("{{count: {direction}}}"),
                        Some(place) => format!("{{key: {{{}: {direction}}}}}", by[*place]),
                    }
                });
                arguments.push(format!("sort: [{}]", keys.collect::<Vec<_>>().join(", ")));
                arguments.extend(limit.map(|limit| format!("limit: {limit}")));
                let by = by.join(" ");
                format!("{{ {root}Group({}) {{ key {{ {by} }} count }} }}", arguments.join(", "))
            }
            Ask::List(page, below) => {
                let shown: Vec<String> = self.shown(world).into_iter().map(|field| field.name).collect();
                let below = below.as_ref().map_or_else(String::new, |below| below.to_graphql(world));
                format!(
                    "{{ {root}{} {{ __typename id flag {} tags {{ key value }} {below} }} }}",
                    page.to_graphql(),
                    shown.join(" ")
                )
            }
        }
    }

    /// The stored fields that the query shows.
    pub(super) fn shown(&self, world: &World) -> Vec<Stored> {
        let fields = world.fields_of(self.target);
        fields.into_iter().filter(|field| field.name != "id").collect()
    }
}

impl Below {
    fn to_graphql(&self, world: &World) -> String {
        match self {
            Below::List(relation, page) if relation.many => {
                format!("{}{} {{ id __typename }}", relation.name, page.to_graphql())
            }
            Below::List(relation, _) => format!("{} {{ id __typename }}", relation.name),
            Below::Connection(relation, page) => format!(
                "{}Connection{} {{ totalCount edges {{ node {{ id __typename }} }} pageInfo {{ hasNextPage }} }}",
                relation.name,
                page.to_nested_connection()
            ),
            Below::Aggregate(relation, filter) => format!(
                "{}Aggregate(where: {}) {{ {} }}",
                relation.name,
                object_text(filter),
                figures_text(&world.fields_of(relation.target))
            ),
        }
    }
}
