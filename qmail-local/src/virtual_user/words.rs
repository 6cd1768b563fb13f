//! What vdelivermail is told, by its arguments and by the variables of qmail-local.

use std::path::PathBuf;

use super::as_path;
use crate::lines::Lines;

/// What becomes of mail to names that nobody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// It is returned.
    Bounce,
    /// It is thrown away.
    Delete,
    /// It goes to the user with this directory.
    Directory(PathBuf),
    /// It goes to this address.
    Address(Vec<u8>),
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The name of the user, as the sender wrote it.
    pub name: Vec<u8>,
    /// The domain of the address.
    pub host: Vec<u8>,
    /// What becomes of mail to nobody.
    pub nobody: Nobody,
    /// The lines that qmail-local made.
    pub lines: Lines,
    /// The sender of what is forwarded.
    pub forward_sender: Vec<u8>,
}

impl Words {
    /// Reads the two arguments, and the variables.
    ///
    /// # Errors
    /// What to say if something is missing.
    pub fn read(
        arguments: &[Vec<u8>],
        variable: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let [_, nobody, ..] = arguments else {
            return Err("vdelivermail: invalid syntax in .qmail-default file".to_owned());
        };
        let nobody =
            Nobody::parse(nobody).ok_or("vdelivermail: invalid syntax in .qmail-default file")?;
        let required = |name: &str| {
            variable(name).ok_or_else(|| format!("vdelivermail: no {name} environment variable"))
        };
        let forwarded_to = required("DTLINE")?;
        let lines = Lines {
            delivered_to: forwarded_to.clone(),
            forwarded_to,
            return_path: required("RPLINE")?,
            from: required("UFLINE")?,
        };
        let forward_sender = required("NEWSENDER")?;
        Ok(Self { name: required("EXT")?, host: required("HOST")?, nobody, lines, forward_sender })
    }

    /// The address of the user.
    pub fn address(&self) -> Vec<u8> {
        let lower = |part: &[u8]| part.to_ascii_lowercase();
        [lower(&self.name), b"@".to_vec(), lower(&self.host)].concat()
    }
}

impl Nobody {
    fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"bounce-no-mailbox" => Some(Self::Bounce),
            b"delete" => Some(Self::Delete),
            [b'/', ..] => Some(Self::Directory(as_path(word))),
            _ if word.contains(&b'@') => {
                Some(Self::Address(word.strip_prefix(b"&").unwrap_or(word).to_vec()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], missing: &str) -> Result<Words, String> {
        let arguments: Vec<Vec<u8>> =
            arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        Words::read(&arguments, |name| (name != missing).then(|| name.as_bytes().to_vec()))
    }

    #[test]
    fn the_second_word_says_what_becomes_of_mail_to_nobody() {
        for (word, expected) in [
            ("bounce-no-mailbox", Nobody::Bounce),
            ("delete", Nobody::Delete),
            ("/v/domains/d/ann", Nobody::Directory("/v/domains/d/ann".into())),
            ("ann@d", Nobody::Address(b"ann@d".to_vec())),
            ("&ann@d", Nobody::Address(b"ann@d".to_vec())),
        ] {
            assert_eq!(read(&["", word], "").unwrap().nobody, expected);
        }
        for words in [&[][..], &[""], &["bounce-no-mailbox"], &["", ""], &["", "bounce"]] {
            assert!(read(words, "").is_err(), "{words:?}");
        }
    }

    #[test]
    fn every_variable_is_needed() {
        for name in ["EXT", "HOST", "DTLINE", "RPLINE", "UFLINE", "NEWSENDER"] {
            let error = read(&["", "delete"], name).unwrap_err();
            assert_eq!(error, format!("vdelivermail: no {name} environment variable"));
        }
        assert_eq!(read(&["", "delete"], "").unwrap().address(), b"ext@host");
    }
}
