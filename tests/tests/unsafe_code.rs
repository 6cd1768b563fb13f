//! How much unsafe code there is: only ever less.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files with unsafe code, and how many of them. Whoever removes one takes it from here; whoever
/// adds one has a reason that convinces a reviewer.
const INVENTORY: &[(&str, usize)] = &[
    ("crates/sys/src/borrow.rs", 3),
    ("crates/sys/src/conceal.rs", 6),
    ("crates/sys/src/crypt.rs", 6),
    ("crates/sys/src/environment.rs", 1),
    ("crates/sys/src/exec.rs", 7),
    ("crates/sys/src/fd.rs", 4),
    ("crates/sys/src/file.rs", 1),
    ("crates/sys/src/fork.rs", 2),
    ("crates/sys/src/local_time.rs", 2),
    ("crates/sys/src/lock.rs", 5),
    ("crates/sys/src/process.rs", 2),
    ("crates/sys/src/signal.rs", 3),
    ("crates/sys/src/start_up.rs", 1),
    ("crates/sys/src/sync_group.rs", 4),
];

#[test]
fn there_is_no_more_unsafe_code_than_there_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeMap::new();
    for file in sources(&root) {
        let text = fs::read_to_string(&file).unwrap();
        let is_comment = |line: &str| line.trim_start().starts_with("//");
        let code: String = text.lines().filter(|line| !is_comment(line)).collect();
        let count = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe("]
            .iter()
            .map(|words| code.matches(words).count())
            .sum::<usize>();
        if count > 0 {
            let name = file.strip_prefix(&root).unwrap().display().to_string();
            found.insert(name, count);
        }
    }
    let known: BTreeMap<String, usize> =
        INVENTORY.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, known, "unsafe code: {found:#?}");
}

/// All sources but those of tests, which may speak of unsafe code.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_passed_over = ["target", "tests", "fuzz"].contains(&&*name) || name.starts_with('.');
        if path.is_dir() && !is_passed_over {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all
}
