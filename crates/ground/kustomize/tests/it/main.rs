//! Kustomizations compared with what `kubectl kustomize` makes of them.
//!
//! `cases/*.txt` hold files, each after a line `-- NAME --`, and what the oracle told as `expected`
//! (or `refused`, with our code). `UPDATE=1` asks a kubectl that is installed and writes it anew.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]
#![allow(clippy::print_stderr, reason = "a skipped test must be seen")]

mod cases;
mod expansion;
mod oracle;
mod random;
mod robust;
