//! Reads a POP3 user name and password.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod capabilities;
mod connection;
mod credentials;
mod login;
mod policy;
mod replies;
mod server;
mod session;
mod tls;

pub use connection::Connection;
pub use login::{Login, challenge};
pub use policy::Policy;
pub use server::{Service, refuse_usage, serve};
pub use tls::Tls;
