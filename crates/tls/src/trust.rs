//! Whether a server is who it should be.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::Distrust;
use crate::certificate::{Names, matches};

/// Takes everybody, which protects from those who only listen. Servers with a certificate that is
/// expired, of their own making, or of the first version are common, and plain text would not be
/// better.
#[derive(Debug)]
pub(crate) struct Anybody(pub(crate) Arc<CryptoProvider>);

/// Takes the one host whose certificate certain authorities have signed.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) roots: RootCertStore,
    /// The name that the certificate must have.
    pub(crate) host: Vec<u8>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // A signature by nobody in particular proves nothing, and webpki cannot read every key.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check_origin(certificate, intermediates, now)
            .and_then(|()| self.check_name(&Names::of(certificate)))
            .map_err(|distrust| CertificateError::Other(OtherError(Arc::new(distrust))))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Known {
    /// Whether an authority vouches for it, or it is itself among them, as self-made ones are.
    fn check_origin(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Distrust> {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if self.authorities.iter().any(|known| known.as_ref() == certificate.as_ref()) {
            return match Names::of(certificate).are_valid_at(seconds) {
                true => Ok(()),
                false => Err(Distrust::Untrusted("certificate has expired".into())),
            };
        }
        let algorithms = self.provider.signature_verification_algorithms.all;
        ParsedCertificate::try_from(certificate)
            .and_then(|parsed| {
                verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &self.roots,
                    intermediates,
                    now,
                    algorithms,
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
