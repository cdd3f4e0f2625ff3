//! The real binary: what is typed, crashes between any two steps, the replay of real data under
//! SIGKILL, and what is measured of it.

mod cli;
mod crash;
mod hatecheck;
mod lab;
mod process;
mod telemetry;
