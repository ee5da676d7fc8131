//! The loop, with a clock of the test's own: what is due runs, once, and what is known of it is kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use passmuster::{
    model::{Clock, FixedClock},
    schedule::{
        Ended, Job, JobName, JobOutcome, JobState, Known, Perform, Running, Schedule, When, run_begun,
        run_schedule,
    },
};
use tokio::sync::mpsc;

use super::{PATIENCE, at};

/// Keeps in memory, and says what runs; a run ends when the test says so.
#[derive(Debug)]
struct Recorder {
    kept: Arc<Mutex<Known>>,
    began: mpsc::UnboundedSender<Vec<String>>,
    may_end: Arc<tokio::sync::Semaphore>,
    refuses: bool,
    panics: bool,
}

impl Perform for Recorder {
    fn keep(&self, states: Vec<(JobName, JobState)>) -> Running<Result<(), String>> {
        let kept = Arc::clone(&self.kept);
        let refuses = self.refuses;
        Box::pin(async move {
            if refuses {
                return Err("the disk is full".to_owned());
            }
            kept.lock().unwrap().extend(states);
            Ok(())
        })
    }

    fn perform(&self, jobs: Vec<JobName>) -> Running<Vec<Ended>> {
        let (began, may_end, panics) = (self.began.clone(), Arc::clone(&self.may_end), self.panics);
        Box::pin(async move {
            began.send(jobs.iter().map(ToString::to_string).collect()).unwrap();
            assert!(!panics, "as a test of panics does");
            may_end.acquire().await.unwrap().forget();
            jobs.iter().map(|_| Ended { outcome: JobOutcome::Done, note: "done".to_owned() }).collect()
        })
    }
}

struct Bench {
    clock: Arc<FixedClock>,
    kept: Arc<Mutex<Known>>,
    began: mpsc::UnboundedReceiver<Vec<String>>,
    may_end: Arc<tokio::sync::Semaphore>,
    recorder: Arc<Recorder>,
}

fn bench(now: &str, change: impl Fn(&mut Recorder)) -> Bench {
    let (sender, began) = mpsc::unbounded_channel();
    let kept = Arc::new(Mutex::new(BTreeMap::new()));
    let may_end = Arc::new(tokio::sync::Semaphore::new(0));
    let mut recorder = Recorder {
        kept: Arc::clone(&kept),
        began: sender,
        may_end: Arc::clone(&may_end),
        refuses: false,
        panics: false,
    };
    change(&mut recorder);
    Bench { clock: Arc::new(FixedClock::at(at(now))), kept, began, may_end, recorder: Arc::new(recorder) }
}

fn jobs() -> Vec<Job> {
    let job = |name, cron: &str| Job {
        name,
        when: When::Cron { cron: Box::new(cron.parse().unwrap()), jitter: Duration::ZERO },
    };
    vec![
        job(JobName::Check("a".to_owned()), "0 6 * * *"),
        job(JobName::Check("b".to_owned()), "0 6 * * *"),
        job(JobName::Collection("nightly".to_owned()), "0 5 * * *"),
    ]
}

impl Bench {
    fn schedule(&self, known: Known) -> Arc<Schedule> {
        Arc::new(Schedule::new(jobs(), known, Arc::clone(&self.clock) as Arc<dyn Clock>))
    }

    async fn began(&mut self) -> Vec<String> {
        tokio::time::timeout(PATIENCE, self.began.recv()).await.unwrap().unwrap()
    }

