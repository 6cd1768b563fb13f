//! Verifying the signatures of a message as it passes by.

use std::time::Instant;

use mail_auth::common::crypto::{Algorithm, HashAlgorithm, HashContext, HashImpl, Sha256};
use mail_auth::common::headers::Header;
use mail_auth::common::verify::VerifySignature;
use mail_auth::dkim::canonicalize::BodyHasher;
use mail_auth::dkim::{Canonicalization, Signature};
use mail_auth::{AuthenticatedMessage, Error};

use super::blanks::Blanks;
use super::evaluation::{Known, evaluate, of_dkim};
use super::lookup::{Found, Limits, Records, look_up};
use super::outcome::Claim;
use super::{Outcome, Verdict};
use crate::Domain;
use crate::text::{fields, is_named};

/// A longer header is not verified: nobody signs such a one.
pub const HEADER_LIMIT: usize = 1 << 20;

/// The same for its fields, and for the names that a signature lists: the work is the product.
const MOST_FIELDS: usize = 2_000;
const MOST_NAMES: usize = 250;

/// The signatures of a message while its body passes by.
pub struct Verifier<'h> {
    /// The message as the library wants it, with the signatures that are worth a question.
    message: AuthenticatedMessage<'h>,
    outcomes: Vec<Outcome>,
    /// Where in `outcomes` each signature of `message` is.
    places: Vec<usize>,
    hashers: Vec<(Canonicalization, BodyHasher<<Sha256 as HashImpl>::Context>)>,
    blanks: Blanks,
}

impl<'h> Verifier<'h> {
    /// Reads the signatures in a header as it went [over the wire](crate::text::wire).
    pub fn new(header: &'h [u8], limits: Limits) -> Self {
        let message = AuthenticatedMessage { raw_message: header, ..Default::default() };
        let mut verifier = Self {
            message,
            outcomes: Vec::new(),
            places: Vec::new(),
            hashers: Vec::new(),
            blanks: Blanks::default(),
        };
        let all: Vec<&[u8]> = fields(header).take(MOST_FIELDS + 1).collect();
        if header.len() > HEADER_LIMIT || all.len() > MOST_FIELDS {
            verifier.note(Verdict::TooLarge);
            return verifier;
        }
        verifier.message.headers = all.iter().map(|field| parts(field)).collect();
        let authors = all.iter().filter(|field| is_named(field, "From")).count();
        for field in all.iter().filter(|field| is_named(field, "DKIM-Signature")) {
            if verifier.outcomes.len() >= limits.signatures {
                verifier.note(Verdict::TooMany);
                break;
            }
            verifier.read(field, authors);
        }
        if verifier.outcomes.is_empty() {
            verifier.note(Verdict::NotSigned);
        }
        verifier
    }

    fn note(&mut self, verdict: Verdict) {
        self.outcomes.push(Outcome::without_claim(verdict));
    }

    fn read(&mut self, field: &'h [u8], authors: usize) {
        let (name, value) = parts(field);
        let signature = match Signature::parse(value) {
            Ok(signature) if is_sound(value) => signature,
            Ok(_) => return self.note(Verdict::Unreadable),
            Err(Error::Dkim(error)) => return self.note(of_dkim(&error)),
            Err(_) => return self.note(Verdict::Unreadable),
        };
        let refused = objection(&signature, authors);
        let claim = Some(Claim::of(&signature));
        // What is not refused here has no verdict yet.
        let verdict = refused.unwrap_or(Verdict::NoAnswer);
        self.outcomes.push(Outcome { verdict, signature: claim });
        if refused.is_some() {
            return;
        }
        self.places.push(self.outcomes.len() - 1);
        if !self.hashers.iter().any(|(form, _)| *form == signature.cb) {
            let hasher = BodyHasher::new(Sha256::hasher(), signature.cb, 0);
            self.hashers.push((signature.cb, hasher));
        }
        // Reports to others, and what others may allow, are none of our business: they would be
        // further questions. The library hashes the field as it came, not this.
        let header = Signature { r: false, atps: None, ..signature };
        self.message.dkim_headers.push(Header { name, value, header });
    }

    /// Takes the next block of the body; LF at the ends of its lines will do.
    pub fn body(&mut self, block: &[u8]) {
        let relaxed = self.blanks.strip(block);
        for (form, hasher) in &mut self.hashers {
            hasher.write(match form {
                Canonicalization::Relaxed => &relaxed,
                Canonicalization::Simple => block,
            });
        }
    }

