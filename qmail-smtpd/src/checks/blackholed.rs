//! `blackholedsender`: senders whose connection ends without a word, as in spamcontrol 1.6.

use std::path::PathBuf;

use qmail_address::host;
use qmail_core::long_list::{Index, LongList};

use super::{Check, Verdict};
use crate::printable::word;
use crate::replies::UNREADABLE_CONTROLS;
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Hangs up on listed senders.
#[derive(Debug)]
pub(super) struct BlackHoledSenders {
    path: PathBuf,
    /// Looked for at the first sender: few have this list.
    list: Option<Option<LongList>>,
}

impl BlackHoledSenders {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, list: None }
    }

    fn has(&mut self, sender: &[u8]) -> std::io::Result<bool> {
        let list = match self.list.take() {
            Some(list) => list,
            None => LongList::open(&self.path, Index::Used)?,
        };
        let at_host = host(sender).map(|host| [b"@", host].concat()).unwrap_or_default();
        let found = list.as_ref().map(|list| list.first_of(&[sender, &at_host])).transpose()?;
        let is_listed = found.flatten().is_some();
        self.list = Some(list);
        Ok(is_listed)
    }
}

impl Check for BlackHoledSenders {
    fn sender(&mut self, visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        if beginning.sender.is_empty() {
            return Verdict::Pass;
        }
        match self.has(&beginning.sender) {
            Ok(false) => Verdict::Pass,
            Ok(true) => {
                let mut note = b"qmail-smtpd: blackholedsender: <".to_vec();
                note.extend(word(&beginning.sender));
                note.extend_from_slice(b"> at ");
                note.extend(word(&visit.client.peer.remote_ip));
                visit.note(note);
                Verdict::HangUp
            }
            Err(_) => Verdict::Disconnect(UNREADABLE_CONTROLS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn addresses_and_hosts_are_left_without_a_word() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("blackholedsender");
        let mut check = BlackHoledSenders::new(path.clone());
        let verdict = |check: &mut BlackHoledSenders, sender: &str| {
            check.sender(&mut visit(), &mut Transaction::from(sender))
        };
        assert_eq!(verdict(&mut check, "joe@bad.example"), Verdict::Pass);
        File::create(&path).unwrap().write_all(b"joe@one.example\n@Bad.example\n").unwrap();
        let mut check = BlackHoledSenders::new(path.clone());
        assert_eq!(verdict(&mut check, "joe@bad.example"), Verdict::HangUp);
        assert_eq!(verdict(&mut check, "Joe@one.example"), Verdict::HangUp);
        assert_eq!(verdict(&mut check, "ann@one.example"), Verdict::Pass);
        assert_eq!(verdict(&mut check, ""), Verdict::Pass);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let mut check = BlackHoledSenders::new(path);
        assert_eq!(verdict(&mut check, "a@b"), Verdict::Disconnect(UNREADABLE_CONTROLS));
    }
}
