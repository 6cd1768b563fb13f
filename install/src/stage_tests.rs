//! Packages.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::layout::{BESIDE, rows};
use crate::stage;
use crate::tests::{Scene, mode};
use crate::what::What;

const HOME: &str = "/var/qmail";

fn staged(scene: &Scene) -> std::path::PathBuf {
    let root = scene.root.path().join("package/root");
    stage(&root, Path::new(HOME), &[scene.built()]).unwrap();
    root
}

/// The lines of the manifest by path.
fn manifest(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("usr/lib/qmail-rs/manifest")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(path, words)| (path.to_owned(), words.to_owned())).collect()
}

#[test]
fn a_package_has_everything_but_the_queue_and_numbers() {
    let scene = Scene::new();
    let root = staged(&scene);
    let manifest = manifest(&root);
    for row in rows() {
        let path = [HOME, row.path].join("/").trim_end_matches('/').to_owned();
        let is_there = root.join(path.trim_start_matches('/')).exists();
        let is_listed = manifest.contains_key(&format!(".{path}"));
        let is_brought = !row.path.starts_with("queue") && row.what != What::Ids;
        assert_eq!((is_there, is_listed), (is_brought, is_brought), "{path}");
    }
    for name in BESIDE {
        assert!(root.join("usr/lib/qmail-rs").join(name).is_file(), "{name}");
    }
}

#[test]
fn the_manifest_has_owners_and_modes_that_the_files_cannot_have_yet() {
    let scene = Scene::new();
    let root = staged(&scene);
    let manifest = manifest(&root);
    let told = &manifest["./var/qmail/bin/qmail-queue"];
    assert_eq!(told, "type=file uname=qmailq gname=qmail mode=4711");
    assert_eq!(manifest["./var/qmail/alias"], "type=dir uname=alias gname=qmail mode=2755");
    let link = "type=link uname=root gname=root mode=0777 link=/var/qmail/bin/sendmail";
    assert_eq!(manifest["./usr/sbin/sendmail"], link);
    assert_eq!(mode(&root.join("var/qmail/bin/qmail-queue")), 0o711);
    assert_eq!(mode(&root.join("var/qmail/bin/qmail-start")), 0o700);
    assert_eq!(mode(&root.join("var")), 0o755);
    let own = fs::metadata(scene.root.path()).unwrap().uid();
    assert_eq!(fs::metadata(root.join("var/qmail/alias")).unwrap().uid(), own);
}

#[test]
fn a_package_may_be_laid_out_again() {
    let scene = Scene::new();
    let root = staged(&scene);
    let first = manifest(&root);
    staged(&scene);
    assert_eq!(manifest(&root), first);
    let target = fs::read_link(root.join("usr/lib/sendmail")).unwrap();
    assert_eq!(target, Path::new("/var/qmail/bin/sendmail"));
}

#[test]
fn start_scripts_name_the_tree_that_will_be() {
    let scene = Scene::new();
    let script = fs::read_to_string(staged(&scene).join("var/qmail/boot/home")).unwrap();
    assert!(script.contains("PATH=\"/var/qmail/bin:$PATH\""), "{script}");
    assert!(!script.contains("package"), "{script}");
}
