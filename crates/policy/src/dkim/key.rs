//! A private key, and signing with it.

use std::fmt;

use mail_auth::common::crypto::{Algorithm, CryptoError, Sha256, SigningKey};
use mail_auth::common::headers::Writable;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use crate::Domain;

/// A key that signs under a selector.
#[derive(Debug)]
pub struct Key {
    selector: Domain,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Why a file is not a key to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is not a private key in PEM.
    Format,
    /// It is not an RSA key of 2048 to 4096 bits, nor an Ed25519 key.
    Kind,
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Format => "not a private key in PEM",
            Self::Kind => "neither an RSA key of 2048 to 4096 bits nor an Ed25519 key",
        })
    }
}

impl std::error::Error for KeyError {}

impl Key {
    /// Reads a key in PEM: PKCS#1 or PKCS#8, as openssl, opendkim and dknewkey write it.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(selector: Domain, pem: &[u8]) -> Result<Self, KeyError> {
        let rsa = |pair| Pair::Rsa(Box::new(pair));
        let pair = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyError::Format)? {
            PrivateKeyDer::Pkcs1(der) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map(rsa).map_err(|_| KeyError::Kind)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                // Without the public key inside, too: openssl leaves it out.
                let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519);
                RsaKeyPair::from_pkcs8(der)
                    .map(rsa)
                    .or_else(|_| ed25519())
                    .map_err(|_| KeyError::Kind)
            }
            _ => Err(KeyError::Kind),
        };
        Ok(Self { selector, pair: pair? })
    }

    /// The selector: the name below `_domainkey` where the public key stands in DNS.
    pub fn selector(&self) -> &Domain {
        &self.selector
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ring::error::Unspecified> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)?;
                Ok(signature)
            }
            // RFC 8463 §3: what Ed25519 signs is the hash.
            Pair::Ed25519(pair) => Ok(pair.sign(digest(&SHA256, text).as_ref()).as_ref().to_vec()),
        }
    }
}

/// Says which kind it is, and nothing of the secret.
impl fmt::Debug for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rsa(_) => "RSA",
            Self::Ed25519(_) => "Ed25519",
        })
    }
}

/// A key as the library wants it.
pub(super) struct Borrowed<'k>(pub(super) &'k Key);

impl SigningKey for Borrowed<'_> {
    type Hasher = Sha256;

    fn sign(&self, input: impl Writable) -> mail_auth::Result<Vec<u8>> {
        let mut text = Vec::new();
        input.write(&mut text);
        let failed = |_| mail_auth::Error::Crypto(CryptoError::Library("signing failed".into()));
        self.0.sign(&text).map_err(failed)
    }

    fn algorithm(&self) -> Algorithm {
        match self.0.pair {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }
}
