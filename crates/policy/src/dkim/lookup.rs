//! Public keys from DNS.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mail_auth::Error;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::DkimError;
use qmail_dns::{Failure, Name, Resolver};

use super::Verdict;

/// RFC 8301 §3.2.
const SHORTEST_KEY_BITS: usize = 1024;

/// What ring verifies. Twice what signers use.
const LONGEST_KEY_BITS: usize = 8192;

/// What the library says of keys whose length is given by their kind: Ed25519.
const FIXED_KEY_BITS: usize = usize::MAX;

/// Records of one name that are looked at: only one is a key.
const MOST_RECORDS: usize = 4;

/// The library's names for what a record may say in `h=` and `t=`.
const TAKES_SHA1: u64 = 0x01;
const TAKES_SHA256: u64 = 0x02;
const IS_TESTING: u64 = 0x10;

/// Where records come from.
pub trait Records {
    /// The texts of a name.
    ///
    /// # Errors
    /// See [`Failure`].
    fn texts(&self, name: &str) -> Result<Vec<Vec<u8>>, Failure>;
}

impl Records for Resolver {
    fn texts(&self, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let name = Name::parse(name.as_bytes()).ok_or(Failure::NoSuchName)?;
        Self::texts(self, &name)
    }
}

/// How much a message may demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Signatures that are verified.
    pub signatures: usize,
    /// After this time nothing more is asked.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { signatures: 10, time: Duration::from_secs(20) }
    }
}

/// A key from DNS.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) key: Arc<DomainKey>,
    pub(super) is_testing: bool,
}

/// The key of this name, or the verdict on every signature that needs it.
pub(super) fn look_up(
    records: &impl Records,
    name: &str,
    deadline: Instant,
) -> Result<Found, Verdict> {
    if Instant::now() >= deadline {
        return Err(Verdict::NoAnswer);
    }
    let texts = records.texts(name).map_err(|failure| match failure {
        Failure::Temporary(_) => Verdict::NoAnswer,
        Failure::NoSuchName | Failure::NoSuchRecord => Verdict::NoKey,
    })?;
    // Something else may stand beside a key, a record of SPF for all names, say.
    let mut verdict = Verdict::NoKey;
    for text in texts.iter().take(MOST_RECORDS) {
        match read(text) {
            Ok(found) => return Ok(found),
            Err(worse) => verdict = worse,
        }
    }
    Err(verdict)
}

fn read(text: &[u8]) -> Result<Found, Verdict> {
    let key = DomainKey::parse(text).map_err(|error| match error {
        Error::Dkim(DkimError::RevokedPublicKey) => Verdict::Revoked,
        Error::Dkim(DkimError::UnsupportedKeyType) => Verdict::OtherAlgorithm,
        _ => Verdict::UnusableKey,
    })?;
    match key.p.public_key_bits() {
        // It is not an RSA key at all.
        0 => return Err(Verdict::UnusableKey),
        1..SHORTEST_KEY_BITS => return Err(Verdict::ShortKey),
        SHORTEST_KEY_BITS..=LONGEST_KEY_BITS | FIXED_KEY_BITS => {}
        _ => return Err(Verdict::UnusableKey),
    }
    let hashes = key.f & (TAKES_SHA1 | TAKES_SHA256);
    if hashes == TAKES_SHA1 || !is_for_mail(text) {
        return Err(Verdict::OtherAlgorithm);
    }
    Ok(Found { is_testing: key.f & IS_TESTING != 0, key: Arc::new(key) })
}

/// Whether `s=` lets this key sign mail (RFC 6376 §3.6.1).
fn is_for_mail(text: &[u8]) -> bool {
    let tags = text.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let mut services = tags.filter_map(|tag| {
        let (name, value) = tag.split_at_checked(tag.iter().position(|byte| *byte == b'=')?)?;
        (name.trim_ascii() == b"s").then(|| value.get(1..).unwrap_or_default())
    });
    services.next().is_none_or(|services| {
        let mut services = services.split(|byte| *byte == b':').map(<[u8]>::trim_ascii);
        services.any(|service| service == b"*" || service.eq_ignore_ascii_case(b"email"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_is_for() {
        for text in ["p=x", "s=*; p=x", "v=DKIM1; s = email ;p=x", "s=tlsrpt:Email"] {
            assert!(is_for_mail(text.as_bytes()), "{text}");
        }
        for text in ["s=tlsrpt; p=x", "s=;p=x"] {
            assert!(!is_for_mail(text.as_bytes()), "{text}");
        }
    }
}
