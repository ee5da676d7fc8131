//! When the slices of a type were complete: how many at which time, so that what a verdict rests on is counted without
//! asking each of a million slices.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use crate::model::{Outcome, SliceState, Time};

const MINUTE_MILLIS: i64 = 60_000;

/// How many slices were last complete at which time. A copy that is changed copies the minutes and one of them, not all
/// times.
#[derive(Clone, Debug, Default)]
pub(super) struct Completions {
    /// Those that are complete since nobody says when: at any time.
    untimed: usize,
    minutes: BTreeMap<i64, Minute>,
}

#[derive(Clone, Debug, Default)]
struct Minute {
    slices: usize,
    times: Arc<BTreeMap<Time, usize>>,
}

impl Completions {
    /// Takes in a slice.
    pub(super) fn add(&mut self, slice: &SliceState) {
        match slice.completed_at {
            Some(time) => self.minutes.entry(minute_of(time)).or_default().add(time, 1),
            None => self.untimed += usize::from(slice.outcome == Outcome::Complete),
        }
    }

    /// Takes out a slice that was taken in.
    pub(super) fn remove(&mut self, slice: &SliceState) {
        let Some(time) = slice.completed_at else {
            self.untimed -= usize::from(slice.outcome == Outcome::Complete);
            return;
        };
        if let Entry::Occupied(mut minute) = self.minutes.entry(minute_of(time)) {
            minute.get_mut().remove(time);
            if minute.get().slices == 0 {
                minute.remove();
            }
        }
    }

    /// Takes in those of other slices.
    pub(super) fn append(&mut self, other: &Self) {
        self.untimed += other.untimed;
        for (number, of_other) in &other.minutes {
            let minute = self.minutes.entry(*number).or_default();
            for (time, slices) in of_other.times.iter() {
                minute.add(*time, *slices);
            }
        }
    }

    /// How many slices are complete since a time: those of which [`SliceState::is_complete_since`] holds.
    pub(super) fn count_since(&self, oldest: Time) -> usize {
        let first = minute_of(oldest);
        let of_first =
            self.minutes.get(&first).map_or(0, |minute| minute.times.range(oldest..).map(|(_, n)| n).sum());
        let later = self.minutes.range(first + 1..).map(|(_, minute)| minute.slices);
        self.untimed + of_first + later.sum::<usize>()
    }

    /// The first time from `oldest` on at which one was complete.
    pub(super) fn first_since(&self, oldest: Time) -> Option<Time> {
        let minutes = self.minutes.range(minute_of(oldest)..);
        minutes.flat_map(|(_, minute)| minute.times.range(oldest..).next()).map(|(time, _)| *time).next()
    }
}

impl Minute {
    fn add(&mut self, time: Time, slices: usize) {
        self.slices += slices;
        *Arc::make_mut(&mut self.times).entry(time).or_default() += slices;
    }

    fn remove(&mut self, time: Time) {
        if let Entry::Occupied(mut slices) = Arc::make_mut(&mut self.times).entry(time) {
            self.slices -= 1;
            *slices.get_mut() -= 1;
            if *slices.get() == 0 {
                slices.remove();
            }
        }
    }
}

fn minute_of(time: Time) -> i64 {
    time.millis().div_euclid(MINUTE_MILLIS)
}
