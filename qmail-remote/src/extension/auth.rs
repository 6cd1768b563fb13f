//! RFC 4954: who we are, for relays that want to know.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use md5::Md5;
use qmail_wire::smtp_client::Reply;

/// A user and his password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    user: Vec<u8>,
    password: Vec<u8>,
}

/// An exchange that waits for a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'c> {
    credentials: &'c Credentials,
    said: Said,
}

/// What the reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    AuthPlain,
    Plain,
    AuthLogin,
    Username,
    Password,
    AuthCram,
    Digest,
}

/// What follows from a reply.
#[derive(Debug)]
pub(crate) enum Next<'c> {
    /// Say this line.
    Say(Exchange<'c>, Vec<u8>),
    /// The server knows us now.
    Done,
    /// It does not, and this is what is reported.
    Failed(&'static str),
}

impl Credentials {
    /// Neither is empty.
    pub(crate) fn new(user: &[u8], password: &[u8]) -> Self {
        Self { user: user.to_vec(), password: password.to_vec() }
    }

    /// What MAIL says of the user: RFC 4954 §5 and RFC 3461 §4 (xtext).
    pub(crate) fn parameter(&self) -> String {
        let encode = |byte: &u8| match byte {
            b'+' | b'=' => format!("+{byte:02X}"),
            b'!'..=b'~' => char::from(*byte).to_string(),
            _ => format!("+{byte:02X}"),
        };
        format!(" AUTH={}", self.user.iter().map(encode).collect::<String>())
    }
}

/// A password has no place in a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl<'c> Exchange<'c> {
    /// Begins with the first mechanism on the server's list that we know.
    pub(crate) fn begin(
        credentials: &'c Credentials,
        offered: &[Vec<u8>],
    ) -> Option<(Self, Vec<u8>)> {
        let (said, line) = offered.iter().find_map(|mechanism| match mechanism.as_slice() {
            b"CRAM-MD5" => Some((Said::AuthCram, "AUTH CRAM-MD5\r\n")),
            b"PLAIN" => Some((Said::AuthPlain, "AUTH PLAIN\r\n")),
            b"LOGIN" => Some((Said::AuthLogin, "AUTH LOGIN\r\n")),
            _ => None,
        })?;
        Some((Self { credentials, said }, line.into()))
    }

    /// What follows from a reply.
    pub(crate) fn answer(self, reply: &Reply) -> Next<'c> {
        let Credentials { user, password } = self.credentials;
        match (self.said, reply.code()) {
            (Said::Plain | Said::Password | Said::Digest, Some(235)) => Next::Done,
            (_, Some(432)) => Next::Failed("password expired"),
            (Said::AuthPlain, Some(334)) => {
                self.say(Said::Plain, &[b"\0", user.as_slice(), b"\0", password].concat())
            }
            (Said::AuthLogin, Some(334)) => self.say(Said::Username, user),
            (Said::Username, Some(334)) => self.say(Said::Password, password),
            (Said::AuthCram, Some(334)) => match challenge(reply).and_then(|it| self.digest(&it)) {
                Some(digest) => {
                    let answer = [user, b" ".as_slice(), digest.as_bytes()].concat();
                    self.say(Said::Digest, &answer)
                }
                None => Next::Failed("unable to base64decode challenge"),
            },
            _ => Next::Failed(self.said.rejection()),
        }
    }

    fn say(self, said: Said, text: &[u8]) -> Next<'c> {
        Next::Say(Self { said, ..self }, format!("{}\r\n", STANDARD.encode(text)).into_bytes())
    }

    /// RFC 2195: the challenge, signed with the password.
    fn digest(&self, challenge: &[u8]) -> Option<String> {
        let mut signature = Hmac::<Md5>::new_from_slice(&self.credentials.password).ok()?;
        signature.update(challenge);
        let bytes = signature.finalize().into_bytes();
        Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Said {
    const fn rejection(self) -> &'static str {
        match self {
            Self::AuthPlain => "authentication was rejected (AUTH PLAIN)",
            Self::Plain => "authentication was rejected (plain)",
            Self::AuthLogin => "authentication was rejected (AUTH LOGIN)",
            Self::Username => "authentication was rejected (username)",
            Self::Password => "authentication was rejected (password)",
            Self::AuthCram => "authentication was rejected (AUTH CRAM-MD5)",
            Self::Digest => "authentication was rejected (username+digest)",
        }
    }
}

