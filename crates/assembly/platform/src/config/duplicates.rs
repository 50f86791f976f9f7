//! Objects that stand twice in one region: only the last of them is applied.

use std::collections::BTreeMap;

use mainstay_base::{Diagnostic, Severity};
use mainstay_source::Object;

use super::Placed;
use crate::codes;

/// So many are told; the last one says how many more there are.
const TOLD: usize = 20;

/// A warning at each object that stands in a region already.
pub(super) fn tell(documents: &[Placed]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(&str, &str, &str, &str), Vec<usize>> = BTreeMap::new();
    let mut twice = Vec::new();
    for (index, placed) in documents.iter().enumerate() {
        let Some(Object { kind, namespace, name }) = placed.document.shape.object() else { continue };
        if name.is_empty() {
            continue;
        }
        let others = first.entry((&kind.group, &kind.kind, namespace, name)).or_default();
        let shares =
            |other: &&usize| documents[**other].regions.iter().any(|region| placed.regions.contains(region));
        if let Some(other) = others.iter().find(shares) {
            twice.push((*other, index));
        }
        others.push(index);
    }
    let more = twice.len().saturating_sub(TOLD);
    let mut told: Vec<_> = twice
        .iter()
        .take(TOLD)
        .map(|(first, second)| warning(&documents[*first], &documents[*second]))
        .collect();
    if let (Some(last), true) = (told.last_mut(), more > 0) {
        last.causes.push(format!("{more} more objects stand twice"));
    }
    told
}

fn warning(first: &Placed, second: &Placed) -> Diagnostic {
    let document = &second.document;
    let shared: Vec<&str> =
        second.regions.iter().filter(|region| first.regions.contains(region)).map(String::as_str).collect();
    let message = format!("{} stands twice in {}", document.shape, shared.join(", "));
    let mut problem = document.error(codes::DUPLICATE_OBJECT, message, "/metadata/name");
    problem.severity = Severity::Warning;
    problem
        .related(first.document.start(), "first here")
        .help("keep one of them, or place them in different regions: only the last is applied")
}
