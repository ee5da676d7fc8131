//! Random worlds: a schema, rows that fit it, and queries over it. Alphabets are tiny, so that values meet.

use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Id,
    Int,
    Float,
    BigInt,
    Boolean,
    DateTime,
    Date,
    Enum,
    Net,
    StringList,
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A derived relation; `fields` and `references` are pairs of stored fields (or `id`).
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) pairs: Vec<(String, String)>,
    pub(super) many: bool,
    /// A type by place, or the interface.
    pub(super) target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Type(usize),
    Interface,
}

#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) stored: Vec<Stored>,
    pub(super) relations: Vec<Relation>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) types: Vec<Type>,
    /// The fields of the interface; every type has them.
    pub(super) common: Vec<Stored>,
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) of: usize,
    pub(super) typename: String,
    pub(super) id: String,
    pub(super) fields: Map<String, Value>,
}

impl Row {
    pub(super) fn to_json(&self) -> Value {
        let mut object = self.fields.clone();
        object.insert("__typename".to_owned(), json!(self.typename));
        object.insert("id".to_owned(), json!(self.id));
        Value::Object(object)
    }

    /// A stored value, `id` among them; null where there is none.
    pub(super) fn value(&self, name: &str) -> Value {
        match name {
            "id" => json!(self.id),
            _ => self.fields.get(name).cloned().unwrap_or(Value::Null),
        }
    }
}

/// One key of a `where` object.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Stored {
        name: String,
        kind: Kind,
        suffix: &'static str,
        operand: Value,
    },
    Combine {
        word: &'static str,
        members: Vec<Object>,
    },
    Not(Object),
    Typename(Vec<String>),
    Related {
        relation: Relation,
        suffix: &'static str,
        connection: bool,
        inner: Option<Object>,
    },
    Tags {
        suffix: &'static str,
        inner: Option<Vec<(&'static str, String)>>,
    },
    Count {
        relation: Relation,
        suffix: &'static str,
        number: i64,
    },
    Figure {
        relation: Relation,
        field: &'static str,
        figure: &'static str,
        suffix: &'static str,
        operand: Value,
    },
}

pub(super) type Object = Vec<Key>;

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) filter: Object,
    pub(super) sort: Vec<(String, bool)>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) target: Target,
    pub(super) page: Page,
    /// A relation shown below each row, with a page of its own.
    pub(super) below: Option<(Relation, Page)>,
}

const KINDS: [Kind; 11] = [
    Kind::String,
    Kind::Int,
    Kind::Float,
    Kind::BigInt,
    Kind::Boolean,
    Kind::DateTime,
    Kind::Date,
    Kind::Enum,
    Kind::Net,
    Kind::StringList,
    Kind::Id,
];

impl Kind {
    pub(super) fn sdl(self) -> &'static str {
        match self {
            Kind::String => "String",
            Kind::Id => "ID",
            Kind::Int => "Int",
            Kind::Float => "Float",
            Kind::BigInt => "BigInt",
            Kind::Boolean => "Boolean",
            Kind::DateTime => "DateTime",
            Kind::Date => "Date",
            Kind::Enum => "Colour",
            Kind::Net => "CIDR",
            Kind::StringList => "[String!]",
        }
    }

    fn value(self, random: &mut Rng) -> Value {
        match self {
            Kind::String | Kind::Id => {
                json!(*random.choice(["", "a", "ab", "aB", "b", "ä\"b", "ab\nc"].iter()).unwrap())
            }
            Kind::Int => json!(random.i64(-2..4)),
            Kind::Float => json!(*random.choice([-1.5, 0.0, 0.25, 2.0, 1e21].iter()).unwrap()),
            Kind::BigInt => {
                json!(random.choice(["-3", "0", "9007199254740993", "9007199254740992"].iter()).unwrap())
            }
            Kind::Boolean => json!(random.bool()),
            Kind::DateTime => {
                json!(
                    random
                        .choice(
                            [
                                "2024-01-01T00:00:00.000Z",
                                "2024-02-29T12:30:00.250Z",
                                "1969-12-31T23:59:59.999Z"
                            ]
                            .iter()
                        )
                        .unwrap()
                )
            }
            Kind::Date => json!(random.choice(["2024-01-01", "2024-02-29", "1969-12-31"].iter()).unwrap()),
            Kind::Enum => json!(random.choice(["RED", "GREEN", "BLUE"].iter()).unwrap()),
            Kind::Net => {
                json!(
                    random
                        .choice(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "192.168.0.0/16"].iter())
                        .unwrap()
                )
            }
            Kind::StringList => {
                let length = random.usize(0..3);
                (0..length).map(|_| Kind::String.value(random)).collect()
            }
        }
    }

    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Kind::String | Kind::Id => &[
                "",
                "_NOT",
                "_IN",
                "_NOT_IN",
                "_CONTAINS",
                "_NOT_CONTAINS",
                "_STARTS_WITH",
                "_NOT_STARTS_WITH",
                "_ENDS_WITH",
                "_NOT_ENDS_WITH",
                "_LT",
                "_LTE",
                "_GT",
                "_GTE",
            ],
            Kind::Int | Kind::Float | Kind::BigInt | Kind::DateTime | Kind::Date => {
                &["", "_NOT", "_IN", "_NOT_IN", "_LT", "_LTE", "_GT", "_GTE"]
            }
            Kind::Boolean => &["", "_NOT"],
            Kind::Enum => &["", "_NOT", "_IN", "_NOT_IN"],
            Kind::Net => &["", "_NOT", "_IN", "_NOT_IN", "_WITHIN", "_CONTAINS", "_OVERLAPS"],
            Kind::StringList => &["", "_NOT", "_INCLUDES", "_NOT_INCLUDES"],
        }
    }
}

