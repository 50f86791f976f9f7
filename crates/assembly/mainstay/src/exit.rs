//! Exit codes, and a failure that carries one.

use mainstay_base::Diagnostic;

/// Done.
pub(crate) const DONE: u8 = 0;
/// The answer is no.
pub(crate) const NO: u8 = 1;
/// The command line or the input is wrong.
pub(crate) const USAGE: u8 = 2;
/// Something cannot be started or reached.
pub(crate) const UNAVAILABLE: u8 = 3;
/// Stopped by a signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command ended, and with which code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// Wrong input.
    pub(crate) fn usage(diagnostic: Diagnostic) -> Self {
        Self { code: USAGE, diagnostics: vec![diagnostic] }
    }

    /// Something cannot be started or reached.
    pub(crate) fn unavailable(diagnostic: Diagnostic) -> Self {
        Self { code: UNAVAILABLE, diagnostics: vec![diagnostic] }
    }
}

/// What a command returns: its exit code, or why it failed.
pub(crate) type Outcome = Result<u8, Failure>;
