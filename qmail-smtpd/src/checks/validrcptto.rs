//! Lists of the recipients that there are: `validrcptto`, `goodrcptto`, and the databases beside
//! them.

use std::io;

use qmail_address::host;
use qmail_core::built_in::break_character;
use qmail_core::cdb::Cdb;
use qmail_core::long_list::LongList;

use super::{Check, Verdict};
use crate::printable::word;
use crate::replies::{NO_MAILBOX, UNREADABLE_CONTROLS};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// What a list says about a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opinion {
    Known,
    Unknown,
    None,
}

/// Where the names are, and how they are to be understood.
#[derive(Debug)]
pub(super) enum KnownRecipients {
    /// `address`, `@domain`, and with a hyphen before them those that are not. Other checks decide
    /// about the rest.
    Valid(Vec<LongList>),
    /// `address`, `@domain`. There are no others.
    Good(Vec<LongList>),
    /// `address`, `user-default@domain`, `@domain`; with a value of `-` those that are not. There
    /// are no others.
    Database {
        /// The names.
        cdb: Cdb,
        /// 1 logs refusals, 2 logs those who pass, too.
        log: u64,
    },
}

impl KnownRecipients {
    fn opinion(&self, address: &[u8]) -> io::Result<Opinion> {
        let address = address.to_ascii_lowercase();
        let at_host = host(&address).map(|host| [b"@", host].concat()).unwrap_or_default();
        let not = |name: &[u8]| [b"-", name].concat();
        match self {
            Self::Valid(lists) => {
                let names = [address.clone(), not(&address), at_host.clone(), not(&at_host)];
                Ok(match first_of(lists, &names)? {
                    None => Opinion::None,
                    Some(at) if at % 2 == 0 => Opinion::Known,
                    Some(_) => Opinion::Unknown,
                })
            }
            Self::Good(lists) => {
                let found = first_of(lists, &[address, at_host])?;
                Ok(if found.is_some() { Opinion::Known } else { Opinion::Unknown })
            }
            Self::Database { cdb, .. } => {
                for name in extensions(&address).chain([at_host]).filter(|name| !name.is_empty()) {
                    if let Some(value) = cdb.get(&name)? {
                        let is_known = !value.starts_with(b"-");
                        return Ok(if is_known { Opinion::Known } else { Opinion::Unknown });
                    }
                }
                Ok(Opinion::Unknown)
            }
        }
    }

    fn note(&self, visit: &mut Visit, address: &[u8], opinion: Opinion) {
        let Self::Database { log, .. } = self else { return };
        let (level, result): (u64, &[u8]) = match opinion {
            Opinion::Known => (2, b"> found"),
            Opinion::Unknown | Opinion::None => (1, b"> not found"),
        };
        if *log >= level {
            let mut note = b"validrcptto [".to_vec();
            note.extend(word(&visit.client.peer.remote_ip));
            note.extend_from_slice(b"] <");
            note.extend(word(address));
            note.extend_from_slice(result);
            visit.note(note);
        }
    }
}

/// Which of `names` is in one of the lists; an earlier one counts before a later one.
fn first_of(lists: &[LongList], names: &[Vec<u8>]) -> io::Result<Option<usize>> {
    let wanted: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let mut first = None;
    for list in lists {
        let found = list.first_of(&wanted)?;
        let at = found.and_then(|found| wanted.iter().position(|name| *name == found));
        first = [first, at].into_iter().flatten().min();
    }
    Ok(first)
}

/// The address, then `base-default@domain` with ever less of the extension.
fn extensions(address: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let at = address.iter().rposition(|byte| *byte == b'@').unwrap_or(address.len());
    let (local, domain) = address.split_at(at);
    let dash = break_character();
    let ends = (0..local.len()).rev().filter(move |end| local.get(*end) == Some(&dash));
    let defaults =
        ends.filter_map(move |end| Some([local.get(..=end)?, b"default", domain].concat()));
    std::iter::once(address.to_vec()).chain(defaults)
}

impl Check for KnownRecipients {
    fn yields(&self) -> bool {
        true
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        if visit.may_relay() || recipient.is_known {
            return Verdict::Pass;
        }
        let Ok(opinion) = self.opinion(&recipient.address) else {
            return Verdict::Disconnect(UNREADABLE_CONTROLS);
        };
        self.note(visit, &recipient.address, opinion);
        recipient.is_known |= opinion == Opinion::Known;
        if opinion == Opinion::Unknown { Verdict::Refuse(NO_MAILBOX) } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit;
    use qmail_core::cdb::CdbWriter;
    use qmail_core::long_list::Index;
    use std::fs::File;
    use std::io::Write;

    fn list(lines: &[&str]) -> LongList {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("list");
        File::create(&path).unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
        LongList::open(&path, Index::Ignored).unwrap().unwrap()
    }

    fn opinions(known: &KnownRecipients, addresses: [&str; 5]) -> [Opinion; 5] {
        addresses.map(|address| known.opinion(address.as_bytes()).unwrap())
    }

    #[test]
    fn addresses_come_before_domains_and_yes_before_no() {
        use Opinion::{Known, None, Unknown};
        let lists = vec![
            list(&["joe@here", "-jane@here", "@here", "-@there"]),
            list(&["Ann@there", "-ann@there"]),
        ];
        let known = KnownRecipients::Valid(lists);
        let addresses = ["JOE@here", "jane@here", "x@here", "ann@there", "x@there"];
        assert_eq!(opinions(&known, addresses), [Known, Unknown, Known, Known, Unknown]);
        assert_eq!(known.opinion(b"x@elsewhere").unwrap(), None);
    }

    #[test]
    fn a_list_of_the_good_leaves_nothing_open() {
        use Opinion::{Known, Unknown};
        let known = KnownRecipients::Good(vec![list(&["joe@here", "@there"])]);
        let addresses = ["joe@here", "x@here", "x@there", "joe", ""];
        assert_eq!(opinions(&known, addresses), [Known, Unknown, Known, Unknown, Unknown]);
    }

    #[test]
    fn a_database_knows_default_addresses() {
        use Opinion::{Known, Unknown};
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = CdbWriter::new(file.reopen().unwrap()).unwrap();
        for (key, value) in [("joe@here", ""), ("joe-default@here", ""), ("joe-no@here", "-")] {
            writer.add(key.as_bytes(), value.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let known = KnownRecipients::Database { cdb: Cdb::open(file.path()).unwrap(), log: 0 };
        let addresses = ["joe@here", "joe-a-b@here", "joe-no@here", "jane@here", "joe-x@there"];
        assert_eq!(opinions(&known, addresses), [Known, Known, Unknown, Unknown, Unknown]);
    }

    #[test]
    fn who_is_known_already_is_not_looked_for() {
        let mut known = KnownRecipients::Good(vec![list(&[])]);
        let mut recipient = Recipient { is_known: true, ..Recipient::new("a@b") };
        assert_eq!(known.recipient(&mut visit(), &mut recipient), Verdict::Pass);
        recipient.is_known = false;
        assert_eq!(known.recipient(&mut visit(), &mut recipient), Verdict::Refuse(NO_MAILBOX));
    }
}