/// A random world: types with relations of every shape, an interface over all of them, and rows with nulls.
pub(super) fn world(random: &mut Rng) -> World {
    let count = random.usize(1..4);
    let common: Vec<Stored> = vec![stored("label", Kind::String), stored("rank", Kind::Int)];
    let mut types: Vec<Type> = (0..count)
        .map(|index| {
            let mut fields = common.clone();
            for (at, kind) in KINDS.iter().enumerate() {
                if random.u8(0..3) > 0 {
                    fields.push(stored(&format!("f{at}"), *kind));
                }
            }
            fields.push(stored("one", Kind::Id));
            fields.push(stored("other", Kind::Id));
            fields.push(stored("keys", Kind::StringList));
            Type { name: format!("Kind{}", ["A", "B", "C"][index]), stored: fields, relations: Vec::new() }
        })
        .collect();
    for of in types.iter_mut() {
        for at in 0..random.usize(1..4) {
            let target = match random.usize(0..count + 1) {
                place if place < count => Target::Type(place),
                _ => Target::Interface,
            };
            let own = *random.choice(["id", "one", "other", "keys"].iter()).unwrap();
            let theirs = match target {
                Target::Type(_) => *random.choice(["id", "one", "keys", "other"].iter()).unwrap(),
                Target::Interface => "id",
            };
            let mut pairs = vec![(own.to_owned(), theirs.to_owned())];
            if random.u8(0..4) == 0 {
                pairs.push(("label".to_owned(), "label".to_owned()));
            }
            // To-one relations must find at most one asset: the other side is its id.
            let many = theirs != "id" || own == "keys" || random.bool();
            of.relations.push(Relation { name: format!("rel{at}"), pairs, many, target });
        }
    }
    let rows = rows(random, &types);
    World { types, common, rows }
}

fn stored(name: &str, kind: Kind) -> Stored {
    Stored { name: name.to_owned(), kind }
}

fn rows(random: &mut Rng, types: &[Type]) -> Vec<Row> {
    let mut rows = Vec::new();
    // Ids are unique in the whole world: which of two assets of one id an interface means is another matter.
    let mut next = 0;
    let total = random.usize(0..16);
    for _ in 0..total {
        let of = random.usize(0..types.len());
        let mut fields = Map::new();
        for field in &types[of].stored {
            let value = match (field.name.as_str(), random.u8(0..4)) {
                (_, 0) => continue,
                ("one" | "other", _) => json!(id(random.usize(0..total + 1))),
                ("keys", _) => {
                    (0..random.usize(0..4)).map(|_| json!(id(random.usize(0..total + 1)))).collect()
                }
                _ => field.kind.value(random),
            };
            fields.insert(field.name.clone(), value);
        }
        let tags: Vec<Value> = (0..random.usize(0..3))
            .map(|_| {
                let mut tag = Map::new();
                tag.insert("key".to_owned(), json!(random.choice(["env", "team"].iter()).unwrap()));
                if random.u8(0..4) > 0 {
                    tag.insert("value".to_owned(), json!(random.choice(["prod", "dev"].iter()).unwrap()));
                }
                Value::Object(tag)
            })
            .collect();
        fields.insert("tags".to_owned(), Value::Array(tags));
        rows.push(Row { of, typename: types[of].name.clone(), id: id(next), fields });
        next += 1;
    }
    random.shuffle(&mut rows);
    rows
}

