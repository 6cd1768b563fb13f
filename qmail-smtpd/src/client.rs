//! Who is at the other end.

use qmail_message::{Peer, safe};

/// What is known of the client, and of our end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What whoever started us says of the connection.
    pub peer: Peer,
    /// What the client calls itself; `None` until it has said so.
    pub helo: Option<Vec<u8>>,
    /// Set if it may send mail to anybody; appended to each recipient.
    pub relay: Option<Vec<u8>>,
    /// Who the user has shown to be.
    pub authentication: Option<Authentication>,
    /// How the connection is protected.
    pub protection: Option<Protection>,
}

/// Who a user has shown to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// His name.
    pub user: Vec<u8>,
    /// How he has shown it: `plain`, `login`, `cram-md5`.
    pub method: &'static str,
}

/// How a connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The version of TLS.
    pub version: Vec<u8>,
    /// The cipher.
    pub cipher: Vec<u8>,
    /// The name by which the client asked for us, if we have a certificate for that name.
    pub server_name: Option<Vec<u8>>,
    /// The name in the client's certificate, if it showed one that we trust.
    pub client_name: Option<Vec<u8>>,
    /// What is wrong with the certificate that it showed.
    pub client_problem: Option<String>,
}

impl Client {
    /// From the variables that tcpserver, tcp-env and the like set.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        Self {
            peer: Peer::from_environment(variable),
            helo: None,
            relay: variable("RELAYCLIENT"),
            authentication: None,
            protection: None,
        }
    }

    /// Whether it may send mail to anybody.
    pub fn may_relay(&self) -> bool {
        self.relay.is_some() || self.authentication.is_some()
    }

    /// The `Received` field for a message that it sends now.
    pub fn received(&self, unix_seconds: u64) -> Vec<u8> {
        self.peer.received(&self.protocol(), self.helo.as_deref(), unix_seconds)
    }

    /// RFC 3848, with what is worth knowing of TLS behind it. Without TLS and AUTH it stays what it
    /// has always been.
    fn protocol(&self) -> Vec<u8> {
        let authenticated = self.authentication.is_some();
        let Some(Protection { cipher, client_name, .. }) = &self.protection else {
            return if authenticated { b"ESMTPA".to_vec() } else { b"SMTP".to_vec() };
        };
        let (word, remark): (&[u8], &[u8]) =
            if authenticated { (b"ESMTPSA (", b", authenticated)") } else { (b"ESMTPS (", b")") };
        let certificate =
            client_name.as_ref().map(|name| [b"\n  (cert ", &*safe(name), b")"].concat());
        [word, cipher, b" encrypted", remark, &certificate.unwrap_or_default()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(variables: &[(&str, &str)]) -> Client {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        Client::from_environment(&variable)
    }

    #[test]
    fn the_protocol_says_what_protects_the_message_and_from_whom_it_is() {
        let mut client = client(&[]);
        assert_eq!(client.protocol(), b"SMTP");
        client.authentication = Some(Authentication { user: b"joe".to_vec(), method: "plain" });
        assert_eq!(client.protocol(), b"ESMTPA");
        client.protection = Some(Protection {
            version: b"TLSv1.3".to_vec(),
            cipher: b"TLS_X".to_vec(),
            server_name: None,
            client_name: None,
            client_problem: None,
        });
        assert_eq!(client.protocol(), b"ESMTPSA (TLS_X encrypted, authenticated)");
        client.authentication = None;
        assert_eq!(client.protocol(), b"ESMTPS (TLS_X encrypted)");
        client.protection.as_mut().unwrap().client_name = Some(b"a@b\n".to_vec());
        assert_eq!(client.protocol(), b"ESMTPS (TLS_X encrypted)\n  (cert a@b?)");
    }

    #[test]
    fn an_empty_suffix_lets_a_client_relay_too() {
        assert!(!client(&[]).may_relay());
        assert!(client(&[("RELAYCLIENT", "")]).may_relay());
    }
}
