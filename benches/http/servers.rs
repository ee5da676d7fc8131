//! The two servers, each a process of its own on a port that is free, stopped when it is dropped.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use axum::{Router, routing::any};

use super::{
    generator::{self, Skew},
    load::is_ok,
};

/// An inventory as a file of assets.
pub struct Inventory {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Inventory {
    pub fn write(vpcs: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inventory.ndjson");
        let mut file = BufWriter::new(File::create(&path).expect("a file"));
        generator::write(vpcs, Skew::Healthy, false, &mut file).expect("room for the file");
        file.flush().expect("room for the file");
        Self { _folder: folder, path }
    }
}

/// A server that runs.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Axum with one route.
    pub fn bare() -> Self {
        let program = std::env::current_exe().expect("this program");
        Self::start(Command::new(program).arg("--bare"), "/")
    }

    /// The product.
    pub fn ours(inventory: &Inventory) -> Self {
        Self::of_program(env!("CARGO_BIN_EXE_passmuster"), inventory)
    }

    /// Another build of the product.
    pub fn of_program(program: impl AsRef<OsStr>, inventory: &Inventory) -> Self {
        let mut command = Command::new(program);
        let command = command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&inventory.path);
        Self::start(command, "/readyz")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Starts a server that says on stderr where it listens, and waits until a path answers.
    fn start(command: &mut Command, path: &str) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let said = BufReader::new(process.stderr.take().expect("its messages")).lines();
        let mut addresses = said.map_while(Result::ok).filter_map(|line| {
            let after = line.split("http://").nth(1)?.to_owned();
            after.split('/').next()?.parse().ok()
        });
        let address = addresses.next().expect("it says where it listens");
        // Whoever no longer reads what it says would stop it.
        thread::spawn(move || addresses.for_each(drop));
        let server = Self { process, address };
        while !is_ok(address, path) {
            thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("it can be stopped");
        self.process.wait().expect("it stops");
    }
}

/// Answers every request with the same 1 KB.
pub fn serve_bare() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        eprintln!("serving http://{}/", listener.local_addr().expect("an address"));
        let answer: &'static str = String::leak("x".repeat(1024));
        let router: Router = Router::new().fallback(any(move || async move { answer }));
        axum::serve(listener, router).await.expect("it serves");
    });
}
