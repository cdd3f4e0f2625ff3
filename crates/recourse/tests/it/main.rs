//! The real binary: what is typed, crashes between any two steps, and the replay of real data under
//! SIGKILL.

mod cli;
mod crash;
mod hatecheck;
mod lab;
mod process;
