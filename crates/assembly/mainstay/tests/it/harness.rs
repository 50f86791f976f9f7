//! A home of its own for each test, the binary under test, and the outside clients there are.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder that stands for the user's home.
pub(crate) struct Home {
    folder: TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Itself, where it succeeded; the test fails with what was printed otherwise.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the home and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The binary, with nothing of the real home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }

    /// Brings a platform up; it goes down when the value is dropped.
    #[track_caller]
    pub(crate) fn up(&self, source: &Path) -> Platform<'_> {
        let source = source.to_str().unwrap();
        let said = self.run(&["up", source, "--detach", "--wait", "120s", "--api-port", "0"]);
        assert_eq!(said.code, 0, "up failed\nstderr:\n{}", said.err);
        Platform { home: self, said }
    }

    /// The running platform's status.
    pub(crate) fn status(&self) -> Value {
        let said = self.run(&["status", "-o", "json"]);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path(".kube/config")
    }
}

/// A platform that runs.
pub(crate) struct Platform<'a> {
    pub(crate) home: &'a Home,
    pub(crate) said: Said,
}

impl Drop for Platform<'_> {
    fn drop(&mut self) {
        let said = self.home.run(&["down"]);
        if !std::thread::panicking() {
            assert_eq!(said.code, 0, "down failed: {}", said.err);
        }
    }
}

/// One version of kubectl against one platform.
pub(crate) struct Kubectl<'a> {
    program: PathBuf,
    home: &'a Home,
    context: String,
}

impl<'a> Kubectl<'a> {
    /// The kubectl of this minor version, or a loud skip.
    pub(crate) fn of(version: &str, home: &'a Home, region: &str) -> Option<Self> {
        let Some(program) = find_kubectl(version) else {
            skip(&format!("kubectl {version} is not on this machine"));
            return None;
        };
        Some(Self { program, home, context: format!("mainstay-{region}") })
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--context", &self.context])
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path(""))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("KUBECONFIG", self.home.kubeconfig());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs with `input` on stdin.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Said::of(&child.wait_with_output().unwrap())
    }

    /// Runs and reads the answer as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["-o", "json"]);
        serde_json::from_str(&self.run(&all).ok().out).unwrap()
    }
}

/// `kubectl.1.33` beside `kubectl` or in the path; else `kubectl` itself where it has that version.
fn find_kubectl(version: &str) -> Option<PathBuf> {
    let name = format!("kubectl.{version}");
    let path = std::env::var_os("PATH")?;
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let plain = folders.iter().map(|folder| folder.join("kubectl")).find(|program| program.is_file());
    folders
        .extend(plain.iter().filter_map(|program| Some(program.canonicalize().ok()?.parent()?.to_owned())));
    folders.push(PathBuf::from("/usr/lib/google-cloud-sdk/bin"));
    if let Some(exact) = folders.iter().map(|folder| folder.join(&name)).find(|program| program.is_file()) {
        return Some(exact);
    }
    let plain = plain?;
    let output = Command::new(&plain).args(["version", "--client"]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).contains(&format!("v{version}.")).then_some(plain)
}

/// Says loudly that something was not tested. A runner hides what a passing test prints, so the
/// line also goes to a file that the test script shows at its end.
#[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    let mut list = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    writeln!(list, "skipped: {why}").unwrap();
}

/// A folder of the checkout.
pub(crate) fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path).canonicalize().unwrap()
}

/// The reference document beside the checkout, or a loud skip.
pub(crate) fn seed_document() -> Option<PathBuf> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/seed/infrastructure-architecture.md");
    if !path.is_file() {
        skip("the reference document is not beside the checkout");
        return None;
    }
    path.canonicalize().ok()
}
