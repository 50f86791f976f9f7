//! The server under test: a process of its own, with a state folder of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

/// A running `mainstay`, ended when dropped.
pub(crate) struct Server {
    pub(crate) access: Access,
    pid: u64,
    program: std::path::PathBuf,
    home: tempfile::TempDir,
}

/// What a client needs.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) address: String,
    pub(crate) authority_pem: Vec<u8>,
    pub(crate) certificate_pem: Vec<u8>,
    pub(crate) key_pem: Vec<u8>,
}

impl Server {
    /// Starts the `mainstay` that lies beside this program on a Source of one file.
    pub(crate) fn start(source: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("platform.yaml"), source)?;
        Self::start_folder(folder.path())
    }

    /// Starts it on a Source that is a folder.
    pub(crate) fn start_folder(source: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("mainstay");
        let home = tempfile::tempdir()?;
        let state = home.path().join("state");
        let status = Command::new(&program)
            .args(["up", "--detach", "--api-port", "0", "--wait", "60s", "--state"])
            .arg(&state)
            .arg("--kubeconfig")
            .arg(home.path().join("kubeconfig"))
            .arg(source)
            .status()
            .with_context(|| format!("{} (build it with `make build`)", program.display()))?;
        anyhow::ensure!(status.success(), "mainstay up failed");
        let output = Command::new(&program).args(["status", "-o", "json", "--state"]).arg(&state).output()?;
        let status: Value = serde_json::from_slice(&output.stdout)?;
        let pid = status["pid"].as_u64().context("status has no pid")?;
        let access = Access::read(&program, &state)?;
        Ok(Self { access, pid, program, home })
    }

    /// The program it runs.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Its state folder.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.home.path().join("state")
    }

    /// CPU time of all its threads so far, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let per_second = rustix::param::clock_ticks_per_second();
        Ok((ticks(11) + ticks(12)) * 1_000_000 / per_second)
    }

    /// Its resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _it_may_have_ended = Command::new(&self.program)
            .args(["down", "--state"])
            .arg(self.home.path().join("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

impl Access {
    fn read(program: &Path, state: &Path) -> anyhow::Result<Self> {
        let output = Command::new(program).args(["kubeconfig", "--state"]).arg(state).output()?;
        let text = String::from_utf8(output.stdout)?;
        let field = |name: &str| -> anyhow::Result<String> {
            let line = text.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(name));
            Ok(line
                .with_context(|| format!("the kubeconfig has no {name}"))?
                .trim()
                .trim_matches('"')
                .to_owned())
        };
        let decode = |name: &str| -> anyhow::Result<Vec<u8>> {
            Ok(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, field(name)?)?)
        };
        Ok(Self {
            address: field("server:")?.trim_start_matches("https://").to_owned(),
            authority_pem: decode("certificate-authority-data:")?,
            certificate_pem: decode("client-certificate-data:")?,
            key_pem: decode("client-key-data:")?,
        })
    }
}
