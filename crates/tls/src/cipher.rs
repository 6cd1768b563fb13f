//! Ciphers by the names that OpenSSL has for them, since those stand in control files and logs.

mod unknown;

use std::fmt;

use rustls::crypto::ring::cipher_suite as suite;
use rustls::{CipherSuite, SupportedCipherSuite};

pub use unknown::unknown_words;

/// A cipher, and the words of openssl-ciphers(1) that select it.
struct Cipher {
    name: &'static str,
    suite: SupportedCipherSuite,
    bits: u16,
    words: &'static [&'static str],
}

macro_rules! ciphers {
    ($($name:literal $suite:ident $bits:literal [$($word:literal)*];)*) => {
        &[$(Cipher { name: $name, suite: suite::$suite, bits: $bits, words: &[$($word),*] }),*]
    };
}

/// TLS 1.3. OpenSSL has a list of its own for these, so words like `HIGH` do not select them.
const NEW: &[Cipher] = ciphers! {
    "TLS_AES_256_GCM_SHA384" TLS13_AES_256_GCM_SHA384 256 [];
    "TLS_CHACHA20_POLY1305_SHA256" TLS13_CHACHA20_POLY1305_SHA256 256 [];
    "TLS_AES_128_GCM_SHA256" TLS13_AES_128_GCM_SHA256 128 [];
};

/// TLS 1.2, in the order of OpenSSL's `DEFAULT`.
const OLD: &[Cipher] = ciphers! {
    "ECDHE-ECDSA-AES256-GCM-SHA384" TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 256
        ["aECDSA" "ECDSA" "AES" "AES256" "AESGCM" "SHA384" "FIPS"];
    "ECDHE-RSA-AES256-GCM-SHA384" TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 256
        ["aRSA" "AES" "AES256" "AESGCM" "SHA384" "FIPS"];
    "ECDHE-ECDSA-CHACHA20-POLY1305" TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 256
        ["aECDSA" "ECDSA" "CHACHA20"];
    "ECDHE-RSA-CHACHA20-POLY1305" TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 256
        ["aRSA" "CHACHA20"];
    "ECDHE-ECDSA-AES128-GCM-SHA256" TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 128
        ["aECDSA" "ECDSA" "AES" "AES128" "AESGCM" "SHA256" "FIPS"];
    "ECDHE-RSA-AES128-GCM-SHA256" TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 128
        ["aRSA" "AES" "AES128" "AESGCM" "SHA256" "FIPS"];
};

/// What all of [`OLD`] are: modern ones only.
const COMMON_WORDS: &[&str] =
    &["ALL", "DEFAULT", "HIGH", "ECDHE", "EECDH", "kECDHE", "kEECDH", "TLSv1.2"];

/// The ciphers that a connection may use, the best first.
#[derive(Clone, Debug)]
pub struct Selection(pub(crate) Vec<SupportedCipherSuite>);

/// A list of ciphers that names none that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCipher;

impl Default for Selection {
    /// All of them.
    fn default() -> Self {
        Self(NEW.iter().chain(OLD).map(|cipher| cipher.suite).collect())
    }
}

impl Selection {
    /// Reads a list as openssl-ciphers(1) has it: words with `+` between them for what all have in
    /// common, `!`, `-` or `+` before them, `@STRENGTH`. What names no cipher of ours selects
    /// nothing. Ciphers of TLS 1.3 are left alone, unless some are named one by one.
    ///
    /// # Errors
    /// If nothing is selected: whoever wants only what we cannot do gets no connection.
    pub fn parse(list: &str) -> Result<Self, NoCipher> {
        let mut old = Choice::default();
        let mut new = Choice::default();
        for word in list.split([':', ',', ' ', ';']).filter(|word| !word.is_empty()) {
            old.apply(OLD, word);
            if word.trim_start_matches(['!', '-', '+']).starts_with("TLS_") {
                new.apply(NEW, word);
            }
        }
        let named = !new.chosen.is_empty();
        if old.chosen.is_empty() && !named {
            return Err(NoCipher);
        }
        let new = if named { new.chosen } else { NEW.iter().collect() };
        Ok(Self(new.into_iter().chain(old.chosen).map(|cipher| cipher.suite).collect()))
    }
}

/// The ciphers chosen so far, and those that no later word brings back.
#[derive(Default)]
struct Choice {
    chosen: Vec<&'static Cipher>,
    banned: Vec<&'static str>,
}

