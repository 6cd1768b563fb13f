//! Reads a POP3 user name and password.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod credentials;
pub mod login;
pub mod replies;
pub mod session;

mod server;

pub use login::{Login, challenge};
pub use server::{refuse_usage, serve};
