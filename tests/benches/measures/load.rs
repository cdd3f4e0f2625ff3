//! Callers that call as fast as they are answered, and what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kit::clock::{self, Stopwatch};
use recourse::cli::Service;
use recourse::suite::Options;
use tempfile::TempDir;
use testkit::database::FreshDatabase;
use tokio::runtime::Handle;

/// How long callers run before they are counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// For how long they are counted.
const MEASURED: Duration = Duration::from_secs(3);

/// What callers reached.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Calls a second, all callers together.
    pub per_second: f64,
    /// The median of their durations, in microseconds.
    pub p50_us: f64,
    /// The 99th of a hundred.
    pub p99_us: f64,
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rate { per_second, p50_us, p99_us } = self;
        write!(f, "{per_second:>9.0}/s  p50 {p50_us:>7.0} us  p99 {p99_us:>7.0} us")
    }
}

/// Runs `callers` at once; each makes its own calls with the function that `caller` gives it.
pub async fn run<C, F, R>(callers: usize, caller: C) -> Rate
where
    C: Fn(usize) -> F,
    F: FnMut() -> R + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let counting = Arc::new(AtomicBool::new(false));
    let stop = Arc::new(AtomicBool::new(false));
    let counted = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..callers)
        .map(|number| {
            let (counting, stop, counted) = (counting.clone(), stop.clone(), counted.clone());
            let mut call = caller(number);
            tokio::spawn(async move {
                let mut durations_us = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let since = Stopwatch::start();
                    call().await;
                    if counting.load(Ordering::Relaxed) {
                        durations_us.push(since.elapsed().as_secs_f64() * 1e6);
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
                durations_us
            })
        })
        .collect();
    clock::sleep(WARM_UP).await;
    counting.store(true, Ordering::Relaxed);
    let since = Stopwatch::start();
    clock::sleep(MEASURED).await;
    let (calls, seconds) = (counted.load(Ordering::Relaxed), since.elapsed().as_secs_f64());
    stop.store(true, Ordering::Relaxed);
    let mut durations_us = Vec::new();
    for task in tasks {
        durations_us.extend(task.await.expect("a caller that ends well"));
    }
    rate(calls as f64 / seconds, durations_us)
}

/// Calls so often, each when it is due, whether those before are answered or not: a caller who
/// waits would not notice what the others wait for. A duration begins when the call is handed to
/// the runtime. A thread of its own does that: the runtime's timer rings once a millisecond, and
/// calls that it let pile up till then would wait for one another by the driver's doing.
pub async fn paced<C, R>(per_second: f64, call: C) -> Rate
where
    C: Fn(usize) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let runtime = Handle::current();
    let calling = move || {
        let since = Stopwatch::start();
        let all = (per_second * (WARM_UP + MEASURED).as_secs_f64()) as usize;
        let calls = (0..all).map(|number| {
            let due = Duration::from_secs_f64(number as f64 / per_second);
            wait(due.saturating_sub(since.elapsed()));
            let (call, begun) = (call(number), Stopwatch::start());
            runtime.spawn(async move {
                call.await;
                (due, begun.elapsed())
            })
        });
        let calls = calls.collect::<Vec<_>>();
        (calls, since)
    };
    let called = tokio::task::spawn_blocking(calling).await;
    let (calls, since) = called.expect("calls that are made");
    let all = calls.len();
    let mut durations_us = Vec::new();
    for call in calls {
        let (due, took) = call.await.expect("a call that ends well");
        if due >= WARM_UP {
            durations_us.push(took.as_secs_f64() * 1e6);
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    rate(all as f64 / seconds, durations_us)
}

#[expect(clippy::disallowed_methods, reason = "on a thread of its own, finer than a timer")]
fn wait(span: Duration) {
    if span > Duration::ZERO {
        std::thread::sleep(span);
    }
}

fn rate(per_second: f64, mut durations_us: Vec<f64>) -> Rate {
    durations_us.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (durations_us.len() as f64 * share) as usize;
        durations_us.get(index).copied().unwrap_or_default()
    };
    Rate { per_second, p50_us: at(0.5), p99_us: at(0.99) }
}

/// Where data is, gone with the value.
pub enum Place {
    /// A folder for the embedded database.
    Folder(TempDir),
    /// A database on PostgreSQL.
    Postgres(FreshDatabase),
}

impl Place {
    /// One of each kind that there is.
    pub fn each() -> Vec<Place> {
        // In the working folder: a temporary one may be in memory, where nothing is ever synced.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let database = testkit::database::fresh().map(Place::Postgres);
        [Some(Place::Folder(folder)), database].into_iter().flatten().collect()
    }

    /// As the suite is told it.
    pub fn name(&self) -> String {
        match self {
            Place::Folder(folder) => folder.path().to_string_lossy().into_owned(),
            Place::Postgres(database) => database.url().to_owned(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Place::Folder(_) => "SQLite",
            Place::Postgres(_) => "PostgreSQL",
        }
    }
}

/// Some services on a place, with the default pack in force.
pub async fn suite(place: &Place, services: &[Service]) -> recourse::suite::Running {
    let services = services.to_vec();
    let options = Options { services, ..Options::open(&place.name()) };
    recourse::databases::migrate(&options.services, &options.place).await.expect("a schema");
    recourse::suite::start(options).await.expect("the suite starts")
}
