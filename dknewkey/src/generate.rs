//! Making keys.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::Failure;

/// Where the 32 bytes of an Ed25519 key stand in PKCS#8 (RFC 8410 §7).
const ED25519_PREFIX: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A string in a TXT record is at most this long.
const LONGEST_STRING: usize = 255;

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RSA, with so many bits.
    Rsa(usize),
    /// Ed25519.
    Ed25519,
}

/// A new key.
pub(crate) struct Generated {
    /// The private key in PEM.
    pub(crate) pem: String,
    /// The text of the DNS record.
    pub(crate) record: String,
}

/// Makes a key.
///
/// # Errors
/// [`Failure::Generate`].
pub(crate) fn generate(kind: Kind) -> Result<Generated, Failure> {
    match kind {
        Kind::Rsa(bits) => rsa(bits),
        Kind::Ed25519 => ed25519(),
    }
}

fn rsa(bits: usize) -> Result<Generated, Failure> {
    let private = RsaPrivateKey::new(&mut OsRng, bits).map_err(|_| Failure::Generate)?;
    let pem = private.to_pkcs8_pem(LineEnding::LF).map_err(|_| Failure::Generate)?.to_string();
    let public = RsaPublicKey::from(&private).to_public_key_der().map_err(|_| Failure::Generate)?;
    let public = STANDARD.encode(public.as_bytes());
    Ok(Generated { pem, record: format!("v=DKIM1; k=rsa; p={public}") })
}

fn ed25519() -> Result<Generated, Failure> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| Failure::Generate)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Failure::Generate)?;
    let private = STANDARD.encode([&ED25519_PREFIX[..], &seed].concat());
    let public = STANDARD.encode(pair.public_key());
    Ok(Generated {
        pem: format!("-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n"),
        record: format!("v=DKIM1; k=ed25519; p={public}"),
    })
}

impl Generated {
    /// The text of the record as a zone file has it, in strings that are not too long.
    pub(crate) fn strings(&self) -> String {
        let strings = self.record.as_bytes().chunks(LONGEST_STRING);
        let quoted = strings.map(|string| format!("\"{}\"", String::from_utf8_lossy(string)));
        format!("( {} )", quoted.collect::<Vec<_>>().join(" "))
    }
}

/// Shows nothing of the secret.
impl fmt::Debug for Generated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Generated").field("record", &self.record).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_policy::Domain;
    use qmail_policy::dkim::Key;

    fn domain(name: &str) -> Domain {
        Domain::parse(name.as_bytes()).unwrap()
    }

    #[test]
    fn new_keys_can_sign() {
        for kind in [Kind::Ed25519, Kind::Rsa(2048)] {
            let generated = generate(kind).unwrap();
            assert!(Key::parse(domain("s"), generated.pem.as_bytes()).is_ok(), "{kind:?}");
            assert!(!format!("{generated:?}").contains("PRIVATE"));
        }
    }

    #[test]
    fn a_record_has_strings_that_fit() {
        let record = format!("v=DKIM1; k=rsa; p={}", "x".repeat(600));
        let generated = Generated { pem: String::new(), record: record.clone() };
        let line = generated.strings();
        assert!(line.starts_with("( \"v=DKIM1;") && line.ends_with("\" )"), "{line}");
        let strings: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        assert!(strings.iter().all(|string| string.len() <= 255));
        assert_eq!(strings.concat(), record);
    }
}
