//! Reads a POP3 user name and password.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod connection;
pub mod credentials;
pub mod login;
pub mod policy;
pub mod replies;
pub mod session;

mod capabilities;
mod server;
mod tls;

pub use connection::Connection;
pub use login::{Login, challenge};
pub use policy::Policy;
pub use server::{Service, refuse_usage, serve};
pub use tls::Tls;
