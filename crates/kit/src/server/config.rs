//! Where to listen and how much to take on.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::Reader;

/// Calls answered at the same time, unless configured.
pub const IN_FLIGHT_MAX_DEFAULT: usize = 2_048;
/// Bytes of one request message, unless configured.
pub const REQUEST_BYTES_MAX_DEFAULT: usize = 1 << 20;
/// How long a unary call may take, unless configured or the caller sets less.
pub const UNARY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// How long calls may take to finish after the signal to stop, unless configured.
pub const DRAIN_DEFAULT: Duration = Duration::from_secs(10);

/// How a server is reached and what bounds it.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The bounds.
    pub limits: Limits,
    /// Origins whose web pages may call (gRPC-web), such as `https://console.example`. Pages
    /// from the loopback host may in open mode.
    pub cors_origins: Vec<String>,
}

/// The bounds of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Calls being answered at the same time; one more is refused (OVERLOADED).
    pub in_flight_max: usize,
    /// Bytes of one request message; one more is refused (MESSAGE_TOO_LARGE).
    pub request_bytes_max: usize,
    /// How long a unary call may take.
    pub unary_timeout: Duration,
    /// How long calls may take to finish after the signal to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            in_flight_max: IN_FLIGHT_MAX_DEFAULT,
            request_bytes_max: REQUEST_BYTES_MAX_DEFAULT,
            unary_timeout: UNARY_TIMEOUT_DEFAULT,
            drain: DRAIN_DEFAULT,
        }
    }
}

impl ServerConfig {
    /// Listening there, with the default bounds.
    pub fn listen(listen: SocketAddr) -> ServerConfig {
        ServerConfig { listen, limits: Limits::default(), cors_origins: Vec::new() }
    }

    /// A free loopback port, for tests.
    pub fn loopback() -> ServerConfig {
        ServerConfig::listen(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Reads `<section>.listen`, `.cors_origins`, `.in_flight_max`, `.request_bytes_max`,
    /// `.unary_timeout` and `.drain`.
    pub fn read(reader: &mut Reader, section: &str, listen: SocketAddr) -> ServerConfig {
        let key = |name: &str| format!("{section}.{name}");
        let limits = Limits {
            in_flight_max: reader.checked(
                &key("in_flight_max"),
                IN_FLIGHT_MAX_DEFAULT,
                "a whole number from 1 to 1000000",
                |value| (1..=1_000_000).contains(value),
            ),
            request_bytes_max: reader.checked(
                &key("request_bytes_max"),
                REQUEST_BYTES_MAX_DEFAULT,
                "a number of bytes from 1024 to 4194304",
                |value| (1_024..=4 << 20).contains(value),
            ),
            unary_timeout: reader.checked(
                &key("unary_timeout"),
                UNARY_TIMEOUT_DEFAULT,
                "a duration from 10ms to 10m",
                |value| (Duration::from_millis(10)..=Duration::from_secs(600)).contains(value),
            ),
            drain: reader.or(&key("drain"), DRAIN_DEFAULT),
        };
        ServerConfig {
            listen: reader.or(&key("listen"), listen),
            limits,
            cors_origins: reader.or(&key("cors_origins"), Vec::new()),
        }
    }
}
