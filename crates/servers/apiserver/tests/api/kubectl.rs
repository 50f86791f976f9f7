//! The server as kubectl sees it, over TLS. Skipped, loudly, where no kubectl is installed.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::tls::{Served, served};

/// The programs that are tried, each if it is there.
const PROGRAMS: [&str; 3] = ["kubectl.1.31", "kubectl.1.33", "kubectl"];

/// One kubectl with a home of its own.
struct Kubectl {
    program: &'static str,
    home: PathBuf,
}

impl Kubectl {
    /// Every kubectl there is, with a kubeconfig for `served`.
    async fn all(served: &Served, home: &std::path::Path) -> Vec<Self> {
        let data = served.authority.kubeconfig_data(&served.admin());
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{ "name": "here", "cluster": {
                "server": format!("https://{}", served.addr), "certificate-authority-data": data.certificate_authority } }],
            "users": [{ "name": "admin", "user": {
                "client-certificate-data": data.client_certificate, "client-key-data": data.client_key } }],
            "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "admin" } }],
        });
        let mut found = Vec::new();
        for program in PROGRAMS {
            let home = home.join(program);
            std::fs::create_dir_all(&home).expect("a folder");
            std::fs::write(home.join("config"), config.to_string()).expect("a file");
            let kubectl = Self { program, home };
            if kubectl.command(&["version", "--client"]).output().await.is_ok_and(|output| output.status.success()) {
                found.push(kubectl);
            }
        }
        if found.is_empty() {
            eprintln!("SKIPPED: no kubectl is installed");
        }
        found
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments).env("HOME", &self.home).env("KUBECONFIG", self.home.join("config"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs it with `input`; returns whether it succeeded and all it said.
    async fn run(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut child = self.command(arguments).spawn().expect("it was there a moment ago");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).await.expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().await.expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explore() {
    let served = served().await;
    let home = std::path::PathBuf::from("/tmp/kctest");
    let script = std::fs::read_to_string("/tmp/kcscript").expect("a script");
    for kubectl in Kubectl::all(&served, &home).await {
        for line in script.lines().filter(|line| !line.is_empty()) {
            let (line, input) = match line.split_once(" <<< ") { Some((l, f)) => (l, std::fs::read_to_string(f).expect("input")), None => (line, String::new()) };
            let arguments: Vec<&str> = line.split(' ').collect();
            let (ok, said) = kubectl.run(&arguments, &input).await;
            println!("$ {} {line}   [{}]\n{said}", kubectl.program, if ok { "ok" } else { "FAILED" });
        }
    }
    let _: Value = Value::Null;
}
