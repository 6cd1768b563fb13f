//! `mailfromrules`: which senders a client that may relay may name. A line is
//! `KEY:STRING,STRING,...`; the sender must end in one of the strings.
//!
//! The keys are those of tcprules. With an IPv6 address as its key, and wherever else it reads
//! better, a line has `&` for the first colon, as it has in eQmail.

/// The separator of spamcontrol's databases. A string with such a byte in it needs another one.
const OLD_SEPARATOR: u8 = b'+';
const SEPARATOR: u8 = 0;
/// No part of an IPv4 address is larger.
const LARGEST_PART: u32 = 255;

/// A line, as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Under which keys: a range of addresses is many.
    pub keys: Vec<Vec<u8>>,
    /// What the senders end in.
    pub data: Vec<u8>,
}

impl Rule {
    /// `None` if the line has no key, or a range that is none.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.to_ascii_lowercase();
        let at = delimiter(&line)?;
        let (key, strings) = line.split_at(at);
        let strings: Vec<&[u8]> = match strings.get(1..).unwrap_or_default() {
            [] => Vec::new(),
            strings => strings.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect(),
        };
        let is_old = !strings.iter().any(|string| string.contains(&OLD_SEPARATOR));
        let separator = if is_old { OLD_SEPARATOR } else { SEPARATOR };
        let data = strings.iter().flat_map(|string| [&[separator], *string].concat()).collect();
        Some(Self { keys: keys(key)?, data })
    }
}

/// Where the key ends.
fn delimiter(line: &[u8]) -> Option<usize> {
    let ampersand = line.iter().position(|byte| *byte == b'&');
    let colon = line.iter().position(|byte| *byte == b':');
    let is_address = |end: usize| {
        let key = line.get(..end).unwrap_or_default();
        key.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte))
    };
    let at = match (ampersand, colon) {
        (Some(ampersand), Some(colon)) if colon < ampersand && !is_address(ampersand) => colon,
        (Some(ampersand), _) => ampersand,
        (None, colon) => colon?,
    };
    (at > 0).then_some(at)
}

/// The key, or one for each address of a range: `1.2.3.37-53`.
fn keys(key: &[u8]) -> Option<Vec<Vec<u8>>> {
    let hyphen = key.iter().position(|byte| *byte == b'-');
    let Some(hyphen) = hyphen.filter(|_| !key.contains(&b'=') && !key.contains(&b'@')) else {
        return Some(vec![key.to_vec()]);
    };
    if !key.iter().all(|byte| byte.is_ascii_digit() || b".-".contains(byte)) {
        // The name of a user.
        return Some(vec![key.to_vec()]);
    }
    let start = key.get(..hyphen)?.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
    let rest = key.get(hyphen + 1..)?;
    let end = rest.iter().position(|byte| *byte == b'.').unwrap_or(rest.len());
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u32>().ok();
    let (low, high) = (number(key.get(start..hyphen)?)?, number(rest.get(..end)?)?);
    let (before, behind) = (key.get(..start)?, rest.get(end..)?);
    let numbers = low..=high.min(LARGEST_PART);
    // A rule without a key would be lost without a word.
    let numbers = Some(numbers).filter(|numbers| !numbers.is_empty())?;
    Some(numbers.map(|part| [before, part.to_string().as_bytes(), behind].concat()).collect())
}

/// Whether a rule with this data lets a client name this sender: none that has no strings, or an
/// empty one, forbids anything.
pub fn permits(data: &[u8], sender: &[u8]) -> bool {
    let Some((separator, strings)) = data.split_first() else { return true };
    let sender = sender.to_ascii_lowercase();
    strings.split(|byte| byte == separator).any(|string| sender.ends_with(string))
}

