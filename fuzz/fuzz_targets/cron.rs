//! Any text is a schedule or an error that points into it, and a schedule's times move on.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use mainstay_resource::cron::Schedule;

fuzz_target!(|input: (i64, &str)| {
    let (second, text) = input;
    let after = Timestamp::from_second(second % 10_000_000_000).expect("within the calendar");
    match Schedule::parse(text) {
        Err(error) => assert!(error.at() <= text.len()),
        Ok(schedule) => {
            if let Some(next) = schedule.next(after) {
                assert!(next > after, "{text:?}: {next} is not after {after}");
                assert!(schedule.previous(next).is_none_or(|last| last < next));
            }
        }
    }
});
