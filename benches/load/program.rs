//! A build of the product, run as a process: how long it takes, how much of the processors, how much memory.

use std::{
    fmt, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Where the program is.
pub struct Program(pub PathBuf);

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    wall: Duration,
    processors: Duration,
    /// Resident at the end, and at most, in bytes.
    resident: u64,
    peak: u64,
}

impl Run {
    pub fn least(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            processors: self.processors.min(other.processors),
            resident: self.resident.min(other.resident),
            peak: self.peak.min(other.peak),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wall, processors) = (self.wall.as_secs_f64(), self.processors.as_secs_f64());
        write!(formatter, "{wall:.2} s, {processors:.2} s of CPU, {} MB", self.resident / 1_000_000)?;
        write!(formatter, " (at most {} MB)", self.peak / 1_000_000)
    }
}

impl Program {
    /// The one that this bench was built with.
    pub fn built() -> Self {
        Self(PathBuf::from(env!("CARGO_BIN_EXE_passmuster")))
    }

    /// Runs it to its end; what it took, and what it printed.
    pub fn run(&self, arguments: &[&str]) -> (Run, String) {
        let (before, begun) = (of_children(), Instant::now());
        let mut process = Command::new(&self.0)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut output = process.stdout.take().expect("its output");
        let reading = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).expect("text");
            text
        });
        let (mut resident, mut peak) = (0, 0);
        while process.try_wait().expect("it can be waited for").is_none() {
            if let Some((now, most)) = memory(process.id()) {
                (resident, peak) = (now, most);
            }
            thread::sleep(Duration::from_millis(2));
        }
        let wall = begun.elapsed();
        let text = reading.join().expect("the reader ends");
        (Run { wall, processors: of_children() - before, resident, peak }, text)
    }

    /// Serves until it is ready, and a moment more, and is stopped.
    pub fn serve(&self, arguments: &[&str]) -> Run {
        let (before, begun) = (of_children(), Instant::now());
        let mut process = Command::new(&self.0)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let said = BufReader::new(process.stderr.take().expect("its messages")).lines();
        let mut addresses = said.map_while(Result::ok).filter_map(|line| {
            let after = line.split("http://").nth(1)?.to_owned();
            after.split('/').next().map(str::to_owned)
        });
        let address = addresses.next().expect("it says where it listens");
        thread::spawn(move || addresses.for_each(drop));
        while !is_ready(&address) {
            thread::sleep(Duration::from_millis(5));
        }
        let wall = begun.elapsed();
        thread::sleep(Duration::from_millis(500));
        let (resident, peak) = memory(process.id()).expect("it runs");
        stop(&mut process);
        Run { wall, processors: of_children() - before, resident, peak }
    }
}

fn stop(process: &mut Child) {
    process.kill().expect("it can be stopped");
    process.wait().expect("it stops");
}

fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = write!(stream, "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Resident memory of a process now, and at most so far.
fn memory(process: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let of = |name: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    };
    Some((of("VmRSS:")?, of("VmHWM:")?))
}

/// How much of the processors all processes took that were started here and have ended.
fn of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name");
    let ticks =
        after_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