    /// What became of each signature. There is always at least one outcome.
    pub fn finish(mut self, records: &impl Records, limits: Limits) -> Vec<Outcome> {
        for (form, hasher) in std::mem::take(&mut self.hashers) {
            let (context, _) = hasher.finish();
            let hash = context.complete().as_ref().to_vec();
            self.message.body_hashes.push((form, HashAlgorithm::Sha256, 0, hash));
        }
        let keys = self.find_keys(records, Instant::now() + limits.time);
        let mut known = Known::default();
        for (name, found) in &keys {
            if let Ok(found) = found {
                known.insert(name.clone(), found);
            }
        }
        let verdicts = if keys.is_empty() { Vec::new() } else { evaluate(&self.message, &known) };
        for (number, place) in self.places.iter().enumerate() {
            let signature = self.message.dkim_headers.get(number).map(|header| &header.header);
            let verdict = verdicts.get(number).copied().unwrap_or(Verdict::NoAnswer);
            let found = signature.map(VerifySignature::domain_key);
            let found = keys.iter().find(|(name, _)| Some(name) == found.as_ref());
            if let Some(outcome) = self.outcomes.get_mut(*place) {
                outcome.verdict = settle(verdict, found.map(|(_, found)| found));
            }
        }
        self.outcomes
    }

    /// Asks for each key once, if the body is right for one of its signatures: a list may have changed
    /// it since one of them was made, and made another.
    fn find_keys(
        &self,
        records: &impl Records,
        deadline: Instant,
    ) -> Vec<(String, Result<Found, Verdict>)> {
        let mut keys: Vec<(String, bool)> = Vec::new();
        for signature in self.message.dkim_headers.iter().map(|header| &header.header) {
            let (name, has_body) = (signature.domain_key(), self.has_body_of(signature));
            match keys.iter_mut().find(|(known, _)| *known == name) {
                Some((_, one_has_body)) => *one_has_body |= has_body,
                None => keys.push((name, has_body)),
            }
        }
        let found = |(name, one_has_body): (String, bool)| {
            let found = if one_has_body {
                look_up(records, &name, deadline)
            } else {
                // The library notices this before it wants a key.
                Err(Verdict::BodyChanged)
            };
            (name, found)
        };
        keys.into_iter().map(found).collect()
    }

    fn has_body_of(&self, signature: &Signature) -> bool {
        let mut hashes = self.message.body_hashes.iter();
        hashes.any(|(form, _, _, hash)| *form == signature.cb && *hash == signature.bh)
    }
}

/// The library's verdict, in the light of what was found about the key.
fn settle(verdict: Verdict, found: Option<&Result<Found, Verdict>>) -> Verdict {
    match (verdict, found) {
        (Verdict::BodyChanged | Verdict::Expired, _) => verdict,
        (_, Some(Err(reason))) => *reason,
        (Verdict::WrongSignature, Some(Ok(found))) if found.is_testing => Verdict::WrongButTesting,
        _ => verdict,
    }
}

/// What is wrong with a signature whatever its key may be.
fn objection(signature: &Signature, authors: usize) -> Option<Verdict> {
    let names = [&signature.d, &signature.s];
    let signed = signature.h.iter().filter(|name| name.eq_ignore_ascii_case("From")).count();
    if signature.v != 1 {
        Some(Verdict::WrongVersion)
    } else if names.iter().any(|name| Domain::parse(name.as_bytes()).is_none()) {
        Some(Verdict::ImpossibleName)
    } else if signature.a == Algorithm::RsaSha1 {
        // RFC 8301 §3.1.
        Some(Verdict::WeakHash)
    } else if signature.l != 0 {
        // RFC 6376 §8.2: anybody can add to such a message.
        Some(Verdict::PartialBody)
    } else if signed == 0 || signed < authors {
        // RFC 6376 §8.15: one was added.
        Some(Verdict::UnsignedAuthor)
    } else if signature.h.len() > MOST_NAMES {
        Some(Verdict::Unreadable)
    } else {
        None
    }
}

/// The name and the rest of a field, cut as the library cuts it.
fn parts(field: &[u8]) -> (&[u8], &[u8]) {
    let colon = field.iter().position(|byte| *byte == b':');
    let cut = colon.and_then(|colon| Some((field.get(..colon)?, field.get(colon + 1..)?)));
    cut.unwrap_or((field, b""))
}

/// What the library does not look at. RFC 6376 §3.2: a tag that occurs twice makes the list invalid,
/// for readers that take the first and readers that take the last would see two signatures. §3.5:
/// keys that are found in another way than by DNS are none that we can find.
fn is_sound(value: &[u8]) -> bool {
    let mut seen: Vec<&[u8]> = Vec::new();
    for tag in value.split(|byte| *byte == b';') {
        let (name, value) = match tag.iter().position(|byte| *byte == b'=') {
            Some(at) => (tag.get(..at), tag.get(at + 1..)),
            None => (Some(tag), None),
        };
        let name = name.unwrap_or_default().trim_ascii();
        if !name.is_empty() && (seen.contains(&name) || seen.len() > MOST_NAMES) {
            return false;
        }
        if name == b"q" && !offers_dns(value.unwrap_or_default()) {
            return false;
        }
        seen.push(name);
    }
    true
}

fn offers_dns(methods: &[u8]) -> bool {
    let mut methods = methods.split(|byte| *byte == b':').map(<[u8]>::trim_ascii);
    methods.any(|method| method.eq_ignore_ascii_case(b"dns/txt"))
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
