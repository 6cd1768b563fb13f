//! Names, as bytes and without regard to ASCII case.

use std::fmt;
use std::net::IpAddr;

use hickory_proto::rr;

/// The longest name that can be written with dots, and a last one.
const LONGEST_TEXT: usize = 254;

/// A full domain name that the DNS could know. Names are equal if they differ only in case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub(crate) rr::Name);

impl Name {
    /// Reads a name as it stands in a mail address: labels and dots, nothing escaped. A last dot
    /// does not count.
    ///
    /// `None` if there can be no such name: it is empty, longer than 255 bytes on the wire, or has
    /// a label that is empty or longer than 63 bytes.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let text = text.strip_suffix(b".").unwrap_or(text);
        let labels = text.split(|byte| *byte == b'.');
        rr::Name::from_labels(labels).ok().map(Self)
    }

    /// The name below which the names of an address are: `4.3.2.1.in-addr.arpa`.
    pub fn reverse(address: IpAddr) -> Self {
        Self(address.into())
    }

    /// The root, above all names.
    pub fn root() -> Self {
        Self(rr::Name::root())
    }

    /// Whether this is the root, which as the exchanger of a null MX means: no mail here.
    pub fn is_root(&self) -> bool {
        self.0.is_root()
    }

    /// The name with dots between its labels and none at the end, `.` for the root. Dots and
    /// backslashes inside a label, and bytes that are not printable ASCII, are escaped as in a
    /// zone file: what a server put into a name stays one word.
    pub fn to_bytes(&self) -> Vec<u8> {
        let labels: Vec<Vec<u8>> = self.0.iter().map(escape).collect();
        if labels.is_empty() { b".".to_vec() } else { labels.join(&b'.') }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

fn escape(label: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(label.len());
    for byte in label {
        match byte {
            b'.' | b'\\' => escaped.extend([b'\\', *byte]),
            b'!'..=b'~' => escaped.push(*byte),
            _ => escaped.extend(format!("\\{byte:03}").into_bytes()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_a_last_dot_do_not_count() {
        assert_eq!(Name::parse(b"MX.Example."), Name::parse(b"mx.example"));
        assert_eq!(Name::parse(b"MX.Example.").unwrap().to_bytes(), b"MX.Example");
    }

    #[test]
    fn impossible_names_are_refused() {
        for name in ["", ".", "a..b", ".a", "a.."] {
            assert_eq!(Name::parse(name.as_bytes()), None, "{name:?}");
        }
        assert_eq!(Name::parse(&[b'a'; 64]), None);
        assert!(Name::parse(&[b'a'; 63]).is_some());
        assert_eq!(Name::parse(&[b'a'; 1_000_000]), None);
    }

    #[test]
    fn a_name_fits_into_255_bytes_on_the_wire() {
        let longest = [&[b'a'; 63][..], &[b'b'; 63], &[b'c'; 63], &[b'd'; 61]].join(&b'.');
        assert!(Name::parse(&longest).is_some());
        let longer = [&[b'a'; 63][..], &[b'b'; 63], &[b'c'; 63], &[b'd'; 62]].join(&b'.');
        assert_eq!(Name::parse(&longer), None);
    }

    #[test]
    fn any_byte_may_stand_in_a_label_and_is_escaped_for_readers() {
        assert_eq!(Name::parse(b"a b\\\xe9\n.c").unwrap().to_bytes(), b"a\\032b\\\\\\233\\010.c");
    }

    #[test]
    fn addresses_have_names() {
        let name = Name::reverse("192.0.2.1".parse().unwrap());
        assert_eq!(name.to_bytes(), b"1.2.0.192.in-addr.arpa");
        assert!(Name::reverse("2001:db8::1".parse().unwrap()).to_string().ends_with(".ip6.arpa"));
    }
}
