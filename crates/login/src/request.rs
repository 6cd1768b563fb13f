//! Who wants to log in, and how he proves it.

use std::fmt;
use std::io::{self, Read};

use crate::failure::Failure;

/// The descriptor that the caller of all these programs writes to.
pub const DESCRIPTOR: u8 = 3;

/// As much as the interface allows, in bytes.
const LONGEST: usize = 512;

/// What the caller has written.
#[derive(PartialEq, Eq)]
pub struct Request {
    /// The name.
    pub login: Vec<u8>,
    /// A password, or a digest.
    pub proof: Vec<u8>,
    /// What a digest was made with; empty if there is none.
    pub challenge: Vec<u8>,
}

/// Not to be printed by accident.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Request").field("login", &self.login).finish_non_exhaustive()
    }
}

/// Reads it to its end, from the descriptor if that could be had: two or three strings, each with
/// its NUL.
///
/// # Errors
/// [`Failure::Rejected`] if it is too long: the client may have typed that. [`Failure::Misused`] if
/// a NUL is missing, or the descriptor.
pub fn read_request(source: io::Result<impl Read>) -> Result<Request, Failure> {
    let source = source.map_err(|_| Failure::Misused)?;
    let mut bytes = Vec::with_capacity(LONGEST + 1);
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    source.take(limit).read_to_end(&mut bytes).map_err(|_| Failure::Temporary)?;
    if bytes.len() > LONGEST {
        return Err(Failure::Rejected);
    }
    let mut parts = bytes.split_inclusive(|byte| *byte == 0);
    let mut field = || {
        let part = parts.next().map(|part| part.strip_suffix(b"\0").ok_or(Failure::Misused));
        part.transpose().map(|part| part.map(<[u8]>::to_vec))
    };
    let (login, proof, challenge) = (field()?, field()?, field()?);
    in_order(Request {
        login: login.ok_or(Failure::Misused)?,
        proof: proof.ok_or(Failure::Misused)?,
        challenge: challenge.unwrap_or_default(),
    })
}

/// The first callers for CRAM-MD5 had the challenge before the digest. It is in angle brackets.
fn in_order(request: Request) -> Result<Request, Failure> {
    let is_challenge = |text: &[u8]| text.starts_with(b"<") && text.ends_with(b">");
    let is_digest = |text: &[u8]| text.len() == 32 && text.iter().all(u8::is_ascii_hexdigit);
    if is_challenge(&request.proof) && is_digest(&request.challenge) {
        let Request { login, proof, challenge } = request;
        return Ok(Request { login, proof: challenge, challenge: proof });
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "b913a602c7eda7a495b4e6e7334d3890";

    fn read(text: &str) -> Result<(String, String, String), Failure> {
        let text = text.replace('|', "\0");
        let request = read_request(Ok(text.as_bytes()))?;
        let string = |bytes| String::from_utf8(bytes).unwrap();
        Ok((string(request.login), string(request.proof), string(request.challenge)))
    }

    fn strings(
        login: &str,
        proof: &str,
        challenge: &str,
    ) -> Result<(String, String, String), Failure> {
        Ok((login.into(), proof.into(), challenge.into()))
    }

    #[test]
    fn there_are_two_strings_or_three() {
        assert_eq!(read("joe|secret|<1@x>|more"), strings("joe", "secret", "<1@x>"));
        assert_eq!(read("joe|secret|"), strings("joe", "secret", ""));
        for text in ["", "joe", "joe|", "joe|secret", "joe|secret|x"] {
            assert_eq!(read(text), Err(Failure::Misused), "{text}");
        }
        assert_eq!(read("|||"), strings("", "", ""));
    }

    #[test]
    fn who_gives_no_descriptor_misuses_us() {
        let closed: io::Result<io::Empty> = Err(io::ErrorKind::NotFound.into());
        assert_eq!(read_request(closed), Err(Failure::Misused));
    }

    #[test]
    fn bytes_beyond_512_are_too_many() {
        let read_of = |length: usize| read(&format!("joe|x|{}|", "y".repeat(length - 7)));
        assert!(read_of(512).is_ok());
        for length in [513, 100_000] {
            assert_eq!(read_of(length), Err(Failure::Rejected));
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        let request = read_request(Ok(b"joe\0secret\0\0".as_slice())).unwrap();
        assert_eq!(format!("{request:?}"), "Request { login: [106, 111, 101], .. }");
    }

    #[test]
    fn both_orders_of_a_digest_are_understood() {
        let expected = strings("tim", DIGEST, "<1@x>");
        assert_eq!(read(&format!("tim|{DIGEST}|<1@x>|")), expected);
        assert_eq!(read(&format!("tim|<1@x>|{DIGEST}|")), expected);
        assert_eq!(read("tim|<1@x>|<2@x>|"), strings("tim", "<1@x>", "<2@x>"));
    }
}
