//! What a day of heartbeats costs.

use crate::support::{enterprise, region};

/// Run with `--ignored --nocapture`, in release; prints its measure.
#[test]
#[ignore = "a measurement, meaningful in release only"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures real time and prints it")]
fn a_day_of_heartbeats_of_seventeen_machines() {
    let started = std::time::Instant::now();
    let revisions = region(|region| async move {
        region.configure(enterprise()).await;
        region.start();
        region.sleep(24 * 3600).await;
        region.assert_well();
        region.api.store().revision()
    });
    let seconds = started.elapsed().as_secs_f64();
    println!("{revisions} revisions in {seconds:.2} s");
    assert!(revisions > 140_000, "{revisions}");
}
