//! Requests a second over HTTP: `passmuster serve` beside a bare axum route that answers 1 KB, each a process of its own,
//! one after the other in alternating rounds under the same load of 8 connections that are kept open, with the processor
//! time that a request takes of either side of the connection. Run with
//! `cargo bench --bench http -- [--vpcs 100000] [--rounds 5] [--seconds 2]`; a build from before beside it with
//! `--before PROGRAM`, one server under one question (for a profile of it) with `--only Q3`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a bench fails by panicking"
)]

#[path = "../inventory/generator.rs"]
mod generator;
mod load;
#[path = "../inventory/questions.rs"]
#[expect(dead_code, reason = "shared with the bench of the engine")]
mod questions;
mod servers;

use std::{env, time::Duration};

use generator::{account_id, vpc_id};
use load::{Load, Rate};
use serde_json::{Value, json};
use servers::{Inventory, Server};

/// As the product has it, so that the bare route is served with the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Different values of the variables that requests are sent with.
const VALUES: usize = 4096;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.iter().any(|argument| argument == "--bare") {
        return servers::serve_bare();
    }
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(default, |at| arguments[at + 1].parse().expect("a number"))
    };
    let (vpcs, rounds) = (number("--vpcs", 100_000), number("--rounds", 5));
    let span = Duration::from_secs(number("--seconds", 2) as u64);
    let mut random = fastrand::Rng::with_seed(7);
    let ids: Vec<Value> = (0..VALUES).map(|_| json!({"id": vpc_id(random.usize(0..vpcs))})).collect();
    let regions = ["us-east-1", "eu-west-1", "eu-central-1"];
    let of_accounts: Vec<Value> = (0..VALUES)
        .map(|_| json!({"account": account_id(random.usize(10..(vpcs / 20).max(11))), "regions": regions}))
        .collect();
    let questions = questions::questions(vpcs);
    let text = |name: &str| questions.iter().find(|question| question.name == name).expect("a question").ours;
    let (q3, q4) = (Load::query(text("Q3"), &ids), Load::query(text("Q4"), &of_accounts));
    let text_after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    eprintln!("writing an inventory of {vpcs} VPCs");
    let file = Inventory::write(vpcs);
    let ours = Server::ours(&file);
    if let Some(question) = text_after("--only") {
        eprintln!("process {} is asked for {} s", ours.id(), span.as_secs());
        let rate = if question == "Q4" { q4.run(&ours, span) } else { q3.run(&ours, span) };
        return print(&[(question, vec![rate])]);
    }
    let bare = Server::bare();
    let before = text_after("--before").map(|program| Server::of_program(program, &file));
    let mut asked = vec![("bare axum, 1 KB", &bare, &q3)];
    for (server, [point, page]) in [
        (Some(&ours), ["Q3, one VPC by id", "Q4, first 50 of an account"]),
        (before.as_ref(), ["Q3 before", "Q4 before"]),
    ] {
        asked.extend(server.into_iter().flat_map(|server| [(point, server, &q3), (page, server, &q4)]));
    }
    let mut rates: Vec<(String, Vec<Rate>)> =
        asked.iter().map(|(name, ..)| ((*name).to_owned(), Vec::new())).collect();
    for round in 0..=rounds {
        for ((_, all), (_, server, load)) in rates.iter_mut().zip(&asked) {
            let rate = load.run(server, span);
            // The first round warms up.
            if round > 0 {
                all.push(rate);
            }
        }
    }
    print(&rates);
}

/// The medians, and the median of the ratios of one round.
fn print(rates: &[(String, Vec<Rate>)]) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!(
        "| | requests/s | of bare axum's | server, µs of processor | client, µs of processor | bytes an answer |\n\
         |---|--:|--:|--:|--:|--:|"
    );
    for (name, own) in rates {
        let of = |what: &dyn Fn(&Rate) -> f64| median(own.iter().map(what).collect());
        let ratios = own.iter().zip(&rates[0].1).map(|(rate, bare)| rate.a_second / bare.a_second);
        println!(
            "| {name} | {:.0} | {:.0} % | {:.1} | {:.1} | {} |",
            of(&|rate| rate.a_second),
            median(ratios.collect()) * 100.0,
            of(&|rate| rate.server_us),
            of(&|rate| rate.client_us),
            own[0].bytes
        );
    }
}
