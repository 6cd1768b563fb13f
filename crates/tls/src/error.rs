//! Why there is no TLS.

use std::fmt;
use std::io::{self, ErrorKind};

use qmail_core::errno;

/// Why TLS cannot even be set up.
#[derive(Debug)]
pub enum SetupError {
    /// A file with certificates cannot be read.
    Read(io::Error),
    /// It has none, or none that can be used.
    NoCertificate,
    /// What certificates, key and ciphers there are do not go together.
    Unusable(rustls::Error),
}

/// Why a handshake failed.
#[derive(Debug)]
pub enum HandshakeError {
    /// The connection broke, or the other side was silent for too long.
    Io(io::Error),
    /// The other side does not speak TLS, or not as we do.
    Protocol(rustls::Error),
    /// It does, but is not who it should be.
    Distrusted(Distrust),
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody whom we trust vouches for it, or not now; with the reason.
    Untrusted(String),
    /// It has no name at all.
    NoName,
    /// It is somebody else's: the one with this common name.
    OtherName(Vec<u8>),
    /// It is somebody else's, and has several names.
    OtherNames,
}

impl fmt::Display for SetupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => formatter.write_str(errno::text(error)),
            Self::NoCertificate => formatter.write_str("no certificate or crl found"),
            Self::Unusable(error) => write!(formatter, "{error}"),
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => formatter.write_str("timed out"),
                ErrorKind::UnexpectedEof => formatter.write_str("connection closed"),
                _ if error.raw_os_error().is_some() => formatter.write_str(errno::text(error)),
                _ => write!(formatter, "{error}"),
            },
            Self::Protocol(error) => write!(formatter, "{error}"),
            Self::Distrusted(distrust) => write!(formatter, "{distrust}"),
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrusted(reason) => formatter.write_str(reason),
            Self::NoName => formatter.write_str("certificate contains no valid commonName"),
            Self::OtherName(name) => {
                let name: String = name.iter().map(|byte| printable(*byte)).collect();
                write!(formatter, "received certificate for {name}")
            }
            Self::OtherNames => formatter.write_str("certificate contains no matching dNSNnames"),
        }
    }
}

/// What a stranger wrote into a certificate must not break a line.
fn printable(byte: u8) -> char {
    if matches!(byte, b'!'..=b'~') { char::from(byte) } else { '?' }
}

impl std::error::Error for SetupError {}
impl std::error::Error for HandshakeError {}
impl std::error::Error for Distrust {}

impl From<rustls::Error> for HandshakeError {
    fn from(error: rustls::Error) -> Self {
        if let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = &error
            && let Some(distrust) = other.0.downcast_ref::<Distrust>()
        {
            return Self::Distrusted(distrust.clone());
        }
        Self::Protocol(error)
    }
}
