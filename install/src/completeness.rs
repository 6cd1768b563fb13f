//! Whether the table has everything that this workspace makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::layout::{BESIDE, rows};
use crate::what::What;

/// Packages whose programs are for those who work on this one.
const FOR_OURSELVES: [&str; 2] = ["tests", "benches"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn members() -> Vec<String> {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("\nmembers = [").unwrap();
    let (list, _) = rest.split_once("\n]").unwrap();
    let quoted = list.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next());
    quoted.map(str::to_owned).collect()
}

/// The programs of a package: its own name, if it has a `main.rs`, and those in `src/bin`.
fn programs(member: &str) -> Vec<String> {
    let directory = workspace().join(member);
    let mut programs: Vec<String> = names(&directory.join("src/bin"))
        .iter()
        .map(|name| name.strip_suffix(".rs").unwrap_or(name).to_owned())
        .collect();
    if directory.join("src/main.rs").is_file() {
        let manifest = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("[[bin]]"), "{member} names its program in another way");
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap();
        programs.push(name.trim_end_matches('"').to_owned());
    }
    programs
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The rows of files in a directory of the tree.
fn in_table(directory: &str) -> BTreeSet<String> {
    let files = rows().filter(|row| matches!(row.what, What::Program | What::Text(_)));
    let below = files.filter_map(|row| row.path.strip_prefix(directory)?.strip_prefix('/'));
    below.map(str::to_owned).collect()
}

#[test]
fn every_program_is_installed_or_stays_on_purpose() {
    let members = members();
    assert!(members.len() > 20, "{members:?}");
    let of_users = members.iter().filter(|member| !FOR_OURSELVES.contains(&member.as_str()));
    let built: BTreeSet<String> = of_users.flat_map(|member| programs(member)).collect();
    let stay = BESIDE.map(str::to_owned).into();
    let installed = &in_table("bin") | &in_table("vpopmail");
    assert!(installed.is_disjoint(&stay));
    assert_eq!(built, &installed | &stay);
}

#[test]
fn every_page_of_the_manual_is_installed() {
    let manual = workspace().join("docs/man");
    let mut written = BTreeSet::new();
    for section in names(&manual) {
        for page in names(&manual.join(&section)) {
            written.insert(format!("{section}/{page}"));
        }
    }
    assert!(written.len() > 40, "{written:?}");
    assert_eq!(written, in_table("man"));
}

#[test]
fn every_document_is_installed() {
    // Pages have a place of their own; what commands here draw stays with them.
    let elsewhere = ["man", "simulation"];
    let all = names(&workspace().join("docs")).into_iter();
    let of_release = all.filter(|name| !elsewhere.contains(&name.as_str()));
    let at_top = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "SECURITY.md"];
    let written: BTreeSet<String> = of_release.chain(at_top.map(str::to_owned)).collect();
    assert_eq!(written, in_table("doc"));
}
