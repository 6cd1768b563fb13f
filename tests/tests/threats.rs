//! What docs/THREATS.md says: it names every program, and tests that exist.

use std::fs;

use qmail_conformance::sources::{rust_files, workspace};

fn threats() -> String {
    fs::read_to_string(workspace().join("docs/THREATS.md")).unwrap()
}

#[test]
fn every_process_has_its_row() {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let members = manifest.lines().skip_while(|line| *line != "members = [");
    let members = members.take_while(|line| *line != "]").filter_map(|line| line.split('"').nth(1));
    // Directories of processes; what else there is has no privilege, or is none.
    let is_process = |name: &&str| !name.contains('/') && !["tests", "benches"].contains(name);
    let (text, mut count) = (threats(), 0);
    for name in members.filter(is_process) {
        let name = if name == "sendmail-shim" { "sendmail" } else { name };
        assert!(text.contains(name), "{name} is not in docs/THREATS.md");
        count += 1;
    }
    let filters = fs::read_dir(workspace().join("smtpd-tools/src/bin")).unwrap().flatten();
    for file in filters {
        let name = file.path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(text.contains(&name), "{name} is not in docs/THREATS.md");
        count += 1;
    }
    assert!(count > 30, "{count}");
}

#[test]
fn every_test_that_stands_for_a_vulnerability_exists() {
    let text = threats();
    let (_, table) = text.split_once("## Known vulnerabilities").unwrap();
    let sources =
        rust_files(&workspace(), &[]).into_iter().map(|file| fs::read_to_string(file).unwrap());
    let sources: Vec<String> = sources.collect();
    let mut count = 0;
    for line in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| -")) {
        let Some(tests) = line.split('|').nth(4) else { continue };
        for name in tests.split('`').skip(1).step_by(2) {
            let is_there = if name.contains('/') {
                workspace().join(name).is_file()
            } else {
                let function = format!("fn {}", name.trim_end_matches('*'));
                sources.iter().any(|source| source.contains(&function))
            };
            assert!(is_there, "there is no test {name}");
            count += 1;
        }
    }
    assert!(count >= 15, "{count}");
}
