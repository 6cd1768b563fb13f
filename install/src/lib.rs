//! Makes a qmail tree, takes one over that is there, and checks one.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod accounts;
mod boot;
mod check;
mod contents;
mod dry_run;
mod failure;
mod file;
mod findings;
mod item;
mod layout;
mod make;
mod manifest;
mod place;
mod protect;
mod request;
mod scripts;
mod services;
mod shape;
mod stage;
mod systemd;
mod texts;
mod what;

pub use check::check;
pub use dry_run::dry_run;
pub use failure::Failure;
pub use findings::Findings;
pub use make::{complete, install};
pub use place::Place;
pub use protect::protect;
pub use request::{Command, Request};
pub use stage::stage;

#[cfg(test)]
mod completeness;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod tests;
