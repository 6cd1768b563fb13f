//! Checks a password, or a digest of it, against a file of passwords in plain text.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod failure;
mod identity;
mod passwords;
mod proof;
mod report;
mod request;

pub use failure::Failure;
pub use identity::become_user;
pub use passwords::password_of;
pub use proof::{Method, proves};
pub use report::Report;
pub use request::{Request, read_request};
