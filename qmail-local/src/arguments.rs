//! The command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use qmail_core::options::{Given, Options};

use crate::failure::Failure;

/// Whether to do what the instructions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Deliver,
    /// Only say what would be done.
    Describe,
}

/// What qmail-lspawn says of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// `-N` or `-n`.
    pub mode: Mode,
    /// Name of the account.
    pub user: Vec<u8>,
    /// Its home directory, an absolute path.
    pub home: PathBuf,
    /// The recipient before the last `@`.
    pub local: Vec<u8>,
    /// What stands between `.qmail` and the extension in the names of instruction files.
    pub dash: Vec<u8>,
    /// The extension.
    pub extension: Vec<u8>,
    /// The recipient behind the last `@`.
    pub domain: Vec<u8>,
    /// The sender of the envelope.
    pub sender: Vec<u8>,
    /// The instructions of users who have none.
    pub default_delivery: Vec<u8>,
}

impl Arguments {
    /// Parses a whole command line, the program's name first.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Options::new(b"nN", words);
        let mut mode = Mode::Deliver;
        while let Some(option) = options.next_option().map_err(|_| Failure::Usage)? {
            match option {
                Given::Letter(b'n') => mode = Mode::Describe,
                Given::Letter(_) | Given::Argument(..) => mode = Mode::Deliver,
            }
        }
        let operands = <[Vec<u8>; 8]>::try_from(options.operands()).map_err(|_| Failure::Usage)?;
        let [user, home, local, dash, extension, domain, sender, default_delivery] = operands;
        let home = PathBuf::from(OsStr::from_bytes(&home));
        if !home.is_absolute() {
            return Err(Failure::Usage);
        }
        Ok(Self { mode, user, home, local, dash, extension, domain, sender, default_delivery })
    }

    /// The recipient, as it was in the envelope.
    pub fn recipient(&self) -> Vec<u8> {
        [&self.local, b"@".as_slice(), &self.domain].concat()
    }

    /// The extension as file names have it: lower case, and no dot, so that it leads nowhere up.
    pub fn safe_extension(&self) -> Vec<u8> {
        let safe = |byte: &u8| if *byte == b'.' { b':' } else { byte.to_ascii_lowercase() };
        self.extension.iter().map(safe).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Arguments of a delivery for tests to change.
    pub(crate) fn arguments() -> Arguments {
        parse(&["-N", "--", "joe", "/home/joe", "joe-List", "-", "List", "a.b.example", "s@x", ""])
            .unwrap()
    }

    fn parse(words: &[&str]) -> Result<Arguments, Failure> {
        Arguments::parse(
            std::iter::once("qmail-local").chain(words.iter().copied()).map(Into::into),
        )
    }

    #[test]
    fn eight_words_are_a_delivery() {
        let arguments = arguments();
        assert_eq!(arguments.mode, Mode::Deliver);
        assert_eq!(arguments.recipient(), b"joe-List@a.b.example");
        let words = ["u", "/", "l", "", "", "d", "", "./Mailbox"];
        assert_eq!(parse(&words).unwrap().default_delivery, b"./Mailbox");
        assert_eq!(parse(&[["-n"].as_slice(), &words].concat()).unwrap().mode, Mode::Describe);
        assert_eq!(parse(&[["-nN"].as_slice(), &words].concat()).unwrap().mode, Mode::Deliver);
    }

    #[test]
    fn anything_else_is_wrong_usage() {
        let few = ["u", "/", "l", "", "", "d", ""];
        for words in [
            few.to_vec(),
            [few.as_slice(), &["./Mailbox", "x"]].concat(),
            ["u", "home", "l", "", "", "d", "", ""].to_vec(),
            ["-x", "u", "/", "l", "", "", "d", "", ""].to_vec(),
        ] {
            assert!(matches!(parse(&words), Err(Failure::Usage)), "{words:?}");
        }
    }

    #[test]
    fn a_safe_extension_has_no_dots_and_no_capitals() {
        let arguments = Arguments { extension: b"A.b/../C".to_vec(), ..arguments() };
        assert_eq!(arguments.safe_extension(), b"a:b/::/c");
    }
}
