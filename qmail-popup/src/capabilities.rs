//! What a client can do here: RFC 2449. Only what works now is in the list.

use crate::policy::Policy;

/// What there is at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    /// The ways to log in.
    pub policy: Policy,
    /// Whether TLS can be begun.
    pub stls: bool,
    /// Whether nobody listens.
    pub secure: bool,
}

/// The answer to CAPA.
pub(crate) fn list(offer: &Offer) -> Vec<u8> {
    let ways = ways(offer);
    let sasl = format!("SASL {}", ways.join(" "));
    let lines = [
        (true, "+OK Capability list follows"),
        (true, "TOP"),
        (true, "UIDL"),
        (true, "LAST"),
        (true, "PIPELINING"),
        (true, "EXPIRE NEVER"),
        (offer.policy.takes_user(offer.secure), "USER"),
        (offer.policy.apop, "APOP"),
        (!ways.is_empty(), &sasl),
        (offer.stls, "STLS"),
        (true, "."),
    ];
    text(lines.into_iter().filter(|(there, _)| *there).map(|(_, line)| line))
}

/// The answer to AUTH without a mechanism: RFC 1734 left it open, and clients ask.
pub(crate) fn mechanisms(offer: &Offer) -> Vec<u8> {
    text(["+OK "].into_iter().chain(ways(offer)).chain(["."]))
}

fn ways(offer: &Offer) -> Vec<&'static str> {
    let takes = |tells_password| offer.policy.takes_auth(tells_password, offer.secure);
    let mut ways = Vec::new();
    if takes(true) {
        ways.extend(["PLAIN", "LOGIN"]);
    }
    if takes(false) {
        ways.push("CRAM-MD5");
    }
    ways
}

fn text<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<u8> {
    lines.flat_map(|line| [line, "\r\n"]).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(ways: &str, force: &str, stls: bool, secure: bool) -> String {
        let policy = Policy::from_environment(&|name| {
            let value = if name == "POP3AUTH" { ways } else { force };
            (!value.is_empty()).then(|| value.as_bytes().to_vec())
        });
        let text = list(&Offer { policy, stls, secure });
        String::from_utf8(text).unwrap().replace("\r\n", "|")
    }

    #[test]
    fn only_what_works_now_is_listed() {
        let start = "+OK Capability list follows|TOP|UIDL|LAST|PIPELINING|EXPIRE NEVER|";
        assert_eq!(lines("", "", false, false), format!("{start}USER|.|"));
        assert_eq!(lines("", "1", true, false), format!("{start}STLS|.|"));
        assert_eq!(lines("", "1", false, true), format!("{start}USER|SASL PLAIN LOGIN|.|"));
        let all = format!("{start}USER|APOP|SASL PLAIN LOGIN CRAM-MD5|.|");
        assert_eq!(lines("+cram+apop", "0", false, false), all);
        assert_eq!(lines("cram", "", true, false), format!("{start}SASL CRAM-MD5|STLS|.|"));
    }
}
