//! What is set for all deliveries, by variables: no file is read for it.

use qmail_core::maildir::quota::{Limits, Wanted};
use qmail_core::mbox::Locks;

use crate::failure::Failure;

/// The quota of maildirs that do not say theirs.
const QUOTA: &str = "MAILDIRQUOTA";
/// If it is set, names in all maildirs tell the sizes of messages.
const SIZES: &str = "MAILDIRSIZES";
/// The locks of mboxes.
const LOCKS: &str = "MBOXLOCKS";

/// How files are delivered to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The quota of maildirs.
    pub quota: Wanted,
    /// Whether the names of messages tell their sizes where there is no quota.
    pub size_in_name: bool,
    /// The locks of mboxes.
    pub locks: Locks,
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// If one of them makes no sense.
    pub fn read(variable: impl Fn(&'static str) -> Option<Vec<u8>>) -> Result<Self, Failure> {
        let quota = match variable(QUOTA) {
            None => Wanted::AsItIs,
            Some(text) => Wanted::Default(Limits::parse(&text).ok_or(Failure::Setting(QUOTA))?),
        };
        let locks = match variable(LOCKS) {
            None => Locks::default(),
            Some(text) => Locks::parse(&text).ok_or(Failure::Setting(LOCKS))?,
        };
        Ok(Self { quota, size_in_name: variable(SIZES).is_some(), locks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Settings, Failure> {
        Settings::read(|asked| (asked == name).then(|| value.as_bytes().to_vec()))
    }

    #[test]
    fn without_variables_everything_is_as_ever() {
        assert_eq!(with("OTHER", "x").unwrap(), Settings::default());
    }

    #[test]
    fn each_variable_sets_one_thing() {
        let limits = Limits::parse(b"1000S").unwrap();
        assert_eq!(with("MAILDIRQUOTA", "1000S").unwrap().quota, Wanted::Default(limits));
        assert!(with("MAILDIRSIZES", "").unwrap().size_in_name);
        assert_ne!(with("MBOXLOCKS", "flock,dot").unwrap().locks, Locks::default());
    }

    #[test]
    fn what_makes_no_sense_makes_mail_wait() {
        for (name, value) in [("MAILDIRQUOTA", "lots"), ("MBOXLOCKS", ""), ("MBOXLOCKS", "none")] {
            assert_eq!(with(name, value).unwrap_err().code(), 111, "{name}={value}");
        }
    }
}
