//! Sound documents with one token left out, written twice, or exchanged with the next: what a parser that recovers
//! from mistakes may wrongly let through.

use super::documents::Document;

/// Documents with a blank between all tokens.
const SOUND: &[&str] = &[
    "query Q ( $n : Int = 1 , $w : VpcWhere ! ) { a : vpcs ( where : $w limit : $n ) { id } }",
    "{ vpcs ( where : { OR : [ { name : \"a\" } { size_GT : 1 } ] } sort : [ { name : ASC } ] ) { id } }",
    "{ vpcs { ... F ... on Vpc @include ( if : true ) { name } } } fragment F on Vpc { id }",
    "query ( $names : [ String ! ] = [ \"a\" \"b\" ] ) { vpcs ( where : { name_IN : $names } ) { id @skip ( if : false ) } }",
    "{ vpcs ( where : { tags_SOME : { key : \"a\" value : null } isDefault : true weight : -1.5e3 } ) { ... { id } } }",
    "query A @include ( if : true ) { vpcs { id } } query B { __type ( name : \"Vpc\" ) { name } }",
];

/// Every document with one mistake.
pub fn mutants() -> Vec<Document> {
    let mut documents = Vec::new();
    for (number, sound) in SOUND.iter().enumerate() {
        let tokens: Vec<&str> = sound.split(' ').collect();
        for (at, token) in tokens.iter().enumerate() {
            let mut left_out = tokens.clone();
            left_out.remove(at);
            let mut twice = tokens.clone();
            twice.insert(at, token);
            let mut exchanged = tokens.clone();
            if at + 1 < tokens.len() {
                exchanged.swap(at, at + 1);
            }
            for (mistake, tokens) in [("without", left_out), ("twice", twice), ("exchanged", exchanged)] {
                let mut query = tokens.join(" ");
                for (apart, joined) in [("$ ", "$"), ("... F", "...F")] {
                    query = query.replace(apart, joined);
                }
                let mut document =
                    Document::new(format!("mutants: {number} {mistake} {at} `{token}`"), query);
                document.variables.insert("w".to_owned(), serde_json::json!({}));
                documents.push(document);
            }
        }
    }
    documents
}
