//! Every shell script that we install or ship: shellcheck finds nothing.

use std::path::Path;
use std::process::Command;

use qmail_conformance::sources::workspace;
use qmail_conformance::{Need, Tree, files};

/// The scripts below a directory, by their first line, and what they read in.
fn scripts(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for name in files::names(directory) {
        let path = directory.join(name);
        if path.is_dir() {
            found.extend(scripts(&path));
            continue;
        }
        let text = std::fs::read(&path).unwrap_or_default();
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if first.starts_with(b"#!") && first.ends_with(b"sh") || first.ends_with(b"shell=sh") {
            found.push(path);
        }
    }
    found
}

fn clean(directory: &Path, at_least: usize) {
    let scripts = scripts(directory);
    assert!(scripts.len() >= at_least, "{scripts:?}");
    // What is in single quotes is for another shell: instructions for deliveries.
    let shellcheck = Command::new("shellcheck").arg("--exclude=SC2016").args(&scripts).output();
    let output = shellcheck.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn installed_scripts_are_clean() {
    let tree = Tree::under_test();
    if tree.is_original() || tree.lacks(Need::Tool("shellcheck")) {
        return;
    }
    let home = tree.home().display().to_string();
    clean(&tree.in_its_world(&format!("{home}/services")), 17);
    clean(&tree.in_its_world(&format!("{home}/boot")), 14);
    clean(&tree.in_its_world(&format!("{home}/doc/samples")), 1);
}

#[test]
fn scripts_of_packages_and_tests_are_clean() {
    if Tree::under_test().lacks(Need::Tool("shellcheck")) {
        return;
    }
    clean(&workspace().join("packaging"), 2);
    clean(&workspace().join(".ci"), 3);
}

#[test]
fn scripts_are_for_any_shell() {
    let tree = Tree::under_test();
    if tree.is_original() {
        return;
    }
    let home = tree.home().display().to_string();
    for part in ["services", "boot", "doc/samples"] {
        for script in scripts(&tree.in_its_world(&format!("{home}/{part}"))) {
            let text = String::from_utf8(files::read(&script)).unwrap();
            let first = text.lines().next().unwrap_or_default();
            assert!(first == "#!/bin/sh" || first == "# shellcheck shell=sh", "{script:?}");
            for gap in ["@QMAIL@", "@EXPORT@", "@VARIABLE@"] {
                assert!(!text.contains(gap), "{script:?}");
            }
            assert!(!text.contains("killall") && !text.contains("pkill"), "{script:?}");
        }
    }
}
