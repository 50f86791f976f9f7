//! The text exposition format.

use std::fmt::Write as _;

/// What a metric is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Metrics written one after the other.
#[derive(Debug, Default)]
pub(super) struct Text {
    out: String,
    name: &'static str,
}

impl Text {
    /// Begins a metric; samples that follow are its.
    pub(super) fn metric(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.name = name;
        write!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}\n")
            .expect("invariant: writing to a String does not fail");
    }

    /// Writes one sample.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        self.out.push_str(self.name);
        self.out.push_str(suffix);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.out.push(if index == 0 { '{' } else { ',' });
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
        if !labels.is_empty() {
            self.out.push('}');
        }
        writeln!(self.out, " {value}").expect("invariant: writing to a String does not fail");
    }

    /// All that was written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    fn escaped(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '\\' => self.out.push_str("\\\\"),
                '"' => self.out.push_str("\\\""),
                '\n' => self.out.push_str("\\n"),
                other => self.out.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        let mut text = Text::default();
        text.metric("a", Kind::Gauge, "Help.");
        text.sample("_b", &[("c", "say \"hi\"\n\\")], 0.5);
        assert_eq!(text.finish(), "# HELP a Help.\n# TYPE a gauge\na_b{c=\"say \\\"hi\\\"\\n\\\\\"} 0.5\n");
    }
}