fn id(number: usize) -> String {
    format!("x{number:02}")
}

impl World {
    pub(super) fn sdl(&self) -> String {
        let mut sdl =
            String::from("enum Colour { RED GREEN BLUE }\ntype Tag { key: String! value: String }\n");
        let field = |stored: &Stored| format!("  {}: {}\n", stored.name, stored.kind.sdl());
        let common: String = self.common.iter().map(field).collect();
        let _ = writeln!(sdl, "interface Thing {{\n  id: ID!\n  tags: [Tag!]!\n{common}}}");
        for of in &self.types {
            let _ = writeln!(sdl, "type {} implements Thing {{\n  id: ID!\n  tags: [Tag!]!", of.name);
            sdl.extend(of.stored.iter().map(field));
            for relation in &of.relations {
                let target = self.name_of(relation.target);
                let shape = if relation.many { format!("[{target}!]!") } else { target.to_owned() };
                let list = |side: Vec<&str>| {
                    format!(
                        "[{}]",
                        side.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
                    )
                };
                let fields = list(relation.pairs.iter().map(|(own, _)| own.as_str()).collect());
                let references = list(relation.pairs.iter().map(|(_, theirs)| theirs.as_str()).collect());
                let _ = writeln!(
                    sdl,
                    "  {}: {shape} @relation(fields: {fields}, references: {references})",
                    relation.name
                );
            }
            sdl.push_str("}\n");
        }
        sdl
    }

    pub(super) fn name_of(&self, target: Target) -> &str {
        match target {
            Target::Type(of) => &self.types[of].name,
            Target::Interface => "Thing",
        }
    }

    fn fields_of(&self, target: Target) -> Vec<Stored> {
        let mut fields = match target {
            Target::Type(of) => self.types[of].stored.clone(),
            Target::Interface => self.common.clone(),
        };
        fields.push(stored("id", Kind::Id));
        fields
    }
}

/// A random query over a world.
pub(super) fn query(random: &mut Rng, world: &World) -> Query {
    let target = any_target(random, world);
    let below = match target {
        Target::Type(of) if random.bool() => {
            let relation = random.choice(world.types[of].relations.iter()).unwrap().clone();
            let page = page(random, world, relation.target, 1);
            Some((relation, page))
        }
        _ => None,
    };
    Query { target, page: page(random, world, target, 3), below }
}

fn any_target(random: &mut Rng, world: &World) -> Target {
    match random.usize(0..world.types.len() + 1) {
        of if of < world.types.len() => Target::Type(of),
        _ => Target::Interface,
    }
}

fn page(random: &mut Rng, world: &World, target: Target, depth: usize) -> Page {
    let sortable: Vec<Stored> = world
        .fields_of(target)
        .into_iter()
        .filter(|field| !matches!(field.kind, Kind::StringList | Kind::Net))
        .collect();
    let mut sort = Vec::new();
    for _ in 0..random.usize(0..3) {
        let name = random.choice(sortable.iter()).unwrap().name.clone();
        if sort.iter().all(|(earlier, _)| *earlier != name) {
            sort.push((name, random.bool()));
        }
    }
    Page {
        filter: object(random, world, target, depth),
        sort,
        limit: (random.u8(0..3) == 0).then(|| random.usize(0..6)),
        offset: if random.u8(0..4) == 0 { random.usize(0..4) } else { 0 },
    }
}

fn object(random: &mut Rng, world: &World, target: Target, depth: usize) -> Object {
    let mut keys: Object = Vec::new();
    for _ in 0..*random.choice([0, 1, 1, 1, 2].iter()).unwrap() {
        let next = key(random, world, target, depth);
        if keys.iter().all(|earlier| earlier.name() != next.name()) {
            keys.push(next);
        }
    }
    keys
}

