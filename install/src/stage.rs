//! Laying out the files of a package, as any user.
//!
//! The files belong to whoever does this, and none is set-id; whose they are to be is in a
//! manifest. The queue is no file of a package: its layout is that of the queue that is there.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use qmail_core::accounts::Accounts;

use crate::item::{Item, items};
use crate::layout::{BESIDE, rows};
use crate::manifest::{Manifest, Owner};
use crate::shape::Shape;
use crate::what::What;
use crate::{Failure, Place, contents, file, scripts, services, systemd};

/// Where a package has what is not below the home of qmail.
const SUPPORT: &str = "usr/lib/qmail-rs";
/// Where systemd looks for what packages bring.
const UNITS: &str = "usr/lib/systemd/system";
/// Names by which the system sends mail.
const LINKS: [&str; 4] =
    ["usr/sbin/sendmail", "usr/lib/sendmail", "usr/bin/mailq", "usr/bin/newaliases"];

/// Lays out a package below `root`, for a tree at `home`, with the programs in `sources`.
///
/// # Errors
/// At the first thing that cannot be done.
pub fn stage(root: &Path, home: &Path, sources: &[PathBuf]) -> Result<(), Failure> {
    let mut stage = Stage::new(root, sources)?;
    stage.tree(home)?;
    for name in BESIDE {
        let program = contents::source_of(name, sources)?;
        let mut program = File::open(&program).map_err(Failure::unable("read", &program))?;
        stage.file(&format!("{SUPPORT}/{name}"), 0o755, &mut program)?;
    }
    let accounts = systemd::sysusers(home);
    stage.file("usr/lib/sysusers.d/qmail-rs.conf", 0o644, &mut accounts.as_bytes())?;
    let owners = systemd::tmpfiles(home);
    stage.file("usr/lib/tmpfiles.d/qmail-rs.conf", 0o644, &mut owners.as_bytes())?;
    for row in services::TABLE {
        if let (Some(name), What::Sample(text)) = (row.path.strip_prefix(services::UNITS), row.what)
        {
            let text = scripts::filled(text, home);
            stage.file(&format!("{UNITS}/{name}"), row.mode, &mut text.as_bytes())?;
        }
    }
    for link in LINKS {
        stage.link(link, &home.join("bin/sendmail"))?;
    }
    let text = stage.manifest.text().to_owned();
    stage.file(&format!("{SUPPORT}/manifest"), 0o644, &mut text.as_bytes())
}

struct Stage<'a> {
    root: &'a Path,
    sources: &'a [PathBuf],
    manifest: Manifest,
    own: (u32, u32),
}

impl<'a> Stage<'a> {
    fn new(root: &'a Path, sources: &'a [PathBuf]) -> Result<Self, Failure> {
        make_directories(root)?;
        let metadata = fs::metadata(root).map_err(Failure::unable("stat", root))?;
        let own = (metadata.uid(), metadata.gid());
        Ok(Self { root, sources, manifest: Manifest::new(), own })
    }

    /// The tree of qmail, as far as it is files that a release brings.
    fn tree(&mut self, home: &Path) -> Result<(), Failure> {
        let accounts = Accounts::single_user(self.own.0, self.own.1, home);
        let place = Place { home: home.to_owned(), accounts, outdated_ids: false };
        let items = items(&place, Shape::NONE);
        contents::all_there(&items, self.sources)?;
        make_directories(&self.below(&home.to_string_lossy()))?;
        for item in items.iter().filter(|item| is_of_release(item)) {
            self.item(&place, item)?;
        }
        Ok(())
    }

    fn item(&mut self, place: &Place, item: &Item) -> Result<(), Failure> {
        let inside = place.path(item).to_string_lossy().into_owned();
        let path = self.below(&inside);
        let staged = Item { mode: item.mode & 0o777, ..item.clone() };
        let kind = match contents::of(item, place, self.sources)? {
            Some(mut contents) => {
                file::replace(&path, &staged, &mut contents)?;
                "file"
            }
            None => {
                file::ensure(&path, &staged)?;
                "dir"
            }
        };
        // Not from the item: in a tree of one user nothing is set-id.
        if let Some(row) = rows().find(|row| row.path == item.path) {
            self.manifest.add(&inside, kind, Owner::Qmail(row.owner), row.mode);
        }
        Ok(())
    }

    fn file(
        &mut self,
        inside: &str,
        mode: u32,
        contents: &mut dyn io::Read,
    ) -> Result<(), Failure> {
        let path = self.below(inside);
        make_directories(path.parent().unwrap_or(self.root))?;
        let (uid, gid) = self.own;
        let item = Item { path: inside.to_owned(), what: What::Program, uid, gid, mode };
        file::replace(&path, &item, contents)?;
        self.manifest.add(inside, "file", Owner::Root, mode);
        Ok(())
    }

    fn link(&mut self, inside: &str, target: &Path) -> Result<(), Failure> {
        let path = self.below(inside);
        make_directories(path.parent().unwrap_or(self.root))?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::Unable("replace", path, error));
            }
            Ok(()) | Err(_) => {}
        }
        symlink(target, &path).map_err(Failure::unable("link", &path))?;
        self.manifest.add_link(inside, &target.to_string_lossy());
        Ok(())
    }

    fn below(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }
}

/// The numbers of accounts are those of the host that a package is installed on.
fn is_of_release(item: &Item) -> bool {
    let is_queue = item.path == "queue" || item.path.starts_with("queue/");
    !is_queue && item.what != What::Ids
}

/// Makes a directory and those above it, for everybody to pass, whatever the mask is.
fn make_directories(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    path.parent().map_or(Ok(()), make_directories)?;
    let made = DirBuilder::new().mode(0o755).create(path);
    let opened = made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)));
    opened.map_err(Failure::unable("mkdir", path))
}
