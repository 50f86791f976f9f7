//! When a machine says that it is alive.
//!
//! SPEC: kubelet: a lease of 40 s renewed each 10 s, the status looked at each 10 s and reported
//! each 5 min when it is unchanged; periods are stretched by up to 4 %, and after a change the next
//! report moves by up to half its period, so that a fleet does not report at once.
//!
//! Nothing but the agent changes what a simulated machine reports, so the looks between two reports
//! would all see the same: the next look is put straight where the report falls due.

use std::time::Duration;

use mainstay_base::Random;

/// How long a lease holds, in seconds.
pub(crate) const LEASE_SECONDS: u32 = 40;
/// How often it is renewed.
const LEASE_PERIOD: Duration = Duration::from_secs(10);
/// How often a machine looks at its own status.
const STATUS_PERIOD: Duration = Duration::from_secs(10);
/// How often it reports a status that did not change.
const REPORT_PERIOD: Duration = Duration::from_mins(5);
/// By what part a period is stretched at most.
const JITTER: f64 = 0.04;

/// How long until the lease is renewed again.
pub(crate) fn until_renewal(random: &mut Random) -> Duration {
    stretched(LEASE_PERIOD, random)
}

/// How long until the status is reported again, after a report that `changed` something or not.
pub(crate) fn until_report(changed: bool, random: &mut Random) -> Duration {
    let due = if changed { REPORT_PERIOD.mul_f64(0.5 + random.unit()) } else { REPORT_PERIOD };
    let mut looks = Duration::ZERO;
    while looks < due {
        looks += stretched(STATUS_PERIOD, random);
    }
    looks
}

fn stretched(period: Duration, random: &mut Random) -> Duration {
    period.mul_f64(1.0 + JITTER * random.unit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_base::Seed;

    #[test]
    fn periods_are_stretched_by_four_percent_at_most() {
        let mut random = Random::named(Seed(7), "heartbeat");
        for _ in 0..1000 {
            let renewal = until_renewal(&mut random);
            assert!(renewal >= LEASE_PERIOD && renewal <= Duration::from_millis(10_400), "{renewal:?}");
            let report = until_report(false, &mut random);
            assert!(report >= REPORT_PERIOD && report < Duration::from_millis(310_400), "{report:?}");
            let report = until_report(true, &mut random);
            assert!(report >= REPORT_PERIOD / 2 && report < Duration::from_millis(460_400), "{report:?}");
        }
    }
}
