//! The side that begins a connection.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::trust::{Known, Takes, Verifier};
use crate::{HandshakeError, Identity, Selection, SetupError, Stream};

/// Everything that a client's side of a connection needs.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
}

/// Whom a client takes for the server.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Whoever is there.
    Anybody,
    /// The host of this name, if one of these authorities says so, or the certificate is itself
    /// among them.
    Known {
        /// The name that the certificate must have.
        host: Vec<u8>,
        /// Certificates, at least one.
        authorities: Vec<CertificateDer<'static>>,
    },
}

impl Client {
    /// A client that trusts `trust`, and shows `identity` to those who ask.
    ///
    /// # Errors
    /// If these do not go together.
    pub fn new(
        trust: Trust,
        identity: Option<Identity>,
        ciphers: &Selection,
    ) -> Result<Self, SetupError> {
        let cipher_suites = ciphers.0.clone();
        let provider = Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() });
        let verifier = verifier(trust, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SetupError::Unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain, key).map_err(SetupError::Unusable)?
            }
        };
        // A process that ends with its connection resumes none.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config) })
    }

    /// Shakes hands over `stream`, with the server of this name: it may have several.
    ///
    /// # Errors
    /// If there is no connection then, or it is not the right server.
    pub fn connect<S: Read + Write>(
        &self,
        host: Option<&[u8]>,
        stream: S,
    ) -> Result<Stream<S>, HandshakeError> {
        let connection = ClientConnection::new(Arc::clone(&self.config), server_name(host))?;
        Stream::begin(connection.into(), stream)
    }
}

fn verifier(trust: Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<Verifier>, SetupError> {
    let takes = match trust {
        Trust::Anybody => Takes::Anybody,
        Trust::Known { host, authorities } => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(authorities.iter().cloned());
            if roots.is_empty() {
                return Err(SetupError::NoCertificate);
            }
            Takes::Host(Known { authorities, roots, host })
        }
    };
    Ok(Arc::new(Verifier { provider: Arc::clone(provider), takes }))
}

/// rustls wants a name in any case, but says none to the server if it is an address.
fn server_name(host: Option<&[u8]>) -> ServerName<'static> {
    let name = host.and_then(|host| std::str::from_utf8(host).ok()).and_then(|host| {
        let lower = host.trim_end_matches('.').to_ascii_lowercase();
        ServerName::try_from(lower).ok()
    });
    name.unwrap_or_else(|| ServerName::from(std::net::IpAddr::from([0, 0, 0, 0])))
}
