//! What is due, and for how long nothing is.

use std::time::Duration;

use mainstay_resource::cron::Schedule;
use serde_json::json;

use super::super::due::{DELTA, Due, Missed, due, until_next};
use super::{at, cron};

/// Upstream's `TestMostRecentScheduleTime`.
#[test]
fn the_latest_time_that_has_come_is_found_without_listing_all_before_it() {
    use Missed::{Few, Many, None as No};
    for (created, schedule, deadline, last, now, within, since, expected, missed) in [
        ("0", "0 * * * *", None, None, "30s", false, "0", None, No),
        ("0", "0 * * * *", None, None, "61m", false, "0", Some("60m"), No),
        ("10s", "0 * * * *", None, None, "301m", false, "10s", Some("300m"), Few),
        ("0", "30 6-16/4 * * 1-5", None, Some("30m"), "24h31m", false, "30m", Some("24h30m"), Few),
        ("0", "30 10,11,12 * * 1-5", None, Some("30m"), "30h30m", false, "30m", None, Few),
        ("0", "30 6-16/4 * * 1-5", None, Some("30m"), "96h31m", false, "30m", Some("96h30m"), Few),
        ("0", "30 6-16/4 * * 1-5", None, None, "24h31m", false, "0", Some("24h30m"), Few),
        ("-59m", "@every 1h", Some(10), Some("1m"), "7d", false, "1m", Some("6d23h1m"), Many),
        ("0", "0 * * * *", None, Some("0"), "30s", false, "0", None, No),
        ("0", "*/5 * * * *", None, Some("30m"), "31m", false, "30m", None, No),
        ("0", "*/5 * * * *", Some(60), Some("30m"), "31m", false, "30m", None, No),
        ("0", "*/5 * * * *", Some(60), Some("30m"), "32m", true, "31m", None, No),
    ] {
        let cron = cron(schedule, json!({"startingDeadlineSeconds": deadline}), at(created), last.map(at));
        let found = due(&cron, at(now), &Schedule::parse(schedule).unwrap(), within);
        assert_eq!(found, Ok(Due { since: at(since), at: expected.map(at), missed }), "{schedule} at {now}");
    }
    let senseless = "59 23 31 2 *";
    let cron = cron(senseless, json!({}), at("10s"), None);
    assert!(due(&cron, at("1h"), &Schedule::parse(senseless).unwrap(), false).is_err());
}

/// Upstream's `TestNextScheduleTime`.
#[test]
fn a_job_is_due_once_its_time_has_come() {
    for (created, last, deadline, now, expected) in [
        ("-10m", None, None, "-7m", None),
        ("-10m", None, None, "2s", Some("0")),
        ("-10m", Some("0"), None, "2m", None),
        ("-10m", Some("0"), None, "65m", Some("60m")),
        ("-2h", Some("-1h"), None, "65m", Some("60m")),
        ("-2h", Some("-1h"), None, "10d1h", Some("10d1h")),
        ("-2h", Some("-1h"), Some(7200), "10d1h", Some("10d1h")),
    ] {
        let cron = cron("0 * * * ?", json!({"startingDeadlineSeconds": deadline}), at(created), last.map(at));
        let found = due(&cron, at(now), &Schedule::parse("0 * * * ?").unwrap(), true).unwrap();
        assert_eq!(found.at, expected.map(at), "{created} {last:?} {now}");
    }
}

/// Upstream's `TestNextScheduleTimeDuration`, and of `TestControllerV2UpdateCronJob` the changes of
/// the schedule.
#[test]
fn the_next_look_is_just_after_the_next_time() {
    for (schedule, last, now, expected) in [
        ("30 6-16/4 * * 1-5", Some("30m"), "24h31m", 3 * 3600 + 59 * 60),
        ("30 10,11,12 * * 1-5", Some("30m"), "30h30m", 66 * 3600),
        ("0 12 * * 4", Some("2h"), "19d1h30m", 48 * 3600 + 30 * 60),
        ("0 12 * * 5", None, "6h", 20 * 3600),
        ("*/1 * * * *", Some("-1m"), "-1s", 1),
        ("@every 3m", Some("-1m"), "-1s", 121),
        ("@every 1m", Some("-1m"), "-1s", 1),
    ] {
        let cron = cron(schedule, json!({}), at("0"), last.map(at));
        let next = until_next(&cron, at(now), &Schedule::parse(schedule).unwrap());
        assert_eq!(next, Some(Duration::from_secs(expected) + DELTA), "{schedule} at {now}");
    }
}
