//! `rcpthosts` and `morercpthosts.cdb`: the domains whose mail is taken from the network.

use std::io;

use qmail_address::{host, host_and_suffixes};

use crate::cdb::Cdb;
use crate::control::{ControlError, Controls, MORERCPTHOSTS_CDB, RCPTHOSTS, Set};
use crate::if_there;

/// The domains whose mail is taken; without `control/rcpthosts`, all of them.
#[derive(Debug)]
pub struct Rcpthosts {
    listed: Option<Listed>,
}

#[derive(Debug)]
struct Listed {
    hosts: Set,
    more: Option<Cdb>,
}

impl Rcpthosts {
    /// Reads the list, and opens the database if there is a list.
    ///
    /// # Errors
    /// If one of them is there but cannot be read.
    pub fn load(controls: &Controls) -> Result<Self, ControlError> {
        let Some(hosts) = list(controls)? else { return Ok(Self { listed: None }) };
        let path = controls.path(&MORERCPTHOSTS_CDB);
        let more = if_there(Cdb::open(&path)).map_err(|error| ControlError { path, error })?;
        Ok(Self { listed: Some(Listed { hosts, more }) })
    }

    /// Whether mail to `recipient` is taken: an address without a host always is.
    ///
    /// # Errors
    /// If the database cannot be read, or is damaged.
    pub fn allow(&self, recipient: &[u8]) -> io::Result<bool> {
        match (&self.listed, host(recipient)) {
            (Some(listed), Some(host)) => listed.allow(&host.to_ascii_lowercase()),
            _ => Ok(true),
        }
    }
}

/// Without a list, this host is an open relay: one that came into its place while the directory was
/// read may not have been seen there, and is looked for.
fn list(controls: &Controls) -> Result<Option<Set>, ControlError> {
    match controls.set(&RCPTHOSTS)? {
        None => controls.looking_anew().set(&RCPTHOSTS),
        hosts => Ok(hosts),
    }
}

impl Listed {
    fn allow(&self, host: &[u8]) -> io::Result<bool> {
        if host_and_suffixes(host).any(|name| self.hosts.contains(name)) {
            return Ok(true);
        }
        let Some(more) = &self.more else { return Ok(false) };
        for name in host_and_suffixes(host) {
            if more.get(name)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdb::CdbWriter;
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::Path;

    fn file(home: &Path, name: &str) -> File {
        fs::create_dir_all(home.join("control")).unwrap();
        File::create(home.join("control").join(name)).unwrap()
    }

    fn load(home: &Path) -> Result<Rcpthosts, ControlError> {
        Rcpthosts::load(&Controls::open(home).unwrap())
    }

    fn database(home: &Path, keys: &[&[u8]]) {
        let mut writer = CdbWriter::new(file(home, "morercpthosts.cdb")).unwrap();
        for key in keys {
            writer.add(key, b"").unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn without_a_list_all_are_taken_and_the_database_is_not_opened() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("control/morercpthosts.cdb")).unwrap();
        assert!(load(home.path()).unwrap().allow(b"a@anywhere").unwrap());
    }

    #[test]
    fn a_list_that_was_not_seen_in_the_directory_counts_all_the_same() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("control")).unwrap();
        let controls = Controls::survey(home.path()).unwrap();
        file(home.path(), "rcpthosts").write_all(b"here.example\n").unwrap();
        let rcpthosts = Rcpthosts::load(&controls).unwrap();
        assert!(!rcpthosts.allow(b"a@anywhere").unwrap());
        assert!(rcpthosts.allow(b"a@here.example").unwrap());
    }

    #[test]
    fn hosts_are_exact_and_dots_mean_everything_below() {
        let home = tempfile::tempdir().unwrap();
        file(home.path(), "rcpthosts").write_all(b"Here.example\n.wild.example\n").unwrap();
        let rcpthosts = load(home.path()).unwrap();
        let table: [(&[u8], bool); 9] = [
            (b"a@here.EXAMPLE", true),
            (b"a@sub.here.example", false),
            (b"a@wild.example", false),
            (b"a@b.c.Wild.example", true),
            (b"a@here.example.", false),
            (b"a@far.example@here.example", true),
            (b"a@", false),
            (b"a", true),
            (b"", true),
        ];
        for (recipient, allowed) in table {
            let shown = String::from_utf8_lossy(recipient);
            assert_eq!(rcpthosts.allow(recipient).unwrap(), allowed, "{shown}");
        }
    }

    #[test]
    fn the_database_adds_to_the_list() {
        let home = tempfile::tempdir().unwrap();
        file(home.path(), "rcpthosts");
        database(home.path(), &[b"more.example", b".wild.example"]);
        let rcpthosts = load(home.path()).unwrap();
        assert!(rcpthosts.allow(b"a@More.example").unwrap());
        assert!(rcpthosts.allow(b"a@x.wild.example").unwrap());
        assert!(!rcpthosts.allow(b"a@wild.example").unwrap());
    }

    #[test]
    fn a_damaged_database_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        file(home.path(), "rcpthosts");
        database(home.path(), &[b"more.example"]);
        let cdb = File::options().write(true).open(home.path().join("control/morercpthosts.cdb"));
        cdb.unwrap().set_len(2060).unwrap();
        assert!(load(home.path()).unwrap().allow(b"a@more.example").is_err());
        fs::remove_file(home.path().join("control/morercpthosts.cdb")).unwrap();
        fs::create_dir(home.path().join("control/morercpthosts.cdb")).unwrap();
        assert!(load(home.path()).is_err());
    }
}
