//! Which step happens when: repetitions written out, in order. Pure but for the seed's draws.

use std::time::Duration;

use mainstay_base::Random;
use mainstay_kinds::drill::{Action, Step};

/// A step at its time.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// When, from the start of the drill.
    pub(crate) at: Duration,
    /// Where it stands in the drill's document.
    pub(crate) path: String,
    /// Which round of its repetition it is in, ` (2/6)`.
    pub(crate) round: String,
    /// The step.
    pub(crate) step: Step,
}

/// The steps that stand below `path`, in the order they happen.
pub(crate) fn written_out(steps: &[Step], path: &str, random: &mut Random) -> Vec<Due> {
    let mut all = Vec::new();
    write_out(steps, path, Duration::ZERO, "", random, &mut all);
    // Stable: of equal times the order of the file holds.
    all.sort_by_key(|due| due.at);
    all
}

fn write_out(
    steps: &[Step],
    path: &str,
    from: Duration,
    round: &str,
    random: &mut Random,
    all: &mut Vec<Due>,
) {
    for (index, step) in steps.iter().enumerate() {
        let (at, path) = (from + step.at, format!("{path}/{index}"));
        let Action::Repeat(repeat) = &step.action else {
            all.push(Due { at, path, round: round.to_owned(), step: step.clone() });
            continue;
        };
        for number in 0..repeat.times {
            let start = at + repeat.every * number + up_to(repeat.jitter, random);
            let round = format!("{round} ({}/{})", number + 1, repeat.times);
            write_out(&repeat.steps, &format!("{path}/repeat/steps"), start, &round, random, all);
        }
    }
}

fn up_to(most: Duration, random: &mut Random) -> Duration {
    if most.is_zero() {
        return Duration::ZERO;
    }
    let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random.below(millis.saturating_add(1)))
}

/// How many steps there are once repetitions are written out.
pub(crate) fn count(steps: &[Step]) -> u64 {
    steps
        .iter()
        .map(|step| match &step.action {
            Action::Repeat(repeat) => u64::from(repeat.times).saturating_mul(count(&repeat.steps)),
            _ => 1,
        })
        .fold(0, u64::saturating_add)
}

/// The latest moment a step below here can happen at, from its own start.
pub(crate) fn latest(step: &Step) -> Duration {
    match &step.action {
        Action::Repeat(repeat) => {
            let last = repeat.every.saturating_mul(repeat.times.saturating_sub(1)) + repeat.jitter;
            let inner = repeat.steps.iter().map(latest).max().unwrap_or_default();
            step.at.saturating_add(last).saturating_add(inner)
        }
        _ => step.at,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_base::Seed;
    use serde_json::json;

    use super::*;

    fn steps() -> Vec<Step> {
        serde_json::from_value(json!([
            { "at": "1m", "repeat": { "every": "10m", "times": 2, "jitter": "5s", "steps": [
                { "at": "0s", "killRegion": "a" },
                { "at": "2m", "restoreRegion": "a" },
            ] } },
            { "at": "2m", "killNode": { "name": "n" } },
        ]))
        .unwrap()
    }

    #[test]
    fn a_repetition_is_its_steps_at_their_times_in_each_round() {
        let mut random = Random::named(Seed(1), "test");
        let all = written_out(&steps(), "/spec/steps", &mut random);
        let told: Vec<_> =
            all.iter().map(|due| (due.at.as_secs() / 60, due.path.as_str(), due.round.as_str())).collect();
        assert_eq!(
            told,
            [
                (1, "/spec/steps/0/repeat/steps/0", " (1/2)"),
                (2, "/spec/steps/1", ""),
                (3, "/spec/steps/0/repeat/steps/1", " (1/2)"),
                (11, "/spec/steps/0/repeat/steps/0", " (2/2)"),
                (13, "/spec/steps/0/repeat/steps/1", " (2/2)"),
            ]
        );
        assert_eq!(count(&steps()), 5);
        assert_eq!(latest(&steps()[0]), Duration::from_secs(13 * 60 + 5));
    }
}
