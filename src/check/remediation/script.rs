//! A script for everything that fails: the blocks of a part, filled in account by account and region by region.

use std::collections::BTreeMap;

use minijinja::{Value, context};
use serde_json::{Value as Json, json};

use super::{
    super::{definition::Check, result::AssetName},
    Fields, Part, Remediation,
    blocks::Segment,
    destination::{Destination, Need},
    template,
};
use crate::{
    catalog::{FieldKind, TypeId},
    graph::Graph,
    query::{Engine, QueryError, Request, run::RunLimits},
};

/// How many assets are asked about at once.
const ASKED_AT_ONCE: usize = 1_000;

/// The commands for the assets of one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The account.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// What is mended, sorted.
    pub assets: Vec<AssetName>,
    /// The commands; ends with a newline.
    pub text: String,
}

/// An asset that a script does nothing for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The asset.
    pub asset: AssetName,
    /// Why, e.g. `a value it needs is null`.
    pub reason: String,
}

/// What a script is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// By account and region.
    pub batches: Vec<Batch>,
    /// Assets that fail and of which something is missing that the commands need.
    pub left_out: Vec<LeftOut>,
    /// Whether related assets were looked up of which not all is known.
    pub is_incomplete: bool,
}

/// Why there is no script.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RemediationError {
    /// The check has no remediation, or none of this form.
    #[error("`{check}` has no remediation as {part}{}", match there.as_slice() {
        [] => ": `passmuster checks show` says what can be done by hand".to_owned(),
        there => format!(", only as {}", there.join(" and ")),
    })]
    NoPart {
        /// The check.
        check: String,
        /// What was asked for.
        part: Part,
        /// The forms there are.
        there: Vec<String>,
    },
    /// The commands name a destination, and none was chosen, or one that is none for them.
    #[error(
        "`{check}` is mended by logs that {}: say where with --destination {}",
        match needs { Need::Destination => "go somewhere", Need::Receiver => "are sent on" },
        needs.forms()
    )]
    NeedsDestination {
        /// The check.
        check: String,
        /// What they need.
        needs: Need,
    },
    /// What the commands need beside the assets' own fields could not be asked for.
    #[error("what the commands need could not be looked up: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Query(Vec<QueryError>),
}

impl Remediation {
    /// The commands of a part for assets of a graph, which are those that fail the check.
    ///
    /// # Errors
    /// That there is no such part, that it needs a destination, and what stopped the query for related assets. An asset
    /// of which something is missing is left out, with the reason.
    pub fn script(
        &self,
        check: &Check,
        (engine, graph): (&Engine, &Graph),
        assets: &[AssetName],
        part: Part,
        destination: Option<&Destination>,
    ) -> Result<Script, RemediationError> {
        let blocks: Vec<&Segment> = self.blocks(part).collect();
        if blocks.is_empty() {
            let there = self.parts().iter().map(ToString::to_string).collect();
            return Err(RemediationError::NoPart { check: check.id.clone(), part, there });
        }
        let needs = self.needs(part);
        let destination = destination.filter(|destination| Some(destination.serves()) == needs);
        if let (Some(needs), None) = (needs, destination) {
            return Err(RemediationError::NeedsDestination { check: check.id.clone(), needs });
        }
        let (mut related, is_incomplete) = self.related(engine, graph, assets, &check.covers_name)?;
        let mut script = Script { is_incomplete, ..Script::default() };
        let mut groups: BTreeMap<(String, String), Vec<(AssetName, Fields)>> = BTreeMap::new();
        for asset in assets {
            let place = asset.account_id.clone().zip(asset.region.clone());
            let own = own_fields(graph, asset);
            let (Some(place), Some(mut fields)) = (place, own) else {
                let reason = "its account, its region or the asset itself is not known".to_owned();
                script.left_out.push(LeftOut { asset: asset.clone(), reason });
                continue;
            };
            fields.extend(related.remove(&asset.id).unwrap_or_default());
            groups.entry(place).or_default().push((asset.clone(), fields));
        }
        for ((account_id, region), members) in groups {
            let partition = members.first().and_then(|(_, fields)| fields.get("partition")?.as_str());
            let partition = partition.unwrap_or("aws").to_owned();
            let there = destination.map(|destination| destination.value(&partition, &account_id, &region));
            let there = match there.transpose() {
                Ok(there) => needs.zip(there),
                Err(reason) => {
                    let all = members.into_iter().map(|(asset, _)| asset);
                    script.left_out.extend(all.map(|asset| LeftOut { asset, reason: reason.clone() }));
                    continue;
                }
            };
            let place = Place { check, account: &account_id, region: &region, partition: &partition, there };
            let (text, kept) = place.render(&blocks, members, &mut script.left_out);
            if !kept.is_empty() {
                script.batches.push(Batch { account_id, region, assets: kept, text });
            }
        }
        Ok(script)
    }