fn key(random: &mut Rng, world: &World, target: Target, depth: usize) -> Key {
    let relations: &[Relation] = match target {
        Target::Type(of) => &world.types[of].relations,
        Target::Interface => &[],
    };
    match random.u8(0..12) {
        0..=1 if depth > 0 => {
            let members = (0..random.usize(0..3)).map(|_| object(random, world, target, depth - 1)).collect();
            Key::Combine { word: if random.bool() { "AND" } else { "OR" }, members }
        }
        2 if depth > 0 => Key::Not(object(random, world, target, depth - 1)),
        3..=5 if depth > 0 && !relations.is_empty() => {
            let relation = random.choice(relations.iter()).unwrap().clone();
            let connection = relation.many && random.u8(0..5) == 0;
            let suffix = match relation.many {
                true => *random.choice(["", "_SOME", "_NONE", "_NOT", "_ALL", "_SINGLE"].iter()).unwrap(),
                false => *random.choice(["", "_NOT"].iter()).unwrap(),
            };
            let is_null = matches!(suffix, "" | "_NOT") && random.u8(0..4) == 0;
            let inner = (!is_null).then(|| object(random, world, relation.target, depth - 1));
            Key::Related { relation, suffix, connection, inner }
        }
        6 => {
            let suffix = *random.choice(["", "_SOME", "_NONE", "_NOT", "_ALL", "_SINGLE"].iter()).unwrap();
            let is_null = matches!(suffix, "" | "_NOT") && random.u8(0..4) == 0;
            let inner = (!is_null).then(|| {
                let mut pairs = vec![("key", (*random.choice(["env", "team"].iter()).unwrap()).to_owned())];
                if random.bool() {
                    pairs.push(("value", (*random.choice(["prod", "dev"].iter()).unwrap()).to_owned()));
                }
                pairs
            });
            Key::Tags { suffix, inner }
        }
        7 if !relations.is_empty() => {
            let relation = random.choice(relations.iter()).unwrap().clone();
            let suffix = *random.choice(["", "_LT", "_LTE", "_GT", "_GTE"].iter()).unwrap();
            match random.u8(0..3) {
                0 => Key::Count { relation, suffix, number: random.i64(0..4) },
                1 => {
                    let figure = *random.choice(["_MIN", "_MAX", "_SUM", "_AVERAGE", ""].iter()).unwrap();
                    let suffix = if suffix.is_empty() { "_EQUAL" } else { suffix };
                    Key::Figure { relation, field: "rank", figure, suffix, operand: json!(random.i64(-3..5)) }
                }
                _ => {
                    let figure = *random
                        .choice(["_SHORTEST_LENGTH", "_LONGEST_LENGTH", "_AVERAGE_LENGTH"].iter())
                        .unwrap();
                    let suffix = if suffix.is_empty() { "_EQUAL" } else { suffix };
                    Key::Figure { relation, field: "label", figure, suffix, operand: json!(random.i64(0..4)) }
                }
            }
        }
        9 if depth > 0 && relations.iter().any(|relation| relation.many) => {
            // The shape of the stored check, and its neighbours: where rewrite rules apply.
            let many: Vec<&Relation> = relations.iter().filter(|relation| relation.many).collect();
            let relation = (*random.choice(many.iter()).unwrap()).clone();
            let suffix = *random.choice(["_NONE", "_NONE", "_SOME", "_ALL", "_SINGLE"].iter()).unwrap();
            let inner = object(random, world, relation.target, depth - 1);
            let related =
                |suffix, inner| Key::Related { relation: relation.clone(), suffix, connection: false, inner };
            let word = if random.u8(0..4) == 0 { "AND" } else { "OR" };
            Key::Combine { word, members: vec![vec![related("", None)], vec![related(suffix, Some(inner))]] }
        }
        8 if target == Target::Interface => {
            Key::Typename(world.types.iter().filter(|_| random.bool()).map(|of| of.name.clone()).collect())
        }
        _ => stored_key(random, &world.fields_of(target)),
    }
}

fn stored_key(random: &mut Rng, fields: &[Stored]) -> Key {
    let field = random.choice(fields.iter()).unwrap().clone();
    let suffix = *random.choice(field.kind.suffixes().iter()).unwrap();
    let value = |random: &mut Rng, kind: Kind| match field.name.as_str() {
        "id" | "one" | "other" | "keys" => json!(id(random.usize(0..8))),
        _ => kind.value(random),
    };
    let operand = match (suffix, field.kind) {
        ("" | "_NOT", _) if random.u8(0..4) == 0 => Value::Null,
        ("_IN" | "_NOT_IN", kind) => (0..random.usize(0..4))
            .map(|_| if random.u8(0..6) == 0 { Value::Null } else { value(random, kind) })
            .collect(),
        ("_INCLUDES" | "_NOT_INCLUDES", _) => value(random, Kind::String),
        ("" | "_NOT", Kind::StringList) => {
            (0..random.usize(0..3)).map(|_| value(random, Kind::String)).collect()
        }
        (_, kind) => value(random, kind),
    };
    Key::Stored { name: field.name, kind: field.kind, suffix, operand }
}