impl Choice {
    fn apply(&mut self, table: &'static [Cipher], word: &str) {
        match word.split_at_checked(1) {
            Some(("@", "STRENGTH")) => {
                self.chosen.sort_by_key(|cipher| std::cmp::Reverse(cipher.bits));
            }
            Some(("@", _)) => {}
            Some(("!", word)) => {
                self.banned.extend(table.iter().filter(|it| it.has(word)).map(|it| it.name));
                self.chosen.retain(|cipher| !cipher.has(word));
            }
            Some(("-", word)) => self.chosen.retain(|cipher| !cipher.has(word)),
            Some(("+", word)) => self.chosen.sort_by_key(|cipher| cipher.has(word)),
            _ => {
                for cipher in table.iter().filter(|cipher| cipher.has(word)) {
                    let is_chosen = self.chosen.iter().any(|chosen| chosen.name == cipher.name);
                    if !is_chosen && !self.banned.contains(&cipher.name) {
                        self.chosen.push(cipher);
                    }
                }
            }
        }
    }
}

impl Cipher {
    /// Whether all of these words say something that it is.
    fn has(&self, words: &str) -> bool {
        words.split('+').all(|word| {
            self.name == word
                || self.suite.suite().as_str() == Some(word)
                || self.words.contains(&word)
                || (!self.words.is_empty() && COMMON_WORDS.contains(&word))
        })
    }
}

/// The name that OpenSSL has for a cipher.
pub fn name_of(suite: CipherSuite) -> &'static str {
    let mut all = NEW.iter().chain(OLD);
    all.find(|cipher| cipher.suite.suite() == suite).map_or("unknown", |cipher| cipher.name)
}

impl fmt::Display for NoCipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no cipher match")
    }
}

impl std::error::Error for NoCipher {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<&'static str> {
        let Selection(suites) = Selection::parse(list).unwrap();
        suites.iter().map(|suite| name_of(suite.suite())).collect()
    }

    #[test]
    fn without_a_name_of_tls_1_3_all_of_it_is_there() {
        for list in ["DEFAULT", "ALL", "HIGH:!aNULL:!MD5", "ECDHE+AESGCM:ECDHE+CHACHA20:RSA"] {
            assert_eq!(names(list).len(), 9, "{list}");
        }
        assert_eq!(names("ECDHE-RSA-AES128-GCM-SHA256").len(), 4);
        let only = ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"];
        assert_eq!(names("TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256"), only);
        assert_eq!(names("TLS_AES_128_GCM_SHA256"), only[..1]);
    }

    #[test]
    fn words_and_signs_are_those_of_openssl() {
        let old = |list| names(list).split_off(3);
        assert_eq!(old("ECDHE+AES128+aRSA"), ["ECDHE-RSA-AES128-GCM-SHA256"]);
        let list = "AES128:CHACHA20:!aECDSA:HIGH:@SECLEVEL=1";
        assert_eq!(
            old(list),
            [
                "ECDHE-RSA-AES128-GCM-SHA256",
                "ECDHE-RSA-CHACHA20-POLY1305",
                "ECDHE-RSA-AES256-GCM-SHA384"
            ]
        );
        assert_eq!(old("aRSA:+AES256").last(), Some(&"ECDHE-RSA-AES256-GCM-SHA384"));
        assert_eq!(old("aRSA:-AES256:AES256+aRSA").len(), 3);
        let strong = old("AES128+aRSA:AES256+aRSA:@STRENGTH");
        assert_eq!(strong[0], "ECDHE-RSA-AES256-GCM-SHA384");
    }

    #[test]
    fn a_list_without_a_cipher_of_ours_is_refused() {
        for list in ["", "RC4-SHA", "kRSA:3DES", "HIGH:!ALL", "!DEFAULT:DEFAULT"] {
            assert_eq!(Selection::parse(list).map(|_| ()), Err(NoCipher), "{list}");
        }
    }

    #[test]
    fn every_cipher_of_the_provider_has_a_name() {
        for suite in rustls::crypto::ring::ALL_CIPHER_SUITES {
            assert_ne!(name_of(suite.suite()), "unknown");
        }
        assert_eq!(Selection::default().0.len(), rustls::crypto::ring::ALL_CIPHER_SUITES.len());
    }
}
