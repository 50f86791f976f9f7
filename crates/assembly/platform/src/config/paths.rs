//! Paths in a Platform document: relative to its file's folder, with `*`, `?` and `**`.
//!
//! A pattern that fits a folder means all in it, as in a `.gitignore`.

use std::sync::Arc;

use mainstay_source::Document;

/// Why a path or pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is nothing in it.
    Empty,
    /// It leads out of the folder.
    LeavesSource,
}

impl Refused {
    /// Why, for a message.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::LeavesSource => "leads out of the Source",
        }
    }
}

/// The folder that paths are relative to.
#[derive(Clone, Debug)]
pub(super) struct Base(Arc<str>);

impl Base {
    /// The folder of a document's file.
    pub(super) fn of(document: &Document) -> Self {
        let name = document.file().name();
        let end = name.rfind('/').map_or(0, |slash| slash + 1);
        Self(Arc::from(&name[..end]))
    }

    /// Its name.
    pub(super) fn folder(&self) -> &str {
        &self.0
    }

    /// The name of a file or folder below it.
    pub(super) fn relative<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&*self.0)
    }
}

/// A path without `.`, doubled and last slashes.
pub(super) fn clean(path: &str) -> Result<String, Refused> {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(Refused::LeavesSource);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() { Err(Refused::Empty) } else { Ok(parts.join("/")) }
}

/// A pattern of paths.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern; `.` is everything.
    pub(super) fn parse(pattern: &str) -> Result<Self, Refused> {
        match clean(pattern) {
            Ok(clean) => Ok(Self(clean.split('/').map(str::to_owned).collect())),
            Err(Refused::Empty) if pattern.starts_with('.') => Ok(Self(vec!["**".to_owned()])),
            Err(refused) => Err(refused),
        }
    }

    /// Whether it fits a path, or a folder that the path lies in.
    pub(super) fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        fits(&self.0, &parts)
    }
}

/// Whether a pattern fits the first of these parts, one for one; `**` fits any number of them.
fn fits(pattern: &[String], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, _) => true,
        (Some((one, rest)), _) if one == "**" => {
            // A last `**` needs something in the folder before it.
            if rest.is_empty() {
                !parts.is_empty()
            } else {
                (0..=parts.len()).any(|skipped| fits(rest, &parts[skipped..]))
            }
        }
        (Some((one, rest)), Some((part, others))) => fits_part(one, part) && fits(rest, others),
        (Some(_), None) => false,
    }
}

/// Whether a pattern fits a name: `*` stands for any text, `?` for one character.
fn fits_part(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(one) if *one == '?' || *one == name[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_paths_and_all_below_a_folder() {
        for (pattern, path, fits) in [
            ("apps", "apps/web.yaml", true),
            ("apps/", "apps/deep/web.yaml", true),
            ("./apps", "apps/web.yaml", true),
            ("apps", "apps.yaml", false),
            ("apps", "more/apps/web.yaml", false),
            ("apps/web.yaml", "apps/web.yaml", true),
            ("*.yaml", "web.yaml", true),
            ("*.yaml", "apps/web.yaml", false),
            ("*/web.yaml", "apps/web.yaml", true),
            ("**/web.yaml", "web.yaml", true),
            ("**/web.yaml", "a/b/web.yaml", true),
            ("a/**/web.yaml", "a/web.yaml", true),
            ("a/**", "a/b/web.yaml", true),
            ("a/**", "a", false),
            ("**", "a", true),
            (".", "a/b", true),
            ("a?c*e", "abcde", true),
            ("a?c*e", "acde", false),
            ("*a*b*", "xxaybz", true),
            ("*a*b*", "xxbyaz", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn what_leads_out_or_is_empty_is_refused() {
        for pattern in ["/etc", "..", "a/../b", "../a"] {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), Refused::LeavesSource, "{pattern}");
        }
        assert_eq!(Pattern::parse("").unwrap_err(), Refused::Empty);
        assert_eq!(clean("./a//b/"), Ok("a/b".to_owned()));
    }
}