impl Key {
    fn name(&self) -> String {
        match self {
            Key::Stored { name, suffix, .. } => format!("{name}{suffix}"),
            Key::Combine { word, .. } => (*word).to_owned(),
            Key::Not(_) => "NOT".to_owned(),
            Key::Typename(_) => "typename_IN".to_owned(),
            Key::Related { relation, suffix, connection, .. } => {
                format!("{}{}{suffix}", relation.name, if *connection { "Connection" } else { "" })
            }
            Key::Tags { suffix, .. } => format!("tags{suffix}"),
            Key::Count { relation, .. } | Key::Figure { relation, .. } => {
                format!("{}Aggregate", relation.name)
            }
        }
    }

    fn to_graphql(&self) -> String {
        let value = match self {
            Key::Stored { kind, operand, .. } => literal(*kind, operand),
            Key::Combine { members, .. } => {
                format!("[{}]", members.iter().map(object_text).collect::<Vec<_>>().join(", "))
            }
            Key::Not(inner) => object_text(inner),
            Key::Typename(names) => format!("[{}]", names.join(", ")),
            Key::Related { inner: None, .. } | Key::Tags { inner: None, .. } => "null".to_owned(),
            Key::Related { inner: Some(inner), connection: true, .. } => {
                format!("{{node: {}}}", object_text(inner))
            }
            Key::Related { inner: Some(inner), .. } => object_text(inner),
            Key::Tags { inner: Some(pairs), .. } => {
                let pairs: Vec<String> =
                    pairs.iter().map(|(key, value)| format!("{key}: {value:?}")).collect();
                format!("{{{}}}", pairs.join(", "))
            }
            Key::Count { suffix, number, .. } => format!("{{count{suffix}: {number}}}"),
            Key::Figure { field, figure, suffix, operand, .. } => {
                format!("{{node: {{{field}{figure}{suffix}: {operand}}}}}")
            }
        };
        format!("{}: {value}", self.name())
    }
}

fn object_text(object: &Object) -> String {
    format!("{{{}}}", object.iter().map(Key::to_graphql).collect::<Vec<_>>().join(", "))
}

fn literal(kind: Kind, value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| literal(kind, item)).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) if kind == Kind::Enum => text.clone(),
        other => other.to_string(),
    }
}

impl Page {
    fn to_graphql(&self) -> String {
        let mut arguments = vec![format!("where: {}", object_text(&self.filter))];
        if !self.sort.is_empty() {
            let keys: Vec<String> = self
                .sort
                .iter()
                .map(|(name, descending)| format!("{{{name}: {}}}", if *descending { "DESC" } else { "ASC" }))
                .collect();
            arguments.push(format!("sort: [{}]", keys.join(", ")));
        }
        if let Some(limit) = self.limit {
            arguments.push(format!("limit: {limit}"));
        }
        if self.offset > 0 {
            arguments.push(format!("offset: {}", self.offset));
        }
        format!("({})", arguments.join(", "))
    }
}

impl Query {
    pub(super) fn to_graphql(&self, world: &World) -> String {
        let root = match self.target {
            Target::Type(of) => format!("k{}s", &world.types[of].name[1..]),
            Target::Interface => "things".to_owned(),
        };
        let shown: Vec<String> = self.shown(world).into_iter().map(|field| field.name).collect();
        let below = match &self.below {
            None => String::new(),
            Some((relation, page)) if relation.many => {
                format!(" {}{} {{ id __typename }}", relation.name, page.to_graphql())
            }
            Some((relation, _)) => format!(" {} {{ id __typename }}", relation.name),
        };
        format!(
            "{{ {root}{} {{ __typename id {} tags {{ key value }}{below} }} }}",
            self.page.to_graphql(),
            shown.join(" ")
        )
    }

    /// The stored fields that the query shows.
    pub(super) fn shown(&self, world: &World) -> Vec<Stored> {
        let fields = world.fields_of(self.target);
        fields.into_iter().filter(|field| field.name != "id").collect()
    }
}
