//! `passmuster schema`: which types there are, and what one of them holds.

use std::sync::Arc;

use clap::Args;

use super::super::{Exit, arguments::FormatArguments, context::Context, failure::Failure};
use super::checks::print_sheet;
use crate::{
    catalog::{Catalog, TypeKind},
    graph::GraphBuilder,
    model::nearest,
    query::{Request, run::RunLimits},
    report::{Cell, Sheet},
};

/// Show the types of the inventory, their fields and the keys of their filters
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  passmuster schema
  passmuster schema VpcWhere
  passmuster schema --sdl > schema.graphql
  passmuster schema --introspection > schema.json")]
pub(crate) struct SchemaArguments {
    /// The GraphQL type to show, e.g. Vpc or VpcWhere
    #[arg(value_name = "TYPE", conflicts_with_all = ["sdl", "introspection"])]
    name: Option<String>,
    /// Print the whole GraphQL schema, for editors and code generators
    #[arg(long)]
    sdl: bool,
    /// Print the answer to the standard introspection query, as JSON, for code generators
    #[arg(long, conflicts_with = "sdl")]
    introspection: bool,
    #[command(flatten)]
    format: FormatArguments,
}

pub(crate) fn run(arguments: &SchemaArguments, context: &Context) -> Result<Exit, Failure> {
    let Some(name) = &arguments.name else {
        if arguments.introspection {
            context.output.line(&introspection(context)?)?;
        } else if arguments.sdl {
            context.output.line(context.tools()?.engine.sdl().trim_end())?;
        } else {
            let catalog = context.catalog()?;
            print_sheet(&type_list(&catalog), arguments.format, context)?;
        }
        return Ok(Exit::Pass);
    };
    let sdl = context.tools()?.engine.sdl();
    let definitions = definitions(&sdl);
    let Some((_, text)) = definitions.iter().find(|(defined, _)| defined == name) else {
        let help = nearest(name, definitions.iter().map(|(defined, _)| *defined))
            .map(|nearest| format!("did you mean `{nearest}`?"))
            .unwrap_or_else(|| "`passmuster schema` lists the types".to_owned());
        return Err(Failure::bad_input(format!("there is no type `{name}`: {help}")));
    };
    context.output.line(text)?;
    Ok(Exit::Pass)
}

/// The answer to the query that code generators send to learn a schema.
fn introspection(context: &Context) -> Result<String, Failure> {
    let tools = context.tools()?;
    let nothing = GraphBuilder::new(Arc::clone(&tools.catalog))
        .finish(None, context.now())
        .map_err(|error| Failure::program(&error))?;
    let response =
        tools.engine.execute(&nothing, &Request::new(INTROSPECTION_QUERY), &RunLimits::unlimited());
    match response.errors.first() {
        Some(error) => Err(Failure::program(error)),
        None => Ok(String::from_utf8_lossy(&response.body).into_owned()),
    }
}

/// The introspection query of graphql-js.
const INTROSPECTION_QUERY: &str = "query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } isRepeatable }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL
  fields(includeDeprecated: true) {
    name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}";

/// One row a type.
fn type_list(catalog: &Catalog) -> Sheet {
    let mut sheet = Sheet::new(&["type", "kind", "list", "one", "#fields", "description"]);
    for definition in catalog.types() {
        let (kind, has_roots) = match definition.kind {
            TypeKind::Asset => ("asset", true),
            TypeKind::Interface => ("interface", true),
            TypeKind::Embedded => ("embedded", false),
        };
        let root = |name: &str| match has_roots {
            true => Cell::new(name),
            false => Cell::new(serde_json::Value::Null),
        };
        let description = definition.description.as_deref().map(str::trim).unwrap_or_default();
        sheet.rows.push(vec![
            Cell::new(definition.name.as_str()),
            Cell::new(kind),
            root(&definition.plural),
            root(&definition.singular),
            Cell::new(definition.fields.len()),
            Cell::new(description.lines().next().unwrap_or_default()),
        ]);
    }
    sheet
}

/// The definitions of an SDL text by name, each with its description. Definitions begin at the start of a line and
/// end with the line of their closing brace, as the generated text has it.
fn definitions(sdl: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut name = None;
    let mut in_description = false;
    let mut offset = 0;
    for line in sdl.split_inclusive('\n') {
        let end = offset + line.len();
        let text = line.trim_end();
        if text.starts_with("\"\"\"") {
            let is_one_line = text.len() > 3 && text.ends_with("\"\"\"");
            in_description = !(in_description || is_one_line);
        } else if !in_description && name.is_none() {
            name = defined_name(text);
        }
        let is_whole =
            text == "}" || (text.ends_with('}') && !text.starts_with([' ', '\t'])) || !text.contains('{');
        match name {
            Some(defined) if !in_description && is_whole && !text.starts_with([' ', '\t']) => {
                found.push((defined, sdl.get(start..end).unwrap_or_default().trim()));
                name = None;
                start = end;
            }
            None if text.is_empty() => start = end,
            _ => {}
        }
        offset = end;
    }
    found
}

fn defined_name(line: &str) -> Option<&str> {
    let (keyword, rest) = line.split_once(' ')?;
    if !["type", "interface", "input", "enum", "scalar", "union", "directive"].contains(&keyword) {
        return None;
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let rest = rest.trim_start_matches('@');
    rest.split(|letter| !is_name(letter)).next().filter(|name| !name.is_empty())
}
