//! What it takes to have the graph: from a file, from a store after a restart, and into a store. The program itself is
//! run, from its start to its answer, so that nothing is left out. Run with
//! `cargo bench --bench load -- [--vpcs 100000] [--rounds 3] [--file FILE] [--program FILE ..] [--graph-alone]`; with
//! several programs (builds of the product) they take turns, and each has its column. What can't be seen from outside,
//! the steps of a load, the image and a change, is measured in this process, and alone where that is asked for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a bench fails by panicking"
)]

#[path = "../inventory/change.rs"]
mod change;
#[path = "../inventory/generator.rs"]
#[expect(dead_code, reason = "shared with the bench of the engine")]
mod generator;
mod graph;
mod program;

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use generator::Skew;
use program::{Program, Run};

/// As the product has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COUNT: &str = "{ vpcsAggregate { count } subnetsAggregate { count } }";

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let all = |name: &str| -> Vec<String> {
        let places = arguments.iter().enumerate().filter(|(_, argument)| *argument == name);
        places.map(|(place, _)| arguments[place + 1].clone()).collect()
    };
    let number = |name: &str, default: usize| {
        all(name).first().map_or(default, |value| value.parse().expect("a number"))
    };
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if !has("--bench") {
        // As a test: everything once, over a few assets.
        let inventory = Inventory::write(50);
        measure(&[Program::built()], &inventory, 1);
        return graph::measure(&inventory.path);
    }
    let programs: Vec<Program> = match all("--program") {
        paths if paths.is_empty() => vec![Program::built()],
        paths => paths.into_iter().map(|path| Program(PathBuf::from(path))).collect(),
    };
    let inventory = match all("--file").pop() {
        Some(path) => Inventory { _folder: None, path: PathBuf::from(path) },
        None => Inventory::write(number("--vpcs", 100_000)),
    };
    if !has("--graph-alone") {
        measure(&programs, &inventory, number("--rounds", 3));
    }
    graph::measure(&inventory.path);
}

/// An inventory as a file of assets and slices.
struct Inventory {
    _folder: Option<tempfile::TempDir>,
    path: PathBuf,
}

impl Inventory {
    fn write(vpcs: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inventory.ndjson");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).expect("a file"));
        let lines = generator::write(vpcs, Skew::Healthy, true, &mut file).expect("room for the file");
        eprintln!("{vpcs} VPCs: {lines} lines");
        Self { _folder: Some(folder), path }
    }
}

/// The least of several runs, by what was measured and program.
#[derive(Default)]
struct Table {
    order: Vec<&'static str>,
    runs: BTreeMap<(&'static str, usize), Run>,
}

impl Table {
    fn keep(&mut self, name: &'static str, program: usize, run: Run) {
        eprintln!("  {name}, program {program}: {run}");
        if !self.order.contains(&name) {
            self.order.push(name);
        }
        let least = self.runs.entry((name, program)).or_insert(run);
        *least = least.least(run);
    }

    fn print(&self, programs: &[Program]) {
        for name in &self.order {
            let runs: Vec<String> =
                (0..programs.len()).map(|place| self.runs[&(*name, place)].to_string()).collect();
            println!("| {name} | {} |", runs.join(" | "));
        }
    }
}

fn measure(programs: &[Program], inventory: &Inventory, rounds: usize) {
    let mut table = Table::default();
    let file = inventory.path.as_path();
    for _ in 0..rounds {
        for (place, program) in programs.iter().enumerate() {
            let (run, answer) = program.run(&["query", "--data", path(file), COUNT]);
            assert!(answer.contains("\"count\":"), "{answer}");
            table.keep("a query of the file, from start to answer", place, run);
        }
    }
    for (place, program) in programs.iter().enumerate() {
        table.keep("the file served: until ready", place, program.serve(&["--data", path(file)]));
    }
    let folders: Vec<tempfile::TempDir> =
        programs.iter().map(|_| tempfile::tempdir().expect("a folder")).collect();
    for (place, (program, folder)) in programs.iter().zip(&folders).enumerate() {
        let store = path(folder.path());
        let (run, _) = program.run(&["import", path(file), "--store", store]);
        table.keep("import of the file into a store", place, run);
        let (run, first) = program.run(&["query", "--store", store, COUNT]);
        table.keep("the first query of the store, which leaves an image", place, run);
        for _ in 0..rounds {
            let (run, answer) = program.run(&["query", "--store", store, COUNT]);
            assert_eq!(answer, first);
            table.keep("a query after a restart, from start to answer", place, run);
        }
        table.keep(
            "the store served after a restart: until ready",
            place,
            program.serve(&["--store", store]),
        );
        let image = folder.path().join("graph.image").metadata().expect("an image").len();
        eprintln!("  the image, program {place}: {} MB", image / 1_000_000);
    }
    table.print(programs);
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}
