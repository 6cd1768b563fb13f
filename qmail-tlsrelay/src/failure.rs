//! Why a session is not carried, or not to its end.

use std::io;

/// Why a session is not carried, or not to its end. The log has been told by whoever was told.
#[derive(Debug)]
pub enum Failure {
    /// Certificates or ciphers cannot be used; the session has been told.
    NotReady,
    /// The client and we did not find together; the session has been told.
    Handshake,
    /// The client is lost.
    Client(io::Error),
    /// The session has gone before its time, or says nonsense.
    Session(io::Error),
}
