//! Folders: which files are read, in which order, and which are refused.

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn names(found: &Found, folder: &TempDir) -> Vec<String> {
    let root = format!("{}/", folder.path().display());
    found.texts.iter().map(|(name, _)| name.replace(&root, "")).collect()
}

fn codes(found: &Found) -> Vec<&str> {
    found.diagnostics.iter().map(|one| one.code).collect()
}

#[test]
fn a_folder_is_read_whole_in_the_order_of_names() {
    let folder = folder(&[
        ("b.yaml", b"b: 1"),
        ("a/z.yml", b"z: 1"),
        ("a/b.JSON", b"{}"),
        ("README.md", b"# x"),
        ("a/script.sh", b"ls"),
        (".git/config.yaml", b"x: 1"),
        (".github/workflows/ci.yaml", b"on: push"),
    ]);
    let found = collect(folder.path());
    assert_eq!(
        names(&found, &folder),
        [".github/workflows/ci.yaml", "README.md", "a/b.JSON", "a/z.yml", "b.yaml"]
    );
    assert_eq!(codes(&found), [""; 0]);
}

#[test]
fn a_charts_templates_are_left_alone() {
    let folder = folder(&[
        ("web/Chart.yaml", b"name: web"),
        ("web/values.yaml", b"a: 1"),
        ("web/templates/web.yaml", b"a: {{ .Values.a }}"),
        ("templates/plain.yaml", b"a: 1"),
    ]);
    let found = collect(folder.path());
    assert_eq!(names(&found, &folder), ["templates/plain.yaml", "web/Chart.yaml", "web/values.yaml"]);
    assert!(found.templates[0].ends_with("web/templates"));
}

#[test]
fn links_stay_inside_the_source_and_each_file_is_read_once() {
    let outside = folder(&[("secret.yaml", b"password: x"), ("more/a.yaml", b"a: 1")]);
    let folder = folder(&[("real/a.yaml", b"a: 1"), (".data/hidden.yaml", b"h: 1"), ("b.yaml", b"b: 1")]);
    let root = folder.path();
    symlink(outside.path().join("secret.yaml"), root.join("link.yaml")).unwrap();
    symlink(outside.path().join("more"), root.join("more")).unwrap();
    symlink(outside.path().join("none.yaml"), root.join("gone.yaml")).unwrap();
    symlink("real/a.yaml", root.join("same.yaml")).unwrap();
    symlink("../real", root.join("real/loop")).unwrap();
    symlink(".data/hidden.yaml", root.join("shown.yaml")).unwrap();
    let found = collect(root);
    assert_eq!(names(&found, &folder), ["b.yaml", "real/a.yaml", "shown.yaml"]);
    assert_eq!(codes(&found), ["M0101", "M0102", "M0102"]);
    assert!(found.texts.iter().all(|(_, text)| !text.contains("password")));
}

#[test]
fn what_cannot_be_read_is_told() {
    assert_eq!(codes(&collect(Path::new("/no/such/folder"))), ["M0101"]);
    let large = vec![b' '; usize::try_from(limits::SOURCE_FILE_BYTES).unwrap() + 1];
    let folder = folder(&[("bad.yaml", b"a: \xff"), ("good.yaml", b"a: 1"), ("large.yaml", &large)]);
    let found = collect(folder.path());
    assert_eq!(codes(&found), ["M0104", "M0103"]);
    assert_eq!(names(&found, &folder), ["good.yaml"]);
}

#[test]
fn one_file_is_a_source_whatever_it_is_called() {
    let folder = folder(&[("plan.txt", b"a: 1")]);
    assert_eq!(collect(&folder.path().join("plan.txt")).texts.len(), 1);
    let empty = crate::Source::load(&folder.path().join("..").join("none"));
    assert_eq!(empty.diagnostics[0].code, "M0101");
    let nothing = crate::Source::load(folder.path());
    assert_eq!((nothing.diagnostics[0].code, nothing.is_sound()), ("M0111", true));
}

#[test]
fn files_that_a_kustomization_names_are_taken_in_and_never_from_outside() {
    let outside = folder(&[("secret.txt", b"s")]);
    let kustomization: &[u8] =
        b"configMapGenerator:\n- {name: a, files: [app.conf, k=b.bin, ../up.txt, leak.txt, none.txt], envs: [.env]}\n";
    let folder = folder(&[
        ("in/kustomization.yaml", kustomization),
        ("in/app.conf", b"a=1"),
        ("in/b.bin", b"\xff\x00"),
        ("in/.env", b"A=1"),
        ("in/other.txt", b"x"),
        ("up.txt", b"u"),
    ]);
    symlink(outside.path().join("secret.txt"), folder.path().join("in/leak.txt")).unwrap();
    let taken = |path: &str| {
        let source = crate::Source::load(&folder.path().join(path));
        let root = format!("{}/", folder.path().display());
        let names: Vec<_> = source.attached.keys().map(|name| name.replace(&root, "")).collect();
        (names.join(" "), source.diagnostics.iter().map(|one| one.code).collect::<Vec<_>>())
    };
    assert_eq!(taken(""), ("in/.env in/app.conf in/b.bin up.txt".to_owned(), vec![problem::LINK_OUT]));
    let inner = ("in/.env in/app.conf in/b.bin".to_owned(), vec![problem::LINK_OUT, problem::LINK_OUT]);
    assert_eq!(taken("in"), inner);
}
