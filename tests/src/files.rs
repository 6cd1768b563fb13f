//! Files, with their modes.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::SystemTime;

/// Writes a file, mode 0644.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    #[expect(clippy::disallowed_methods, reason = "nothing in a test outlives a crash")]
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    set_mode(path, 0o644);
}

/// Writes a shell script, mode 0755.
pub fn write_script(path: &Path, body: &str) {
    write(path, format!("#!/bin/sh\n{body}\n"));
    set_mode(path, 0o755);
}

/// Reads a whole file.
pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Sets the mode.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The permission bits, set-id and sticky bits included.
pub fn mode(path: &Path) -> u32 {
    metadata(path).mode() & 0o7777
}

/// Owner and group.
pub fn owner(path: &Path) -> (u32, u32) {
    let metadata = metadata(path);
    (metadata.uid(), metadata.gid())
}

/// Sets both time stamps.
pub fn set_times(path: &Path, time: SystemTime) {
    let times = FileTimes::new().set_accessed(time).set_modified(time);
    File::open(path)
        .and_then(|file| file.set_times(times))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The names in a directory, sorted; none if there is no such directory.
pub fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn metadata(path: &Path) -> fs::Metadata {
    fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
