//! Times by question and size, and the table made of them. criterion decides how often a question is asked; the table
//! shows the least time, which a busy machine disturbs least.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion};

/// From here on criterion's ten samples would take too long.
const SLOW: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Ours,
    Theirs,
}

/// One line of the table.
#[derive(Debug, Default)]
struct Line {
    title: &'static str,
    ours: Option<Duration>,
    theirs: Option<Duration>,
    note: String,
}

/// By size and place in the table, with their names.
type Lines = BTreeMap<(usize, usize), (&'static str, Line)>;

#[derive(Debug, Default)]
pub struct Measurements {
    lines: Mutex<Lines>,
    order: Mutex<Vec<&'static str>>,
}

impl Measurements {
    /// Has criterion run `ask` (what is slow is run three times) and keeps the least time of one run.
    pub fn bench(
        &self,
        criterion: &mut Criterion,
        (name, title): (&'static str, &'static str),
        size: usize,
        side: Side,
        mut ask: impl FnMut(),
    ) {
        let begun = Instant::now();
        ask();
        let first = begun.elapsed();
        self.keep((name, title), size, side, first);
        if first > SLOW {
            for _ in 0..2 {
                let begun = Instant::now();
                ask();
                self.keep((name, title), size, side, begun.elapsed());
            }
            return;
        }
        let side_name = match side {
            Side::Ours => "passmuster",
            Side::Theirs => "peer",
        };
        let mut group = criterion.benchmark_group(name);
        group.bench_function(BenchmarkId::new(side_name, size), |bencher| {
            bencher.iter_custom(|times| {
                let mut total = Duration::ZERO;
                for _ in 0..times {
                    let begun = Instant::now();
                    ask();
                    let taken = begun.elapsed();
                    self.keep((name, title), size, side, taken);
                    total += taken;
                }
                total
            });
        });
        group.finish();
    }

    /// Keeps a time, if none was less.
    pub fn keep(
        &self,
        (name, title): (&'static str, &'static str),
        size: usize,
        side: Side,
        taken: Duration,
    ) {
        self.line(name, size, |line| {
            line.title = title;
            let known = match side {
                Side::Ours => &mut line.ours,
                Side::Theirs => &mut line.theirs,
            };
            *known = Some(known.map_or(taken, |known| known.min(taken)));
        });
    }

    /// Says something of the answer.
    pub fn note(&self, name: &'static str, size: usize, note: String) {
        self.line(name, size, |line| line.note = note);
    }

    fn line(&self, name: &'static str, size: usize, change: impl FnOnce(&mut Line)) {
        let mut order = held(&self.order);
        let place = order.iter().position(|known| *known == name).unwrap_or_else(|| {
            order.push(name);
            order.len() - 1
        });
        change(&mut held(&self.lines).entry((size, place)).or_insert((name, Line::default())).1);
    }

    /// The table, as Markdown.
    pub fn table(&self) -> String {
        let mut table = String::new();
        let mut last = None;
        for ((size, _), (name, line)) in held(&self.lines).iter() {
            if last.replace(*size) != Some(*size) {
                table.push_str(&format!(
                    "\n{} VPCs, times in ms\n\n| {:<8} | {:<36} | {:>10} | {:>10} | {:>7} | answer\n|---|---|--:|--:|--:|---\n",
                    size, "", "", "passmuster", "peer", "ratio"
                ));
            }
            let ratio =
                line.ours.zip(line.theirs).map(|(ours, theirs)| theirs.as_secs_f64() / ours.as_secs_f64());
            table.push_str(&format!(
                "| {name:<8} | {:<36} | {:>10} | {:>10} | {:>7} | {}\n",
                line.title,
                millis(line.ours),
                millis(line.theirs),
                ratio.map_or_else(String::new, significant),
                line.note
            ));
        }
        table
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| significant(time.as_secs_f64() * 1e3))
}

/// Three digits, or all before the point.
fn significant(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 10.0 => format!("{number:.1}"),
        number if number >= 1.0 => format!("{number:.2}"),
        number => format!("{number:.3}"),
    }
}
