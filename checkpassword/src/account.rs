//! The account, if the password is right.

use std::fs;

use qmail_sys::{Shadow, User, crypt};

use crate::failure::Failure;
use crate::password::{is_usable, matches};
use crate::request::Request;

/// What stands in place of a password that the shadow file has.
const IN_SHADOW: &[u8] = b"x";
const SHADOW: &str = "/etc/shadow";

/// The account that `request` names, if it may be used on this day (counted from 1970) with that
/// password.
///
/// # Errors
/// [`Failure::Rejected`] if not; [`Failure::Temporary`] if that cannot be found out.
pub fn account(request: &Request, today: u64) -> Result<User, Failure> {
    let user = User::find(&request.login).map_err(|_| Failure::Temporary)?;
    let stored = match &user {
        Some(user) => stored_password(user, today)?,
        None => None,
    };
    let right = matches(&request.password, stored.as_deref(), any_hash, &crypt);
    user.filter(|user| right && user.uid != 0).ok_or(Failure::Rejected)
}

/// The hash, unless the account has none or has expired.
fn stored_password(user: &User, today: u64) -> Result<Option<Vec<u8>>, Failure> {
    if user.password != IN_SHADOW {
        return Ok(Some(user.password.clone()));
    }
    let entry = Shadow::find(&user.name).map_err(|_| Failure::Temporary)?;
    Ok(entry.filter(|entry| !has_expired(entry, today)).map(|entry| entry.password))
}

/// The hash of anybody who has one: it costs as much as most others on this host do.
fn any_hash() -> Option<Vec<u8>> {
    let shadow = fs::read(SHADOW).ok()?;
    let mut hashes = shadow.split(|byte| *byte == b'\n').filter_map(hash_in);
    hashes.next_back().map(<[u8]>::to_vec)
}

fn hash_in(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| *byte == b':').nth(1).filter(|hash| is_usable(hash))
}

/// See shadow(5): 0 would lock an account for ever, and means nothing.
fn has_expired(entry: &Shadow, today: u64) -> bool {
    entry.expires.is_some_and(|day| day > 0 && today >= day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::read_request;

    fn user(password: &[u8]) -> User {
        User {
            name: b"nobody of this name".to_vec(),
            password: password.to_vec(),
            uid: 7801,
            gid: 7801,
            home: "/".into(),
            shell: "/bin/sh".into(),
        }
    }

    #[test]
    fn a_hash_beside_the_name_counts_where_there_is_no_shadow() {
        assert_eq!(stored_password(&user(b"$6$a$b"), 0), Ok(Some(b"$6$a$b".to_vec())));
        let hidden = stored_password(&user(b"x"), 0);
        assert!(matches!(hidden, Ok(None) | Err(Failure::Temporary)), "{hidden:?}");
    }

    #[test]
    fn only_hashes_that_belong_to_a_password_are_found() {
        assert_eq!(hash_in(b"joe:$6$a$b:19000:0:99999:7:::"), Some(b"$6$a$b".as_slice()));
        for line in [b"joe:*:1:".as_slice(), b"joe:!$6$a$b:1:", b"joe::1:", b"joe", b""] {
            assert_eq!(hash_in(line), None, "{line:?}");
        }
    }

    #[test]
    fn an_account_may_be_used_until_the_day_it_expires() {
        let entry = |expires| Shadow { password: Vec::new(), expires };
        assert!(!has_expired(&entry(Some(20_000)), 19_999));
        assert!(has_expired(&entry(Some(20_000)), 20_000));
        assert!(!has_expired(&entry(Some(0)), 20_000));
        assert!(!has_expired(&entry(None), 20_000));
    }

    #[test]
    fn nobody_and_a_wrong_password_are_rejected_alike() {
        for request in [b"no such user\0x\0".as_slice(), b"\xff\0x\0", b"root\0\0"] {
            let request = read_request(request).unwrap();
            let failure = account(&request, 0).unwrap_err();
            // Who may not read the shadow file cannot say more.
            let unreadable = qmail_sys::effective_uid() != 0 && request.login == b"root";
            let expected = if unreadable { Failure::Temporary } else { Failure::Rejected };
            assert_eq!(failure, expected);
        }
    }
}
