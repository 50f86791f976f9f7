//! The form of the data files: two comment lines (`as_of`, `source`), a header line, rows of
//! comma-separated fields without quotes.

/// As of when a table is, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The day the facts were true.
    pub as_of: &'static str,
    /// Where they are from.
    pub source: &'static str,
}

/// One data file.
pub(crate) struct Table(pub(crate) &'static str);

impl Table {
    /// What the comment lines say.
    pub(crate) fn provenance(&self) -> Provenance {
        let comment = |name: &str| {
            let mut lines = self.0.lines().filter_map(|line| line.strip_prefix("# "));
            lines.find_map(|line| line.strip_prefix(name)).map_or("", str::trim)
        };
        Provenance { as_of: comment("as_of:"), source: comment("source:") }
    }

    /// The rows, each with `N` fields.
    pub(crate) fn rows<const N: usize>(&self) -> impl Iterator<Item = [&'static str; N]> {
        let lines = self.0.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.skip(1).map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            fields.try_into().expect("invariant: every row has the header's number of fields")
        })
    }
}

/// A number of a row.
pub(crate) fn number<T: std::str::FromStr>(field: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    field.parse().expect("invariant: the column holds numbers")
}
