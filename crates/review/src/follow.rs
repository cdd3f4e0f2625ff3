//! Which streams review follows, and what each event does here: reports and
//! matches and claims of impersonation open cases or add to them, appeals are heard as cases of
//! their own.
//!
//! A batch of events is a handful of statements, whatever its size: the rows that it may touch
//! are locked, the pure modules work out what becomes of them, and the result is written.

mod appeals;
mod impersonation;
mod reports;

pub use appeals::AppealsFollower;
pub use impersonation::ImpersonationFollower;
pub use reports::{Change, ReportChange, ReportsFollower};
