//! TLS over blocking streams, by rustls: connections, certificates, and the words of OpenSSL that
//! control files use for ciphers.
//!
//! Certificates and ciphers are the same for both sides of a connection, and a [`Stream`] is the
//! same whoever began it. [`Client`] is the side that begins, [`Server`] the one that waits.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod certificate;
mod cipher;
mod client;
mod der;
mod error;
mod pem;
mod server;
mod stream;
mod tree;
mod trust;

pub use certificate::Names;
pub use cipher::{NoCipher, Selection, name_of, unknown_words};
pub use client::{Client, Trust};
pub use error::{Distrust, HandshakeError, SetupError};
pub use pem::{Identity, certificates};
pub use server::{Accepted, ClientCertificate, Problem, Server, ServerError, ServerFiles};
pub use stream::{Session, Stream};
pub use tree::{Ready, TreeServer, Unready};

#[cfg(test)]
mod tests;
