//! The command line and the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use qmail_login::{DESCRIPTOR, Failure};

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// The file that has passwords; `None` for those of this host.
    pub file: Option<PathBuf>,
    /// The program; `None` if we are only asked whether the password is right.
    pub program: Option<OsString>,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Command {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// [`Failure::Misused`] without a program.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut words = words.into_iter();
        let mut first = words.next().ok_or(Failure::Misused)?;
        let mut file = None;
        if first == "-f" {
            file = Some(words.next().ok_or(Failure::Misused)?.into());
            first = words.next().ok_or(Failure::Misused)?;
        }
        let program = Some(first).filter(|program| program != "-");
        Ok(Self { file, program, arguments: words.collect() })
    }
}

/// The descriptor that `CHECKPASSWORD_UNIT` names: one digit. Without it, the usual one.
///
/// # Errors
/// [`Failure::Misused`] if it is anything else.
pub fn unit(named: Option<OsString>) -> Result<u8, Failure> {
    let Some(named) = named else { return Ok(DESCRIPTOR) };
    match named.as_encoded_bytes() {
        [digit @ b'0'..=b'9'] => Ok(digit - b'0'),
        _ => Err(Failure::Misused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Command, Failure> {
        Command::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn a_program_comes_after_the_file() {
        let command = parse(&["-f", "/etc/x", "true", "-f"]).unwrap();
        assert_eq!(command.file, Some("/etc/x".into()));
        assert_eq!((command.program, command.arguments), (Some("true".into()), vec!["-f".into()]));
        assert_eq!(parse(&["-"]).unwrap().program, None);
        for words in [&[][..], &["-f"], &["-f", "/etc/x"]] {
            assert_eq!(parse(words), Err(Failure::Misused), "{words:?}");
        }
    }

    #[test]
    fn a_unit_is_one_digit() {
        assert_eq!(unit(None), Ok(3));
        assert_eq!(unit(Some("0".into())), Ok(0));
        for named in ["", "10", "-1", "x", "3 "] {
            assert_eq!(unit(Some(named.into())), Err(Failure::Misused), "{named:?}");
        }
    }
}
