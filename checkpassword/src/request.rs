//! Who wants to log in, and with which password.

use std::io::Read;

use crate::failure::Failure;

/// As much as the interface allows, in bytes.
const LONGEST: usize = 512;

/// What the caller has written to descriptor 3. What follows the password, as a rule a challenge,
/// is for checkers that know the plain passwords.
#[derive(PartialEq, Eq)]
pub struct Request {
    pub(crate) login: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

/// Not to be printed by accident.
impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").field("login", &self.login).finish_non_exhaustive()
    }
}

/// Reads it to its end.
///
/// # Errors
/// [`Failure::Rejected`] if it is too long: the client may have typed that. [`Failure::Misused`] if
/// a NUL is missing.
pub fn read_request(source: impl Read) -> Result<Request, Failure> {
    let mut bytes = Vec::with_capacity(LONGEST + 1);
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    source.take(limit).read_to_end(&mut bytes).map_err(|_| Failure::Temporary)?;
    if bytes.len() > LONGEST {
        return Err(Failure::Rejected);
    }
    let mut parts = bytes.split_inclusive(|byte| *byte == 0);
    let mut field = || parts.next().map(|part| part.strip_suffix(b"\0").ok_or(Failure::Misused));
    let (login, password, challenge) = (field(), field(), field());
    // Some callers have no challenge, and leave it out with its NUL.
    challenge.transpose()?;
    Ok(Request {
        login: login.ok_or(Failure::Misused)??.to_vec(),
        password: password.ok_or(Failure::Misused)??.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        read_request(bytes).map(|request| (request.login, request.password))
    }

    #[test]
    fn login_and_password_end_with_a_nul_each() {
        let expected = Ok((b"joe".to_vec(), b"pass word".to_vec()));
        assert_eq!(parts(b"joe\0pass word\0<1.2@h>\0"), expected);
        assert_eq!(parts(b"joe\0pass word\0<1.2@h>\0and more"), expected);
        assert_eq!(parts(b"joe\0pass word\0"), expected);
        assert_eq!(parts(b"\0\0\0"), Ok((vec![], vec![])));
    }

    #[test]
    fn a_missing_nul_is_misuse() {
        for bytes in [b"".as_slice(), b"joe", b"joe\0", b"joe\0password", b"joe\0password\0<1.2@h>"]
        {
            assert_eq!(parts(bytes), Err(Failure::Misused), "{bytes:?}");
        }
    }

    #[test]
    fn bytes_beyond_512_are_too_many() {
        let request =
            |length: usize| [b"joe\0x\0".as_slice(), &vec![b'y'; length - 7], b"\0"].concat();
        assert!(parts(&request(512)).is_ok());
        assert_eq!(parts(&request(513)), Err(Failure::Rejected));
        assert_eq!(parts(&request(100_000)), Err(Failure::Rejected));
    }

    #[test]
    fn the_password_is_not_printed() {
        let request = read_request(b"joe\0secret\0\0".as_slice()).unwrap();
        assert_eq!(format!("{request:?}"), "Request { login: [106, 111, 101], .. }");
    }
}
