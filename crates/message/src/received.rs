//! The `Received` field that qmail-smtpd, qmail-qmtpd and qmail-qmqpd put before a message.

use crate::date;

/// Who is at the other end of a connection, and what our end is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The name of the client's host, or `unknown`.
    pub remote_host: Vec<u8>,
    /// Its address, or `unknown`.
    pub remote_ip: Vec<u8>,
    /// What it says who the user is.
    pub remote_info: Option<Vec<u8>>,
    /// Our name or address on this connection, or `unknown`.
    pub local: Vec<u8>,
}

impl Peer {
    /// From the variables that tcpserver, tcp-env and the like set.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let known = |value: Option<Vec<u8>>| value.unwrap_or_else(|| b"unknown".to_vec());
        Self {
            remote_host: known(variable("TCPREMOTEHOST")),
            remote_ip: known(variable("TCPREMOTEIP")),
            remote_info: variable("TCPREMOTEINFO"),
            local: known(variable("TCPLOCALHOST").or_else(|| variable("TCPLOCALIP"))),
        }
    }

    /// The `Received` field of a message that comes now, with this `protocol`. A `helo` is shown only
    /// if it differs from the name of the host. What the other side may have written is made
    /// harmless by [`safe`].
    pub fn received(&self, protocol: &[u8], helo: Option<&[u8]>, unix_seconds: u64) -> Vec<u8> {
        let helo = helo.filter(|helo| !helo.eq_ignore_ascii_case(&self.remote_host));
        let helo = helo.map(|helo| [b" (HELO ", safe(helo).as_slice(), b")"].concat());
        let info = self.remote_info.as_ref().map(|info| [safe(info).as_slice(), b"@"].concat());
        let when = date::rfc5322(unix_seconds);
        [
            b"Received: from ".as_slice(),
            &safe(&self.remote_host),
            &helo.unwrap_or_default(),
            b" (",
            &info.unwrap_or_default(),
            &safe(&self.remote_ip),
            b")\n  by ",
            &safe(&self.local),
            b" with ",
            protocol,
            b"; ",
            when.as_bytes(),
            b"\n",
        ]
        .concat()
    }
}

/// `bytes` with a `?` for each that could break a header field or disguise it. Brackets and colons
/// stay: address literals and IPv6 need them.
pub fn safe(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if is_safe(*byte) { *byte } else { b'?' }).collect()
}

fn is_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".@%+/=:-[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(variables: &[(&str, &str)]) -> Peer {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        Peer::from_environment(&variable)
    }

    #[test]
    fn what_is_not_known_is_called_unknown_and_empty_is_a_value() {
        let unknown = || b"unknown".to_vec();
        let (remote_host, remote_ip, local) = (unknown(), unknown(), unknown());
        assert_eq!(peer(&[]), Peer { remote_host, remote_ip, remote_info: None, local });
        assert_eq!(peer(&[("TCPLOCALIP", "192.0.2.1")]).local, b"192.0.2.1");
        let both = peer(&[("TCPLOCALIP", "192.0.2.1"), ("TCPLOCALHOST", "")]);
        assert_eq!(both.local, b"");
    }

    #[test]
    fn a_helo_that_is_the_host_is_not_repeated() {
        let peer = peer(&[
            ("TCPREMOTEHOST", "H.example"),
            ("TCPREMOTEIP", "::1"),
            ("TCPLOCALHOST", "here"),
        ]);
        let field = peer.received(b"SMTP", Some(b"h.EXAMPLE"), 0);
        assert_eq!(
            field,
            b"Received: from H.example (::1)\n  by here with SMTP; 1 Jan 1970 00:00:00 -0000\n"
        );
    }

    #[test]
    fn another_helo_and_ident_are_shown() {
        let peer = peer(&[
            ("TCPREMOTEIP", "10.0.0.1"),
            ("TCPREMOTEINFO", "joe"),
            ("TCPLOCALHOST", "here"),
        ]);
        let field = peer.received(b"SMTP", Some(b""), 0);
        assert_eq!(
            field,
            b"Received: from unknown (HELO ) (joe@10.0.0.1)\n  by here with SMTP; \
              1 Jan 1970 00:00:00 -0000\n"
        );
    }

    #[test]
    fn what_the_other_side_writes_cannot_leave_its_place() {
        assert_eq!(safe(b"a(b)\r\nX: \xff_[1]"), b"a?b???X:???[1]");
    }
}