/// The keys to look for, the first one that is there decides: the user, him at an address or host,
/// the address, the host, then ever less of the address, ever less of the host, and any host.
pub fn keys_for(user: Option<&[u8]>, address: &[u8], host: Option<&[u8]>) -> Vec<Vec<u8>> {
    let user = user.filter(|user| !user.is_empty());
    let mut keys = Vec::new();
    if let Some(user) = user {
        keys.extend([user.to_vec(), [user, b"@", address].concat()]);
        keys.extend(host.map(|host| [user, b"@=", host].concat()));
    }
    keys.push(address.to_vec());
    keys.extend(host.map(|host| [b"=", host].concat()));
    let inner = address.split_last().map_or(address, |(_, inner)| inner);
    let ends = (1..=inner.len()).rev().filter_map(|end| inner.get(..end));
    keys.extend(ends.filter(|part| part.ends_with(b".") || part.ends_with(b":")).map(Vec::from));
    if let Some(host) = host {
        let dots = host.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        keys.extend(dots.filter_map(|(at, _)| Some([b"=", host.get(at..)?].concat())));
        keys.push(b"=".to_vec());
    }
    keys.iter().map(|key| key.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(line: &str) -> (Vec<String>, String) {
        let rule = Rule::parse(line.as_bytes()).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (rule.keys.into_iter().map(text).collect(), text(rule.data))
    }

    #[test]
    fn a_line_is_a_key_and_what_senders_end_in() {
        let rules = [
            ("192.0.2.1:@Own.example,joe@x", vec!["192.0.2.1"], "+@own.example+joe@x"),
            ("joe&@own.example", vec!["joe"], "+@own.example"),
            ("192.0.2.:", vec!["192.0.2."], ""),
            ("2001:db8::1&@own.example", vec!["2001:db8::1"], "+@own.example"),
            ("=mx.example:a&b@own.example", vec!["=mx.example"], "+a&b@own.example"),
            ("joe@192.0.2.1:joe+x@own.example", vec!["joe@192.0.2.1"], "\0joe+x@own.example"),
            ("192.0.2.8-10:@a", vec!["192.0.2.8", "192.0.2.9", "192.0.2.10"], "+@a"),
            ("192.0.254-999.:@a", vec!["192.0.254.", "192.0.255."], "+@a"),
            ("mary-ann:@a", vec!["mary-ann"], "+@a"),
        ];
        for (line, keys, data) in rules {
            let keys = keys.into_iter().map(str::to_owned).collect();
            assert_eq!(rule(line), (keys, data.to_owned()), "{line}");
        }
        let bad = ["", ":x", "&x", "no delimiter", "192.0.2.1-:x", "192.0.2.-3:x", "192.0.2.9-8:x"];
        for line in bad {
            assert_eq!(Rule::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_sender_must_end_in_one_of_the_strings() {
        for (data, sender, expected) in [
            (&b"+@own.example+joe@x"[..], "Ann@Own.Example", true),
            (b"+@own.example+joe@x", "joe@x", true),
            (b"+@own.example+joe@x", "ann@x", false),
            (b"\0joe+x@own.example", "ext@own.example", false),
            (b"\0joe+x@own.example", "joe+x@own.example", true),
            (b"", "anybody@x", true),
            (b"+", "anybody@x", true),
        ] {
            assert_eq!(permits(data, sender.as_bytes()), expected, "{data:?} {sender}");
        }
    }

    #[test]
    fn keys_become_ever_more_general() {
        let keys = |user: Option<&str>, address: &str, host: Option<&str>| {
            let found =
                keys_for(user.map(str::as_bytes), address.as_bytes(), host.map(str::as_bytes));
            found
                .into_iter()
                .map(|key| String::from_utf8(key).unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            keys(Some("Joe"), "192.0.2.1", Some("mx.example")),
            "joe joe@192.0.2.1 joe@=mx.example 192.0.2.1 =mx.example 192.0.2. 192.0. 192. =.example ="
        );
        assert_eq!(keys(None, "2001:db8::1", None), "2001:db8::1 2001:db8:: 2001:db8: 2001:");
    }
}
