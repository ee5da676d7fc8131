//! Requests a second over HTTP: `passmuster serve` beside a bare axum route that answers 1 KB, each a process of its own,
//! one after the other in alternating rounds under the same load of 8 connections that are kept open. Run with
//! `cargo bench --bench http -- [--vpcs 100000] [--rounds 5] [--seconds 2]`.

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
    eprintln!("writing an inventory of {vpcs} VPCs");
    let file = Inventory::write(vpcs);
    let (bare, ours) = (Server::bare(), Server::ours(&file));
    let mut rates: [Vec<Rate>; 3] = Default::default();
    for round in 0..=rounds {
        let measured = [q3.run(bare.address, span), q3.run(ours.address, span), q4.run(ours.address, span)];
        // The first round warms up.
        if round > 0 {
            for (all, rate) in rates.iter_mut().zip(measured) {
                all.push(rate);
            }
        }
    }
    print(&rates);
}

/// The medians, and the median of the ratios of one round.
fn print(rates: &[Vec<Rate>; 3]) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let names = ["bare axum, 1 KB", "Q3, one VPC by id", "Q4, first 50 of an account"];
    println!("| | requests/s | of bare axum's | bytes an answer |\n|---|---|---|---|");
    for (name, own) in names.iter().zip(rates) {
        let a_second = median(own.iter().map(|rate| rate.a_second).collect());
        let ratios = own.iter().zip(&rates[0]).map(|(rate, bare)| rate.a_second / bare.a_second);
        let (ratio, bytes) = (median(ratios.collect()), own[0].bytes);
        println!("| {name} | {a_second:.0} | {:.0} % | {bytes} |", ratio * 100.0);
    }
}
