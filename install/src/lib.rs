//! Makes a qmail tree, takes one over that is there, and checks one.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod accounts;
mod boot;
mod check;
mod failure;
mod file;
mod item;
mod layout;
mod make;
mod place;
mod request;
mod shape;
mod texts;

pub use check::check;
pub use failure::Failure;
pub use make::install;
pub use place::Place;
pub use request::{Command, Request};

#[cfg(test)]
mod completeness;
#[cfg(test)]
mod tests;
