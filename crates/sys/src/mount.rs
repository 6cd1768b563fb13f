//! How file systems are mounted.

use std::io;
use std::path::Path;

use nix::sys::statvfs::{FsFlags, statvfs};

/// What the file system of a path was mounted not to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountOptions {
    /// Set-id bits of programs have no effect.
    pub ignores_set_id: bool,
    /// No program can be run.
    pub forbids_programs: bool,
    /// Nothing can be written.
    pub is_read_only: bool,
}

impl MountOptions {
    /// Those of the file system that `path` is on.
    pub fn of(path: &Path) -> io::Result<Self> {
        let flags = statvfs(path)?.flags();
        Ok(Self {
            ignores_set_id: flags.contains(FsFlags::ST_NOSUID),
            forbids_programs: flags.contains(FsFlags::ST_NOEXEC),
            is_read_only: flags.contains(FsFlags::ST_RDONLY),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_those_in_the_list_of_mounts() {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let root = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some("/")).unwrap();
        let words: Vec<&str> = root.split(' ').nth(3).unwrap().split(',').collect();
        let options = MountOptions::of(Path::new("/")).unwrap();
        assert_eq!(options.ignores_set_id, words.contains(&"nosuid"));
        assert_eq!(options.forbids_programs, words.contains(&"noexec"));
        assert_eq!(options.is_read_only, words.contains(&"ro"));
    }

    #[test]
    fn what_is_not_there_is_not_mounted() {
        assert!(MountOptions::of(Path::new("/proc/none")).is_err());
    }
}