    /// What a `remediation.graphql` asks of the assets, by their ids, and whether something of it is not known.
    fn related(
        &self,
        engine: &Engine,
        graph: &Graph,
        assets: &[AssetName],
        covers: &str,
    ) -> Result<(BTreeMap<String, Fields>, bool), RemediationError> {
        let (mut related, mut is_incomplete) = (BTreeMap::new(), false);
        let Some(query) = &self.query else { return Ok((related, false)) };
        let plural = engine.catalog().find(covers).map(|(_, definition)| definition.plural.clone());
        for some in assets.chunks(ASKED_AT_ONCE) {
            let mut request = Request::new(query.clone());
            let ids: Vec<&str> = some.iter().map(|asset| asset.id.as_str()).collect();
            request.variables.insert("ids".to_owned(), json!(ids));
            let response = engine.execute(graph, &request, &RunLimits::unlimited());
            if !response.errors.is_empty() {
                return Err(RemediationError::Query(response.errors));
            }
            let mut answer: Json = serde_json::from_slice(&response.body).unwrap_or_default();
            is_incomplete |= answer.pointer("/extensions/incomplete").is_some();
            let Some(plural) = &plural else { continue };
            let listed = answer.get_mut("data").and_then(|data| data.get_mut(plural)).map(Json::take);
            let Some(Json::Array(listed)) = listed else { continue };
            for asset in listed {
                let Json::Object(mut fields) = asset else { continue };
                if let Some(Json::String(id)) = fields.remove("id") {
                    related.insert(id, fields);
                }
            }
        }
        Ok((related, is_incomplete))
    }
}

/// The own fields of an asset: null where it has no value, not there at all where it could not be seen.
fn own_fields(graph: &Graph, asset: &AssetName) -> Option<Fields> {
    let catalog = graph.catalog();
    let (of, definition) = catalog.find(&asset.typename)?;
    let row = graph.find(of, &asset.id)?;
    let mut fields = written(graph, of, row)?;
    let unknown = fields.remove("__unknown");
    let is_unknown = |name: &str| {
        unknown.as_ref().and_then(Json::as_array).is_some_and(|all| all.iter().any(|one| one == name))
    };
    for field in &definition.fields {
        let is_stored = matches!(field.kind, FieldKind::Scalar { .. } | FieldKind::Embedded { .. });
        if is_stored && !is_unknown(&field.name) {
            fields.entry(field.name.clone()).or_insert(Json::Null);
        }
    }
    Some(fields)
}

fn written(graph: &Graph, of: TypeId, row: u32) -> Option<Fields> {
    let mut bytes = Vec::new();
    graph.write_asset(of, row, &mut bytes);
    serde_json::from_slice(&bytes).ok()
}

/// One account and region that commands are written for.
struct Place<'a> {
    check: &'a Check,
    account: &'a str,
    region: &'a str,
    partition: &'a str,
    /// The destination that was chosen, and what it is for.
    there: Option<(Need, Value)>,
}

impl Place<'_> {
    /// The commands, and the assets they are for. Where the commands for all fail, each asset is tried alone.
    fn render(
        &self,
        blocks: &[&Segment],
        members: Vec<(AssetName, Fields)>,
        left_out: &mut Vec<LeftOut>,
    ) -> (String, Vec<AssetName>) {
        let values: Vec<Value> = members.iter().map(|(_, fields)| template::value_of(fields)).collect();
        if let Ok(text) = self.text(blocks, &values) {
            return (text, members.into_iter().map(|(asset, _)| asset).collect());
        }
        let (mut kept, mut names) = (Vec::new(), Vec::new());
        for ((asset, _), value) in members.into_iter().zip(values) {
            match self.text(blocks, std::slice::from_ref(&value)) {
                Ok(_) => {
                    kept.push(value);
                    names.push(asset);
                }
                Err(error) => left_out.push(LeftOut { asset, reason: template::reason(&error) }),
            }
        }
        match self.text(blocks, &kept) {
            Ok(text) if !kept.is_empty() => (text, names),
            told => {
                let reason = told.err().map(|error| template::reason(&error)).unwrap_or_default();
                left_out.extend(names.into_iter().map(|asset| LeftOut { asset, reason: reason.clone() }));
                (String::new(), Vec::new())
            }
        }
    }

    fn text(&self, blocks: &[&Segment], assets: &[Value]) -> Result<String, minijinja::Error> {
        let mut text = String::new();
        for block in blocks {
            let each = if block.is_each() { assets.iter().map(Some).collect() } else { vec![None] };
            for asset in each {
                text.push_str(&template::render(block, &self.context(assets, asset))?);
                // A rendered template has no newline at its end.
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        Ok(text)
    }

    fn context(&self, assets: &[Value], asset: Option<&Value>) -> Value {
        let chosen = |need| match &self.there {
            Some((chosen, value)) if *chosen == need => value.clone(),
            _ => Value::UNDEFINED,
        };
        context! {
            account => self.account,
            region => self.region,
            check => context! { id => self.check.id.as_str(), title => self.check.title.as_str() },
            destination => chosen(Need::Destination),
            receiver => chosen(Need::Receiver),
            assets => assets,
            asset => asset.cloned().unwrap_or(Value::UNDEFINED),
            partition => self.partition,
        }
    }
}
