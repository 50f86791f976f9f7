//! What became of each document, in one table: a row for every document, be it used or not, every
//! folder of templates, and every diagram.

use std::collections::BTreeMap;

use mainstay_base::Diagnostic;
use mainstay_base::diagnostic::Location;
use mainstay_source::{Document, Shape};

use super::desired::{Desired, Standing};
use super::key::Key;
use super::order::Wave;
use super::work::Work;
use crate::config::{Config, Placed};
use crate::plan::{Change, RegionPlan, Step};
use crate::status::{DocumentStatus, Fate};
use crate::{codes, components};

/// A fate, its code, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Verdict {
    fate: Fate,
    code: Option<&'static str>,
    reason: Option<String>,
}

impl Verdict {
    fn new(fate: Fate, reason: Option<String>) -> Self {
        let code = match fate {
            Fate::Applied | Fate::Diagram => None,
            Fate::Stored => Some(codes::STORED),
            Fate::NotUsed => Some(codes::NOT_USED),
            Fate::NotRunYet => Some(codes::NOT_RUN),
            Fate::Refused => Some(codes::DOCUMENT_REFUSED),
        };
        Self { fate, code, reason }
    }
}

/// The rows of a Source's documents, templates and diagrams, in its order.
pub(super) fn rows(config: &Config, works: &[Work<'_>]) -> Vec<DocumentStatus> {
    let actors = Actors::of_all();
    let mut worst: BTreeMap<usize, Verdict> = BTreeMap::new();
    for (desired, refusal) in works.iter().flat_map(Work::outcomes) {
        let Some(document) = desired.document else { continue };
        let verdict = judge(desired, refusal, &actors, &config.documents);
        let known = worst.entry(document).or_insert_with(|| verdict.clone());
        if verdict.fate > known.fate {
            *known = verdict;
        }
    }
    let mut rows = Vec::with_capacity(config.documents.len() + config.aside.len() + config.diagrams.len());
    for (index, placed) in config.documents.iter().enumerate() {
        let verdict = worst.remove(&index).unwrap_or_else(|| of_no_object(placed));
        rows.push(row(
            &placed.document.start(),
            placed.document.shape.to_string(),
            placed.regions.clone(),
            verdict,
        ));
    }
    for one in &config.aside {
        let verdict = Verdict::new(Fate::NotUsed, Some(one.reason.to_owned()));
        insert(&mut rows, row(&one.at, one.shape.to_string(), Vec::new(), verdict));
    }
    for name in &config.templates {
        let verdict = Verdict::new(Fate::NotRunYet, Some("charts are not rendered yet".to_owned()));
        let at = Location { file: name.as_str().into(), line: 1, column: 1, length: 0 };
        rows.push(row(&at, "Helm templates".to_owned(), Vec::new(), verdict));
    }
    for diagram in &config.diagrams {
        insert(&mut rows, row(diagram, "diagram".to_owned(), Vec::new(), Verdict::new(Fate::Diagram, None)));
    }
    rows
}

fn row(at: &Location, what: String, regions: Vec<String>, verdict: Verdict) -> DocumentStatus {
    DocumentStatus {
        file: at.file.to_string(),
        line: at.line,
        what,
        regions,
        fate: verdict.fate,
        code: verdict.code.map(str::to_owned),
        reason: verdict.reason,
    }
}

/// Puts a row before the first one of its file that comes later in it, else after the file's last.
fn insert(rows: &mut Vec<DocumentStatus>, row: DocumentStatus) {
    let later = rows.iter().position(|other| other.file == row.file && other.line > row.line);
    let last = || rows.iter().rposition(|other| other.file == row.file).map(|index| index + 1);
    let index = later.or_else(last).unwrap_or(rows.len());
    rows.insert(index, row);
}

/// What became of an object in one region.
fn judge(desired: &Desired<'_>, refusal: Option<&str>, actors: &Actors, placed: &[Placed]) -> Verdict {
    match (&desired.standing, refusal) {
        (Standing::Nameless, _) => {
            let reason = desired.document.map(|index| nameless(&placed[index].document));
            Verdict::new(Fate::Refused, reason.map(str::to_owned))
        }
        (Standing::Replaced(by), _) => {
            let at = placed[*by].document.start();
            let reason = format!("{}:{} is the same object and comes later", at.file, at.line);
            Verdict { code: Some(codes::DUPLICATE_OBJECT), ..Verdict::new(Fate::NotUsed, Some(reason)) }
        }
        (Standing::Unserved, _) => {
            let reason = format!("no API serves {} {}", desired.api(), desired.key.kind);
            Verdict::new(Fate::NotRunYet, Some(reason))
        }
        (Standing::Served(_) | Standing::Later, Some(reason)) => {
            Verdict::new(Fate::Refused, Some(reason.to_owned()))
        }
        (Standing::Served(resource), None) if actors.act_on(&resource.api.group, &resource.api.plural) => {
            Verdict::new(Fate::Applied, None)
        }
        (Standing::Served(_) | Standing::Later, None) => {
            Verdict::new(Fate::Stored, Some(nobody_acts(&desired.key)))
        }
    }
}

/// Why an object without a name is not applied.
fn nameless(document: &Document) -> &'static str {
    match document.node("/metadata/generateName") {
        Some(_) => "cannot use generate name with apply: give it a metadata.name",
        None => "metadata.name is missing, or is not text (quote it)",
    }
}

