//! DNS lists of clients: RFC 5782.

use std::net::{IpAddr, Ipv4Addr};

/// The numbers of an address from the last to the first: bytes, or for IPv6 the halves of bytes.
/// In front of the name of a list, this is the name to ask for.
pub fn reversed(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}").into_bytes()
        }
        IpAddr::V6(address) => {
            let halves = address.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let digits: Vec<String> = halves.map(|half| format!("{half:x}")).collect();
            digits.join(".").into_bytes()
        }
    }
}

/// Whether these addresses say that a client is listed. A domain that is for sale gives every name
/// an address, but not one of these; and 127.255.255.0/24 means that we may not ask (`None`).
pub fn is_listing(found: &[Ipv4Addr]) -> Option<bool> {
    let is_refusal = |address: &&Ipv4Addr| address.octets().starts_with(&[127, 255, 255]);
    let mut listings = found.iter().filter(|address| address.is_loopback());
    if listings.clone().any(|address| !is_refusal(&address)) {
        return Some(true);
    }
    if listings.next().is_some() { None } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_goes_by_halves_of_bytes() {
        let text = |address: &str| String::from_utf8(reversed(address.parse().unwrap())).unwrap();
        let zeros = "0.".repeat(23);
        assert_eq!(text("2001:db8::1"), format!("1.{zeros}8.b.d.0.1.0.0.2"));
        assert_eq!(
            (text("192.0.2.1"), text("::ffff:192.0.2.1")),
            ("1.2.0.192".into(), "1.2.0.192".into())
        );
    }

    #[test]
    fn only_loopback_addresses_are_listings() {
        let said = |address: [u8; 4]| is_listing(&[address.into()]);
        assert_eq!(said([127, 0, 0, 2]), Some(true));
        assert_eq!(said([203, 0, 113, 1]), Some(false));
        assert_eq!(said([127, 255, 255, 254]), None);
    }
}
