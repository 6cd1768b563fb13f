//! checkpassword for qmail-smtpd: it has to be set-id root, since qmail-smtpd is not root and the
//! shadow file is root's. So that nobody else can guess passwords by it, it is in a directory that
//! only qmaild enters.

use std::fs::{self, DirBuilder, File, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Group, Role};
use qmail_sys::{Exit, FailureCodes, Identity, Spawn, Uid, pipe};

use crate::item::Item;
use crate::what::What;
use crate::{Failure, Place, file};

const PROGRAM: &str = "checkpassword";
/// For its owner, who may enter and look.
const DIRECTORY_MODE: u32 = 0o500;
const PROGRAM_MODE: u32 = 0o4711;
/// Nobody has this name, so the right answer is no.
const REQUEST: &[u8] = b"no such user\0no such password\0x\0";
const NO: Exit = Exit::Code(1);
/// What a child ends with that may not become the program.
const REFUSED: u8 = 126;

/// Makes `directory` with a set-id checkpassword in it, from the first of `sources` that has one, or
/// else from the tree, where packages keep it, and tries whether qmaild can use it and the others
/// cannot.
///
/// # Errors
/// If anything of that fails.
pub fn protect(place: &Place, sources: &[PathBuf], directory: &Path) -> Result<(), Failure> {
    let daemon = place.accounts.user(Role::Daemon);
    let own = place.home.join("bin");
    let mut all = sources.iter().chain([&own]).map(|source| source.join(PROGRAM));
    let found = all.find(|path| path.is_file());
    let source = found.ok_or_else(|| Failure::NoProgram(PROGRAM.into()))?;
    if !directory.is_dir() {
        let made = DirBuilder::new().mode(DIRECTORY_MODE).create(directory);
        made.map_err(Failure::unable("make", directory))?;
    }
    chown(directory, Some(daemon.uid), Some(0)).map_err(Failure::unable("change", directory))?;
    fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))
        .map_err(Failure::unable("change", directory))?;
    let path = directory.join(PROGRAM);
    let item =
        Item { path: String::new(), what: What::Program, uid: 0, gid: 0, mode: PROGRAM_MODE };
    let mut program = File::open(&source).map_err(Failure::unable("read", &source))?;
    file::replace(&path, &item, &mut program)?;
    verify(place, &path)
}

/// As the documents have it: as qmaild the answer is no, as somebody else there is none.
fn verify(place: &Place, path: &Path) -> Result<(), Failure> {
    let accounts = &place.accounts;
    for role in [Role::Daemon, Role::Alias, Role::Log] {
        let expected = if role == Role::Daemon { NO } else { Exit::Code(REFUSED) };
        let Some(uid) = Uid::new(accounts.user(role).uid) else { continue };
        let identity = Identity { uid, gid: accounts.group(Group::NoFiles) };
        let exit = attempt(path, identity).map_err(Failure::unable("run", path))?;
        if exit != expected {
            return Err(Failure::Unprotected(path.to_owned(), role.name()));
        }
    }
    Ok(())
}

fn attempt(path: &Path, identity: Identity) -> std::io::Result<Exit> {
    let pipe = pipe()?;
    let child = Spawn::new(path)
        .arg("-")
        .connect(3, pipe.read.as_fd())
        .env_remove("CHECKPASSWORD_UNIT")
        .as_user(identity)
        .failing_with(FailureCodes { permanent: REFUSED, ..FailureCodes::all(111) })
        .start()?;
    drop(pipe.read);
    // It may be refused before it reads.
    let _ = std::io::Write::write_all(&mut File::from(pipe.write), REQUEST);
    child.wait()
}
