//! Certificates that clients show.
//!
//! One that nobody vouches for does not end the connection: most clients that show one need not.
//! Whoever wants to know asks afterwards.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::error::{Problem, ServerError};
use super::files;
use crate::certificate::Names;

/// A certificate that a client showed, and whose key it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Whether somebody whom we trust vouches for it, or why not.
    pub verified: Result<(), String>,
    /// The mail addresses in it.
    pub mailboxes: Vec<Vec<u8>>,
}

/// Looks at certificates of clients and lets all of them pass.
#[derive(Debug)]
pub(super) struct Clients {
    judge: Arc<dyn ClientCertVerifier>,
    seen: Mutex<Option<ClientCertificate>>,
}

impl Clients {
    pub(super) fn read(
        authorities: &Path,
        revoked: &Path,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, ServerError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(files::certificates(authorities)?);
        let mut builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        if let Some(lists) = files::revocations(revoked)? {
            builder = builder.with_crls(lists).enforce_revocation_expiration();
        }
        let judge = builder.allow_unauthenticated().build();
        let judge =
            judge.map_err(|error| ServerError::new(authorities, Problem::NoCheck(error)))?;
        Ok(Self { judge, seen: Mutex::default() })
    }

    pub(super) fn outcome(&self) -> Option<ClientCertificate> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.judge.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self.judge.verify_client_cert(certificate, intermediates, now);
        let seen = ClientCertificate {
            verified: verdict.map(|_| ()).map_err(|error| error.to_string()),
            mailboxes: Names::of(certificate).mailboxes,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ClientCertVerified::assertion())
    }

    // That he has the key is what all depends on, so a signature that is wrong ends the connection.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}
