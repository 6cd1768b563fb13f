//! Whether a server is who it should be.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::Distrust;
use crate::certificate::{Names, matches};

/// Looks at the certificate of a server.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) takes: Takes,
}

/// Which servers a client takes.
#[derive(Debug)]
pub(crate) enum Takes {
    /// All, which protects from those who only listen. Servers with a certificate that is expired,
    /// of their own making, or of the first version are common, and plain text would not be better.
    Anybody,
    /// One.
    Host(Known),
}

/// The one host whose certificate certain authorities have signed.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) roots: RootCertStore,
    /// The name that the certificate must have.
    pub(crate) host: Vec<u8>,
}

impl Verifier {
    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }

    /// What `verify` finds. A signature by nobody in particular proves nothing, and webpki cannot
    /// read every key.
    fn check_signature(
        &self,
        verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.takes {
            Takes::Anybody => Ok(HandshakeSignatureValid::assertion()),
            Takes::Host(_) => verify(self.algorithms()),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Takes::Host(known) = &self.takes {
            known
                .check_origin(certificate, intermediates, now, self.algorithms())
                .and_then(|()| known.check_name(&Names::of(certificate)))
                .map_err(|distrust| CertificateError::Other(OtherError(Arc::new(distrust))))?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(|known| verify_tls12_signature(message, certificate, signature, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(|known| verify_tls13_signature(message, certificate, signature, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

impl Known {
    /// Whether an authority vouches for it, or it is itself among them, as self-made ones are.
    fn check_origin(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Distrust> {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if self.authorities.iter().any(|known| known.as_ref() == certificate.as_ref()) {
            return match Names::of(certificate).are_valid_at(seconds) {
                true => Ok(()),
                false => Err(Distrust::Untrusted("certificate has expired".into())),
            };
        }
        ParsedCertificate::try_from(certificate)
            .and_then(|parsed| {
                verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &self.roots,
                    intermediates,
                    now,
                    algorithms.all,
                )
            })
            .map_err(|error| Distrust::Untrusted(error.to_string()))
    }

    /// Alternative names count if there are any, else the common name.
    fn check_name(&self, names: &Names) -> Result<(), Distrust> {
        if !names.hosts.is_empty() {
            let found = names.hosts.iter().any(|name| matches(name, &self.host));
            return if found { Ok(()) } else { Err(Distrust::OtherNames) };
        }
        match &names.common {
            Some(name) if matches(name, &self.host) => Ok(()),
            Some(name) if !name.is_empty() => Err(Distrust::OtherName(name.clone())),
            _ => Err(Distrust::NoName),
        }
    }
}
