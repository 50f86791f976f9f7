//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs a whole enterprise platform from the platform team's own YAML.
#[derive(Debug, Parser)]
#[command(
    name = "mainstay",
    version,
    before_help = "Example: mainstay up examples/enterprise\n",
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Say only what went wrong.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring a platform up on this machine and keep it reconciled; a running one takes the Source as
    /// it is now.
    #[command(before_help = "Example: mainstay up examples/enterprise --detach --wait 120s\n")]
    Up(Up),
    /// Show how a running platform stands.
    #[command(before_help = "Example: mainstay status -o json\n")]
    Status(Status),
    /// End a running platform; its state is kept.
    #[command(before_help = "Example: mainstay down\n")]
    Down(Target),
    /// Remove a platform's state and its kubectl contexts.
    #[command(before_help = "Example: mainstay reset --dry-run\n")]
    Reset(Reset),
    /// Print the kubeconfig of a platform.
    #[command(before_help = "Example: mainstay kubeconfig > kubeconfig.yaml\n")]
    Kubeconfig(Target),
    /// Explain an error code.
    #[command(before_help = "Example: mainstay explain M0301\n")]
    Explain(Explain),
    /// Rehearse a scenario in deterministic virtual time.
    #[command(before_help = "Example: mainstay drill examples/drills/first-day.yaml --seed 7\n")]
    Drill(Drill),
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// A folder, a file, or a Markdown document with fenced YAML [default: examples/enterprise where
    /// it exists, else the current folder].
    pub(crate) source: Option<PathBuf>,
    /// Where state, keys and logs are kept [default: ~/.local/state/mainstay/NAME].
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Return when ready; the platform goes on in the background.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Only show what would be created, changed and pruned.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait for everything to be ready.
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub(crate) wait: Duration,
    /// The kubeconfig that gets the contexts [default: $KUBECONFIG or ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Port of the first region's API; the others follow.
    #[arg(long, value_name = "PORT", default_value_t = 6443)]
    pub(crate) api_port: u16,
    /// How Mainstay's own log is written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Report to the process that waits, as JSON lines.
    #[arg(long, hide = true)]
    pub(crate) report: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
}

/// Which platform is meant.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The platform's state folder [default: that of the one platform there is].
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The form of the answer.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub(crate) output: Output,
    /// List every document of the Source and what became of it.
    #[arg(long)]
    pub(crate) documents: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The kubeconfig that loses the contexts [default: $KUBECONFIG or ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Only say what would be removed.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, as it stands in the message; without one, all codes are listed.
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Drill {
    /// The file with the `kind: Drill` document.
    pub(crate) file: PathBuf,
    /// The seed, instead of the file's.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Write every committed change and step result here, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) timeline: Option<PathBuf>,
    /// Write what it found as one HTML page here.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// The form of the answer.
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub(crate) output: Output,
}

/// A duration as Go writes it: `90s`, `2m`, `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    mainstay_kinds::duration::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
