//! How much unsafe code there is: only ever less.

use std::collections::BTreeMap;
use std::fs;

use qmail_conformance::sources::{rust_files, workspace};

/// The files with unsafe code, and how many of them. Whoever removes one takes it from here; whoever
/// adds one has a reason that convinces a reviewer.
const INVENTORY: &[(&str, usize)] = &[
    ("crates/sys/src/borrow.rs", 3),
    ("crates/sys/src/conceal.rs", 6),
    ("crates/sys/src/crypt.rs", 6),
    ("crates/sys/src/environment.rs", 3),
    ("crates/sys/src/exec.rs", 3),
    ("crates/sys/src/exec/prepared.rs", 1),
    ("crates/sys/src/exec/setting.rs", 3),
    ("crates/sys/src/fd.rs", 4),
    ("crates/sys/src/fork.rs", 3),
    ("crates/sys/src/handover.rs", 1),
    ("crates/sys/src/journal.rs", 1),
    ("crates/sys/src/listen.rs", 1),
    ("crates/sys/src/local_time.rs", 2),
    ("crates/sys/src/lock.rs", 5),
    ("crates/sys/src/process.rs", 2),
    ("crates/sys/src/sibling.rs", 4),
    ("crates/sys/src/signal.rs", 3),
    ("crates/sys/src/start_up.rs", 1),
    ("crates/sys/src/sync_group.rs", 4),
    ("crates/sys/src/title.rs", 1),
];

#[test]
fn there_is_no_more_unsafe_code_than_there_was() {
    let root = workspace();
    let mut found = BTreeMap::new();
    // Tests may speak of unsafe code.
    for file in rust_files(&root, &["tests", "fuzz"]) {
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