/// What became of a document that is no Kubernetes object.
fn of_no_object(placed: &Placed) -> Verdict {
    match &placed.reason {
        Some(reason) => Verdict::new(Fate::NotUsed, Some(reason.clone())),
        None => Verdict::new(Fate::NotRunYet, Some("nothing runs it yet".to_owned())),
    }
}

fn nobody_acts(key: &Key) -> String {
    let reason = match (key.group.as_str(), key.kind.as_str()) {
        (_, "NetworkPolicy" | "GlobalNetworkPolicy") => "nothing enforces it yet",
        ("rbac.authorization.k8s.io", _) => "nothing is decided by it yet",
        ("admissionregistration.k8s.io", _) => "nothing asks it yet",
        _ => "nothing runs it yet",
    };
    reason.to_owned()
}

/// Who acts on what: every component that watches a resource, and the API server itself.
struct Actors(Vec<mainstay_control::Component>);

impl Actors {
    fn of_all() -> Self {
        Self(components::all(mainstay_pki::NOBODY))
    }

    fn act_on(&self, group: &str, resource: &str) -> bool {
        components::OF_THE_API.contains(&(group, resource))
            || self.0.iter().flat_map(|component| component.rules).any(|rule| {
                rule.verbs.contains(&"watch")
                    && rule.groups.contains(&group)
                    && rule.resources.contains(&resource)
            })
    }
}

/// The refused documents at their places.
pub(super) fn refusals(placed: &[Placed], works: &[Work<'_>]) -> Vec<Diagnostic> {
    let mut told: BTreeMap<usize, Diagnostic> = BTreeMap::new();
    for (desired, refused) in works.iter().flat_map(Work::outcomes) {
        let Some(document) = desired.document else { continue };
        let reason = match desired.standing {
            Standing::Nameless => Some(nameless(&placed[document].document)),
            _ => refused,
        };
        if let Some(reason) = reason {
            told.entry(document).or_insert_with(|| refusal(&placed[document].document, reason));
        }
    }
    told.into_values().collect()
}

/// A refused document as a Diagnostic at its place.
fn refusal(document: &Document, reason: &str) -> Diagnostic {
    document
        .error(codes::DOCUMENT_REFUSED, format!("the API server refuses {}", document.shape), "")
        .cause(reason.to_owned())
        .help("mend the document and run `mainstay up` again")
}

/// The plan of a region that does not exist yet, in the order in which it is applied.
pub(super) fn all_created<'a>(region: &str, placed: impl Iterator<Item = &'a Placed>) -> RegionPlan {
    let step = |placed: &Placed| {
        let document = &placed.document;
        let key = match &document.shape {
            Shape::Object(object) => Key {
                group: object.kind.group.clone(),
                kind: object.kind.kind.clone(),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
            },
            Shape::ClusterConfig => Key::of("eksctl.io", "ClusterConfig", &document.value()["metadata"]),
            _ => return None,
        };
        let at = document.start();
        let at = Some(format!("{}:{}", at.file, at.line));
        Some((Wave::of(&key), Step { what: key.to_string(), at, change: Change::Created }))
    };
    let mut steps: Vec<_> = placed.filter_map(step).collect();
    steps.sort_by_key(|(wave, _)| *wave);
    let steps = steps.into_iter().map(|(_, step)| step).collect();
    RegionPlan { region: region.to_owned(), steps, unchanged: 0 }
}
