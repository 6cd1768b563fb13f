//! Which addresses chkuser takes for addresses.

use qmail_address::split;

/// No domain is shorter: `x.xx`.
const SHORTEST_DOMAIN: usize = 4;

/// Whether an address is a local part of plain characters and a domain with a dot.
pub(super) fn is_plain(address: &[u8]) -> bool {
    split(address).is_some_and(|(local, domain)| {
        !local.is_empty() && local.iter().all(is_plain_character) && is_plain_domain(domain)
    })
}

/// RFC 5322 §3.2.3: `dot-atom-text`, wherever its dots are.
fn is_plain_character(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte)
}

fn is_plain_domain(domain: &[u8]) -> bool {
    let labels = || domain.split(|byte| *byte == b'.');
    let is_label = |label: &[u8]| {
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        !label.is_empty()
            && label.iter().all(is_inside)
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    domain.len() >= SHORTEST_DOMAIN && labels().count() > 1 && labels().all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_have_a_domain_with_a_dot() {
        for address in ["a@b.cd", "joe.user+x=y@mx-1.example", "SRS0=x=y@xn--mller-kva.example"] {
            assert!(is_plain(address.as_bytes()), "{address}");
        }
        for address in [
            "",
            "joe",
            "joe@",
            "@b.cd",
            "joe@host",
            "a b@c.de",
            "a@b@c.de",
            "a\"b@c.de",
            "#@[]",
            "joe@.c.de",
            "joe@c..de",
            "joe@c.de.",
            "joe@-c.de",
            "joe@c-.de",
            "joe@a.b",
            "j\u{f6}@c.de",
            "joe@c_d.de",
        ] {
            assert!(!is_plain(address.as_bytes()), "{address}");
        }
    }
}
