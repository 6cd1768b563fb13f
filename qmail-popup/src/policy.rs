//! Which ways to log in there are, and whether passwords may travel in the clear.

/// What the administrator has said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Passwords themselves are taken: USER and PASS, AUTH PLAIN and LOGIN.
    pub passwords: bool,
    /// AUTH is there.
    pub auth: bool,
    /// The subprogram knows passwords in plain text, so that it can check a CRAM-MD5 digest.
    pub cram_md5: bool,
    /// APOP is named among the capabilities. It works in any case.
    pub apop: bool,
    /// What of this needs TLS.
    pub tls: NeedsTls,
}

/// What is refused outside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsTls {
    /// Nothing.
    Nothing,
    /// Passwords in AUTH, which has come with TLS; USER and PASS have always been there.
    AuthPasswords,
    /// Any way to log in.
    Everything,
}

impl Policy {
    /// From the environment: `POP3AUTH` and `FORCETLS`.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let ways = variable("POP3AUTH").unwrap_or_default().to_ascii_lowercase();
        let names = |way: &[u8]| ways.windows(way.len()).any(|part| part == way);
        let (cram_md5, apop) = (names(b"cram"), names(b"apop"));
        Self {
            passwords: ways.starts_with(b"+") || !(cram_md5 || apop),
            auth: ways != b"-" && ways != b"0",
            cram_md5,
            apop,
            tls: match variable("FORCETLS").as_deref() {
                None => NeedsTls::AuthPasswords,
                Some(b"0") => NeedsTls::Nothing,
                Some(_) => NeedsTls::Everything,
            },
        }
    }

    /// Whether USER and PASS are taken.
    pub fn takes_user(&self, secure: bool) -> bool {
        self.passwords && (secure || self.tls != NeedsTls::Everything)
    }

    /// Whether AUTH takes a mechanism, which may tell the password to those who listen.
    pub fn takes_auth(&self, tells_password: bool, secure: bool) -> bool {
        let safe = match self.tls {
            NeedsTls::Nothing => true,
            NeedsTls::AuthPasswords => secure || !tells_password,
            NeedsTls::Everything => secure,
        };
        let there = if tells_password { self.passwords } else { self.cram_md5 };
        self.auth && safe && there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(ways: Option<&str>, force: Option<&str>) -> Policy {
        Policy::from_environment(&|name| {
            let value = if name == "POP3AUTH" { ways } else { force };
            value.map(|value| value.as_bytes().to_vec())
        })
    }

    #[test]
    fn without_a_word_passwords_are_taken_as_ever_and_by_auth_in_tls() {
        let policy = policy(None, None);
        assert!(policy.takes_user(false) && policy.takes_user(true));
        assert!(policy.takes_auth(true, true) && !policy.takes_auth(true, false));
        assert!(!policy.takes_auth(false, true) && !policy.apop);
    }

    #[test]
    fn digests_come_beside_passwords_or_instead() {
        let beside = policy(Some("+CRAM-MD5+apop"), None);
        assert!(beside.takes_user(false) && beside.takes_auth(false, false) && beside.apop);
        let instead = policy(Some("cram"), None);
        assert!(!instead.takes_user(true) && !instead.takes_auth(true, true));
        assert!(instead.takes_auth(false, false));
        assert!(!policy(Some("-"), None).takes_auth(true, true));
        assert!(policy(Some("-"), None).takes_user(true));
    }

    #[test]
    fn tls_can_be_demanded_for_everything_or_nothing() {
        let demanded = policy(Some("+cram"), Some("1"));
        assert!(!demanded.takes_user(false) && !demanded.takes_auth(false, false));
        assert!(demanded.takes_user(true) && demanded.takes_auth(false, true));
        assert!(policy(None, Some("0")).takes_auth(true, false));
    }
}
