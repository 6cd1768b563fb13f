//! The version is said in one place, Cargo.toml, and whatever else says one says the same.
//!
//! Unlike most of this suite, this looks at our files, and at no tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use qmail_conformance::document::read;
use qmail_conformance::sources::workspace;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// All files of a name, in every directory that holds something of ours.
fn all(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![workspace()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let here = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && here != "target" && !here.starts_with('.') {
                left.push(entry.path());
            } else if here == name {
                found.push(entry.path());
            }
        }
    }
    found
}

fn version_in(manifest: &Path) -> Option<String> {
    let text = fs::read_to_string(manifest).unwrap();
    text.lines().find(|line| line.starts_with("version")).map(str::to_owned)
}

#[test]
fn every_package_takes_it_from_the_workspace() {
    let mut wrong = Vec::new();
    let manifests = all("Cargo.toml");
    assert!(manifests.len() > 40, "{manifests:?}");
    for manifest in manifests {
        let said = version_in(&manifest);
        let is_own = manifest == workspace().join("Cargo.toml")
            // Outside the workspace.
            || manifest == workspace().join("fuzz/Cargo.toml");
        let expected = if is_own {
            format!("version = \"{VERSION}\"")
        } else {
            "version.workspace = true".to_owned()
        };
        // What stands in for somebody else's has the version of that.
        if said.as_ref() != Some(&expected) && !manifest.ends_with("no-resolver/Cargo.toml") {
            wrong.push(format!("{}: {said:?}", manifest.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_changelog_has_it_on_top_with_its_date() {
    let text = read("CHANGELOG.md");
    let mut headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    let newest = headings.find(|heading| *heading != "Unreleased").unwrap();
    let (version, date) = newest.split_once(" - ").unwrap();
    assert_eq!(version, VERSION);
    let parts: Vec<usize> = date.split('-').map(str::len).collect();
    assert!(parts == [4, 2, 2] && date.replace('-', "").parse::<u32>().is_ok(), "{date}");
}

#[test]
fn packages_ask_for_it_and_pages_of_the_manual_leave_it_out() {
    let printed = Command::new(workspace().join("packaging/version")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&printed.stdout), format!("{VERSION}\n"));
    assert!(read("packaging/debian/control.in").contains("\nVersion: @VERSION@\n"));
    let mut pages = 0;
    for section in ["man1", "man5", "man7", "man8"] {
        let directory = workspace().join("docs/man").join(section);
        for entry in directory.read_dir().unwrap().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap();
            let footer = text.lines().find(|line| line.starts_with(".Os"));
            assert_eq!(footer, Some(".Os qmail-rs"), "{}", entry.path().display());
            pages += 1;
        }
    }
    assert!(pages > 70, "{pages}");
}
