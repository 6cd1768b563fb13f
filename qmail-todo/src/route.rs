//! Who delivers to a recipient.

use qmail_address::{host_and_suffixes, split};
use qmail_core::control::{Map, Set};
use qmail_core::queue::Channel;

/// What decides about recipients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    /// `envnoathost`: the host of recipients that have none.
    pub default_host: Vec<u8>,
    /// `percenthack`: hosts for which `user%host@here` means `user@host`.
    pub percent_hack: Set,
    /// `locals`: hosts whose users are ours.
    pub locals: Set,
    /// `virtualdomains`: users and hosts whose mail belongs to one of our users.
    pub virtual_domains: Map,
}

/// A recipient, rewritten, and who delivers to him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Routed {
    pub channel: Channel,
    pub address: Vec<u8>,
}

impl Routes {
    /// Decides about a recipient as it stands in an envelope.
    pub(crate) fn route(&self, recipient: &[u8]) -> Routed {
        let address = self.without_percents(self.with_host(recipient));
        let host = qmail_address::host(&address).unwrap_or_default();
        if self.locals.contains(host) {
            return Routed { channel: Channel::Local, address };
        }
        match self.owner(&address, host) {
            Some(owner) => {
                let address = [owner, b"-", &address].concat();
                Routed { channel: Channel::Local, address }
            }
            None => Routed { channel: Channel::Remote, address },
        }
    }

    fn with_host(&self, recipient: &[u8]) -> Vec<u8> {
        if recipient.contains(&b'@') {
            return recipient.to_vec();
        }
        [recipient, b"@", &self.default_host].concat()
    }

    fn without_percents(&self, mut address: Vec<u8>) -> Vec<u8> {
        // Each turn drops a host, so this ends.
        while let Some((local, host)) = split(&address) {
            if !self.percent_hack.contains(host) {
                break;
            }
            let Some(percent) = local.iter().rposition(|byte| *byte == b'%') else { break };
            let length = local.len();
            address.truncate(length);
            if let Some(byte) = address.get_mut(percent) {
                *byte = b'@';
            }
        }
        address
    }

    /// Whose the address is by `virtualdomains`. The first key that is there decides, even if its
    /// value is empty: then the address is nobody's here.
    fn owner(&self, address: &[u8], host: &[u8]) -> Option<&[u8]> {
        let keys = std::iter::once(address)
            .chain(host_and_suffixes(host))
            .chain(std::iter::once(b"".as_slice()));
        self.virtual_domains.first(keys).filter(|owner| !owner.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Channel::{Local, Remote};

    fn lines<C: FromIterator<Vec<u8>>>(lines: &[&str]) -> C {
        lines.iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    fn routes(virtual_domains: &[&str]) -> Routes {
        Routes {
            default_host: b"here".to_vec(),
            percent_hack: lines(&["hack", "hack2"]),
            locals: lines(&["here", "Local.Example"]),
            virtual_domains: lines(virtual_domains),
        }
    }

    fn check(virtual_domains: &[&str], table: &[(&str, Channel, &str)]) {
        let routes = routes(virtual_domains);
        for (recipient, channel, address) in table {
            let expected = Routed { channel: *channel, address: address.as_bytes().to_vec() };
            assert_eq!(routes.route(recipient.as_bytes()), expected, "{recipient}");
        }
    }

    #[test]
    fn hosts_in_locals_are_ours_without_wildcards() {
        check(
            &[],
            &[
                ("joe", Local, "joe@here"),
                ("", Local, "@here"),
                ("joe@here", Local, "joe@here"),
                ("Joe@HERE", Local, "Joe@HERE"),
                ("joe@local.example", Local, "joe@local.example"),
                ("joe@sub.local.example", Remote, "joe@sub.local.example"),
                ("joe@", Remote, "joe@"),
                ("joe@there@here", Local, "joe@there@here"),
                ("joe@here@there", Remote, "joe@here@there"),
                ("x@[1.2.3.4]", Remote, "x@[1.2.3.4]"),
            ],
        );
    }

    #[test]
    fn percents_are_followed_as_long_as_hosts_allow_it() {
        check(
            &[],
            &[
                ("joe%there@hack", Remote, "joe@there"),
                ("joe%here@HACK", Local, "joe@here"),
                ("joe%there%hack2@hack", Remote, "joe@there"),
                ("joe%there%other@hack", Remote, "joe%there@other"),
                ("joe@hack", Remote, "joe@hack"),
                ("joe%there@other", Remote, "joe%there@other"),
                ("joe%there", Local, "joe%there@here"),
                ("%hack@hack", Remote, "@hack"),
            ],
        );
    }

    #[test]
    fn virtual_domains_are_asked_from_the_whole_address_to_the_empty_key() {
        let map = &[
            "joe@v.example:joe-owner",
            "v.example:v",
            ".v.example:sub",
            ".example:any",
            "out.v.example:",
            "here:never",
            "Upper:Owner",
        ];
        check(
            map,
            &[
                ("joe@v.example", Local, "joe-owner-joe@v.example"),
                ("JOE@V.Example", Local, "joe-owner-JOE@V.Example"),
                ("jane@v.example", Local, "v-jane@v.example"),
                ("jane@a.b.v.example", Local, "sub-jane@a.b.v.example"),
                ("jane@w.example", Local, "any-jane@w.example"),
                ("jane@out.v.example", Remote, "jane@out.v.example"),
                ("jane@x.out.v.example", Local, "sub-jane@x.out.v.example"),
                ("jane@example", Remote, "jane@example"),
                ("joe@here", Local, "joe@here"),
                ("joe@upper", Local, "Owner-joe@upper"),
            ],
        );
    }

    #[test]
    fn the_empty_key_is_for_everybody_else() {
        let map = &[":all", "out.example:"];
        check(
            map,
            &[
                ("joe@there", Local, "all-joe@there"),
                ("joe@", Local, "all-joe@"),
                ("joe@out.example", Remote, "joe@out.example"),
                ("joe@here", Local, "joe@here"),
            ],
        );
    }
}
