//! What a certificate says of its owner: the few fields that are looked at here.
//!
//! webpki, which checks signatures and chains, knows no common names; hosts that have no other
//! name are still met.

use crate::der::{Element, Elements, SEQUENCE};

/// Whose certificate it is, and from when to when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The host names among the alternative names.
    pub hosts: Vec<Vec<u8>>,
    /// The mail addresses: of the subject, then of the alternative names.
    pub mailboxes: Vec<Vec<u8>>,
    /// The last common name of the subject.
    pub common: Option<Vec<u8>>,
    /// Seconds since 1970 before which, and after which, it does not count.
    validity: Option<(i64, i64)>,
}

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const MAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];

impl Names {
    /// Reads a certificate. What cannot be read is not there.
    pub fn of(certificate: &[u8]) -> Self {
        let mut names = Self::default();
        let _: Option<()> = names.read(certificate);
        names
    }

    /// RFC 5280 §4.1: the fields in their order.
    fn read(&mut self, certificate: &[u8]) -> Option<()> {
        let whole = Elements(certificate).next_if(SEQUENCE)?;
        let mut fields = Elements(Elements(whole).next_if(SEQUENCE)?);
        // Version, which the first certificates lacked; then number, algorithm and issuer.
        let _version = fields.next_if(0xa0);
        fields.nth(2)?;
        self.read_validity(fields.next_if(SEQUENCE)?);
        self.read_subject(fields.next_if(SEQUENCE)?);
        let extensions = fields.find(|field| field.tag == 0xa3)?;
        self.read_extensions(Elements(extensions.contents).next_if(SEQUENCE)?);
        Some(())
    }

    fn read_validity(&mut self, contents: &[u8]) {
        let mut times = Elements(contents).map(|element| seconds(&element));
        if let (Some(Some(from)), Some(Some(until))) = (times.next(), times.next()) {
            self.validity = Some((from, until));
        }
    }

    fn read_subject(&mut self, contents: &[u8]) {
        for attribute in Elements(contents).flat_map(|set| Elements(set.contents)) {
            let mut parts = Elements(attribute.contents);
            let (Some(kind), Some(value)) = (parts.next_if(6), parts.next()) else { continue };
            match kind {
                COMMON_NAME => self.common = Some(value.contents.to_vec()),
                MAIL_ADDRESS => self.mailboxes.push(value.contents.to_vec()),
                _ => {}
            }
        }
    }

    fn read_extensions(&mut self, contents: &[u8]) {
        for extension in Elements(contents) {
            let mut parts = Elements(extension.contents);
            if parts.next_if(6) != Some(ALTERNATIVE_NAMES) {
                continue;
            }
            let value = parts.find(|part| part.tag == 4).map(|part| part.contents);
            let names = value.and_then(|value| Elements(value).next_if(SEQUENCE));
            for name in Elements(names.unwrap_or_default()) {
                match name.tag {
                    0x81 => self.mailboxes.push(name.contents.to_vec()),
                    0x82 => self.hosts.push(name.contents.to_vec()),
                    _ => {}
                }
            }
        }
    }

    /// Whether it counts at this time. One that does not say when never does.
    pub(crate) fn are_valid_at(&self, now: i64) -> bool {
        self.validity.is_some_and(|(from, until)| (from..=until).contains(&now))
    }
}

/// Whether a name in a certificate is that of `host`: the same, or `*.` and what follows the first
/// dot of it.
pub(crate) fn matches(name: &[u8], host: &[u8]) -> bool {
    let below = || {
        let rest = name.strip_prefix(b"*")?;
        let dot = host.iter().position(|byte| *byte == b'.')?;
        Some(rest.len() > 1 && rest.eq_ignore_ascii_case(host.get(dot..)?))
    };
    name.eq_ignore_ascii_case(host) || below().unwrap_or(false)
}

/// A UTCTime or GeneralizedTime in seconds since 1970.
fn seconds(time: &Element<'_>) -> Option<i64> {
    let digits = time.contents.strip_suffix(b"Z")?;
    let mut numbers = digits.chunks_exact(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok())?
    });
    let mut next = || numbers.next().flatten();
    let year = match time.tag {
        // RFC 5280 §4.1.2.5.1: two digits, from 1950 to 2049.
        0x17 => next().map(|year| if year < 50 { 2000 + year } else { 1900 + year })?,
        0x18 => next()? * 100 + next()?,
        _ => return None,
    };
    let (month, day) = (next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let days = days_since_1970(year, month, day);
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// By years that begin in March, so that the odd day of a leap year is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9).rem_euclid(12);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
