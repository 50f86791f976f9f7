//! The committed cases, against what the oracle once told and against a live one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mainstay_kustomize::build;
use mainstay_source::Source;
use tempfile::TempDir;

use crate::oracle;

/// A case as it is committed.
pub(crate) struct Case {
    pub(crate) path: PathBuf,
    /// Which folder is built.
    pub(crate) root: String,
    pub(crate) files: BTreeMap<String, String>,
    /// What is made, or by which code it is refused.
    pub(crate) expected: Result<String, String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Case {
    let text = fs::read_to_string(&path).unwrap();
    let mut case = Case { path, root: ".".to_owned(), files: BTreeMap::new(), expected: Ok(String::new()) };
    let mut name = None;
    let mut content = String::new();
    let take = |case: &mut Case, name: Option<String>, content: String| match name.as_deref() {
        None => {}
        Some("expected") => case.expected = Ok(content),
        Some("refused") => case.expected = Err(content.trim().to_owned()),
        Some(file) => {
            case.files.insert(file.to_owned(), content);
        }
    };
    for line in text.split_inclusive('\n') {
        if let Some(root) = line.strip_prefix("# build ") {
            root.trim().clone_into(&mut case.root);
        } else if let Some(next) =
            line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"))
        {
            take(&mut case, name.replace(next.to_owned()), std::mem::take(&mut content));
        } else {
            content.push_str(line);
        }
    }
    take(&mut case, name, content);
    case
}

/// Writes files to a folder of their own.
pub(crate) fn written(files: &BTreeMap<String, String>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What we make of a folder: YAML, or codes.
pub(crate) fn ours(folder: &Path, root: &str) -> Result<String, String> {
    let source = Source::load(folder);
    let root = folder.join(root);
    match build(&source, &root.to_string_lossy()) {
        Ok(built) => Ok(built.to_yaml()),
        Err(problems) => {
            let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
            Err(codes.join(" "))
        }
    }
}

#[test]
fn kustomizations_make_what_kubectl_makes_of_them() {
    let mut wrong = Vec::new();
    for case in cases() {
        let folder = written(&case.files);
        let made = ours(folder.path(), &case.root);
        if made != case.expected {
            wrong.push(format!(
                "{}\n--- expected\n{:?}\n--- made\n{:?}",
                case.path.display(),
                case.expected,
                made
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_live_kubectl_says_the_same() {
    let installed = oracle::installed();
    if installed.is_empty() {
        eprintln!("skipped: no kubectl is installed");
        return;
    }
    for case in cases() {
        let folder = written(&case.files);
        let asked = oracle::ask(installed[0], &folder.path().join(&case.root)).expect("it is installed");
        if std::env::var_os("UPDATE").is_some() {
            update(&case, &asked, &ours(folder.path(), &case.root));
            continue;
        }
        match (&asked, &case.expected) {
            (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{}", case.path.display()),
            // What is refused here only, because it would be fetched or run, is not asked for.
            (Err(_), Err(_)) => {}
            _ => panic!("{}: {asked:?} but {:?}", case.path.display(), case.expected),
        }
    }
}

/// Writes what the oracle told into a case.
fn update(case: &Case, asked: &Result<String, String>, ours: &Result<String, String>) {
    let text = fs::read_to_string(&case.path).unwrap();
    let end = ["-- expected --\n", "-- refused --\n"].iter().filter_map(|mark| text.find(mark)).min();
    let files = &text[..end.unwrap_or(text.len())];
    let told = match asked {
        Ok(yaml) => format!("-- expected --\n{yaml}"),
        Err(error) => {
            eprintln!("{}: {error}", case.path.display());
            let code = ours.as_ref().err().cloned().unwrap_or_else(|| "it is not".to_owned());
            format!("-- refused --\n{code}\n")
        }
    };
    fs::write(&case.path, format!("{files}{told}")).unwrap();
}
