//! Where a key goes, with the owner and the mode that keep it secret.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Group, Role};
use qmail_core::control::DOMAINKEYS;
use qmail_sys::{Gid, Identity, Uid};

use crate::{Failure, Target};

/// The place for a key.
#[derive(Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    name: String,
    owner: Owner,
}

/// Who is to own a key: the user who signs, or whoever makes it.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Ourselves,
    Signer { uid: u32, gid: u32 },
}

impl Place {
    /// Makes the directories that are missing, and sees to it that there is no such key.
    pub(crate) fn prepare(target: &Target, home: &Path) -> Result<Self, Failure> {
        let place = match target {
            Target::File { path, selector } => {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let directory = directory.unwrap_or(Path::new(".")).to_owned();
                Self { directory, name: selector.to_string(), owner: Owner::Ourselves }
            }
            Target::Domain { domain, selector } => {
                let owner = Owner::of_tree(home)?;
                let root = home.join("control").join(DOMAINKEYS.file);
                let directory = root.join(domain.as_str());
                owner.make_directory(&root)?;
                let owner = owner.in_directory(&root)?;
                owner.make_directory(&directory)?;
                Self { directory, name: selector.to_string(), owner }
            }
        };
        for path in [place.directory.join(&place.name), place.hidden()] {
            if fs::symlink_metadata(&path).is_ok() {
                return Err(Failure::Exists(path));
            }
        }
        Ok(place)
    }

    /// The name of a key that is not used yet: signers pass it over.
    fn hidden(&self) -> PathBuf {
        self.directory.join(format!(".{}", self.name))
    }

    /// Stores the key, and the record beside it. The key gets its name when it is complete.
    pub(crate) fn store(&self, pem: &str, record: &str, use_now: bool) -> Result<(), Failure> {
        let hidden = self.hidden();
        self.write(&hidden, pem, 0o400)?;
        let finished = self.publish(record, &hidden, use_now);
        if finished.is_err() {
            // What failed is told; a key that nobody knows of is better gone.
            let _ = fs::remove_file(&hidden);
        }
        finished
    }

    fn publish(&self, record: &str, hidden: &Path, use_now: bool) -> Result<(), Failure> {
        let text = self.directory.join(format!("{}.txt", self.name));
        self.write(&text, record, 0o644)?;
        if use_now {
            let path = self.directory.join(&self.name);
            // Unlike rename, this never takes the place of another key.
            fs::hard_link(hidden, &path).map_err(|error| failure(&path, error))?;
            fs::remove_file(hidden).map_err(|error| failure(hidden, error))?;
        }
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| failure(&self.directory, error))
    }

    fn write(&self, path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
            if let Owner::Signer { uid, gid } = self.owner {
                fchown(&file, Some(uid), Some(gid))?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| failure(path, error))
    }
}

impl Owner {
    /// Root makes keys for qmailr; the owner of a single-user tree, for himself.
    fn of_tree(home: &Path) -> Result<Self, Failure> {
        if qmail_sys::effective_uid() != 0 {
            return Ok(Self::Ourselves);
        }
        let accounts = Accounts::load(home).map_err(Failure::Accounts)?;
        let uid = accounts.user(Role::Remote).uid;
        Ok(Self::Signer { uid, gid: accounts.group(Group::Qmail).0 })
    }

    /// Becomes the signer for good where this is his directory: what he may have put there, a link
    /// say, then leads nowhere where he could not go himself.
    fn in_directory(self, path: &Path) -> Result<Self, Failure> {
        let Self::Signer { uid, gid } = self else { return Ok(self) };
        let owner = fs::metadata(path).map_err(|error| failure(path, error))?.uid();
        let Some(uid) = Uid::new(uid).filter(|uid| uid.as_raw() == owner) else { return Ok(self) };
        let signer = Identity { uid, gid: Gid(gid) };
        signer.assume().map_err(|error| failure(path, error))?;
        Ok(Self::Ourselves)
    }

    fn make_directory(self, path: &Path) -> Result<(), Failure> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(failure(path, error)),
        }
        match self {
            Self::Ourselves => Ok(()),
            Self::Signer { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(|error| failure(path, error))
            }
        }
    }
}

fn failure(path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::AlreadyExists => Failure::Exists(path.to_owned()),
        _ => Failure::Write(path.to_owned(), error),
    }
}
