//! The side that waits for a connection.
//!
//! A process serves one connection, so a [`Server`] is used up by its handshake, and what was
//! learnt in it is in the [`Accepted`] stream.

mod client_certificate;
mod error;
mod files;
mod own_certificate;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ServerConfig, ServerConnection};

use crate::{HandshakeError, Selection, Stream};

pub use client_certificate::ClientCertificate;
pub use error::{Problem, ServerError};

use client_certificate::Clients;
use own_certificate::Certificates;

/// Where a server's certificates are.
#[derive(Clone, Copy, Debug)]
pub struct ServerFiles<'a> {
    /// Key, certificate, and those that vouch for it, in one file.
    pub certificate: &'a Path,
    /// For a host name that a client asks for, `NAME/servercert.pem` in this directory wins.
    pub by_name: &'a Path,
    /// Whose certificates clients may show; `None`: they are not asked.
    pub authorities: Option<&'a Path>,
    /// Certificates that do not count any more, if this file is there.
    pub revoked: &'a Path,
}

/// Everything that a server's side of one connection needs.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    certificates: Arc<Certificates>,
    clients: Option<Arc<Clients>>,
}

/// A connection, and what is known of the other side.
#[derive(Debug)]
pub struct Accepted<S> {
    /// The stream inside.
    pub stream: Stream<S>,
    /// The host name that the client asked for, if there is a certificate of its own for that.
    pub name: Option<String>,
    /// The certificate that the client showed.
    pub client: Option<ClientCertificate>,
    /// What is wrong with the certificate for the name that the client asked for; he was shown the
    /// usual one instead.
    pub complaint: Option<ServerError>,
}

impl Server {
    /// Reads the files. `now`, in seconds since 1970, is when certificates have to be valid.
    ///
    /// # Errors
    /// If a file cannot be used: with which, and why.
    pub fn read(
        files: &ServerFiles<'_>,
        ciphers: &Selection,
        now: u64,
    ) -> Result<Self, ServerError> {
        let cipher_suites = ciphers.0.clone();
        let provider = Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() });
        let certificates =
            Arc::new(Certificates::read(files.certificate, files.by_name, &provider, now)?);
        let clients = match files.authorities {
            None => None,
            Some(path) => Some(Arc::new(Clients::read(path, files.revoked, &provider)?)),
        };
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ServerError::new(files.certificate, error))?;
        let builder = builder.with_client_cert_verifier(match &clients {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(clients) => Arc::clone(clients) as _,
        });
        let mut config = builder.with_cert_resolver(Arc::clone(&certificates) as _);
        // A process that ends with its connection resumes none.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.ignore_client_order = true;
        Ok(Self { config, certificates, clients })
    }

    /// Shakes hands over `stream`.
    ///
    /// # Errors
    /// If there is no connection then. `stream` is of no use any more: what was sent over it may
    /// be anything.
    pub fn accept<S: Read + Write>(self, stream: S) -> Result<Accepted<S>, HandshakeError> {
        let connection = ServerConnection::new(Arc::new(self.config))?;
        let stream = Stream::begin(connection.into(), stream)?;
        let (name, complaint) = self.certificates.outcome();
        let client = self.clients.and_then(|clients| clients.outcome());
        Ok(Accepted { stream, name, client, complaint })
    }
}

#[cfg(test)]
mod tests;
