//! What a namespace's labels ask of its pods.

use std::fmt;

use serde_json::Value;

use crate::status::Cause;

/// How little a pod may do; each level asks for all that the one before it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    #[default]
    Privileged,
    Baseline,
    Restricted,
}

/// The minor version whose rules count; the latest when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version(Option<u32>);

/// `restricted:latest`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standard {
    pub(super) level: Level,
    pub(super) version: Version,
}

/// What is refused, and what is warned of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) enforce: Standard,
    pub(super) warn: Standard,
}

impl Level {
    const ALL: [Self; 3] = [Self::Privileged, Self::Baseline, Self::Restricted];

    fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }

    fn of(text: &str) -> Result<Self, &'static str> {
        let found = Self::ALL.into_iter().find(|level| level.name() == text);
        found.ok_or("must be one of privileged, baseline, restricted")
    }
}

impl Version {
    #[cfg(test)]
    pub(super) const fn minor(minor: u32) -> Self {
        Self(Some(minor))
    }

    /// Whether a rule that came with v1.`minor` counts.
    pub(super) fn has(self, minor: u32) -> bool {
        self.0.is_none_or(|own| own >= minor)
    }

    fn of(text: &str) -> Result<Self, &'static str> {
        if text == "latest" {
            return Ok(Self(None));
        }
        let digits = text.strip_prefix("v1.").filter(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && (*digits == "0" || !digits.starts_with('0'))
        });
        let minor = digits.and_then(|digits| digits.parse().ok());
        minor.map(|minor| Self(Some(minor))).ok_or("must be \"latest\" or \"v1.x\"")
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version.0 {
            None => write!(out, "{}:latest", self.level.name()),
            Some(minor) => write!(out, "{}:v1.{minor}", self.level.name()),
        }
    }
}

/// One mode as the labels have it, before what they cannot say is replaced.
#[derive(Default)]
struct Mode {
    level: Option<Result<Level, ()>>,
    version: Option<Version>,
}

impl Policy {
    /// The policy that labels ask for, and what is wrong with them. A level to enforce that cannot
    /// be read is the strictest; one to warn of is none.
    pub(super) fn of<'a>(label: &dyn Fn(&str) -> Option<&'a str>) -> (Self, Vec<Cause>) {
        let mut wrong = Vec::new();
        let [enforce, _, warn] = ["enforce", "audit", "warn"].map(|mode| Mode::of(mode, label, &mut wrong));
        let enforced = Standard {
            level: enforce.level.map_or(Level::Privileged, |level| level.unwrap_or(Level::Restricted)),
            version: enforce.version.unwrap_or_default(),
        };
        let warned = match warn.level {
            None if matches!(enforce.level, Some(Ok(level)) if level > Level::Privileged) => {
                Standard { level: enforced.level, version: warn.version.unwrap_or(enforced.version) }
            }
            level => Standard {
                level: level.and_then(Result::ok).unwrap_or_default(),
                version: warn.version.unwrap_or_default(),
            },
        };
        (Self { enforce: enforced, warn: warned }, wrong)
    }
}

impl Mode {
    fn of<'a>(mode: &str, label: &dyn Fn(&str) -> Option<&'a str>, wrong: &mut Vec<Cause>) -> Self {
        let key = format!("pod-security.kubernetes.io/{mode}");
        let mut read = Self::default();
        if let Some(text) = label(&key) {
            read.level = Some(Level::of(text).map_err(|why| wrong.push(unfit(&key, text, why))));
        }
        let key = format!("{key}-version");
        if let Some(text) = label(&key) {
            // One that cannot be read counts as the latest.
            read.version = Some(Version::of(text).unwrap_or_else(|why| {
                wrong.push(unfit(&key, text, why));
                Version::default()
            }));
        }
        read
    }
}

fn unfit(label: &str, text: &str, why: &str) -> Cause {
    Cause::invalid(format!("metadata.labels[{label}]"), &Value::from(text), why)
}
