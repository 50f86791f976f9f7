//! A drill file, its platform and its manifests, read before virtual time begins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use mainstay_base::{Diagnostic, Severity};
use mainstay_cel::Expression;
use mainstay_kinds::Drill;
use mainstay_kinds::drill::{Action, Step};
use mainstay_platform::Config;
use mainstay_source::{Document, Shape, Source};
use serde_json::Value;

mod check;

/// The codes of what this crate reports; each has a page in `docs/errors`.
pub mod codes {
    /// The file holds no drill, or several.
    pub const NOT_A_DRILL: &str = "M0401";
    /// A step is later than the drill's end.
    pub const STEP_AFTER_END: &str = "M0402";
    /// The platform could not start in virtual time.
    pub const DRILL_START: &str = "M0403";
    /// The timeline or the report cannot be written.
    pub const TIMELINE: &str = "M0404";
    /// An expression or selector cannot be read.
    pub const EXPRESSION: &str = "M0405";
    /// A step or invariant names a region that there is not.
    pub const NO_REGION: &str = "M0406";
    /// The repetitions make too many steps.
    pub const TOO_MANY_STEPS: &str = "M0407";
}

/// Everything a drill needs; no file is read after this.
#[derive(Debug)]
pub struct Loaded {
    /// The drill.
    pub drill: Drill,
    /// Its platform.
    pub config: Config,
    /// The manifests of the steps that apply, by where the step stands in the document.
    pub(crate) manifests: BTreeMap<String, Vec<Value>>,
    /// The compiled expressions, by their text.
    pub(crate) expressions: BTreeMap<String, Arc<Expression>>,
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
    // Without a source the platform is what stands beside the drill in its file.
    let config = match &drill.spec.source {
        Some(source) => Config::plan(
            drill.metadata.name.as_str(),
            &clean(mainstay_platform::config::expanded(Source::load(&folder.join(source))))?,
        ),
        None => Config::plan(drill.metadata.name.as_str(), &file),
    };
    let errors = |problem: &&Diagnostic| problem.severity == Severity::Error;
    let errors: Vec<Diagnostic> = config.diagnostics.iter().filter(errors).cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let regions: Vec<&str> = config.regions.iter().map(|region| region.name.as_str()).collect();
    let expressions = check::check(document, &drill, &regions)?;
    let mut manifests = BTreeMap::new();
    read_manifests(folder, &drill.spec.steps, "/spec/steps", &mut manifests)?;
    Ok(Loaded { drill, config, manifests, expressions })
}

/// A Source without errors, or its errors.
fn clean(source: Source) -> Result<Source, Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> =
        source.diagnostics.iter().filter(|problem| problem.severity == Severity::Error).cloned().collect();
    if errors.is_empty() { Ok(source) } else { Err(errors) }
}

/// The objects each `apply` step applies.
fn read_manifests(
    folder: &Path,
    steps: &[Step],
    path: &str,
    found: &mut BTreeMap<String, Vec<Value>>,
) -> Result<(), Vec<Diagnostic>> {
    for (index, step) in steps.iter().enumerate() {
        let path = format!("{path}/{index}");
        let apply = match &step.action {
            Action::Apply(apply) => apply,
            Action::Repeat(repeat) => {
                read_manifests(folder, &repeat.steps, &format!("{path}/repeat/steps"), found)?;
                continue;
            }
            _ => continue,
        };
        let objects = match (&apply.manifest, &apply.file) {
            (Some(Value::String(text)), _) => values(&clean(Source::from_text("manifest", text))?),
            (Some(Value::Array(list)), _) => list.clone(),
            (Some(object), _) => vec![object.clone()],
            (None, Some(file)) => values(&clean(Source::load(&folder.join(file)))?),
            (None, None) => Vec::new(),
        };
        found.insert(path, objects);
    }
    Ok(())
}

fn values(source: &Source) -> Vec<Value> {
    source.documents.iter().map(Document::value).collect()
}
