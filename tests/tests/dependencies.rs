//! What our programs are made of besides our own: under licences that ask for nothing, from the
//! registry, and of each crate one version. deny.toml says which; cargo-deny, which knows more, reads
//! it as well (`make deny`).

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use qmail_conformance::sources::workspace;

/// The entries of a list in deny.toml.
fn listed(name: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace().join("deny.toml")).unwrap();
    let start = format!("{name} = [");
    let lines = text.lines().skip_while(|line| *line != start).skip(1);
    let entries = lines.take_while(|line| *line != "]");
    let quoted = entries.filter_map(|line| Some(line.split('"').nth(1)?.to_owned()));
    let all: Vec<String> = quoted.collect();
    assert!(!all.is_empty(), "{name}");
    all
}

/// The crates of others: name, version, licence.
fn crates() -> Vec<[String; 3]> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--locked",
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
    ]);
    let output = cargo.args(["--format", "{p}|{l}"]).current_dir(workspace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // Ours have a path behind the version.
    let others = text.lines().filter(|line| !line.contains(" (/"));
    let mut all: Vec<[String; 3]> = others.filter_map(row).collect();
    all.sort();
    all.dedup();
    assert!(all.len() > 50, "{text}");
    all
}

/// `libc v0.2.1 (*)|MIT`
fn row(line: &str) -> Option<[String; 3]> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let licence = licence.trim_end_matches(" (*)");
    Some([name, version, licence].map(str::to_owned))
}

#[test]
fn every_licence_is_one_of_those_that_ask_for_nothing() {
    let allowed = listed("allow");
    for [name, version, licence] in crates() {
        assert!(is_allowed(&licence, &allowed), "{name} {version}: {licence:?}");
    }
}

#[test]
fn of_every_crate_there_is_one_version_unless_two_others_disagree() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for [name, version, _] in crates() {
        let known = versions.entry(name).or_default();
        if !known.contains(&version) {
            known.push(version);
        }
    }
    let doubled = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let doubled: Vec<&str> = doubled.map(|(name, _)| name.as_str()).collect();
    let listed = listed("skip");
    let mut known: Vec<&str> = listed.iter().map(|it| it.split('@').next().unwrap()).collect();
    known.sort_unstable();
    assert_eq!(doubled, known);
}

#[test]
fn every_crate_comes_from_the_registry() {
    let lock = fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = \""));
    assert!(sources.clone().count() > 50);
    for source in sources {
        assert!(source.starts_with("registry+"), "{source}");
    }
}

/// Whether an SPDX expression can be fulfilled by these licences.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let is_fine = any_of(&mut words, allowed);
    is_fine && words.is_empty()
}

fn any_of(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut is_fine = all_of(words, allowed);
    while words.pop_if(|word| *word == "OR").is_some() {
        // Not the other way round: all words have to be read.
        is_fine = all_of(words, allowed) || is_fine;
    }
    is_fine
}

fn all_of(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut is_fine = one(words, allowed);
    while words.pop_if(|word| *word == "AND").is_some() {
        is_fine = one(words, allowed) && is_fine;
    }
    is_fine
}

fn one(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let Some(word) = words.pop() else { return false };
    if word == "(" {
        let is_fine = any_of(words, allowed);
        return words.pop() == Some(")") && is_fine;
    }
    let exception = words.pop_if(|word| *word == "WITH").and_then(|_| words.pop());
    let licence = exception.map_or(word.to_owned(), |name| format!("{word} WITH {name}"));
    allowed.contains(&licence)
}

#[test]
fn expressions_of_licences_are_read_as_they_are_meant() {
    let allowed: Vec<String> = ["A", "B", "A WITH x"].map(str::to_owned).into();
    for (expression, expected) in [
        ("A", true),
        ("C", false),
        ("", false),
        ("C OR A", true),
        ("C/A", true),
        ("A AND C", false),
        ("A AND B", true),
        ("C AND A OR B", true),
        ("(C OR A) AND B", true),
        ("(C OR A) AND C", false),
        ("C WITH x", false),
        ("A WITH x", true),
        ("A WITH y OR C", false),
        ("A)", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
