//! What the binary reads from its configuration file and the environment. Each key is described in
//! `deploy/recourse.toml`, which a test reads.

use std::collections::BTreeMap;
use std::path::Path;

use kit::auth::{AuthConfig, KeySource};
use kit::config::{Mistake, Reader};
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use kit::{Clock, Ids};

use crate::cli::Service;
use crate::suite::{IndexOptions, Options, PROFILES_MAX_DEFAULT};

/// Where the suite listens unless told otherwise.
pub const LISTEN_DEFAULT: &str = "127.0.0.1:7700";
/// Where its data is unless told otherwise.
pub const DATA_DEFAULT: &str = "data";
/// Variables that are for tests and not for the configuration.
const NOT_CONFIGURATION: [&str; 3] =
    ["RECOURSE_TEST_", "RECOURSE_CRASH_AT", "RECOURSE_HATECHECK_CSV"];

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// What the suite is started from.
    pub options: Options,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
}

impl Config {
    /// Reads a file, if one is named, and an environment.
    ///
    /// # Errors
    /// Every mistake.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, Vec<Mistake>> {
        let ours = env
            .into_iter()
            .filter(|(name, _)| !NOT_CONFIGURATION.iter().any(|other| name.starts_with(other)));
        let mut reader = Reader::load(file, ours);
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 7700));
        let server = ServerConfig::read(&mut reader, "server", listen);
        let auth = AuthConfig::read(&mut reader, "auth");
        let telemetry = TelemetryConfig::read(&mut reader, "telemetry", "recourse");
        let token_file = reader.optional("peers.token_file");
        let peers: BTreeMap<Service, String> = Service::ALL
            .into_iter()
            .filter_map(|service| {
                let path = format!("peers.{}", service.name().replace('-', "_"));
                Some((service, reader.optional(&path)?))
            })
            .collect();
        let secret = match &auth.keys {
            Some(KeySource::Secret(secret)) => Some(secret.clone()),
            Some(_) if token_file.is_none() => {
                let what = "is missing: expected a file with the token that the services call one \
                            another with, since they cannot mint one without auth.secret";
                reader.mistake("peers.token_file", what);
                None
            }
            _ => None,
        };
        let options = Options {
            services: Service::ALL.to_vec(),
            server,
            place: reader.or("storage.data", DATA_DEFAULT.to_owned()),
            auth,
            secret,
            token_file,
            peers,
            clock: Clock::system(),
            ids: Ids::system(),
            default_pack: reader.or("policy.default_pack", true),
            index: index(&mut reader),
            proof_key_file: reader.optional("impersonation.proof_key_file"),
        };
        reader.finish()?;
        Ok(Config { options, telemetry })
    }
}

/// How the index of protected identities is kept.
fn index(reader: &mut Reader) -> IndexOptions {
    let shards: Vec<String> = reader.or("impersonation.shards", Vec::new());
    let shard = reader.or("impersonation.shard", 0_u32);
    if shard > 0 && shard as usize >= shards.len() {
        let what = "is too large: expected the place of this process in impersonation.shards, \
                    from 0";
        reader.mistake("impersonation.shard", what);
    }
    IndexOptions {
        shards,
        shard,
        profiles_max: reader.or("impersonation.profiles_max", PROFILES_MAX_DEFAULT),
        model: reader.optional("impersonation.model"),
        snapshots: reader.optional("impersonation.snapshots"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/recourse.toml"))
    }

    #[test]
    fn the_sample_says_the_defaults() {
        let sample = Config::load(Some(sample()), []).expect("a good sample");
        let default = Config::load(None, []).expect("good defaults");
        let shown = |config: &Config| {
            let (options, telemetry) = (&config.options, &config.telemetry);
            format!("{:?} {:?} {:?}", options.server, options.place, telemetry)
        };
        assert_eq!(shown(&sample), shown(&default));
    }

    #[test]
    fn every_key_that_is_commented_out_in_the_sample_is_known() {
        let text = std::fs::read_to_string(sample()).expect("the sample");
        let keys = text.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(" = "));
        let mut section = String::new();
        let sections: Vec<(String, &str)> = text
            .lines()
            .filter_map(|line| {
                if let Some(name) = line.strip_prefix('[') {
                    section = name.trim_end_matches(']').to_owned();
                }
                let (key, _) = line.strip_prefix("# ")?.split_once(" = ")?;
                (!key.contains(' ')).then(|| (section.clone(), key))
            })
            .collect();
        assert!(keys.count() >= sections.len() && sections.len() >= 8, "{sections:?}");
        for (section, key) in sections {
            let name = kit::config::env_name(&format!("{section}.{key}"));
            let mistakes = match Config::load(None, [(name.clone(), "\u{1}".to_owned())]) {
                Ok(_) => Vec::new(),
                Err(mistakes) => mistakes,
            };
            let unknown = mistakes.iter().any(|mistake| mistake.what.contains("not a known key"));
            assert!(!unknown, "{name} is not a known key");
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let env = [
            ("RECOURSE_SERVER_LISTEN", "nowhere"),
            ("RECOURSE_SERVER_DRAIN", "soon"),
            ("RECOURSE_STORGE_DATA", "x"),
            ("RECOURSE_TEST_POSTGRES", "not configuration"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mistakes = Config::load(None, env).expect_err("mistakes");
        let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        let wrong = ["RECOURSE_SERVER_LISTEN", "RECOURSE_SERVER_DRAIN", "RECOURSE_STORGE_DATA"];
        assert_eq!(keys.len(), wrong.len(), "{keys:?}");
        assert!(wrong.iter().all(|key| keys.contains(key)), "{keys:?}");
    }
}
