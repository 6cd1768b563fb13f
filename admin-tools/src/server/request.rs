//! The command line of qmail-setup.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use qmail_address::is_plain_name;
use qmail_core::options::{Given, Options};

use super::supervisor::Kind;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Make a server.
    SetUp(Wish),
    /// Take back what was made.
    Undo,
}

/// The server that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What this host is called.
    pub name: Vec<u8>,
    /// Further domains whose mail is for us.
    pub domains: Vec<Vec<u8>>,
    /// Who reads what comes for postmaster; nobody yet, if nobody is named.
    pub postmaster: Option<Vec<u8>>,
    /// Who starts services, and where it looks for them.
    pub(super) supervisor: Option<(Kind, Option<PathBuf>)>,
}

impl Request {
    /// Reads a whole command line; `None` if it makes no sense.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut options = Options::new(b"us:d:p:", words);
        let (mut undo, mut kind, mut directory, mut postmaster) = (false, None, None, None);
        while let Some(given) = options.next_option().ok()? {
            match given {
                Given::Letter(_) => undo = true,
                Given::Argument(b's', name) => kind = Some(Kind::parse(&name)?),
                Given::Argument(b'd', path) => {
                    directory = Some(PathBuf::from(OsString::from_vec(path)));
                }
                // An account: what is none must not end up as nobody.
                Given::Argument(_, user) => {
                    postmaster = Some(Some(user).filter(|user| is_plain_name(user))?);
                }
            }
        }
        let mut hosts = options.operands().into_iter();
        if undo {
            return hosts.next().is_none().then_some(Self::Undo);
        }
        // Where to look means something to those who look.
        if directory.is_some() && kind.is_none() {
            return None;
        }
        let name = hosts.next()?;
        let domains: Vec<Vec<u8>> = hosts.collect();
        let are_plain = is_plain_name(&name) && domains.iter().all(|domain| is_plain_name(domain));
        let supervisor = kind.map(|kind| (kind, directory));
        are_plain.then_some(Self::SetUp(Wish { name, domains, postmaster, supervisor }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Request> {
        Request::parse(["qmail-setup"].iter().chain(words).map(OsString::from))
    }

    #[test]
    fn a_name_is_enough() {
        let Some(Request::SetUp(wish)) = parse(&["mail.a.example"]) else { panic!("none") };
        assert_eq!((wish.name.as_slice(), wish.domains.len()), (b"mail.a.example".as_slice(), 0));
        assert_eq!((wish.postmaster, wish.supervisor), (None, None));
    }

    #[test]
    fn the_rest_may_be_said() {
        let words = ["-s", "runit", "-d", "/etc/sv", "-p", "joe", "mail.a.example", "a.example"];
        let Some(Request::SetUp(wish)) = parse(&words) else { panic!("none") };
        assert_eq!(wish.domains, [b"a.example"]);
        assert_eq!(wish.postmaster.unwrap(), b"joe");
        assert_eq!(wish.supervisor, Some((Kind::Runit, Some("/etc/sv".into()))));
        assert_eq!(parse(&["-u"]), Some(Request::Undo));
    }

    #[test]
    fn nonsense_changes_nothing() {
        for words in
            [&[][..], &["-x", "a"], &["-s", "cron", "a"], &["a b"], &["-u", "a"], &["-d", "/", "a"]]
        {
            assert_eq!(parse(words), None, "{words:?}");
        }
    }

    #[test]
    fn mail_for_postmaster_goes_to_an_account_or_nothing_is_done() {
        for user in ["joe@a.example", "joe blow", ""] {
            assert_eq!(parse(&["-p", user, "mail.a.example"]), None, "{user:?}");
        }
    }
}
