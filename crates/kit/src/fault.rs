//! Named points at which a test may make the process die, as by a power cut. Without the
//! feature `fault` they compile to nothing.

/// The environment variable that arms a point: `<name>` or `<name>:<n>`, the n-th time counted
/// from 1.
pub const CRASH_AT: &str = "RECOURSE_CRASH_AT";

/// Dies here if the point is armed.
#[cfg(not(feature = "fault"))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Dies here if the point is armed.
#[cfg(feature = "fault")]
pub fn point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let armed = ARMED.get_or_init(|| {
        let armed = std::env::var(CRASH_AT).ok()?;
        let (name, times) = armed.split_once(':').unwrap_or((&armed, "1"));
        Some((name.to_owned(), times.parse().unwrap_or(1)))
    });
    if let Some((armed, times)) = armed
        && armed == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times
    {
        std::process::abort();
    }
}
