//! A real AWS API for tests: moto, in a virtual environment under the target folder that is made on first use. One
//! server for the whole test process; tests keep apart by using an account each (see `aws.rs`).
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "what tests stand on fails by panicking, as they do"
)]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

const REQUIREMENTS: &str = include_str!("../../moto-requirements.txt");

/// The running server. It ends with the test process, since it watches its standard input.
pub(crate) struct Moto {
    /// Where it listens, e.g. `http://127.0.0.1:40123`.
    pub(crate) url: String,
    _server: Child,
}

/// The server of this test process, started on first use.
///
/// # Panics
/// With one clear line, if Python 3 with venv and pip cannot do it.
pub(crate) fn moto() -> &'static Moto {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    MOTO.get_or_init(start)
}

/// The Python of the virtual environment: it has the libraries that `moto-requirements.txt` names.
pub(crate) fn python() -> PathBuf {
    environment()
}

fn start() -> Moto {
    let python = environment();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/moto_server.py");
    let log = File::create(folder().join("server.log")).expect("the log of moto can be written");
    let mut server = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("tests against AWS need {}: {error}", python.display()));
    let mut port = String::new();
    BufReader::new(server.stdout.take().expect("stdout is piped")).read_line(&mut port).expect("moto's port");
    let port: u16 = port.trim().parse().unwrap_or_else(|_| {
        let log = folder().join("server.log");
        panic!("moto did not start: see {}", log.display())
    });
    Moto { url: format!("http://127.0.0.1:{port}"), _server: server }
}

/// `target/moto`, whatever the target folder is called.
fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
    target.join("moto")
}

/// Makes the virtual environment unless it is there already; returns its Python. Two test processes that come at the
/// same time wait for one another at a lock.
fn environment() -> PathBuf {
    let folder = folder();
    fs::create_dir_all(&folder).expect("a folder under target/");
    let lock = File::create(folder.join("lock")).expect("a lock under target/");
    lock.lock().expect("the lock under target/");
    let home = folder.join("venv");
    let python = home.join("bin/python");
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) && python.exists() {
        return python;
    }
    let _ = fs::remove_file(&installed);
    let _ = fs::remove_dir_all(&home);
    run(Command::new("python3").args(["-m", "venv"]).arg(&home));
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto-requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(pip).arg(requirements));
    fs::write(&installed, REQUIREMENTS).expect("a file under target/");
    python
}

fn run(command: &mut Command) {
    let failed = match command.output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "tests against AWS need Python 3 with venv and pip (and PyPI, once): {command:?} failed: {failed}"
    );
}
