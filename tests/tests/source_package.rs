//! The source package: one commit, always the same bytes, and nothing else is needed to build it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use qmail_conformance::clone::{self, shell, try_shell};
use qmail_conformance::sources::workspace;
use qmail_conformance::{Need, Tree, files};

/// The name of the package, and of the directory in it.
const NAME: &str = concat!("qmail-rs-", env!("CARGO_PKG_VERSION"));

fn no_git() -> bool {
    Tree::under_test().lacks(Need::Tool("git"))
}

/// A directory beside the clone.
fn beside(name: &str) -> PathBuf {
    clone::directory().with_file_name(name)
}

/// Makes a package in a directory beside the clone.
fn made(directory: &str, option: &str) -> PathBuf {
    let script = format!("packaging/dist '../{directory}' {option}");
    PathBuf::from(shell(clone::directory(), &script).trim_end())
}

/// The package without crates, made once.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| made("first", ""))
}

/// Unpacks a package inside a clone: what is there now is none.
fn unpacked(package: &Path, place: &str) -> PathBuf {
    let place = clone::directory().join(place);
    std::fs::create_dir(&place).unwrap();
    let _ = shell(&place, &format!("tar -xzf '{}'", package.display()));
    place.join(NAME)
}

#[test]
fn one_commit_makes_the_same_bytes_whatever_lies_beside_it() {
    if no_git() {
        return;
    }
    let name = format!("{NAME}.tar.gz");
    assert_eq!(package().file_name().unwrap().to_str(), Some(&*name));
    let clone = clone::directory();
    files::write(&clone.join("note"), "mine\n");
    files::write(&clone.join("README.md"), "another one\n");
    files::set_mode(&clone.join("LICENSE-MIT"), 0o600);
    let script = "umask 077; export TZ=Asia/Tokyo LC_ALL=C; git config tar.umask 0;
                  git config core.autocrlf true; packaging/dist ../second";
    let output = try_shell(clone, script);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("what is not committed will not be in it"), "{told}");
    assert!(files::read(package()) == files::read(&beside("second").join(name)));
}

#[test]
fn it_has_everything_that_git_has_in_one_directory_and_belongs_to_nobody() {
    if no_git() {
        return;
    }
    let clone = clone::directory();
    let listing = shell(clone, &format!("tar -tvzf '{}'", package().display()));
    let mut packed = BTreeSet::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = words[5].strip_prefix(NAME).and_then(|path| path.strip_prefix('/'));
        let path = path.unwrap_or_else(|| panic!("{line}"));
        assert_eq!(words[1], "root/root", "{line}");
        let mode = words[0];
        assert!(["drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"].contains(&mode), "{line}");
        if !mode.starts_with('d') {
            packed.insert(path.to_owned());
        }
    }
    let known = shell(clone, "git ls-files");
    assert!(packed.len() > 1000, "{}", packed.len());
    assert_eq!(packed, known.lines().map(str::to_owned).collect());
}

#[test]
fn it_is_built_without_git() {
    if no_git() {
        return;
    }
    let source = unpacked(package(), "unpacked");
    assert_eq!(shell(&source, "packaging/version"), format!("{}\n", env!("CARGO_PKG_VERSION")));
    let no_git = beside("no-git");
    std::fs::create_dir(&no_git).unwrap();
    files::write_script(&no_git.join("git"), "echo git >&2; exit 1");
    let script = format!(
        "PATH={}:$PATH
         make -n all package deb DESTDIR=/nowhere
         host=$(rustc -vV | sed -n 's/^host: //p')
         cargo metadata --offline --locked --format-version 1 --filter-platform $host > metadata",
        no_git.display()
    );
    let output = try_shell(&source, &script);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("git"), "{told}");
    let output = try_shell(&source, "packaging/dist .");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(111), "{told}");
    assert!(told.contains("this is no clone"), "{told}");
}

#[test]
fn with_its_crates_it_needs_no_network() {
    if no_git() {
        return;
    }
    // Those for other systems are in it, too, and nobody needs them to build here.
    if !try_shell(clone::directory(), "cargo fetch --locked --offline").status.success() {
        let forbidden = std::env::var_os("QMAIL_TESTS_NO_SKIP").is_some_and(|value| value == "1");
        assert!(!forbidden, "needs all crates: cargo fetch --locked");
        println!("skipped: with_its_crates_it_needs_no_network: needs cargo fetch --locked");
        return;
    }
    let source = unpacked(&made("with", "crates"), "unpacked-with");
    let empty = beside("empty");
    let script = "cargo metadata --offline --locked --format-version 1 > metadata";
    let _ = shell(&source, &format!("export CARGO_HOME='{}'; {script}", empty.display()));
    assert!(!empty.join("registry/cache").exists());
    // Whoever reads all our sources or documents does not come across theirs.
    assert!(source.join(".cargo/crates").is_dir());
    let known = files::names(&workspace());
    let more = files::names(&source).into_iter().filter(|name| !known.contains(name));
    let more: Vec<String> = more.filter(|name| name != "metadata").collect();
    assert!(more.iter().all(|name| name == ".cargo"), "{more:?}");
}
