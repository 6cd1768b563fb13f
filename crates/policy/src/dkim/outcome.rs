//! What became of a signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::dkim::Signature;

use crate::Domain;
use crate::results::Method;

/// What became of one signature, or of a message without any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// What the signature says of itself, if it could be read.
    pub signature: Option<Claim>,
}

/// What a signature says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    domain: String,
    selector: String,
    identity: String,
    algorithm: &'static str,
    /// The beginning, which tells it from others of the same key (RFC 6008).
    beginning: String,
}

/// The verdict on a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`Verdict::words` has a sentence for each")]
pub enum Verdict {
    Pass,
    NotSigned,
    Unreadable,
    WrongVersion,
    WrongSignature,
    WrongButTesting,
    Expired,
    ImpossibleName,
    Revoked,
    NoAnswer,
    NoKey,
    UnusableKey,
    ShortKey,
    OtherAlgorithm,
    WeakHash,
    BodyChanged,
    UnsignedAuthor,
    PartialBody,
    TooMany,
    TooLarge,
}

impl Verdict {
    /// The result in the words of RFC 8601 §2.7.1, why, and the letter that `$DKIMVERIFY` has for
    /// it: see qmail-dkim(8).
    const fn description(self) -> (&'static str, Option<&'static str>, u8) {
        match self {
            Self::Pass => ("pass", None, b'A'),
            Self::NotSigned => ("none", None, b'S'),
            Self::Unreadable => ("neutral", Some("malformed signature"), b'H'),
            Self::WrongVersion => ("neutral", Some("not version 1"), b'W'),
            Self::WrongSignature => ("fail", Some("signature does not match"), b'I'),
            Self::WrongButTesting => {
                ("fail", Some("signature does not match, but its domain is testing"), b'J')
            }
            Self::Expired => ("neutral", Some("signature expired"), b'K'),
            Self::ImpossibleName => ("permerror", Some("impossible domain or selector"), b'L'),
            Self::Revoked => ("permerror", Some("key revoked"), b'N'),
            Self::NoAnswer => ("temperror", Some("no answer from DNS"), b'P'),
            Self::NoKey => ("permerror", Some("no key in DNS"), b'Q'),
            Self::UnusableKey => ("permerror", Some("unusable key in DNS"), b'R'),
            Self::ShortKey => ("policy", Some("key too short"), b'R'),
            Self::OtherAlgorithm => ("permerror", Some("key is for other signatures"), b'V'),
            Self::WeakHash => ("policy", Some("rsa-sha1"), b'V'),
            Self::BodyChanged => ("fail", Some("body does not match"), b'U'),
            Self::UnsignedAuthor => ("policy", Some("From not signed"), b'X'),
            Self::PartialBody => ("policy", Some("only a part of the body signed"), b'E'),
            Self::TooMany => ("policy", Some("too many signatures"), b'G'),
            Self::TooLarge => ("neutral", Some("header too large"), b'G'),
        }
    }

    /// Its letter in `$DKIMVERIFY`.
    pub const fn letter(self) -> u8 {
        self.description().2
    }

    /// Why, for people.
    pub const fn words(self) -> &'static str {
        match self.description() {
            (_, Some(words), _) => words,
            (_, None, b'S') => "not signed",
            (_, None, _) => "signed",
        }
    }

    /// Whether asking again may give another one.
    pub(crate) const fn may_change(self) -> bool {
        matches!(self, Self::NoAnswer)
    }
}

impl Claim {
    pub(super) fn of(signature: &Signature) -> Self {
        let beginning = signature.b.get(..6).unwrap_or_default();
        Self {
            domain: signature.d.clone(),
            selector: signature.s.clone(),
            identity: signature.i.clone(),
            algorithm: signature.a.name(),
            beginning: STANDARD.encode(beginning),
        }
    }
}

impl Outcome {
    /// Without a signature that could be read.
    pub(crate) const fn without_claim(verdict: Verdict) -> Self {
        Self { verdict, signature: None }
    }

    /// Whether the signature is good.
    pub fn is_pass(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Whether a domain that may speak for this author vouches for the message.
    pub(crate) fn vouches_for(&self, author: &Domain) -> bool {
        let claim = self.signature.as_ref().filter(|_| self.is_pass());
        let domain = claim.and_then(|claim| Domain::parse(claim.domain.as_bytes()));
        domain.is_some_and(|domain| domain.covers(author))
    }

    /// As it stands in Authentication-Results.
    pub fn method(&self) -> Method {
        let (result, comment, _) = self.verdict.description();
        let mut properties = Vec::new();
        if let Some(claim) = &self.signature {
            properties.push(("header.d", claim.domain.clone()));
            properties.push(("header.s", claim.selector.clone()));
            if !claim.identity.is_empty() {
                properties.push(("header.i", claim.identity.clone()));
            }
            properties.push(("header.a", claim.algorithm.to_owned()));
            properties.push(("header.b", claim.beginning.clone()));
        }
        Method { name: "dkim", result, comment, properties }
    }
}
