//! A drill file, its platform and its manifests, read before virtual time begins.

use std::collections::BTreeMap;
use std::path::Path;

use mainstay_base::{Diagnostic, Severity};
use mainstay_kinds::Drill;
use mainstay_kinds::drill::Action;
use mainstay_platform::Config;
use mainstay_source::{Document, Shape, Source};
use serde_json::Value;

/// The codes of what this crate reports; each has a page in `docs/errors`.
pub mod codes {
    /// The file holds no drill, or several.
    pub const NOT_A_DRILL: &str = "M0401";
    /// A step is later than the drill's end.
    pub const STEP_AFTER_END: &str = "M0402";
    /// The platform could not start in virtual time.
    pub const DRILL_START: &str = "M0403";
}

/// Everything a drill needs; no file is read after this.
#[derive(Debug)]
pub struct Loaded {
    /// The drill.
    pub drill: Drill,
    /// Its platform.
    pub config: Config,
    /// The manifests of the steps that apply, by the step's index.
    pub(crate) manifests: BTreeMap<usize, Vec<Value>>,
}

/// Reads the drill at `path` and what it refers to.
///
/// # Errors
/// Everything that is wrong with the files, at its place.
pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let file = clean(Source::load(path))?;
    let mut drills = file.documents.iter().filter(|document| document.shape == Shape::Drill);
    let (Some(document), None) = (drills.next(), drills.next()) else {
        return Err(vec![
            Diagnostic::error(
                codes::NOT_A_DRILL,
                format!("{} does not hold exactly one drill", path.display()),
            )
            .help("a drill is a document of `apiVersion: mainstay.dev/v1alpha1` and `kind: Drill`"),
        ]);
    };
    let drill = document.read::<Drill>().into_result()?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let late = late_steps(document, &drill);
    if !late.is_empty() {
        return Err(late);
    }
    // Without a source the platform is what stands beside the drill in its file.
    let config = match &drill.spec.source {
        Some(source) => {
            Config::plan(drill.metadata.name.as_str(), &clean(Source::load(&folder.join(source)))?)
        }
        None => Config::plan(drill.metadata.name.as_str(), &file),
    };
    let errors = |problem: &&Diagnostic| problem.severity == Severity::Error;
    let errors: Vec<Diagnostic> = config.diagnostics.iter().filter(errors).cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let manifests = manifests(folder, &drill)?;
    Ok(Loaded { drill, config, manifests })
}

/// A Source without errors, or its errors.
fn clean(source: Source) -> Result<Source, Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> =
        source.diagnostics.iter().filter(|problem| problem.severity == Severity::Error).cloned().collect();
    if errors.is_empty() { Ok(source) } else { Err(errors) }
}

fn late_steps(document: &Document, drill: &Drill) -> Vec<Diagnostic> {
    let late = drill.spec.steps.iter().enumerate().filter(|(_, step)| step.at > drill.spec.duration);
    late.map(|(index, _)| {
        document
            .error(
                codes::STEP_AFTER_END,
                "this step is later than the drill's end",
                &format!("/spec/steps/{index}/at"),
            )
            .help("make the drill's `duration` longer, or the step's `at` earlier")
    })
    .collect()
}

/// The objects each `apply` step applies.
fn manifests(folder: &Path, drill: &Drill) -> Result<BTreeMap<usize, Vec<Value>>, Vec<Diagnostic>> {
    let mut found = BTreeMap::new();
    for (index, step) in drill.spec.steps.iter().enumerate() {
        let Action::Apply(apply) = &step.action else { continue };
        let objects = match (&apply.manifest, &apply.file) {
            (Some(Value::String(text)), _) => values(&clean(Source::from_text("manifest", text))?),
            (Some(Value::Array(list)), _) => list.clone(),
            (Some(object), _) => vec![object.clone()],
            (None, Some(file)) => values(&clean(Source::load(&folder.join(file)))?),
            (None, None) => Vec::new(),
        };
        found.insert(index, objects);
    }
    Ok(found)
}

fn values(source: &Source) -> Vec<Value> {
    source.documents.iter().map(Document::value).collect()
}
