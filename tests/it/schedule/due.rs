//! What is due: a function of the clock and the past.

use std::time::Duration;

use passmuster::{
    model::Time,
    schedule::{
        Decision, Job, JobName, JobOutcome, JobState, Known, MOST_MISSED, Standing, When, due, next_run,
        rebased, standing,
    },
};

use super::at;

const HOUR: Duration = Duration::from_secs(3600);

fn check(id: &str, cron: &str) -> Job {
    jittered(JobName::Check(id.to_owned()), cron, Duration::ZERO)
}

fn collection(name: &str, cron: &str) -> Job {
    jittered(JobName::Collection(name.to_owned()), cron, Duration::ZERO)
}

fn jittered(name: JobName, cron: &str, jitter: Duration) -> Job {
    Job { name, when: When::Cron { cron: Box::new(cron.parse().unwrap()), jitter } }
}

fn every(interval: Duration) -> Job {
    Job { name: JobName::Collection("all".to_owned()), when: When::Every(interval) }
}

fn known(job: &Job, since: &str) -> JobState {
    JobState::known(at(since), &job.when)
}

fn ran(job: &Job, planned: &str) -> JobState {
    let planned = at(planned);
    known(job, "2026-01-01").begun(planned, planned, 0).ended(planned, JobOutcome::Done, "done")
}

fn is_due(planned: &str, missed: u64) -> Standing {
    Standing::Due { planned: at(planned), missed, is_again: false }
}

fn waits(until: &str) -> Standing {
    Standing::Waits { until: at(until) }
}

#[test]
fn a_job_is_due_at_its_moments_from_when_it_became_known() {
    let job = check("a", "0 6 * * *");
    let state = known(&job, "2026-11-20T10:00");
    assert_eq!(standing(at("2026-11-20T10:00"), &job, &state), waits("2026-11-21T06:00"));
    assert_eq!(standing(at("2026-11-21T05:59:59.999"), &job, &state), waits("2026-11-21T06:00"));
    assert_eq!(standing(at("2026-11-21T06:00"), &job, &state), is_due("2026-11-21T06:00", 0));
    let state = state.begun(at("2026-11-21T06:00:01"), at("2026-11-21T06:00"), 0);
    assert_eq!(
        standing(at("2026-11-21T06:00:02"), &job, &state),
        Standing::Runs { since: at("2026-11-21T06:00:01") }
    );
    let state = state.ended(at("2026-11-21T06:05"), JobOutcome::Failed, "no credentials");
    assert_eq!(
        standing(at("2026-11-21T06:05"), &job, &state),
        waits("2026-11-22T06:00"),
        "failed is not missed"
    );
}

#[test]
fn missed_runs_are_caught_up_once_however_many_they_were() {
    let job = check("a", "0 6 * * *");
    let state = ran(&job, "2026-11-20T06:00");
    let now = at("2026-11-25T09:00");
    assert_eq!(standing(now, &job, &state), is_due("2026-11-25T06:00", 4));
    let state = state.begun(now, at("2026-11-25T06:00"), 4).ended(now, JobOutcome::Done, "");
    assert_eq!(standing(now, &job, &state), waits("2026-11-26T06:00"));
    let often = check("b", "* * * * *");
    let state = ran(&often, "2026-01-01T00:00");
    assert_eq!(standing(at("2026-11-25T09:00:30"), &often, &state), is_due("2026-11-25T09:00", MOST_MISSED));
}

#[test]
fn a_run_longer_than_its_interval_is_followed_by_one_never_overlapped() {
    let job = check("a", "*/10 * * * *");
    let state = ran(&job, "2026-11-20T06:00").begun(at("2026-11-20T06:10"), at("2026-11-20T06:10"), 0);
    let Standing::Runs { .. } = standing(at("2026-11-20T06:45"), &job, &state) else { panic!("it runs") };
    assert_eq!(next_run(at("2026-11-20T06:45"), &job, &state), Some(at("2026-11-20T06:50")));
    let state = state.ended(at("2026-11-20T06:45"), JobOutcome::Done, "");
    assert_eq!(standing(at("2026-11-20T06:45"), &job, &state), is_due("2026-11-20T06:40", 2));
}

#[test]
fn an_interval_is_due_at_once_and_then_after_each_beginning() {
    let job = every(HOUR);
    assert_eq!(
        standing(at("2026-11-20T10:00"), &job, &known(&job, "2026-11-20T10:00")),
        is_due("2026-11-20T10:00", 0)
    );
    let state = ran(&job, "2026-11-20T10:00");
    assert_eq!(standing(at("2026-11-20T10:00"), &job, &state), waits("2026-11-20T11:00"));
    assert_eq!(standing(at("2026-11-20T11:00"), &job, &state), is_due("2026-11-20T11:00", 0));
    assert_eq!(standing(at("2026-11-20T15:30"), &job, &state), is_due("2026-11-20T15:30", 4), "once");
}

