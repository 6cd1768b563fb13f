//! Signing a message as it passes by.

use std::fmt;

use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, DkimSigningStream, Done};

use super::Keys;
use super::blanks::Blanks;
use super::key::Borrowed;
use crate::text::{fields, is_named, wire};

/// Signed, and signed once more than they occur: nobody can add another (RFC 6376 §8.15).
const SEALED: [&str; 11] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Signed as often as they occur. Mailing lists may add theirs.
const SIGNED: [&str; 22] = [
    "Content-Disposition",
    "Content-ID",
    "Content-Description",
    "In-Reply-To",
    "References",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    // RFC 8058 §4: a one-click unsubscription counts only if both fields are signed.
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Autocrypt",
    "Mail-Followup-To",
    "Mail-Reply-To",
];

/// Everybody whose keys sign one message.
pub struct Signer<'k> {
    signers: Vec<DkimSigner<Borrowed<'k>, Done>>,
}

/// A message that could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignError;

impl fmt::Display for SignError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("signing failed")
    }
}

impl std::error::Error for SignError {}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").field("signers", &self.signers.len()).finish()
    }
}

impl<'k> Signer<'k> {
    /// Signs with these keys a message with this header. `None` if it has nothing to sign.
    pub fn new(keys: &'k Keys, header: &[u8]) -> Option<Self> {
        let names = names(header)?;
        let signer = |key| {
            DkimSigner::from_key(Borrowed(key))
                .domain(keys.domain.as_str())
                .selector(key.selector().as_str())
                .headers(names.iter().copied())
        };
        Some(Self { signers: keys.keys.iter().map(signer).collect() })
    }

    /// Begins to sign. The header comes first, then the body.
    pub fn start(&self, header: &[u8]) -> Signing<'_, 'k> {
        // The library looks for the empty line as it goes over the wire; in the body LF will do.
        let wire = wire(header);
        let mut streams = Vec::with_capacity(self.signers.len());
        for signer in &self.signers {
            let mut stream = signer.sign_streaming();
            stream.write(&wire);
            streams.push(stream);
        }
        Signing { streams, blanks: Blanks::default() }
    }
}

/// A message that is being signed.
pub struct Signing<'s, 'k> {
    streams: Vec<DkimSigningStream<'s, Borrowed<'k>>>,
    /// The body is signed in its relaxed form.
    blanks: Blanks,
}

impl Signing<'_, '_> {
    /// Takes the next block of the body, with LF at its lines' ends.
    pub fn body(&mut self, block: &[u8]) {
        let block = self.blanks.strip(block);
        for stream in &mut self.streams {
            stream.write(&block);
        }
    }

    /// The signatures: fields with LF at their lines' ends, to stand before the header.
    ///
    /// # Errors
    /// If one cannot be made.
    pub fn finish(self) -> Result<Vec<u8>, SignError> {
        let mut written = String::new();
        for stream in self.streams {
            let field = stream.finish().map_err(|_| SignError)?.to_header();
            let field = field.replace("\r\n", "\n");
            // Blanks around a signature do not count (RFC 6376 §3.5), but dkimpy counts them.
            let end = field.trim_end().trim_end_matches(';').trim_end();
            written.push_str(end);
            written.push_str(";\n");
        }
        Ok(written.into_bytes())
    }
}

/// The names of the fields to be signed. `None` if there is no author: such a signature counts
/// nowhere.
fn names(header: &[u8]) -> Option<Vec<&'static str>> {
    let is_there = |name: &&str| fields(header).any(|field| is_named(field, name));
    if !is_there(&"From") {
        return None;
    }
    let sealed = SEALED.into_iter().flat_map(|name| {
        // The library takes a second mention for a field that is not there.
        std::iter::repeat_n(name, if is_there(&name) { 2 } else { 1 })
    });
    Some(sealed.chain(SIGNED.into_iter().filter(is_there)).collect())
}

#[cfg(test)]
#[path = "standard_tests.rs"]
mod standard_tests;
#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
