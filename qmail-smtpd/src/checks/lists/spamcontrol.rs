//! The forms of a line in spamcontrol's `badmailfrom`.

use std::io;

use qmail_address::host;
use qmail_core::long_list::is_pattern;

use super::rules::Rules;
use crate::visit::Visit;

/// The line for a sender whom no list and no look-up is to refuse.
pub(super) fn voucher(sender: &[u8]) -> Vec<u8> {
    [b"?", sender].concat()
}

/// Whether a line is such a one, and so no pattern.
fn is_voucher(line: &[u8]) -> bool {
    line.strip_prefix(b"?").is_some_and(|sender| !is_pattern(sender))
}

/// The line that hits this sender, if any.
pub(super) fn sender(rules: &Rules, visit: &Visit, sender: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut names = Vec::new();
    let client = known_host(&visit.client.peer.remote_host);
    if let Some(domain) = host(sender) {
        let with = |suffix: &[u8]| [b"@", domain, suffix].concat();
        if !visit.may_relay() {
            names.push(with(b"+"));
        }
        match client {
            None => names.push(with(b"-")),
            Some(client) if !is_end_of(domain, client) => names.push(with(b"=")),
            Some(_) => {}
        }
        if let Some(client) = client
            && !is_end_of(domain, client)
        {
            names.extend(parents(client).map(|parent| [b"~", parent].concat()));
        }
    }
    names.push(sender.to_vec());
    names.extend(host(sender).map(|domain| [b"@", domain].concat()));
    match rules.exact(&names)? {
        None => rules.wildmat(sender, |line| !is_voucher(line)),
        line => Ok(line),
    }
}

/// The name of the client's host, unless nobody knows it.
fn known_host(name: &[u8]) -> Option<&[u8]> {
    (!name.is_empty() && !name.eq_ignore_ascii_case(b"unknown")).then_some(name)
}

/// Whether `name` is `domain`, or ends in it.
fn is_end_of(domain: &[u8], name: &[u8]) -> bool {
    let start = name.len().checked_sub(domain.len());
    start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(domain))
}

/// The name, then what follows each of its dots.
fn parents(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let dots = name.iter().enumerate().filter(|(_, byte)| **byte == b'.');
    let starts = std::iter::once(0).chain(dots.map(|(at, _)| at + 1));
    starts.filter_map(|start| name.get(start..)).filter(|parent| !parent.is_empty())
}
