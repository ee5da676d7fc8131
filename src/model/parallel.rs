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

/// Does two things, side by side where they are large.
pub(crate) fn beside<A: Send, B>(
    is_large: bool,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    if !is_large || threads() < 2 {
        return (one(), other());
    }
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

/// Does all tasks and returns what came of them, in their order; on this thread alone where they are small.
pub(crate) fn in_parallel<T: Send, R: Send>(
    tasks: Vec<T>,
    is_large: bool,
    run: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    in_parallel_with(tasks, is_large, || (), |(), task| run(task))
}

/// The same with something that each thread makes for itself and has for all its tasks.
pub(crate) fn in_parallel_with<W, T: Send, R: Send>(
    tasks: Vec<T>,
    is_large: bool,
    begin: impl Fn() -> W + Sync,
    run: impl Fn(&W, T) -> R + Sync,
) -> Vec<R> {
    let threads = threads().min(tasks.len());
    if !is_large || threads < 2 {
        let own = begin();
        return tasks.into_iter().map(|task| run(&own, task)).collect();
    }
    let waiting = Mutex::new(tasks.into_iter().enumerate());
    let work = || {
        let (own, mut done) = (begin(), Vec::new());
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, task)) = next else { return done };
            done.push((place, run(&own, task)));
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
