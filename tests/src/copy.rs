//! An empty tree in the shape of another.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

/// Top-level directories of a tree whose content belongs to the site.
const EMPTIED: [&str; 4] = ["alias", "control", "queue", "users"];

/// Makes `to` look like `from` did just after installation.
///
/// Returns the names of those top-level directories that hold nothing to write to. They are empty
/// in `to`: mount them.
pub(crate) fn shape(from: &Path, to: &Path) -> io::Result<Vec<String>> {
    like(&fs::metadata(from)?, to)?;
    let mut constant = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let name = entry.file_name();
        make_directory(&entry.path(), &to.join(&name))?;
        match EMPTIED.iter().find(|emptied| name == **emptied) {
            Some(&"queue") => directories(&entry.path(), &to.join(&name))?,
            Some(_) => {}
            None => constant.push(name.to_string_lossy().into_owned()),
        }
    }
    lock_files(&from.join("queue/lock"), &to.join("queue/lock"))?;
    if from.join("users/ids").exists() {
        copy_file(&from.join("users/ids"), &to.join("users/ids"))?;
    }
    Ok(constant)
}

/// Fills a directory with links to the files of another.
pub(crate) fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let (entry, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if entry.is_dir() {
            make_directory(&entry, &target)?;
            link_all(&entry, &target)?;
        } else {
            fs::hard_link(&entry, &target)?;
        }
    }
    Ok(())
}

fn directories(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_directory(&entry.path(), &to.join(entry.file_name()))?;
            directories(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn lock_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let target = to.join(entry.file_name());
        if metadata.file_type().is_fifo() {
            mkfifo(&target, Mode::S_IRWXU)?;
        } else if metadata.is_file() {
            fs::File::create(&target)?.set_len(metadata.len())?;
        } else {
            continue;
        }
        like(&metadata, &target)?;
    }
    Ok(())
}

fn make_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    like(&fs::metadata(from)?, to)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    like(&fs::metadata(from)?, to)
}

/// Owner before mode: a change of owner takes set-id bits away.
fn like(model: &Metadata, path: &Path) -> io::Result<()> {
    chown(path, Some(model.uid()), Some(model.gid()))?;
    fs::set_permissions(path, Permissions::from_mode(model.mode() & 0o7777))
}
