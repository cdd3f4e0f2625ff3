//! What can be typed. It must not know how any of it is done.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Due process for creator platforms.
#[derive(Debug, Parser)]
#[command(name = "recourse", version)]
pub struct Cli {
    /// The configuration, a TOML file; RECOURSE_… variables win over it.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// What to do; without it, serves the whole suite.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the whole suite in one process, or one service.
    Serve(Serve),
    /// Brings the database's schema up to date, then ends.
    Migrate(Place),
    /// Checks the configuration, then ends.
    CheckConfig,
    /// Tells one story through the public RPCs, on a suite of its own or a running one.
    Demo(Caller),
    /// Drives recorded data through a running suite.
    Replay(Replay),
    /// Checks, publishes, activates and compares policy packs.
    #[command(subcommand)]
    Policy(Policy),
    /// Fits and measures the detector of look-alikes.
    #[command(subcommand)]
    Impersonation(Impersonation),
}

/// The detector of look-alikes. Folders hold protected.tsv, positives.tsv, negatives.tsv and, if
/// there are any, hardneg.tsv.
#[derive(Debug, Subcommand)]
pub enum Impersonation {
    /// Fits the weights to half of the labelled accounts of some folders, measures them on the
    /// other. Of several sizes, so that the weights hold for indexes of any.
    Fit {
        /// The folders.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Where to write the weights.
        #[arg(long)]
        out: PathBuf,
        /// How many trees.
        #[arg(long, default_value_t = 200)]
        trees: usize,
        /// Where chance starts: the same data and seed give the same weights.
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// Measures the detector on the labelled accounts of a folder.
    Eval {
        /// The folder.
        folder: PathBuf,
        /// The weights; those that are shipped without it.
        #[arg(long)]
        model: Option<PathBuf>,
        /// How many identities at most.
        #[arg(long, default_value_t = usize::MAX)]
        identities: usize,
    },
    /// Measures how well edited pictures are found again.
    Pictures {
        /// The folder: `original` holds pictures NAME.png (or any other format), `edited` such as
        /// NAME.EDIT.png.
        folder: PathBuf,
    },
    /// Writes what reviewers decided about matches as a folder that can be fitted to.
    Export {
        /// The folder.
        folder: PathBuf,
        /// Which suite.
        #[command(flatten)]
        caller: Caller,
    },
}

/// A service of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Service {
    /// Holds the policy in force.
    Policy,
    /// Takes reports.
    Reports,
    /// Reviews cases.
    Review,
    /// Keeps account health.
    AccountHealth,
    /// Hears appeals.
    Appeals,
    /// Finds imitators.
    Impersonation,
    /// Measures how the others do.
    Insights,
}

impl Service {
    /// All of them, in the order in which they depend on one another.
    pub const ALL: [Service; 7] = [
        Service::Policy,
        Service::Reports,
        Service::Review,
        Service::AccountHealth,
        Service::Appeals,
        Service::Impersonation,
        Service::Insights,
    ];

    /// Its name, as typed and as its database is called.
    pub fn name(self) -> &'static str {
        match self {
            Service::Policy => policy::NAME,
            Service::Reports => reports::NAME,
            Service::Review => review::NAME,
            Service::AccountHealth => account_health::NAME,
            Service::Appeals => appeals::NAME,
            Service::Impersonation => impersonation::NAME,
            Service::Insights => insights::NAME,
        }
    }
}

/// Where the data is.
#[derive(Debug, Default, Args)]
pub struct Place {
    /// A data directory for the embedded database, or a postgres:// URL.
    #[arg(long)]
    pub data: Option<String>,
}

/// Serves.
#[derive(Debug, Default, Args)]
pub struct Serve {
    /// The service; all of them without it.
    pub service: Option<Service>,
    /// Where to listen.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Where the data is.
    #[command(flatten)]
    pub place: Place,
}

/// Which suite to call, and as whom.
#[derive(Debug, Args)]
pub struct Caller {
    /// Its address, such as http://127.0.0.1:7700.
    #[arg(long)]
    pub address: Option<String>,
    /// A file with the shared secret that the suite checks tokens with; without it the suite must
    /// run open.
    #[arg(long)]
    pub secret_file: Option<PathBuf>,
}

/// Drives recorded data.
#[derive(Debug, Args)]
pub struct Replay {
    /// The TOML file that maps the columns.
    #[arg(long)]
    pub mapping: PathBuf,
    /// The CSV file.
    #[arg(long)]
    pub data: PathBuf,
    /// How many rows are under way at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub in_flight: u16,
    /// Where to write the summary as JSON, besides the terminal.
    #[arg(long)]
    pub summary: Option<PathBuf>,
    /// Which suite.
    #[command(flatten)]
    pub caller: Caller,
}

/// Policy packs.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Checks a folder and lists every mistake by file and line; needs no suite.
    Check {
        /// The folder.
        folder: PathBuf,
    },
    /// Publishes a folder as the next version.
    Publish {
        /// The folder.
        folder: PathBuf,
        /// Which suite.
        #[command(flatten)]
        caller: Caller,
    },
    /// Puts a version in force.
    Activate {
        /// The version.
        version: i64,
        /// The version believed to be active; asked for without it.
        #[arg(long)]
        expect: Option<i64>,
        /// Which suite.
        #[command(flatten)]
        caller: Caller,
    },
    /// Lists what changes from one version to another.
    Diff {
        /// The version to start from.
        from: i64,
        /// The version to go to.
        to: i64,
        /// Which suite.
        #[command(flatten)]
        caller: Caller,
    },
}
