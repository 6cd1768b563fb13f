//! Whether somebody knows a password that is kept in plain text: he says it, or has made a digest
//! with it.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use qmail_login::{Request, equal};

/// How he has shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By saying it.
    Password,
    /// By signing the challenge with it: RFC 2195.
    CramMd5,
    /// By a digest of the challenge and it: RFC 1939.
    Apop,
}

impl Method {
    /// For the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "LOGIN/PLAIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::Apop => "APOP",
        }
    }
}

/// How `request` proves that this is the password, if it does. Without a password it never does,
/// and that takes as long.
pub fn proves(request: &Request, password: Option<&[u8]>) -> Option<Method> {
    let is_known = password.is_some_and(|password| !password.is_empty());
    let password = password.unwrap_or(b"nobody has this password");
    let Request { proof, challenge, .. } = request;
    // All of them, whichever it is.
    let as_password = equal(proof, password) & is_known;
    let as_digest = is_known & !challenge.is_empty();
    let signed = equal(proof, &signature(password, challenge)) & as_digest;
    let digested = equal(proof, &digest(password, challenge)) & as_digest;
    let verdicts =
        [(as_password, Method::Password), (signed, Method::CramMd5), (digested, Method::Apop)];
    verdicts.into_iter().find(|(proven, _)| *proven).map(|(_, method)| method)
}

fn signature(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut signature) = Hmac::<Md5>::new_from_slice(password) else { return Vec::new() };
    signature.update(challenge);
    hexadecimal(&signature.finalize().into_bytes())
}

fn digest(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    hexadecimal(&Md5::new().chain_update(challenge).chain_update(password).finalize())
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(proof: &str, challenge: &str, password: Option<&str>) -> Option<Method> {
        let request = Request {
            login: b"tim".to_vec(),
            proof: proof.as_bytes().to_vec(),
            challenge: challenge.as_bytes().to_vec(),
        };
        proves(&request, password.map(str::as_bytes))
    }

    #[test]
    fn the_examples_of_the_standards() {
        let challenge = "<1896.697170952@postoffice.reston.mci.net>";
        let proof = "b913a602c7eda7a495b4e6e7334d3890";
        assert_eq!(method(proof, challenge, Some("tanstaaftanstaaf")), Some(Method::CramMd5));
        let challenge = "<1896.697170952@dbc.mtview.ca.us>";
        let proof = "c4c9334bac560ecc979e58001b3e22fb";
        assert_eq!(method(proof, challenge, Some("tanstaaf")), Some(Method::Apop));
        assert_eq!(method(proof, "<1@x>", Some("tanstaaf")), None);
        assert_eq!(method(proof, challenge, Some("tanstaag")), None);
        assert_eq!(method(proof, challenge, None), None);
    }

    #[test]
    fn a_password_is_equal_or_wrong() {
        for challenge in ["", "<1@x>"] {
            assert_eq!(method("secret", challenge, Some("secret")), Some(Method::Password));
            for proof in ["", "secre", "secrets", "Secret"] {
                assert_eq!(method(proof, challenge, Some("secret")), None, "{proof}");
            }
        }
        assert_eq!(method("", "", Some("")), None);
        assert_eq!(method("nobody has this password", "", None), None);
    }

    #[test]
    fn a_digest_of_nothing_proves_nothing() {
        let proof = String::from_utf8(digest(b"secret", b"")).unwrap();
        assert_eq!(method(&proof, "", Some("secret")), None);
        let proof = String::from_utf8(signature(b"", b"<1@x>")).unwrap();
        assert_eq!(method(&proof, "<1@x>", Some("")), None);
    }
}
