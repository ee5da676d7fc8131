//! Policies run in a process of their own: this program once more, with little memory and time, no environment, and nothing
//! but a job on stdin. Whatever a policy does to that process, this one reads that it ended, and says so.

use std::{
    ffi::OsStr,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::exit::Exit;
use crate::check::{run_policies_elsewhere, run_policy_job};

/// The first argument of a process that does a job.
const WORKER: &str = "__run-policy";

/// The memory a policy may take, in bytes, the answer that it is given included.
const MOST_MEMORY: u64 = 1 << 30;

/// The seconds of a processor it may take: what is no step for the interpreter (one call of a function) takes time, too.
const MOST_SECONDS: u64 = 60;

/// The most bytes that a process may answer with.
const MOST_ANSWER: u64 = 128 << 20;

/// From now on, policies run apart.
pub(super) fn run_policies_apart() {
    run_policies_elsewhere(run_apart);
}

/// Does the job of such a process; nothing in any other.
pub(super) fn work() -> Option<Exit> {
    if std::env::args_os().nth(1).as_deref() != Some(OsStr::new(WORKER)) {
        return None;
    }
    Some(if do_job().is_some() { Exit::Pass } else { Exit::Failed })
}

fn do_job() -> Option<()> {
    let limits = [
        (Resource::Data, MOST_MEMORY, MOST_MEMORY),
        // The first is told apart from the second, which is like being ended by anybody.
        (Resource::Cpu, MOST_SECONDS, MOST_SECONDS + 1),
        (Resource::Core, 0, 0),
    ];
    for (resource, most, at_all) in limits {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(at_all) }).ok()?;
    }
    let mut job = Vec::new();
    std::io::stdin().lock().read_to_end(&mut job).ok()?;
    let said = run_policy_job(&job)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&said).and_then(|()| stdout.flush()).ok()
}

fn run_apart(job: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("no process could be started for it: {error}");
    let mut child = Command::new(program().map_err(failed)?)
        .arg(WORKER)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // One that ends early reads no more: its status says why.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(job));
    drop(written);
    let mut said = Vec::new();
    let read = child.stdout.take().map(|stdout| stdout.take(MOST_ANSWER).read_to_end(&mut said));
    let status = child.wait().map_err(failed)?;
    match (status.success(), read) {
        (true, Some(Ok(_))) => Ok(said),
        _ => Err(why(status)),
    }
}

/// This program, also where a newer one has been put in its place.
fn program() -> std::io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

/// Why a process ended without an answer.
fn why(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        // What a process does that gets no memory.
        Some(6) => format!("it takes more than {} MiB of memory", MOST_MEMORY >> 20),
        Some(7 | 11) => "it takes more of the stack than there is".to_owned(),
        Some(24) => format!("it takes more than {MOST_SECONDS} seconds"),
        Some(9) => {
            "its process was ended from outside, as is done where the machine has no memory".to_owned()
        }
        _ => "the interpreter failed over it".to_owned(),
    }
}
