//! What every queue has, whatever is in it.

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown,
};
use std::path::{Path, PathBuf};

use qmail_core::accounts::{Accounts, Group, Role};

use super::Shape;
use super::areas::Area;

/// Sizes that the table of hosts that did not answer has in some qmail.
const TABLE_SIZES: [u64; 2] = [1024, 2048];

/// What a fixture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    Empty,
    Table,
    Fifo,
}

/// A directory or a file, below the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fixture {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) owner: Role,
    pub(super) mode: u32,
}

/// What is wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Missing,
    Type,
    Size,
    Owner,
    Group,
    Mode,
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "does not exist",
            Self::Type => "has wrong type",
            Self::Size => "has wrong size",
            Self::Owner => "has wrong owner",
            Self::Group => "has wrong group",
            Self::Mode => "has wrong permissions",
        })
    }
}

impl Fixture {
    fn new(path: impl Into<PathBuf>, kind: Kind, owner: Role, mode: u32) -> Self {
        Self { path: path.into(), kind, owner, mode }
    }

    /// What is wrong with it in the queue at `root`.
    pub(super) fn flaws(&self, root: &Path, accounts: &Accounts) -> io::Result<Vec<Flaw>> {
        let metadata = match fs::symlink_metadata(root.join(&self.path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(vec![Flaw::Missing]);
            }
            metadata => metadata?,
        };
        if !self.is_of_kind(&metadata) {
            return Ok(vec![Flaw::Type]);
        }
        let tests = [
            (Flaw::Size, self.has_size(&metadata)),
            (Flaw::Owner, metadata.uid() == accounts.user(self.owner).uid),
            (Flaw::Group, metadata.gid() == accounts.group(Group::Qmail).0),
            (Flaw::Mode, metadata.mode() & 0o7777 == self.mode),
        ];
        Ok(tests.into_iter().filter(|(_, is_right)| !is_right).map(|(flaw, _)| flaw).collect())
    }

    /// Makes it as it should be.
    ///
    /// # Errors
    /// Those of the system, and `AlreadyExists` if something else has its name.
    pub(super) fn mend(&self, root: &Path, accounts: &Accounts, flaws: &[Flaw]) -> io::Result<()> {
        let path = root.join(&self.path);
        if flaws.contains(&Flaw::Type) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if flaws.contains(&Flaw::Missing) {
            self.make(&path)?;
        }
        if flaws.contains(&Flaw::Size) {
            let [size, _] = TABLE_SIZES;
            let file = File::options().write(true).open(&path)?;
            file.set_len(0)?;
            file.set_len(size)?;
        }
        // The owner first: a change of owner may clear bits of the mode.
        lchown(&path, Some(accounts.user(self.owner).uid), Some(accounts.group(Group::Qmail).0))?;
        fs::set_permissions(&path, Permissions::from_mode(self.mode))
    }

    fn make(&self, path: &Path) -> io::Result<()> {
        match self.kind {
            Kind::Directory => DirBuilder::new().mode(0o700).create(path),
            Kind::Fifo => qmail_sys::make_fifo(path, 0o600),
            Kind::Empty => create(path).map(drop),
            Kind::Table => {
                let [size, _] = TABLE_SIZES;
                create(path)?.set_len(size)
            }
        }
    }

    fn is_of_kind(&self, metadata: &Metadata) -> bool {
        match self.kind {
            Kind::Directory => metadata.is_dir(),
            Kind::Empty | Kind::Table => metadata.is_file(),
            Kind::Fifo => metadata.file_type().is_fifo(),
        }
    }

    fn has_size(&self, metadata: &Metadata) -> bool {
        self.kind != Kind::Table || TABLE_SIZES.contains(&metadata.len())
    }
}

fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// All directories, each before what is in it, but the one that messages come in by.
pub(super) fn directories(areas: &[Area], shape: Shape) -> Vec<Fixture> {
    let directory = |path, owner, mode| Fixture::new(path, Kind::Directory, owner, mode);
    let mut fixtures = vec![
        directory(PathBuf::new(), Role::Queue, 0o750),
        directory("lock".into(), Role::Queue, 0o750),
    ];
    for area in areas {
        fixtures.push(directory(area.part(None), area.owner, area.mode));
        let split = if area.is_split(shape) { shape.split } else { 0 };
        let parts = (0..split).map(|part| directory(area.part(Some(part)), area.owner, area.mode));
        fixtures.extend(parts);
    }
    fixtures
}

/// What the daemons and qmail-queue cannot begin without.
pub(super) fn ways_in() -> [Fixture; 4] {
    [
        Fixture::new("lock/tcpto", Kind::Table, Role::Remote, 0o644),
        Fixture::new("lock/trigger", Kind::Fifo, Role::Send, 0o622),
        Fixture::new("lock/sendmutex", Kind::Empty, Role::Send, 0o600),
        Fixture::new("pid", Kind::Directory, Role::Queue, 0o700),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::areas::areas;
    use qmail_core::queue::Todo;
    use std::collections::BTreeSet;

    /// `"queue/lock", Directory, Queue, 0o0750` and so on, as `install` has them.
    fn rows_of_install() -> BTreeSet<String> {
        let table = include_str!("../../../install/src/layout.rs");
        let rows = table.lines().filter_map(|line| match line.trim().split_once("(\"queue")? {
            ("row" | "divided", row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            let words: Vec<&str> =
                row.split([',', '"', ' ', ')']).filter(|w| !w.is_empty()).collect();
            let path = words[0].strip_prefix('/').unwrap_or_default();
            let path = if row.starts_with('"') { "" } else { path };
            let [owner, mode] = [words[words.len() - 2], words[words.len() - 1]];
            format!("{path} {owner} {mode}")
        })
        .collect()
    }

    #[test]
    fn owners_and_modes_are_those_that_install_gives() {
        let root = tempfile::tempdir().unwrap();
        let shape = Shape { split: 0, todo: Todo::Flat };
        let fixtures = directories(&areas(root.path()), shape).into_iter().chain(ways_in());
        let ours: BTreeSet<String> = fixtures
            .map(|fixture| {
                let (path, owner) = (fixture.path.display(), fixture.owner);
                format!("{path} {owner:?} 0o{:04o}", fixture.mode)
            })
            .collect();
        assert_eq!(ours, rows_of_install());
    }

    #[test]
    fn what_is_missing_or_wrong_is_found_and_mended() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("lock")).unwrap();
        let accounts =
            Accounts::single_user(qmail_sys::real_uid(), qmail_sys::real_gid(), root.path());
        for fixture in ways_in() {
            assert_eq!(fixture.flaws(root.path(), &accounts).unwrap(), [Flaw::Missing]);
            fixture.mend(root.path(), &accounts, &[Flaw::Missing]).unwrap();
            assert_eq!(fixture.flaws(root.path(), &accounts).unwrap(), []);
            let path = root.path().join(&fixture.path);
            fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
            assert_eq!(fixture.flaws(root.path(), &accounts).unwrap(), [Flaw::Mode]);
            fixture.mend(root.path(), &accounts, &[Flaw::Mode]).unwrap();
            assert_eq!(fixture.flaws(root.path(), &accounts).unwrap(), []);
        }
        let [table, fifo, ..] = ways_in();
        File::create(root.path().join(&table.path)).unwrap();
        assert_eq!(table.flaws(root.path(), &accounts).unwrap(), [Flaw::Size]);
        fs::remove_file(root.path().join(&fifo.path)).unwrap();
        File::create(root.path().join(&fifo.path)).unwrap();
        assert_eq!(fifo.flaws(root.path(), &accounts).unwrap(), [Flaw::Type]);
        assert!(fifo.mend(root.path(), &accounts, &[Flaw::Type]).is_err());
    }
}
