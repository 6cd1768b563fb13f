//! The `Received` field that qmail-smtpd, qmail-qmtpd and qmail-qmqpd put before a message.

use crate::date;

/// The field: who sent it (`remote_host`, `remote_ip`, and `remote_info` from ident), by which
/// `local` host it was taken, with which `protocol`, and when. A `helo` is shown only if it differs
/// from the name of the host. What the other side may have written is made harmless by [`safe`].
pub fn received(
    remote_host: &[u8],
    remote_ip: &[u8],
    remote_info: Option<&[u8]>,
    local: &[u8],
    protocol: &[u8],
    helo: Option<&[u8]>,
    unix_seconds: u64,
) -> Vec<u8> {
    let helo = helo.filter(|helo| !helo.eq_ignore_ascii_case(remote_host));
    let helo = helo.map(|helo| [b" (HELO ", safe(helo).as_slice(), b")"].concat());
    let info = remote_info.map(|info| [safe(info).as_slice(), b"@"].concat());
    let when = date::rfc5322(unix_seconds);
    [
        b"Received: from ".as_slice(),
        &safe(remote_host),
        &helo.unwrap_or_default(),
        b" (",
        &info.unwrap_or_default(),
        &safe(remote_ip),
        b")\n  by ",
        &safe(local),
        b" with ",
        protocol,
        b"; ",
        when.as_bytes(),
        b"\n",
    ]
    .concat()
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

    #[test]
    fn a_helo_that_is_the_host_is_not_repeated() {
        let field = received(b"H.example", b"::1", None, b"here", b"SMTP", Some(b"h.EXAMPLE"), 0);
        assert_eq!(
            field,
            b"Received: from H.example (::1)\n  by here with SMTP; 1 Jan 1970 00:00:00 -0000\n"
        );
    }

    #[test]
    fn another_helo_and_ident_are_shown() {
        let field = received(b"unknown", b"10.0.0.1", Some(b"joe"), b"here", b"SMTP", Some(b""), 0);
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
