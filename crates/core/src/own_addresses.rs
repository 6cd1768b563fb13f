//! The addresses that are this host: its interfaces, as `control/moreipme` and `control/notipme`
//! correct them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::control::{ControlError, Controls, MOREIPME, NOTIPME};

/// The addresses that are this host.
#[derive(Clone, Debug)]
pub struct OwnAddresses {
    own: Vec<Network>,
    others: Vec<Network>,
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    length: u32,
}

impl OwnAddresses {
    /// `interfaces` are the addresses of this host's interfaces.
    ///
    /// # Errors
    /// If a control file cannot be read.
    pub fn read(
        controls: &Controls,
        interfaces: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Self, ControlError> {
        let (more, others) = (controls.list(&MOREIPME)?, controls.list(&NOTIPME)?);
        let mut own: Vec<Network> = interfaces.into_iter().map(Network::of_one).collect();
        own.push(Network::of_one(Ipv4Addr::UNSPECIFIED.into()));
        own.push(Network::of_one(Ipv6Addr::UNSPECIFIED.into()));
        // netqmail takes of 127.0.0.0/8 only the interface's address for its own; the whole net
        // comes with the two files.
        if more.is_some() || others.is_some() {
            own.push(Network { base: Ipv4Addr::new(127, 0, 0, 0).into(), length: 8 });
            own.push(Network::of_one(Ipv6Addr::LOCALHOST.into()));
        }
        own.extend(networks(more));
        Ok(Self { own, others: networks(others).collect() })
    }

    /// Whether `address` is this host: the longer network decides, and of two equals `notipme`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let longest = |networks: &[Network]| {
            let holds = networks.iter().filter(|network| network.contains(address));
            holds.map(|network| network.length).max()
        };
        longest(&self.own) > longest(&self.others)
    }
}

/// Lines that nobody understands do not count.
fn networks(lines: Option<Vec<Vec<u8>>>) -> impl Iterator<Item = Network> {
    lines.unwrap_or_default().into_iter().filter_map(|line| Network::parse(&line))
}

impl Network {
    fn of_one(address: IpAddr) -> Self {
        let base = address.to_canonical();
        Self { base, length: bits(base).1 }
    }

    /// `address`, `address/bits` or `d.d.d.d/m.m.m.m`.
    fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.trim();
        let Some((base, mask)) = text.split_once('/') else {
            return text.parse().ok().map(Self::of_one);
        };
        let base: IpAddr = base.parse().ok()?;
        let length = match (mask.parse::<u32>(), mask.parse::<Ipv4Addr>()) {
            (Ok(length), _) => length,
            (_, Ok(mask)) if base.is_ipv4() => prefix_length(mask)?,
            _ => return None,
        };
        let (value, width) = bits(base);
        // A base with bits beyond the mask never matched anything, and should not begin to.
        let is_masked = length <= width && masked(value, width, length) == value;
        is_masked.then_some(Self { base, length })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let ((base, width), (value, other_width)) = (bits(self.base), bits(address));
        width == other_width && masked(value, width, self.length) == base
    }
}

/// An address as a number, and the bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn masked(value: u128, width: u32, length: u32) -> u128 {
    let dropped = width.saturating_sub(length);
    value.checked_shr(dropped).and_then(|kept| kept.checked_shl(dropped)).unwrap_or(0)
}

/// How many ones a mask begins with; none if others follow.
fn prefix_length(mask: Ipv4Addr) -> Option<u32> {
    let length = mask.to_bits().leading_ones();
    (mask.to_bits().count_ones() == length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn own(files: &[(&str, &str)], interfaces: &[&str]) -> OwnAddresses {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("control")).unwrap();
        for (name, text) in files {
            let mut file = std::fs::File::create(home.path().join("control").join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        let controls = Controls::open(home.path()).unwrap();
        let interfaces = interfaces.iter().map(|text| text.parse().unwrap());
        OwnAddresses::read(&controls, interfaces).unwrap()
    }

    fn is_own(own: &OwnAddresses, address: &str) -> bool {
        own.contains(address.parse().unwrap())
    }

    #[test]
    fn without_files_interfaces_and_no_address_at_all_are_ours() {
        let own = own(&[], &["127.0.0.1", "192.0.2.1", "2001:db8::1"]);
        let ours = ["127.0.0.1", "192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "::ffff:192.0.2.1"];
        assert!(ours.iter().all(|address| is_own(&own, address)));
        assert!(!["127.0.0.2", "192.0.2.2", "2001:db8::2"].iter().any(|it| is_own(&own, it)));
    }

    #[test]
    fn the_longer_network_decides_and_of_equals_notipme() {
        let more = "198.51.100.0/255.255.255.0\n2001:db8::/32\n203.0.113.7\n";
        let not = "198.51.100.128/25\n2001:db8:1::/48\n203.0.113.7\n127.0.0.5";
        let own = own(&[("moreipme", more), ("notipme", not)], &[]);
        for address in ["198.51.100.1", "2001:db8::1", "127.9.9.9", "::1"] {
            assert!(is_own(&own, address), "{address}");
        }
        for address in ["198.51.100.129", "2001:db8:1::1", "203.0.113.7", "127.0.0.5"] {
            assert!(!is_own(&own, address), "{address}");
        }
    }

    #[test]
    fn lines_that_are_no_network_do_not_count() {
        for line in ["x", "1.2.3", "1.2.3.4/33", "1.2.3.4/255.0.255.0", "1.2.3.4/24", "::/129"] {
            assert_eq!(Network::parse(line.as_bytes()), None, "{line}");
        }
        assert!(Network::parse(b"0.0.0.0/0").unwrap().contains([9, 9, 9, 9].into()));
        assert!(Network::parse(b"::/0").unwrap().contains("2001:db8::1".parse().unwrap()));
    }
}
