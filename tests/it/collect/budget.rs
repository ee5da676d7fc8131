//! The bucket of calls, over moments of the tests' own.

use std::time::Duration;

use passmuster::collect::{Bucket, Quota};

const QUOTA: Quota = Quota { burst: 3.0, per_second: 2.0 };

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_full_bucket_lets_a_burst_through_and_then_one_call_at_a_time() {
    let mut bucket = Bucket::full(QUOTA, at(0));
    let waits: Vec<Duration> = (0..6).map(|_| bucket.take(at(0))).collect();
    assert_eq!(waits, [at(0), at(0), at(0), at(500), at(1_000), at(1_500)]);
}

#[test]
fn a_bucket_refills_with_time_and_never_beyond_its_burst() {
    let mut bucket = Bucket::full(QUOTA, at(0));
    for _ in 0..3 {
        assert_eq!(bucket.take(at(0)), at(0));
    }
    assert_eq!(bucket.take(at(250)), at(250), "half a call has come in");
    assert_eq!(bucket.take(at(1_500)), at(0));
    let much_later = at(3_600_000);
    let waits: Vec<Duration> = (0..4).map(|_| bucket.take(much_later)).collect();
    assert_eq!(waits, [at(0), at(0), at(0), at(500)]);
}

#[test]
fn calls_that_wait_are_promised_their_own_time() {
    let mut bucket = Bucket::full(Quota { burst: 1.0, per_second: 10.0 }, at(0));
    assert_eq!(bucket.take(at(0)), at(0));
    // Who comes later waits behind those who wait already.
    assert_eq!((bucket.take(at(0)), bucket.take(at(0)), bucket.take(at(50))), (at(100), at(200), at(250)));
}

#[test]
fn a_clock_that_goes_back_gives_no_calls_away() {
    let mut bucket = Bucket::full(QUOTA, at(10_000));
    for _ in 0..3 {
        assert_eq!(bucket.take(at(10_000)), at(0));
    }
    assert_eq!(bucket.take(at(0)), at(500));
    assert_eq!(bucket.take(at(10_000)), at(1_000), "the way back counts for nothing");
}

#[test]
fn a_bucket_for_less_than_one_call_still_lets_one_through() {
    let mut bucket = Bucket::full(Quota { burst: 0.5, per_second: 0.5 }, at(0));
    assert_eq!(bucket.take(at(0)), at(0));
    assert_eq!(bucket.take(at(0)), at(2_000));
}
