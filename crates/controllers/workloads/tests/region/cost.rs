//! What a day of rest costs.

use crate::support::region;

/// Run with `--ignored --nocapture`, in release; prints its measure.
#[test]
#[ignore = "a measurement, meaningful in release only"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures real time and prints it")]
fn a_day_of_rest_of_three_deployments() {
    let started = std::time::Instant::now();
    let (revisions, writes) = region(1, |region| async move {
        region.deploy(30).await;
        region.sleep(24 * 3600).await;
        region.assert_well();
        (region.api.store().revision(), region.writes())
    });
    println!("{revisions} revisions in {:.2} s", started.elapsed().as_secs_f64());
    for (call, count) in writes {
        println!("{count:8} {call}");
    }
}