/// Berlin has no 02:30 on 2026-03-29 and two on 2026-10-25.
#[test]
fn a_night_without_the_moment_has_one_run_and_a_night_with_two_has_one() {
    let job = check("a", "30 2 * * * Europe/Berlin");
    let runs = |from: &str, to: &str| {
        let mut state = known(&job, from);
        let mut runs = Vec::new();
        let mut now = at(from);
        while now < at(to) {
            if let Standing::Due { planned, missed, .. } = standing(now, &job, &state) {
                state = state.begun(now, planned, missed).ended(now, JobOutcome::Done, "");
                runs.push(now.to_string().replace(":00.000Z", ""));
            }
            now = Time::from_millis(now.millis() + 60_000).unwrap();
        }
        runs
    };
    assert_eq!(
        runs("2026-03-28T00:00", "2026-03-31T00:00"),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
    );
    assert_eq!(runs("2026-10-24T12:00", "2026-10-27T00:00"), ["2026-10-25T00:30", "2026-10-26T01:30"]);
}

/// C5
#[test]
fn a_clock_that_was_set_back_stops_no_job_for_longer_than_its_interval() {
    for (job, next) in [(check("a", "0 6 * * *"), "2025-01-01T06:00"), (every(HOUR), "2025-01-01T01:00")] {
        let state = ran(&job, "2026-11-20T06:00");
        let jobs = std::slice::from_ref(&job);
        let now = at("2025-01-01");
        let decision = due(now, jobs, &Known::from([(job.name.clone(), state.clone())]));
        assert_eq!(decision.rebased, std::slice::from_ref(&job.name));
        assert_eq!(decision.next, Some(at(next)));
        let state = rebased(now, &state);
        let decision = due(at(next), jobs, &Known::from([(job.name.clone(), state)]));
        assert_eq!(decision.start.len(), 1, "it runs at its next moment");
        assert!(decision.rebased.is_empty());
    }
}

/// C5
#[test]
fn a_clock_that_is_put_right_by_seconds_repeats_nothing() {
    let job = check("a", "0 6 * * *");
    let state = ran(&job, "2026-11-20T06:00");
    let decision = due(
        at("2026-11-20T05:59:50"),
        std::slice::from_ref(&job),
        &Known::from([(job.name.clone(), state.clone())]),
    );
    assert!(decision.start.is_empty() && decision.rebased.is_empty());
    assert_eq!(standing(at("2026-11-20T06:00"), &job, &state), waits("2026-11-21T06:00"));
    let known = Known::from([(job.name.clone(), state)]);
    let rebased = |now: &str| due(at(now), std::slice::from_ref(&job), &known).rebased.len();
    assert_eq!(
        (rebased("2026-11-20T05:50"), rebased("2026-11-20T05:49:59.999")),
        (0, 1),
        "by ten minutes and more"
    );
}

/// C5
#[test]
fn a_clock_that_was_set_forward_causes_one_run() {
    let job = check("a", "0 * * * *");
    let state = ran(&job, "2026-11-20T06:00");
    assert_eq!(standing(at("2026-12-20T06:30"), &job, &state), is_due("2026-12-20T06:00", 719));
}

#[test]
fn jitter_is_the_jobs_own_always_the_same_and_never_as_long_as_the_interval() {
    let jitter = Duration::from_secs(1800);
    let names: Vec<JobName> = (0..40).map(|number| JobName::Check(format!("check-{number}"))).collect();
    let until = |name: &JobName, cron: &str| {
        let job = jittered(name.clone(), cron, jitter);
        match standing(at("2026-11-20T05:59"), &job, &known(&job, "2026-11-20T05:59")) {
            Standing::Waits { until } => until,
            other => panic!("{other:?}"),
        }
    };
    let six = at("2026-11-20T06:00");
    let shares: Vec<Duration> = names.iter().map(|name| until(name, "0 6 * * *").since(six)).collect();
    assert!(shares.iter().all(|share| *share < jitter), "{shares:?}");
    let distinct: std::collections::BTreeSet<_> = shares.iter().collect();
    assert!(distinct.len() > 30, "jobs of one moment are spread: {shares:?}");
    assert_eq!(shares, names.iter().map(|name| until(name, "0 6 * * *").since(six)).collect::<Vec<_>>());
    assert_eq!(shares[0], Duration::from_millis(1_447_397), "on every machine");
    for name in &names {
        let share = until(name, "*/10 * * * *").since(six);
        assert!(share < Duration::from_secs(300), "half an interval at most: {share:?}");
    }
    // What is put off is still the run of its moment.
    let job = jittered(names[0].clone(), "0 6 * * *", jitter);
    let state = known(&job, "2026-11-20T05:00");
    let Standing::Waits { until } = standing(six, &job, &state) else { panic!("put off") };
    assert_eq!(standing(until, &job, &state), is_due("2026-11-20T06:00", 0));
    let behind = known(&job, "2026-11-18T05:00");
    assert_eq!(standing(six, &job, &behind), is_due("2026-11-19T06:00", 1), "today's is still put off");
}

