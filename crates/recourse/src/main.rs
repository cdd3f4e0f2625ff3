//! The `recourse` binary: reads what was typed and the configuration, and does it. What it does
//! stands in the library.

use std::process::ExitCode;

use clap::Parser;
use kit::auth::Auth;
use kit::config::{EXIT_CONFIG, Mistake};
use recourse::caller::{Credentials, Suite};
use recourse::cli::{self, Cli, Command, Impersonation, Policy, Serve, Service};
use recourse::config::Config;
use recourse::{databases, demo, lab, labels, packs, pictures, replay, suite};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = match Config::load(cli.config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(mistakes) => return misconfigured(&mistakes),
    };
    let done = match cli.command.unwrap_or(Command::Serve(Serve::default())) {
        Command::Serve(command) => serve(config, command).await,
        Command::Migrate(place) => {
            let place = place.data.unwrap_or(config.options.place);
            databases::migrate(&Service::ALL, &place)
                .await
                .map(|()| format!("{place} is up to date"))
        }
        Command::CheckConfig => match Auth::new(config.options.auth, &config.options.clock) {
            Ok(_) => Ok("the configuration is good".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        Command::Demo(caller) => tell(config, caller).await,
        Command::Replay(command) => run_replay(command).await,
        Command::Policy(command) => run_policy(command).await,
        Command::Impersonation(command) => run_impersonation(&command).await,
    };
    match done {
        Ok(said) => {
            if !said.is_empty() {
                println!("{said}");
            }
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

async fn run_impersonation(command: &Impersonation) -> Result<String, String> {
    match command {
        Impersonation::Export { folder, caller } => labels::export(&called(caller)?, folder).await,
        Impersonation::Fit { folders, out, trees, seed } => lab::fit(folders, out, *trees, *seed),
        Impersonation::Eval { folder, model, identities } => {
            lab::eval(folder, model.as_deref(), *identities)
        }
        Impersonation::Pictures { folder } => pictures::measure(folder),
    }
}

fn misconfigured(mistakes: &[Mistake]) -> ExitCode {
    eprintln!("the configuration has {} mistake(s):", mistakes.len());
    for mistake in mistakes {
        eprintln!("  {mistake}");
    }
    ExitCode::from(EXIT_CONFIG)
}

async fn serve(config: Config, command: Serve) -> Result<String, String> {
    let mut options = config.options;
    if let Some(service) = command.service {
        options.services = vec![service];
        options.default_pack = false;
    }
    options.place = command.place.data.unwrap_or(options.place);
    options.server.listen = command.listen.unwrap_or(options.server.listen);
    let telemetry = kit::telemetry::init(&config.telemetry).map_err(|error| error.to_string())?;
    let open = options.auth.keys.is_none();
    let (place, services) = (options.place.clone(), options.services.clone());
    let running = suite::start(options).await?;
    let names: Vec<&str> = services.iter().map(|service| service.name()).collect();
    println!("Recourse serves {} on {}", names.join(", "), running.url());
    println!(
        "  data in {place}{}",
        if open { "; open to this machine, without tokens" } else { "" }
    );
    println!("  to see what it does:  recourse demo --address {}", running.url());
    println!(
        "  to look around:       buf curl --http2-prior-knowledge --list-methods {}",
        running.url()
    );
    println!("  to stop:              Ctrl-C");
    let stopper = running.stopper();
    tokio::spawn(async move {
        // A signal that cannot be listened for leaves the process to be killed.
        let _ = kit::server::shutdown_signal().await;
        stopper.send_replace(true);
    });
    let ended = running.ended().await;
    telemetry.shutdown().await;
    ended.map(|()| String::new())
}

/// The suite to call.
fn called(caller: &cli::Caller) -> Result<Suite, String> {
    let credentials = match &caller.secret_file {
        None => Credentials::Open,
        Some(path) => {
            let secret = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            Credentials::secret(secret.trim_end())
        }
    };
    let default = format!("http://{}", recourse::config::LISTEN_DEFAULT);
    Suite::at(caller.address.as_ref().unwrap_or(&default), credentials)
}

async fn tell(config: Config, caller: cli::Caller) -> Result<String, String> {
    let explain = |status| packs::explain(&status);
    if caller.address.is_some() {
        return demo::run(&called(&caller)?).await.map_err(explain).map(|()| String::new());
    }
    let folder = std::env::temp_dir().join(format!("recourse-demo-{}", std::process::id()));
    let place = folder.to_string_lossy().into_owned();
    let options = suite::Options { ids: config.options.ids, ..suite::Options::open(&place) };
    let running = suite::start(options).await?;
    let told = demo::run(&Suite::at(&running.url(), Credentials::Open)?).await.map_err(explain);
    let stopped = running.stop().await;
    // Only a temporary folder: what the demo found matters more than whether it could be cleared.
    let _ = std::fs::remove_dir_all(&folder);
    told.and(stopped).map(|()| String::new())
}

async fn run_replay(command: cli::Replay) -> Result<String, String> {
    let (mapping, rows) = replay::prepare(&command.mapping, &command.data)?;
    let suite = called(&command.caller)?;
    let outcome = replay::run(&suite, mapping, &rows, command.in_flight.into()).await?;
    let json = serde_json::to_string_pretty(&outcome).map_err(|error| error.to_string())?;
    if let Some(path) = command.summary {
        std::fs::write(&path, &json).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(outcome.to_string())
}

async fn run_policy(command: Policy) -> Result<String, String> {
    match command {
        Policy::Check { folder } => packs::check(&folder),
        Policy::Publish { folder, caller } => packs::publish(&called(&caller)?, &folder).await,
        Policy::Activate { version, expect, caller } => {
            packs::activate_command(&called(&caller)?, version, expect).await
        }
        Policy::Diff { from, to, caller } => packs::diff(&called(&caller)?, from, to).await,
    }
}
