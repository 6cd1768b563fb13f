//! Making one thing, and giving it its owner and mode.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use qmail_sys::{OPEN_NOFOLLOW, OPEN_NONBLOCKING, make_fifo};

use crate::Failure;
use crate::item::Item;
use crate::what::What;

/// Makes the directory, file or FIFO at `path` unless it is there, then corrects owner and mode.
///
/// Only qmail's accounts can write below `queue/`, and they are not root: what looks like part of
/// the queue there may be a link to something that we must not give away.
pub(crate) fn ensure(path: &Path, item: &Item) -> Result<(), Failure> {
    match make(path, item.what) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Failure::Unable(verb(item.what), path.to_owned(), error));
        }
        Ok(()) | Err(_) => {}
    }
    let links = if item.path.starts_with("queue/") { OPEN_NOFOLLOW } else { 0 };
    let opened = OpenOptions::new().read(true).custom_flags(OPEN_NONBLOCKING | links).open(path);
    let file = opened.map_err(Failure::unable("open", path))?;
    let metadata = file.metadata().map_err(Failure::unable("stat", path))?;
    if let Some(obstacle) = item.what.obstacle(&metadata) {
        return Err(Failure::Unexpected(path.to_owned(), obstacle));
    }
    settle(&file, item).map_err(Failure::unable("change owner or mode of", path))
}

/// Puts a file with these contents in the place of whatever is at `path`, at once: a program that
/// runs keeps its old file, and one that is started finds either the old or the new one.
pub(crate) fn replace(path: &Path, item: &Item, contents: &mut dyn Read) -> Result<(), Failure> {
    let temporary = temporary_name(path);
    let written = write(&temporary, item, contents).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(Failure::unable("write", path))
}

fn write(path: &Path, item: &Item, contents: &mut dyn Read) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::copy(contents, &mut file)?;
    settle(&file, item)?;
    file.sync_all()
}

/// A name beside `path` that no row of the table has.
fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn make(path: &Path, what: What) -> io::Result<()> {
    match what {
        What::Directory => fs::DirBuilder::new().mode(0o700).create(path),
        What::Fifo => make_fifo(path, 0o600),
        What::Zeros(length) => {
            let create = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            create.set_len(length)
        }
        What::Program
        | What::Boot(_)
        | What::ForwardingBoot(_)
        | What::Ids
        | What::Text(_)
        | What::Sample(_) => Ok(()),
    }
}

fn verb(what: What) -> &'static str {
    match what {
        What::Directory => "mkdir",
        What::Fifo => "mkfifo",
        _ => "create",
    }
}

/// Owner before mode: a change of owner takes set-id bits away.
fn settle(file: &File, item: &Item) -> io::Result<()> {
    let metadata = file.metadata()?;
    if (metadata.uid(), metadata.gid()) != (item.uid, item.gid) {
        std::os::unix::fs::fchown(file, Some(item.uid), Some(item.gid))?;
    }
    file.set_permissions(fs::Permissions::from_mode(item.mode))
}