#[test]
fn one_collection_runs_at_a_time_and_checks_wait_for_its_end() {
    let jobs = [collection("second", "5 6 * * *"), check("a", "0 6 * * *"), collection("first", "0 6 * * *")];
    let mut states: Known = jobs.iter().map(|job| (job.name.clone(), ran(job, "2026-11-19T07:00"))).collect();
    let now = at("2026-11-20T06:30");
    let names = |decision: &Decision| -> Vec<String> {
        decision.start.iter().map(|start| start.name.to_string()).collect()
    };
    let decision = due(now, &jobs, &states);
    assert_eq!(names(&decision), ["collection/first"]);
    assert_eq!(
        decision.held.iter().map(|(held, by)| format!("{held} by {by}")).collect::<Vec<_>>(),
        ["collection/second by collection/first", "check/a by collection/first"]
    );
    for start in &decision.start {
        let begun = states[&start.name].begun(now, start.planned, start.missed);
        states.insert(start.name.clone(), begun);
    }
    let decision = due(now, &jobs, &states);
    assert_eq!(names(&decision), Vec::<String>::new());
    assert_eq!(decision.held.len(), 2);
    let first = &jobs[2].name;
    let ended = states[first].ended(now, JobOutcome::Done, "");
    states.insert(first.clone(), ended);
    assert_eq!(names(&due(now, &jobs, &states)), ["collection/second"]);
    let second = &jobs[0].name;
    let ended = states[second].begun(now, now, 0).ended(now, JobOutcome::Failed, "no credentials");
    states.insert(second.clone(), ended);
    assert_eq!(names(&due(now, &jobs, &states)), ["check/a"]);
}

#[test]
fn what_a_process_was_at_when_it_ended_is_run_again_once() {
    let job = check("a", "0 6 * * *");
    let now = at("2026-11-20T06:00");
    let died = ran(&job, "2026-11-19T06:00").begun(now, now, 0);
    let again = at("2026-11-20T06:10");
    let state = died.taken_over(again, &job.when);
    assert_eq!(state.outcome, Some(JobOutcome::Interrupted));
    assert_eq!(standing(again, &job, &state), Standing::Due { planned: now, missed: 0, is_again: true });
    let state = state.begun(again, now, 0).taken_over(again, &job.when);
    assert_eq!(state.attempts, 2);
    assert_eq!(
        standing(again, &job, &state),
        waits("2026-11-21T06:00"),
        "what ends the process does not do so for ever"
    );
}

#[test]
fn another_schedule_owes_nothing_for_the_time_before_it() {
    let job = check("a", "0 6 * * *");
    let state = ran(&job, "2026-11-01T06:00");
    let other = check("a", "0 7 * * *");
    let state = state.taken_over(at("2026-11-20T10:00"), &other.when);
    assert_eq!(standing(at("2026-11-20T10:00"), &other, &state), waits("2026-11-21T07:00"));
    let died = ran(&job, "2026-11-19T06:00").begun(at("2026-11-20T06:00"), at("2026-11-20T06:00"), 0);
    let died = died.taken_over(at("2026-11-20T10:00"), &other.when);
    assert_eq!(standing(at("2026-11-20T10:00"), &other, &died), waits("2026-11-21T07:00"), "nor its end");
    let same = ran(&job, "2026-11-01T06:00").taken_over(at("2026-11-20T10:00"), &job.when);
    assert_eq!(standing(at("2026-11-20T10:00"), &job, &same), is_due("2026-11-20T06:00", 18));
}

#[test]
fn names_of_jobs_are_read_back() {
    for name in ["collection/nightly", "check/aws-vpc-flow-logs-enabled"] {
        assert_eq!(name.parse::<JobName>().unwrap().to_string(), name);
    }
    for text in ["", "nightly", "check/", "job/x"] {
        let error = text.parse::<JobName>().unwrap_err();
        assert!(error.to_string().contains("collection/nightly"), "{error}");
    }
}
