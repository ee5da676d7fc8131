//! The steps of a load, the image and a change, in this process.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::Instant,
};

use passmuster::{
    catalog::{self, Catalog},
    check,
    graph::{Graph, GraphBuilder, Image, ImageSource},
    import::{ImportLimits, read_file_rows},
    query::{Engine, GuardLimits},
};

use super::change;

/// An image in a file.
struct InFile(File);

impl ImageSource for InFile {
    fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|file| file.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// Prints what each step takes.
pub fn measure(file: &Path) {
    let catalog = Arc::new(Catalog::read(&catalog::shipped()).expect("the shipped schema is valid"));
    let shipped = check::shipped();
    let engine = Engine::new(Arc::clone(&catalog), shipped.fragments().clone(), GuardLimits::default())
        .expect("a schema of the catalog");
    let checks = check::load(&shipped, &engine).expect("the shipped checks are valid");
    println!("in one process:");
    // Written by another graph than it is read into, so that memory holds one at a time.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("graph.image");
    write_image(&load(file, &catalog), &path);
    for _ in 0..3 {
        let begun = Instant::now();
        let image = InFile(File::open(&path).expect("the image"));
        let graph = Image::open(&image).expect("an image").into_graph(Arc::clone(&catalog)).expect("a graph");
        println!("  the image read in {:.2?}: {} assets", begun.elapsed(), graph.assets());
    }
    let image = InFile(File::open(&path).expect("the image"));
    let graph = Image::open(&image).expect("an image").into_graph(catalog).expect("a graph");
    change::measure(&graph, &engine, &checks);
}

fn load(file: &Path, catalog: &Arc<Catalog>) -> Graph {
    let begun = Instant::now();
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let summary = read_file_rows(file, catalog, ImportLimits::default(), &mut builder).expect("a good file");
    let read = begun.elapsed();
    let graph = builder.finish(summary.slices, change::now()).expect("a graph");
    println!(
        "  {} assets, {} slices: read and their ids put in order in {read:.2?}, the graph in {:.2?}",
        summary.assets,
        graph.slices().map_or(0, |slices| slices.len()),
        begun.elapsed()
    );
    graph
}

fn write_image(graph: &Graph, path: &Path) {
    let begun = Instant::now();
    let image = graph.image(b"bench");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    image.write(&mut out).and_then(|()| out.flush()).expect("room for the image");
    println!("  an image of {} MB written in {:.2?}", image.bytes() / 1_000_000, begun.elapsed());
}
