//! The account, if the password is right.

use qmail_login::password::matches;
use qmail_login::{Failure, Request};
use qmail_sys::{User, crypt};

use crate::source::{Found, Source};

/// The account that `request` names, if it may be used on this day (counted from 1970) with that
/// password.
///
/// # Errors
/// [`Failure::Rejected`] if not; others if that cannot be found out.
pub fn account(request: &Request, source: Source<'_>, today: u64) -> Result<User, Failure> {
    let Found { user, stored, another } = source.find(&request.login, today)?;
    let right = matches(&request.proof, stored.as_deref(), || another, &crypt);
    user.filter(|user| right && user.uid != 0).ok_or(Failure::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_login::password::NOBODY;
    use qmail_login::read_request;

    #[test]
    fn nobody_and_a_wrong_password_are_rejected_alike() {
        for request in [b"no such user\0x\0".as_slice(), b"\xff\0x\0", b"root\0\0"] {
            let request = read_request(Ok(request)).unwrap();
            let failure = account(&request, Source::System, 0).unwrap_err();
            // Who may not read the shadow file cannot say more.
            let unreadable = qmail_sys::effective_uid() != 0 && request.login == b"root";
            let expected = if unreadable { Failure::Temporary } else { Failure::Rejected };
            assert_eq!(failure, expected);
        }
    }

    #[test]
    fn the_c_library_knows_a_hash_of_nobody() {
        assert!(NOBODY.iter().any(|hash| qmail_sys::crypt(b"x", hash).is_some()));
    }
}
