//! The project's own tools: `cargo xtask tidy`, and the generators of checked-in data.

mod protobuf;
mod schemas;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("invariant: xtask lies in the root");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => {
            let objections = tidy::objections(root)?;
            for objection in &objections {
                say(objection);
            }
            say(&format!("{} objections", objections.len()));
            Ok(if objections.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["schemas", path] => schemas::run(Path::new(path), false).map(|()| ExitCode::SUCCESS),
        ["schemas", path, "--check"] => schemas::run(Path::new(path), true).map(|()| ExitCode::SUCCESS),
        ["protobuf", folder] => protobuf::run(Path::new(folder), false).map(|()| ExitCode::SUCCESS),
        ["protobuf", folder, "--check"] => protobuf::run(Path::new(folder), true).map(|()| ExitCode::SUCCESS),
        _ => {
            say(
                "usage: cargo xtask tidy | cargo xtask schemas PATH [--check] | cargo xtask protobuf FOLDER [--check]",
            );
            Ok(ExitCode::from(2))
        }
    }
}

/// Prints one line.
#[allow(clippy::print_stdout, reason = "a command-line tool of the project")]
fn say(line: &str) {
    println!("{line}");
}
