//! What can be wrong with a kustomization, by code.
//!
//! Each code has a page in `docs/errors`.

use mainstay_base::Diagnostic;
use mainstay_source::Document;

/// The kustomization cannot be built.
pub(crate) const NOT_BUILT: &str = "M0121";
/// A file or a folder that a kustomization names is not in the Source.
pub(crate) const MISSING: &str = "M0122";
/// A base or a file is remote.
pub(crate) const REMOTE: &str = "M0123";
/// Something is made by a program that is not run: Helm, a plugin.
pub(crate) const OPAQUE: &str = "M0124";
/// A patch, a replacement or another change does not apply.
pub(crate) const NOT_APPLIED: &str = "M0125";
/// Several kustomizations make the same objects, and none is chosen.
pub(crate) const CHOICE: &str = "M0126";
/// Something works differently, or has no effect, here.
pub(crate) const DIFFERENT: &str = "M0127";
/// A file lies beside a kustomization that does not name it.
pub(crate) const LEFT_OUT: &str = "M0128";

/// Something that a build gives, or why it does not.
pub(crate) type Outcome<T> = Result<T, Box<Diagnostic>>;

/// An error about the value at a path of a document.
pub(crate) fn at(
    document: &Document,
    path: &str,
    code: &'static str,
    message: impl Into<String>,
) -> Box<Diagnostic> {
    let help = match code {
        MISSING => "correct the name; it is seen from the kustomization's folder",
        REMOTE => "copy the base into the Source: nothing is fetched",
        OPAQUE => "render it, and put what comes out into the Source",
        NOT_APPLIED => "correct what it selects or changes",
        _ => "`kubectl kustomize` on the folder refuses it too",
    };
    Box::new(document.error(code, message, path).help(help))
}
