//! The first control files of a tree.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use qmail_address::is_plain_name;
use qmail_core::errno;
use qmail_sys::sync_directory;

use crate::domains::{default_domain, plus_domain};
use crate::names::{Lookup, addresses, pointer};
use crate::whole_file::replace;

/// The control files of a tree that is being set up.
#[derive(Debug)]
pub struct Setup<W> {
    directory: PathBuf,
    output: W,
}

/// A control file could not be written.
#[derive(Debug)]
pub struct Unwritten {
    path: PathBuf,
    error: io::Error,
}

impl std::fmt::Display for Unwritten {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unable to write {}: {}", self.path.display(), errno::text(&self.error))
    }
}

impl std::error::Error for Unwritten {}

impl<W: Write> Setup<W> {
    /// Of the tree at `home`; what is done is told on `output`.
    pub fn new(home: &Path, output: W) -> Self {
        Self { directory: home.join("control"), output }
    }

    /// Says a line. Who does not listen gets his files all the same.
    pub fn say(&mut self, line: &str) {
        let _ = writeln!(self.output, "{line}");
    }

    /// The name of this host and what follows from it.
    pub fn name(&mut self, name: &[u8]) -> Result<(), Unwritten> {
        self.put("me", name)?;
        self.put("defaultdomain", default_domain(name))?;
        self.put("plusdomain", plus_domain(name))
    }

    /// Makes `name` one more of the hosts that mail is taken and delivered for.
    pub fn own_host(&mut self, name: &[u8]) -> Result<(), Unwritten> {
        for file in ["locals", "rcpthosts"] {
            self.tell_put(name, file);
            let mut lines = self.read(file)?;
            if !lines.is_empty() && !lines.ends_with(b"\n") {
                lines.push(b'\n');
            }
            self.write(file, &[lines.as_slice(), name, b"\n"].concat())?;
        }
        Ok(())
    }

    /// Makes the names of all `own` addresses and of `name` the hosts that mail is taken and
    /// delivered for, and no others.
    pub fn own_names(
        &mut self,
        name: &[u8],
        own: &[Ipv4Addr],
        lookup: &impl Lookup,
    ) -> Result<(), Unwritten> {
        self.say(" ");
        self.say("Looking for names of this host's addresses:");
        let mut all: BTreeSet<Ipv4Addr> = own.iter().copied().collect();
        all.extend(addresses(lookup, name).unwrap_or_default());
        let mut lines = Vec::new();
        for address in all {
            let found = pointer(lookup, address.into()).map(|name| name.to_bytes());
            match found.map(|name| name.to_ascii_lowercase()) {
                Ok(found) if is_plain_name(&found) => {
                    let shown = String::from_utf8_lossy(&found).into_owned();
                    self.say(&format!("{address}: Adding {shown} to control/locals..."));
                    lines.extend([found.as_slice(), b"\n"].concat());
                }
                _ => self.say(&format!("{address}: has no name in DNS.")),
            }
        }
        self.write("locals", &lines)?;
        self.say(" ");
        self.say("Further names of this host have to be added to control/locals by hand.");
        self.say("Copying control/locals to control/rcpthosts...");
        self.write("rcpthosts", &lines)
    }

    fn put(&mut self, file: &str, line: &[u8]) -> Result<(), Unwritten> {
        self.tell_put(line, file);
        self.write(file, &[line, b"\n"].concat())
    }

    fn tell_put(&mut self, line: &[u8], file: &str) {
        let line = String::from_utf8_lossy(line);
        self.say(&format!("Putting {line} into control/{file}..."));
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, Unwritten> {
        let path = self.directory.join(file);
        match fs::read(&path) {
            Ok(lines) => Ok(lines),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Unwritten { path, error }),
        }
    }

    /// At every moment the file is a whole one: programs that run already read it.
    fn write(&self, file: &str, contents: &[u8]) -> Result<(), Unwritten> {
        let path = self.directory.join(file);
        let written = replace(&path, 0o644, |file| {
            file.write_all(contents)?;
            file.sync_all()
        });
        let written = written.and_then(|()| sync_directory(&self.directory));
        written.map_err(|error| Unwritten { path, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::Few;

    fn tree() -> (tempfile::TempDir, impl Fn(&str) -> String) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        let control = home.path().join("control");
        (home, move |file: &str| fs::read_to_string(control.join(file)).unwrap())
    }

    #[test]
    fn a_name_sets_three_files() {
        let (home, read) = tree();
        let mut said = Vec::new();
        Setup::new(home.path(), &mut said).name(b"mail.a.example").unwrap();
        assert_eq!(read("me"), "mail.a.example\n");
        assert_eq!(read("defaultdomain"), "a.example\n");
        assert_eq!(read("plusdomain"), "a.example\n");
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("Putting mail.a.example into control/me...\n"));
    }

    #[test]
    fn an_own_host_is_added_to_those_before() {
        let (home, read) = tree();
        fs::File::create(home.path().join("control/locals")).unwrap().write_all(b"no.end").unwrap();
        let mut setup = Setup::new(home.path(), Vec::new());
        setup.own_host(b"a.example").unwrap();
        setup.own_host(b"b.example").unwrap();
        assert_eq!(read("locals"), "no.end\na.example\nb.example\n");
        assert_eq!(read("rcpthosts"), "a.example\nb.example\n");
    }

    #[test]
    fn names_of_addresses_replace_those_before() {
        let (home, read) = tree();
        fs::File::create(home.path().join("control/locals")).unwrap().write_all(b"old\n").unwrap();
        let own = [Ipv4Addr::LOCALHOST];
        Setup::new(home.path(), Vec::new()).own_names(b"a.example", &own, &Few).unwrap();
        assert_eq!(read("locals"), "a.example\n");
        assert_eq!(read("rcpthosts"), "a.example\n");
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let error = Setup::new(Path::new("/nonexistent"), Vec::new()).name(b"a").unwrap_err();
        let expected = "unable to write /nonexistent/control/me: file does not exist";
        assert_eq!(error.to_string(), expected);
    }
}
