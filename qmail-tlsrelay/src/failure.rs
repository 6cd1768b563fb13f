//! Why a session is not carried, or not to its end.

use std::fmt;
use std::io::{self, ErrorKind};

use qmail_core::control::ControlError;
use qmail_core::errno;
use qmail_tls::{HandshakeError, Unready};

/// Why a session is not carried, or not to its end.
#[derive(Debug)]
pub enum Failure {
    /// A control file cannot be read.
    Control(ControlError),
    /// There is no `servercert.pem`.
    NoCertificate,
    /// Certificates or ciphers cannot be used.
    Unready(Unready),
    /// The client and we did not find together.
    Handshake(HandshakeError),
    /// The client has gone, or says nothing.
    Client(io::Error),
    /// The session has gone.
    Plain(io::Error),
}

impl Failure {
    /// Whether this is worth a line in the log: sessions that break off are not.
    pub fn is_remarkable(&self) -> bool {
        match self {
            Self::Control(_) | Self::NoCertificate | Self::Unready(_) => true,
            Self::Handshake(HandshakeError::Io(error)) => error.kind() != ErrorKind::UnexpectedEof,
            Self::Handshake(_) => true,
            Self::Client(_) | Self::Plain(_) => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(error) => write!(formatter, "{error}"),
            Self::NoCertificate => formatter.write_str("there is no control/servercert.pem"),
            Self::Unready(error) => write!(formatter, "{error}"),
            Self::Handshake(error) => write!(formatter, "TLS connection failed: {error}"),
            Self::Client(error) => write!(formatter, "lost the client: {}", errno::text(error)),
            Self::Plain(error) => write!(formatter, "lost the session: {}", errno::text(error)),
        }
    }
}

impl std::error::Error for Failure {}
