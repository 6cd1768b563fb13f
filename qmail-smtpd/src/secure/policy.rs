//! What the environment says of TLS and AUTH, in the words of the patches that had them.

use qmail_wire::sasl::Mechanism;
use qmail_wire::smtp_server::Reply;

use super::arguments::Arguments;
use super::replies;

/// What is offered and what is demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// TLS comes before everything else: `SMTPS`.
    pub(super) tls_first: bool,
    /// STARTTLS is there, if there is a certificate: not with `DISABLETLS` or `DENY_TLS`.
    pub(super) offers_tls: bool,
    /// Somebody else does TLS before us: `TLS=external`.
    pub(super) tls_outside: bool,
    /// No mail without TLS: `FORCE_TLS`.
    pub(super) demands_tls: bool,
    /// No mail without AUTH: `SMTPAUTH=!`, `REQUIRE_AUTH`.
    pub(super) demands_auth: bool,
    /// The sender has to be the user: `FORCEAUTHMAILFROM`.
    pub(super) own_sender_only: bool,
    /// The mechanisms, in the order in which they are named.
    pub(super) mechanisms: Vec<Mechanism>,
    /// What of them is not to be had without TLS.
    pub(super) clear: Clear,
    /// EHLO names the mechanisms twice, once for clients older than the standard.
    pub(super) both_forms: bool,
    /// The checker reads challenge and digest in this order: `CRAMORDER=dabrowski`.
    pub(super) challenge_first: bool,
}

/// What is taken without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clear {
    /// Everything.
    Everything,
    /// What does not tell the password.
    Digests,
    /// Nothing.
    Nothing,
}

/// Settings that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// TLS is demanded and forbidden.
    Tls,
    /// AUTH is demanded, and nothing could check it.
    Auth,
}

impl Clash {
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Tls => replies::BOTH_TLS,
            Self::Auth => replies::NO_CHECKER,
        }
    }
}

impl Policy {
    pub(super) fn from_environment(
        variable: &dyn Fn(&str) -> Option<Vec<u8>>,
        arguments: &Arguments,
    ) -> Result<Self, Clash> {
        let is_set = |name: &str| variable(name).is_some();
        let is_on = |name: &str| variable(name).is_some_and(|value| value != b"0");
        let ways = variable("SMTPAUTH").unwrap_or_default().to_ascii_lowercase();
        let policy = Self {
            tls_first: is_set("SMTPS") || is_on("SSL"),
            offers_tls: !is_on("DISABLETLS") && !is_set("DENY_TLS"),
            tls_outside: variable("TLS").as_deref() == Some(b"external"),
            demands_tls: is_set("FORCE_TLS"),
            demands_auth: ways.starts_with(b"!") || is_set("REQUIRE_AUTH"),
            own_sender_only: is_on("FORCEAUTHMAILFROM"),
            mechanisms: mechanisms(&ways, is_set("ALLOW_CRAM")),
            clear: match variable("FORCETLS").as_deref() {
                Some(b"0") => Clear::Everything,
                None if is_set("ALLOW_INSECURE_AUTH") => Clear::Everything,
                None => Clear::Digests,
                Some(_) => Clear::Nothing,
            },
            both_forms: variable("SMTPAUTHFORM").as_deref() == Some(b"both"),
            challenge_first: variable("CRAMORDER").as_deref() == Some(b"dabrowski"),
        };
        if policy.demands_tls && is_set("DENY_TLS") {
            return Err(Clash::Tls);
        }
        if is_set("REQUIRE_AUTH") && arguments.checker.is_none() {
            return Err(Clash::Auth);
        }
        Ok(policy)
    }

    pub(super) fn requires_anything(&self) -> bool {
        self.demands_tls || self.demands_auth || self.own_sender_only
    }

    /// Whether a mechanism may be used now.
    pub(super) fn allows(&self, mechanism: Mechanism, secure: bool) -> bool {
        let safe = match self.clear {
            Clear::Everything => true,
            Clear::Digests => secure || !mechanism.tells_password(),
            Clear::Nothing => secure,
        };
        safe && self.mechanisms.contains(&mechanism)
    }
}

/// `-` none; `cram` only this; `+cram` in addition; anything else LOGIN and PLAIN.
fn mechanisms(ways: &[u8], also_cram: bool) -> Vec<Mechanism> {
    use Mechanism::{CramMd5, Login, Plain};
    let ways = ways.strip_prefix(b"!").unwrap_or(ways);
    if ways.starts_with(b"cram") {
        return vec![CramMd5];
    }
    match ways {
        b"-" | b"0" => Vec::new(),
        _ if also_cram || ways.starts_with(b"+cram") => vec![Login, Plain, CramMd5],
        _ => vec![Login, Plain],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Mechanism::{CramMd5, Login, Plain};

    fn policy(variables: &[(&str, &str)]) -> Result<Policy, Clash> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        Policy::from_environment(&variable, &Arguments::default())
    }

    #[test]
    fn the_words_of_smtpauth_are_those_of_the_patch() {
        let table: [(&str, &[Mechanism], bool); 9] = [
            ("", &[Login, Plain], false),
            ("-", &[], false),
            ("0", &[], false),
            ("+cram", &[Login, Plain, CramMd5], false),
            ("+CRAM-MD5", &[Login, Plain, CramMd5], false),
            ("cram", &[CramMd5], false),
            ("!", &[Login, Plain], true),
            ("!+cram", &[Login, Plain, CramMd5], true),
            ("!cram", &[CramMd5], true),
        ];
        for (value, mechanisms, demanded) in table {
            let policy = policy(&[("SMTPAUTH", value)]).unwrap();
            assert_eq!((policy.mechanisms.as_slice(), policy.demands_auth), (mechanisms, demanded));
        }
        assert_eq!(policy(&[("ALLOW_CRAM", "1")]).unwrap().mechanisms.len(), 3);
    }

    #[test]
    fn passwords_need_tls_unless_somebody_says_otherwise() {
        let allows = |variables: &[(&str, &str)], mechanism, secure| {
            let all = [&[("SMTPAUTH", "+cram")], variables].concat();
            policy(&all).unwrap().allows(mechanism, secure)
        };
        assert!(!allows(&[], Plain, false) && allows(&[], Plain, true));
        assert!(allows(&[], CramMd5, false));
        assert!(!allows(&[("FORCETLS", "1")], CramMd5, false));
        assert!(allows(&[("FORCETLS", "0")], Login, false));
        assert!(allows(&[("ALLOW_INSECURE_AUTH", "1")], Login, false));
    }

    #[test]
    fn contradictions_are_told() {
        assert_eq!(policy(&[("FORCE_TLS", ""), ("DENY_TLS", "")]), Err(Clash::Tls));
        assert_eq!(policy(&[("REQUIRE_AUTH", "1")]), Err(Clash::Auth));
        assert!(!policy(&[]).unwrap().requires_anything());
        assert!(!policy(&[("DISABLETLS", "1")]).unwrap().offers_tls);
        assert!(policy(&[("DISABLETLS", "0")]).unwrap().offers_tls);
        assert!(policy(&[("SMTPS", "")]).unwrap().tls_first);
    }
}
