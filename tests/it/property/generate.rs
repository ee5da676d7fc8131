//! Random worlds: a schema, rows that fit it, and filters over it. Alphabets are tiny, so that values meet.

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

/// A derived relation; `fields` and `references` are pairs of stored fields (or `id`), or there are paths instead.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) pairs: Vec<(String, String)>,
    pub(super) paths: Vec<Vec<String>>,
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
    /// The filter behind the computed field `flag`, which the interface has as a plain Boolean.
    pub(super) flag: Option<Object>,
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
    Computed {
        negated: bool,
        operand: bool,
    },
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
            Type {
                name: format!("Kind{}", ["A", "B", "C"][index]),
                stored: fields,
                relations: Vec::new(),
                flag: None,
            }
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
            of.relations.push(Relation { name: format!("rel{at}"), pairs, paths: Vec::new(), many, target });
        }
    }
    add_paths(random, &mut types);
    let rows = rows(random, &types);
    let mut world = World { types, common, rows };
    // Only now, so that no computed field rests on another in a circle.
    let flags: Vec<Object> = (0..count).map(|of| object(random, &world, Target::Type(of), 1)).collect();
    for (of, flag) in world.types.iter_mut().zip(flags) {
        of.flag = Some(flag);
    }
    world
}

/// Relations that follow others: two hops, and all of one hop that end at the same type.
fn add_paths(random: &mut Rng, types: &mut [Type]) {
    let before = types.to_vec();
    for of in types.iter_mut() {
        let first = random.choice(of.relations.iter()).unwrap().clone();
        let Target::Type(middle) = first.target else { continue };
        let second = random.choice(before[middle].relations.iter()).unwrap();
        let mut paths = vec![vec![first.name, second.name.clone()]];
        let direct = of.relations.iter().filter(|relation| relation.target == second.target);
        paths.extend(direct.filter(|_| random.bool()).map(|relation| vec![relation.name.clone()]));
        let target = second.target;
        of.relations.push(Relation { name: "path".to_owned(), pairs: Vec::new(), paths, many: true, target });
    }
}

fn stored(name: &str, kind: Kind) -> Stored {
    Stored { name: name.to_owned(), kind }
}

fn rows(random: &mut Rng, types: &[Type]) -> Vec<Row> {
    // Ids are unique in the whole world: which of two assets of one id an interface means is another matter.
    let total = random.usize(0..16);
    let mut rows: Vec<Row> = (0..total).map(|number| row(random, types, number, total)).collect();
    random.shuffle(&mut rows);
    rows
}

fn row(random: &mut Rng, types: &[Type], number: usize, total: usize) -> Row {
    let of = random.usize(0..types.len());
    let mut fields = Map::new();
    for field in &types[of].stored {
        let value = match (field.name.as_str(), random.u8(0..4)) {
            (_, 0) => continue,
            ("one" | "other", _) => json!(id(random.usize(0..total + 1))),
            ("keys", _) => (0..random.usize(0..4)).map(|_| json!(id(random.usize(0..total + 1)))).collect(),
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
    Row { of, typename: types[of].name.clone(), id: id(number), fields }
}

pub(super) fn id(number: usize) -> String {
    format!("x{number:02}")
}

impl World {
    /// The same types over other rows: some are gone, others new, before and behind those that stayed.
    pub(super) fn later(&self, random: &mut Rng) -> Self {
        let total = self.rows.len();
        let mut rows: Vec<Row> = self.rows.iter().filter(|_| random.u8(0..5) > 0).cloned().collect();
        for at in 0..random.usize(0..6) {
            let mut new = row(random, &self.types, total, total + 6);
            // Between the ids there are, and before all of them.
            new.id = if random.bool() {
                format!("w{at}")
            } else {
                format!("{}a{at}", id(random.usize(0..total + 1)))
            };
            rows.push(new);
        }
        World { types: self.types.clone(), common: self.common.clone(), rows }
    }

    pub(super) fn sdl(&self) -> String {
        let mut sdl =
            String::from("enum Colour { RED GREEN BLUE }\ntype Tag { key: String! value: String }\n");
        let field = |stored: &Stored| format!("  {}: {}\n", stored.name, stored.kind.sdl());
        let common: String = self.common.iter().map(field).collect();
        let _ = writeln!(sdl, "interface Thing {{\n  id: ID!\n  tags: [Tag!]!\n  flag: Boolean!\n{common}}}");
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
                if !relation.paths.is_empty() {
                    let paths: Vec<String> = relation.paths.iter().map(|path| path.join(".")).collect();
                    let paths = list(paths.iter().map(String::as_str).collect());
                    let _ = writeln!(sdl, "  {}: {shape} @relation(paths: {paths})", relation.name);
                    continue;
                }
                let fields = list(relation.pairs.iter().map(|(own, _)| own.as_str()).collect());
                let references = list(relation.pairs.iter().map(|(_, theirs)| theirs.as_str()).collect());
                let _ = writeln!(
                    sdl,
                    "  {}: {shape} @relation(fields: {fields}, references: {references})",
                    relation.name
                );
            }
            let filter = json!(object_text(of.flag.as_ref().unwrap()));
            let _ = writeln!(sdl, "  flag: Boolean! @computed(where: {filter})\n}}");
        }
        sdl
    }

    pub(super) fn name_of(&self, target: Target) -> &str {
        match target {
            Target::Type(of) => &self.types[of].name,
            Target::Interface => "Thing",
        }
    }

    pub(super) fn fields_of(&self, target: Target) -> Vec<Stored> {
        let mut fields = match target {
            Target::Type(of) => self.types[of].stored.clone(),
            Target::Interface => self.common.clone(),
        };
        fields.push(stored("id", Kind::Id));
        fields
    }
}

/// A random `where`.
pub(super) fn object(random: &mut Rng, world: &World, target: Target, depth: usize) -> Object {
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
        10 if world.types[0].flag.is_some() => {
            Key::Computed { negated: random.bool(), operand: random.bool() }
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
            Key::Computed { negated, .. } => if *negated { "flag_NOT" } else { "flag" }.to_owned(),
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
            Key::Computed { operand, .. } => operand.to_string(),
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

pub(super) fn object_text(object: &Object) -> String {
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
