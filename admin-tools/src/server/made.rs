//! Making things, each of them only if it is not there, and noting what was made.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_core::if_there;
use qmail_sys::sync_directory;

use super::Failure;
use super::journal::{self, Made, note, sum, sum_of};

/// A server as it grows.
pub(super) struct Site<W> {
    pub(super) home: PathBuf,
    accounts: Accounts,
    output: W,
}

/// Whether something was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Was {
    Missing,
    There,
}

impl<W: Write> Site<W> {
    pub(super) fn open(home: &Path, accounts: Accounts, output: W) -> Result<Self, Failure> {
        let services = home.join("services");
        fs::metadata(&services).map_err(Failure::unable("stat", &services))?;
        Ok(Self { home: home.to_owned(), accounts, output })
    }

    /// Says a line. Who does not listen gets his server all the same.
    pub(super) fn say(&mut self, line: &str) {
        let _ = writeln!(self.output, "{line}");
    }

    /// A file, unless it is there: then it stays as it is.
    pub(super) fn file(&mut self, path: &Path, contents: &[u8], mode: u32) -> Result<Was, Failure> {
        if self.stays(path) {
            return Ok(Was::There);
        }
        let temporary = beside(path);
        let failed = Failure::unable("write", path);
        let written = (|| {
            // Left by a run that broke off; or a link, where the directory is not root's.
            if_there(fs::remove_file(&temporary))?;
            let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            file.write_all(contents)?;
            file.set_permissions(Permissions::from_mode(mode))?;
            file.sync_all()?;
            // Unlike rename, this leaves alone what has come meanwhile.
            fs::hard_link(&temporary, path)?;
            fs::remove_file(&temporary)?;
            path.parent().map_or(Ok(()), sync_directory)
        })();
        written.map_err(failed)?;
        self.noted(&Made::File(sum(contents), path.to_owned()))?;
        Ok(Was::Missing)
    }

    /// A directory, unless it is there.
    pub(super) fn directory(&mut self, path: &Path, mode: u32) -> Result<Was, Failure> {
        match fs::DirBuilder::new().mode(mode).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Was::There),
            made => made.map_err(Failure::unable("make", path))?,
        }
        // Whatever the mask is, and never of something that has taken its place.
        let flags = qmail_sys::OPEN_NOFOLLOW;
        let made = OpenOptions::new().read(true).custom_flags(flags).open(path);
        made.and_then(|directory| directory.set_permissions(Permissions::from_mode(mode)))
            .map_err(Failure::unable("change", path))?;
        self.noted(&Made::Directory(path.to_owned()))?;
        Ok(Was::Missing)
    }

    /// Gives a thing to one of qmail's accounts. In the tree of one user, it is his.
    pub(super) fn give(&self, path: &Path, role: Role, group: Group) -> Result<(), Failure> {
        if qmail_sys::effective_uid() != 0 {
            return Ok(());
        }
        let (user, group) = (self.accounts.user(role).uid, self.accounts.group(group).0);
        lchown(path, Some(user), Some(group)).map_err(Failure::unable("change", path))
    }

    /// A symbolic link, unless something is there.
    pub(super) fn link(&mut self, path: &Path, target: &Path) -> Result<Was, Failure> {
        if self.stays(path) {
            return Ok(Was::There);
        }
        symlink(target, path).map_err(Failure::unable("make", path))?;
        self.noted(&Made::Link(target.to_owned(), path.to_owned()))?;
        Ok(Was::Missing)
    }

    /// Something that `make` makes by another program, unless it is there.
    pub(super) fn by_other(
        &mut self,
        path: &Path,
        make: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Was, Failure> {
        if self.stays(path) {
            return Ok(Was::There);
        }
        make()?;
        let made = match fs::read_link(path) {
            Ok(target) => Made::Link(target, path.to_owned()),
            Err(_) => {
                let sum = sum_of(path).map_err(Failure::unable("read", path))?;
                Made::File(sum, path.to_owned())
            }
        };
        self.noted(&made)?;
        Ok(Was::Missing)
    }

    /// Notes what was made, and says so.
    pub(super) fn noted(&mut self, made: &Made) -> Result<(), Failure> {
        let path = journal::path(&self.home);
        note(&self.home, made).map_err(Failure::unable("write", &path))?;
        self.say(&made.to_string());
        Ok(())
    }

    /// As [`Self::noted`], unless that was done before.
    pub(super) fn noted_once(&mut self, made: &Made) -> Result<(), Failure> {
        let path = journal::path(&self.home);
        let known = journal::read(&self.home).map_err(Failure::unable("read", &path))?;
        if known.unwrap_or_default().contains(made) { Ok(()) } else { self.noted(made) }
    }

    fn stays(&mut self, path: &Path) -> bool {
        let is_there = path.symlink_metadata().is_ok();
        if is_there {
            self.say(&format!("kept {}", path.display()));
        }
        is_there
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".setup");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(home: &Path) -> Site<Vec<u8>> {
        fs::create_dir(home.join("services")).unwrap();
        let own = qmail_sys::real_uid();
        Site::open(home, Accounts::single_user(own, 0, home), Vec::new()).unwrap()
    }

    #[test]
    fn what_is_in_the_way_is_not_written_through() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::File::create(at("another's")).unwrap().write_all(b"theirs").unwrap();
        symlink("another's", at("file.setup")).unwrap();
        let mut site = site(home.path());
        assert_eq!(site.file(&at("file"), b"ours", 0o644).unwrap(), Was::Missing);
        assert_eq!(fs::read(at("file")).unwrap(), b"ours");
        assert_eq!(fs::read(at("another's")).unwrap(), b"theirs");
        assert!(!at("file.setup").is_symlink());
        assert_eq!(site.file(&at("file"), b"again", 0o644).unwrap(), Was::There);
    }

    #[test]
    fn a_link_is_given_away_itself_and_not_what_it_leads_to() {
        use std::os::unix::fs::MetadataExt;
        let home = tempfile::tempdir().unwrap();
        if qmail_sys::effective_uid() != 0 {
            return;
        }
        let (directory, link) = (home.path().join("directory"), home.path().join("link"));
        fs::create_dir(&directory).unwrap();
        symlink(&directory, &link).unwrap();
        let mut site = site(home.path());
        site.accounts = Accounts::single_user(7801, 7801, home.path());
        site.give(&link, Role::Alias, Group::Qmail).unwrap();
        assert_eq!(fs::metadata(&directory).unwrap().uid(), 0);
        assert_eq!(fs::symlink_metadata(&link).unwrap().uid(), 7801);
    }
}
