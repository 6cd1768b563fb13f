//! Our own sources, which some tests read.

use std::fs;
use std::path::{Path, PathBuf};

/// The directory that everything is in.
///
/// # Panics
///
/// Not where these tests were built.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests are in a directory").to_owned()
}

/// All Rust files below a directory, but for what is in directories of these names, in `target`, and
/// in hidden ones.
///
/// # Panics
///
/// When there is no such directory.
#[must_use]
pub fn rust_files(directory: &Path, passed_over: &[&str]) -> Vec<PathBuf> {
    assert!(directory.is_dir(), "there is no directory {}", directory.display());
    let mut found = Vec::new();
    collect(directory, passed_over, &mut found);
    found
}

fn collect(directory: &Path, passed_over: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') && !passed_over.contains(&&*name) {
                collect(&path, passed_over, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