    async fn until_kept(&self, is_so: impl Fn(&Known) -> bool) {
        for _ in 0..2000 {
            if is_so(&self.kept.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {:?}", self.kept.lock().unwrap());
    }
}

fn is_done(known: &Known, name: &JobName) -> bool {
    known.get(name).is_some_and(|state| state.outcome == Some(JobOutcome::Done))
}

#[tokio::test]
async fn what_is_due_runs_once_checks_together_and_all_of_it_is_kept() {
    let mut bench = bench("2026-11-20T04:00", |_| {});
    let schedule = bench.schedule(Known::new());
    let looping =
        tokio::spawn(run_schedule(Arc::clone(&schedule), Arc::clone(&bench.recorder) as Arc<dyn Perform>));
    bench.until_kept(|known| known.len() == 3).await;
    assert!(bench.began.try_recv().is_err(), "nothing is due yet");
    bench.clock.set(at("2026-11-20T06:00"));
    // The loop sleeps until the next moment by a clock that has jumped: an end of a run wakes it as well.
    schedule.end(&JobName::Check("a".to_owned()), JobOutcome::Done, "");
    assert_eq!(bench.began().await, ["collection/nightly"]);
    {
        let kept = bench.kept.lock().unwrap();
        let name = JobName::Collection("nightly".to_owned());
        assert!(kept[&name].is_running(), "kept before it is done: {kept:?}");
    }
    bench.may_end.add_permits(1);
    assert_eq!(bench.began().await, ["check/a", "check/b"], "what is due together runs together");
    bench.may_end.add_permits(1);
    bench.until_kept(|known| known.keys().all(|name| is_done(known, name))).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(bench.began.try_recv().is_err(), "once");
    looping.abort();

    // A restart forgets nothing: what ran has run, what was missed is made up for.
    let known = bench.kept.lock().unwrap().clone();
    assert!(bench.schedule(known.clone()).take_due().0.start.is_empty());
    bench.clock.set(at("2026-11-22T12:00"));
    let (decision, _) = bench.schedule(known).take_due();
    let missed: Vec<(String, u64)> =
        decision.start.iter().map(|start| (start.name.to_string(), start.missed)).collect();
    assert_eq!(missed, [("collection/nightly".to_owned(), 1)]);
    assert_eq!(decision.held.len(), 2);
}

#[tokio::test]
async fn a_run_whose_beginning_can_not_be_kept_does_not_begin() {
    let mut bench = bench("2026-11-20T06:00", |recorder| recorder.refuses = true);
    let schedule = bench.schedule(Known::new());
    let name = JobName::Collection("nightly".to_owned());
    let begun = schedule.begin(&name).unwrap();
    let ended = run_begun(Arc::clone(&schedule), bench.recorder.clone(), vec![(name.clone(), begun)]).await;
    assert_eq!(ended[0].outcome, JobOutcome::Failed);
    assert!(ended[0].note.contains("the disk is full"), "{}", ended[0].note);
    assert!(bench.began.try_recv().is_err(), "it did not begin");
    assert!(!schedule.known()[&name].is_running());
}

#[tokio::test]
async fn a_job_that_panics_has_failed_and_can_run_again() {
    let bench = bench("2026-11-20T06:00", |recorder| recorder.panics = true);
    let schedule = bench.schedule(Known::new());
    let name = JobName::Check("a".to_owned());
    let begun = schedule.begin(&name).unwrap();
    let ended = run_begun(Arc::clone(&schedule), bench.recorder.clone(), vec![(name.clone(), begun)]).await;
    assert_eq!(ended[0].outcome, JobOutcome::Failed);
    assert!(schedule.begin(&name).is_ok());
}

#[tokio::test]
async fn a_run_that_is_asked_for_waits_for_no_moment_but_never_overlaps() {
    let bench = bench("2026-11-20T04:00", |_| {});
    let schedule = bench.schedule(Known::new());
    let requested = JobName::Collection("requested".to_owned());
    schedule.begin(&requested).unwrap();
    let busy = schedule.begin(&JobName::Collection("nightly".to_owned())).unwrap_err();
    assert_eq!(busy.running, requested);
    assert!(busy.to_string().contains("collection/requested"), "{busy}");
    assert!(schedule.begin(&requested).is_err());
    assert!(schedule.begin(&JobName::Check("a".to_owned())).is_err(), "half a collection is not judged");
    bench.clock.set(at("2026-11-20T05:00"));
    let (decision, _) = schedule.take_due();
    assert_eq!(decision.held, [(JobName::Collection("nightly".to_owned()), requested.clone())]);
    schedule.end(&requested, JobOutcome::Done, "");
    let (decision, begun) = schedule.take_due();
    assert_eq!(decision.start.len(), 1);
    assert_eq!(begun[0].1.planned, Some(at("2026-11-20T05:00")));
}
