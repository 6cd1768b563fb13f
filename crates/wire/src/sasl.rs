//! How a client proves who it is: PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195), as SMTP
//! (RFC 4954) and POP3 (RFC 5034) carry them.

use std::fmt;
use std::hint::black_box;

use crate::base64;

/// A way to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Name and password at once.
    Plain,
    /// Name and password, one after the other.
    Login,
    /// The challenge, signed with the password.
    CramMd5,
}

/// An exchange that waits for a line of the client.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    mechanism: Mechanism,
    challenge: Vec<u8>,
    /// The name, where it comes first.
    user: Option<Vec<u8>>,
}

/// What follows from a line of the client.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, which is base64 already, and wait.
    Ask(Exchange, Vec<u8>),
    /// This is what the client says of itself.
    Claimed(Claim),
    /// The client has thought better of it.
    Canceled,
    /// This is not how the mechanism works.
    Malformed,
}

/// Who somebody says he is, and what he proves it with. Overwritten when it is dropped.
#[derive(PartialEq, Eq)]
pub struct Claim {
    /// How.
    pub mechanism: Mechanism,
    /// The name: not empty, and without NUL.
    pub user: Vec<u8>,
    /// A password, or the challenge as signed with it: not empty, and without NUL.
    pub secret: Vec<u8>,
    /// The challenge; empty if there was none.
    pub challenge: Vec<u8>,
}

impl Mechanism {
    /// By its name, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        [Self::Plain, Self::Login, Self::CramMd5]
            .into_iter()
            .find(|mechanism| name.eq_ignore_ascii_case(mechanism.name().as_bytes()))
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
        }
    }

    /// Whether whoever listens learns the password.
    pub const fn tells_password(self) -> bool {
        match self {
            Self::Plain | Self::Login => true,
            Self::CramMd5 => false,
        }
    }
}

impl Exchange {
    /// Begins, with what stood behind the name of the mechanism, if anything. The `challenge` is
    /// for those mechanisms that have one.
    pub fn begin(mechanism: Mechanism, challenge: &[u8], initial: Option<&[u8]>) -> Step {
        let challenge = match mechanism {
            Mechanism::CramMd5 => challenge.to_vec(),
            Mechanism::Plain | Mechanism::Login => Vec::new(),
        };
        let exchange = Self { mechanism, challenge, user: None };
        // Some clients leave a blank behind the mechanism, and mean nothing by it.
        match (initial.filter(|initial| !initial.is_empty()), mechanism) {
            // The server speaks first there.
            (Some(_), Mechanism::CramMd5) => Step::Malformed,
            // RFC 4954 §4: an empty response has to be told from none.
            (Some(b"="), _) => exchange.respond(&[]),
            (Some(initial), _) => exchange.answer(initial),
            (None, _) => exchange.ask(),
        }
    }

    /// What follows from a line, which has no line end any more.
    pub fn answer(self, line: &[u8]) -> Step {
        if line == b"*" {
            return Step::Canceled;
        }
        match base64::decode(line) {
            Some(response) => self.respond(&response),
            None => Step::Malformed,
        }
    }

    fn ask(self) -> Step {
        let question: &[u8] = match (self.mechanism, &self.user) {
            (Mechanism::Plain, _) => b"",
            (Mechanism::Login, None) => b"Username:",
            (Mechanism::Login, Some(_)) => b"Password:",
            (Mechanism::CramMd5, _) => &self.challenge,
        };
        let question = base64::encode(question);
        Step::Ask(self, question)
    }

    fn respond(mut self, response: &[u8]) -> Step {
        let claim = match self.mechanism {
            Mechanism::Plain => plain(response),
            Mechanism::Login => match self.user.take() {
                None if response.is_empty() || response.contains(&0) => None,
                None => {
                    self.user = Some(response.to_vec());
                    return self.ask();
                }
                Some(user) => Some((user, response.to_vec())),
            },
            Mechanism::CramMd5 => signed(response),
        };
        let usable = |part: &[u8]| !part.is_empty() && !part.contains(&0);
        match claim {
            Some((user, secret)) if usable(&user) && usable(&secret) => Step::Claimed(Claim {
                mechanism: self.mechanism,
                user,
                secret,
                challenge: self.challenge,
            }),
            _ => Step::Malformed,
        }
    }
}

/// Whom he wants to act for, who he is, his password: the first does not matter to us.
fn plain(response: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut parts = response.splitn(3, |byte| *byte == 0);
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    Some((user.to_vec(), password.to_vec()))
}

/// A name, which may have blanks, and the signature.
fn signed(response: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let blank = response.iter().rposition(|byte| *byte == b' ')?;
    Some((response.get(..blank)?.to_vec(), response.get(blank + 1..)?.to_vec()))
}

impl Claim {
    /// As checkpassword and its like read it: three strings, each with its NUL.
    pub fn request(&self) -> Request {
        Request::of([&self.user, &self.secret, &self.challenge])
    }

    /// The same in the order that the first checkers for CRAM-MD5 had.
    pub fn request_with_challenge_first(&self) -> Request {
        Request::of([&self.user, &self.challenge, &self.secret])
    }
}

/// What a program that checks passwords is given. Overwritten when it is dropped.
pub struct Request(Vec<u8>);

impl Request {
    fn of(strings: [&[u8]; 3]) -> Self {
        Self(strings.iter().flat_map(|string| string.iter().chain(b"\0")).copied().collect())
    }
}

impl AsRef<[u8]> for Request {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Not to be printed by accident.
impl fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Claim").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        wipe(&mut self.secret);
    }
}

fn wipe(secret: &mut [u8]) {
    secret.fill(0);
    // Otherwise the compiler sees that nobody reads the zeros, and leaves them out.
    black_box(secret);
}

#[cfg(test)]
mod tests;
