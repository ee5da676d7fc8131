//! Independent pieces of work on as many threads as the machine runs at once.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

/// From so many rows on a thread more is worth its beginning.
pub(crate) const WORTH_A_THREAD: usize = 20_000;

/// How many threads the machine runs at once.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does all tasks and returns what came of them, in their order; on this thread alone where they are small.
pub(crate) fn in_parallel<T: Send, R: Send>(
    tasks: Vec<T>,
    is_large: bool,
    run: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads().min(tasks.len());
    if !is_large || threads < 2 {
        return tasks.into_iter().map(run).collect();
    }
    let waiting = Mutex::new(tasks.into_iter().enumerate());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, task)) = next else { return done };
            done.push((place, run(task)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
