//! `kubectl kustomize`, where one is installed.

use std::path::Path;
use std::process::Command;

/// The kubectls to ask, the one the expected files are from first.
const NAMES: [&str; 3] = ["kubectl.1.33", "kubectl.1.31", "kubectl"];

/// What the oracle makes of a folder; nothing when there is no oracle.
pub(crate) fn ask(name: &str, folder: &Path) -> Option<Result<String, String>> {
    let output = Command::new(find(name)?).arg("kustomize").arg(folder).output().ok()?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("kubectl speaks UTF-8");
    Some(if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) })
}

/// The kubectls that are installed.
pub(crate) fn installed() -> Vec<&'static str> {
    NAMES.into_iter().filter(|name| find(name).is_some()).collect()
}

fn find(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/lib/google-cloud-sdk/bin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}
