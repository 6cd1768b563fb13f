//! Who is at the other end.

use qmail_message::received;

/// What is known of the client, and of our end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    host: Vec<u8>,
    ip: Vec<u8>,
    info: Option<Vec<u8>>,
    local: Vec<u8>,
}

impl Client {
    /// From the variables that tcpserver, tcp-env and the like set.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let known = |value: Option<Vec<u8>>| value.unwrap_or_else(|| b"unknown".to_vec());
        Self {
            host: known(variable("TCPREMOTEHOST")),
            ip: known(variable("TCPREMOTEIP")),
            info: variable("TCPREMOTEINFO"),
            local: known(variable("TCPLOCALHOST").or_else(|| variable("TCPLOCALIP"))),
        }
    }

    /// The `Received` field of a message that comes now.
    pub fn received(&self, unix_seconds: u64) -> Vec<u8> {
        let Self { host, ip, info, local } = self;
        received(host, ip, info.as_deref(), local, b"QMQP", None, unix_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_known_is_called_unknown() {
        let ip_only = |name: &str| (name == "TCPLOCALIP").then(|| b"192.0.2.1".to_vec());
        let line = b"Received: from unknown (unknown)\n  by 192.0.2.1 with QMQP; \
                     1 Jan 1970 00:00:00 -0000\n";
        assert_eq!(Client::from_environment(&ip_only).received(0), line);
    }
}
