//! What the control files and the environment say.

use std::path::Path;

use qmail_core::control::{ControlError, Controls, DATABYTES, leading_number};
use qmail_core::rcpthosts::Rcpthosts;
use qmail_message::Peer;

use crate::recipients::Permission;

/// Everything that a session depends on.
#[derive(Debug)]
pub struct Settings {
    /// Who may be sent to.
    pub permission: Permission,
    /// Bytes of the largest message; `None` for any number.
    pub largest_message: Option<u64>,
    client: Peer,
}

impl Settings {
    /// Reads `control/` below `home`, and the environment.
    ///
    /// # Errors
    /// If a control file cannot be read.
    pub fn read(
        home: &Path,
        variable: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, ControlError> {
        let controls = Controls::open(home)?;
        let rcpthosts = Rcpthosts::load(&controls)?;
        let databytes = controls.number(&DATABYTES)?;
        let databytes =
            variable("DATABYTES").map_or(databytes, |value| leading_number(&value).unwrap_or(0));
        Ok(Self {
            permission: match variable("RELAYCLIENT") {
                Some(suffix) => Permission::Relay(suffix),
                None => Permission::Listed(rcpthosts),
            },
            largest_message: Some(databytes).filter(|bytes| *bytes > 0),
            client: Peer::from_environment(variable),
        })
    }

    /// The `Received` field of a message that comes now.
    pub fn received(&self, unix_seconds: u64) -> Vec<u8> {
        self.client.received(b"QMTP", None, unix_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, create_dir};
    use std::io::Write;

    fn limit(file: &[u8], variable: Option<&str>) -> Option<u64> {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        let mut control = File::create(home.path().join("control/databytes")).unwrap();
        control.write_all(file).unwrap();
        let variable = |name: &str| {
            variable.filter(|_| name == "DATABYTES").map(|value| value.as_bytes().to_vec())
        };
        Settings::read(home.path(), &variable).unwrap().largest_message
    }

    #[test]
    fn the_variable_wins_over_the_file_and_zero_is_no_limit() {
        assert_eq!(limit(b"10\n", None), Some(10));
        assert_eq!(limit(b"10\n", Some("20")), Some(20));
        assert_eq!(limit(b"10\n", Some("")), None);
        assert_eq!(limit(b"0\n", None), None);
    }

    #[test]
    fn who_is_not_known_is_called_unknown() {
        let home = tempfile::tempdir().unwrap();
        let settings = Settings::read(home.path(), &|_| None).unwrap();
        let line = b"Received: from unknown (unknown)\n  by unknown with QMTP; \
                     1 Jan 1970 00:00:00 -0000\n";
        assert_eq!(settings.received(0), line);
    }
}