/// What stands behind the code of a 334.
fn challenge(reply: &Reply) -> Option<Vec<u8>> {
    let line = reply.text().split(|byte| *byte == b'\n').next()?;
    STANDARD.decode(line.get(4..)?.trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(mechanisms: &str, replies: &[&str]) -> (Vec<String>, Option<&'static str>) {
        let credentials = Credentials::new(b"tim", b"tanstaaftanstaaf");
        let offered: Vec<Vec<u8>> = mechanisms.split(' ').map(|one| one.into()).collect();
        let (mut exchange, line) = Exchange::begin(&credentials, &offered).unwrap();
        let mut said = vec![String::from_utf8(line).unwrap().trim_end().to_owned()];
        for text in replies {
            let line = format!("{text}\r\n");
            let reply = qmail_wire::smtp_client::ReplyParser::new().feed(&mut line.as_bytes());
            match exchange.answer(&reply.unwrap().unwrap()) {
                Next::Say(next, line) => {
                    said.push(String::from_utf8(line).unwrap().trim_end().to_owned());
                    exchange = next;
                }
                Next::Done => return (said, None),
                Next::Failed(why) => return (said, Some(why)),
            }
        }
        panic!("the exchange goes on");
    }

    #[test]
    fn each_mechanism_says_what_it_should() {
        let (said, failure) = exchange("LOGIN PLAIN", &["334 x", "334 y", "235 ok"]);
        assert_eq!(said, ["AUTH LOGIN", "dGlt", "dGFuc3RhYWZ0YW5zdGFhZg=="]);
        assert_eq!(failure, None);
        let (said, _) = exchange("GSSAPI PLAIN LOGIN", &["334 ", "235 ok"]);
        assert_eq!(said, ["AUTH PLAIN", "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"]);
        // RFC 2195 §2.
        let challenge = "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+";
        let (said, _) = exchange("CRAM-MD5", &[challenge, "235 ok"]);
        assert_eq!(said[1], "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
    }

    #[test]
    fn a_rejection_says_where_it_came() {
        for (mechanism, replies, why) in [
            ("PLAIN", &["535 no"][..], "authentication was rejected (AUTH PLAIN)"),
            ("PLAIN", &["334 ", "535 no"], "authentication was rejected (plain)"),
            ("PLAIN", &["235 too early"], "authentication was rejected (AUTH PLAIN)"),
            ("LOGIN", &["504 no"], "authentication was rejected (AUTH LOGIN)"),
            ("LOGIN", &["334 ", "235 odd"], "authentication was rejected (username)"),
            ("LOGIN", &["334 ", "334 ", "432 old"], "password expired"),
            ("LOGIN", &["334 ", "334 ", "334 "], "authentication was rejected (password)"),
            ("CRAM-MD5", &["500 no"], "authentication was rejected (AUTH CRAM-MD5)"),
            ("CRAM-MD5", &["334 ?"], "unable to base64decode challenge"),
            ("CRAM-MD5", &["334 eA==", "535 no"], "authentication was rejected (username+digest)"),
        ] {
            assert_eq!(exchange(mechanism, replies).1, Some(why));
        }
    }

    #[test]
    fn a_list_without_a_mechanism_of_ours_begins_nothing() {
        let credentials = Credentials::new(b"u", b"p");
        assert!(Exchange::begin(&credentials, &[b"GSSAPI".to_vec()]).is_none());
    }

    #[test]
    fn a_user_is_written_so_that_it_stays_one_word() {
        let parameter = Credentials::new(b"a+b=c d@e\xe9", b"p").parameter();
        assert_eq!(parameter, " AUTH=a+2Bb+3Dc+20d@e+E9");
        assert!(!format!("{:?}", Credentials::new(b"user", b"secret")).contains("secret"));
    }
}
