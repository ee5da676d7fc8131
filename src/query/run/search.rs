//! Searches: a pattern over the dictionaries of ids, names and tags, each distinct text once; then the rows that hold
//! what was found. A whole match comes before the beginning of a text, and that before anything inside it.

use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use super::{
    super::{Search, SearchKind, names},
    eval::Evaluator,
    shape::{Part, Shape},
    write::{Halt, Path, Writer},
};
use crate::{
    catalog::{FieldId, FieldKind, ScalarType, TypeDef, TypeId},
    graph::{Column, Graph, Needle, TableId, TextData},
};

/// The fields that are searched, beside the id: a text `name`, and the texts in `tags`.
const NAME: &str = "name";
const TAGS: &str = "tags";

/// How well a text fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    Beginning,
    Inside,
}

/// The field that holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Id,
    Name,
    Tags,
}

impl Held {
    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => NAME,
            Self::Tags => TAGS,
        }
    }
}

/// An asset that holds the text.
#[derive(Clone, Copy, Debug)]
struct Hit {
    fit: Fit,
    held: Held,
    of: TypeId,
    table: TableId,
    row: u32,
}

/// A text to look for, whatever its case.
struct Wanted {
    raw: Regex,
    needle: Needle,
}

impl Wanted {
    /// Nothing where the text is too long for a pattern: then it is in no dictionary either way.
    fn new(text: &str) -> Option<Self> {
        let raw = RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build().ok()?;
        Some(Self { raw, needle: Needle::new(text, true)? })
    }

    /// The codes of a dictionary that hold it, and how.
    fn find(&self, text: &TextData) -> Vec<(u32, Fit)> {
        let fit = |code: u32| {
            let whole = text.text(code);
            // Once more over the raw text: what is found in an escape is not in it.
            let found = self.raw.find(&whole)?;
            Some(match (found.start(), found.end() == whole.len()) {
                (0, true) => Fit::Whole,
                (0, false) => Fit::Beginning,
                _ => Fit::Inside,
            })
        };
        let codes = text.codes_with(&self.needle).into_iter();
        codes.filter_map(|code| Some((code, fit(code)?))).collect()
    }
}

impl Evaluator<'_, '_> {
    fn hits(&self, search: &Search) -> Vec<Hit> {
        let graph: &Graph = self.world.graph;
        let Some(wanted) = Wanted::new(&search.text) else { return Vec::new() };
        let mut hits = Vec::new();
        for of in &search.types {
            let Some((table, _)) = graph.table_of(*of) else { continue };
            let mut best: FxHashMap<u32, (Fit, Held)> = FxHashMap::default();
            self.search_table(&wanted, table, &mut |row, fit, held| {
                let known = best.entry(row).or_insert((fit, held));
                *known = (*known).min((fit, held));
            });
            best.retain(|row, _| graph.table(table).holds(*row));
            let hit = |(row, (fit, held))| Hit { fit, held, of: *of, table, row };
            hits.extend(best.into_iter().map(hit));
        }
        let name = |hit: &Hit| graph.catalog().get(hit.of).name.as_str();
        let rank = |hit: &Hit| graph.table(hit.table).rank(hit.row);
        hits.sort_unstable_by(|one, other| {
            (one.fit, name(one), rank(one)).cmp(&(other.fit, name(other), rank(other)))
        });
        hits.truncate(search.limit.map_or(usize::MAX, |limit| limit as usize));
        hits
    }

    fn search_table(&self, wanted: &Wanted, id: TableId, found: &mut dyn FnMut(u32, Fit, Held)) {
        let graph = self.world.graph;
        let table = graph.table(id);
        let definition = graph.catalog().get(table.of);
        let mut texts = vec![(table.id, Held::Id)];
        texts.push((text_field(definition, NAME), Held::Name));
        for (field, held) in texts {
            let Some(text) = field.and_then(|field| table.column(field).text_data()) else { continue };
            for (code, fit) in wanted.find(text) {
                for &row in text.rows_of(code) {
                    found(row, fit, held);
                }
            }
        }
        let Some(tags) = definition.find(TAGS).filter(|(_, field)| is_embedded(&field.kind)) else { return };
        for link in table.column(tags.0).links() {
            let objects = graph.table(link.table);
            for (field, _) in graph.catalog().get(link.of).iter().filter(|(_, field)| is_text(&field.kind)) {
                let column: &Column = objects.column(field);
                let Some(text) = column.text_data() else { continue };
                for (code, fit) in wanted.find(text) {
                    for &object in text.rows_of(code) {
                        for &row in link.adjacency.backward.of(object) {
                            found(row, fit, Held::Tags);
                        }
                    }
                }
            }
        }
    }
}

fn is_text(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Scalar { scalar: ScalarType::String | ScalarType::Id, list: None, .. })
}

fn is_embedded(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Embedded { .. })
}

fn text_field(definition: &TypeDef, name: &str) -> Option<FieldId> {
    definition.find(name).filter(|(_, field)| is_text(&field.kind)).map(|(id, _)| id)
}

impl Writer<'_, '_, '_> {
    /// The hits of a search as a list of objects. Each counts as a row of the answer.
    pub(super) fn write_hits(&mut self, search: &Search, path: &Path<'_>) -> Result<(), Halt> {
        self.evaluator.limits.check_stop()?;
        let tables = search.types.iter().filter_map(|of| self.evaluator.world.graph.table_of(*of));
        self.evaluator.afford(tables.map(|(_, table)| table.rows).sum())?;
        let hits = self.evaluator.hits(search);
        self.expect_rows(hits.len())?;
        let graph: &Graph = self.evaluator.world.graph;
        let tables = search.types.iter().filter_map(|of| graph.table_of(*of));
        let shapes: Vec<(TableId, Vec<Option<Shape<'_>>>)> = tables
            .map(|(id, _)| {
                let shapes = search.fields.iter().map(|field| match &field.kind {
                    SearchKind::Asset(output) => Some(Shape::bind(self.evaluator.bind(), id, output)),
                    _ => None,
                });
                (id, shapes.collect())
            })
            .collect();
        let fields = search.fields.iter().enumerate();
        let parts = Part::all(fields.map(|(place, field)| (field.key.as_str(), (place, &field.kind))));
        self.out.push(b'[');
        for (index, hit) in hits.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.begin_row()?;
            let here = path.index(index);
            let table = graph.table(hit.table);
            let definition = graph.catalog().get(hit.of);
            self.write_parts(&parts, |writer, part| {
                let (place, kind) = part.kind;
                let field = match kind {
                    SearchKind::HitTypename => {
                        writer.write_text(names::SEARCH_HIT);
                        return Ok(());
                    }
                    SearchKind::Typename => {
                        writer.write_text(&definition.name);
                        return Ok(());
                    }
                    SearchKind::Field => {
                        writer.write_text(hit.held.as_str());
                        return Ok(());
                    }
                    SearchKind::Asset(_) => {
                        let shapes = shapes.iter().find(|(id, _)| *id == hit.table);
                        let shape = shapes.and_then(|(_, shapes)| shapes.get(place)?.as_ref());
                        return match shape {
                            Some(shape) => {
                                writer.write_object(hit.table, shape, hit.row, &here.key(part.key))
                            }
                            None => Ok(()),
                        };
                    }
                    SearchKind::Id => table.id,
                    SearchKind::Name => text_field(definition, NAME),
                };
                let is_written =
                    field.is_some_and(|field| table.column(field).write_json(hit.row, &mut writer.out));
                if !is_written {
                    writer.out.extend_from_slice(b"null");
                }
                Ok(())
            })?;
        }
        self.out.push(b']');
        Ok(())
    }
}
