//! Checks a password, or a digest of it, against a file of passwords in plain text.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod identity;
mod passwords;
mod report;

pub use identity::{NotRun, become_user};
pub use passwords::{Unusable, password_of};
pub use report::Report;
