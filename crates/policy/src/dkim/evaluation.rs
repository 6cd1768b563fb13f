//! The library's verdict on signatures whose keys are known.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::common::crypto::CryptoError;
use mail_auth::dkim::DkimError;
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::{
    AuthenticatedMessage, DkimResult, Error, MessageAuthenticator, Parameters, ResolverCache, Txt,
};

use super::Verdict;
use super::lookup::Found;

/// All records that the library is to know of, by name. It takes this for its cache, finds an
/// answer to everything it asks, and never comes to ask its own resolver.
#[derive(Default)]
pub(super) struct Known(HashMap<Box<str>, Txt>);

impl Known {
    /// Adds a key: `name` as the library asks for it.
    pub(super) fn insert(&mut self, name: String, found: &Found) {
        self.0.insert(name.into(), Txt::DomainKey(found.key.clone()));
    }
}

impl ResolverCache<Box<str>, Txt> for Known {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(self.0.get(name).cloned().unwrap_or(Txt::Error(Error::ParseError)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// The verdict on each signature of `message`, in their order.
pub(super) fn evaluate(message: &AuthenticatedMessage<'_>, known: &Known) -> Vec<Verdict> {
    let library = MessageAuthenticator(TokioResolver);
    let verification = library.verify_dkim(Parameters::new(message).with_txt_cache(known));
    match pin!(verification).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outputs) => outputs.iter().map(|output| verdict(output.result())).collect(),
        // It waits for an answer, though it has them all.
        Poll::Pending => vec![Verdict::NoAnswer; message.dkim_headers.len()],
    }
}

fn verdict(result: &DkimResult) -> Verdict {
    let error = match result {
        DkimResult::Pass => return Verdict::Pass,
        DkimResult::None => return Verdict::Unreadable,
        DkimResult::TempError(_) => return Verdict::NoAnswer,
        DkimResult::Neutral(error) | DkimResult::Fail(error) | DkimResult::PermError(error) => {
            error
        }
    };
    match error {
        Error::Dkim(error) => of_dkim(error),
        Error::Crypto(CryptoError::IncompatibleAlgorithms) => Verdict::OtherAlgorithm,
        Error::Crypto(CryptoError::FailedVerification | CryptoError::Library(_)) => {
            Verdict::WrongSignature
        }
        Error::Io(_) | Error::Dns(_) => Verdict::NoAnswer,
        Error::ParseError
        | Error::MissingParameters
        | Error::NoHeadersFound
        | Error::Base64
        | Error::NotAligned
        | Error::Dkim2(_) => Verdict::Unreadable,
    }
}

/// What an error of the library is to us.
pub(super) fn of_dkim(error: &DkimError) -> Verdict {
    match error {
        DkimError::UnsupportedVersion => Verdict::WrongVersion,
        DkimError::UnsupportedAlgorithm
        | DkimError::UnsupportedCanonicalization
        | DkimError::FailedAuidMatch => Verdict::Unreadable,
        DkimError::UnsupportedKeyType => Verdict::OtherAlgorithm,
        DkimError::FailedBodyHashMatch => Verdict::BodyChanged,
        DkimError::RevokedPublicKey => Verdict::Revoked,
        DkimError::SignatureExpired => Verdict::Expired,
        DkimError::SignatureLength => Verdict::PartialBody,
    }
}
