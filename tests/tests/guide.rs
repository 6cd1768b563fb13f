//! What the README and the guide tell people to type is typed here, in their order, on a machine
//! that has no qmail; and what they say comes of it does.
//!
//! A block of commands is fenced as `sh`: root types it, or whoever `as=` names. A block fenced as
//! `output` says what the commands before it print. Where `make` itself would have to build, it is
//! taken to have done so: CI runs those commands.

#[path = "guide/machine.rs"]
mod machine;
#[path = "guide/output.rs"]
mod output;

use qmail_conformance::document::{self, Block};
use qmail_conformance::{Need, Tree};

use machine::Desk;

/// What the commands need that not every machine has.
const NEEDS: [Need; 11] = [
    Need::Root,
    Need::Tool("dpkg-query"),
    Need::Tool("make"),
    Need::Tool("tcpserver"),
    Need::Tool("multilog"),
    Need::Tool("swaks"),
    Need::Tool("msmtp"),
    Need::Tool("mpop"),
    Need::Tool("dnsmasq"),
    Need::Tool("smtp-sink"),
    Need::Tool("spamd"),
];

/// What CI runs by itself.
const OF_CI: [&str; 2] = ["make demo\n", "make test\n"];

fn blocks(document: &str) -> Vec<Block> {
    document::split(&document::read(document)).0
}

/// Runs all commands of a document on a machine with these people, and compares what they print. The
/// machine as it is then, unless this one lacks something.
fn follow(name: &str, people: &str) -> Option<Desk> {
    let tree = Tree::under_test();
    if tree.is_original() {
        println!("skipped: {name} is about our own programs");
        return None;
    }
    if NEEDS.iter().any(|need| tree.lacks(*need)) {
        return None;
    }
    let blocks = blocks(name);
    let is_typed =
        |block: &&Block| block.language() == "sh" && !OF_CI.contains(&block.text.as_str());
    let typed: Vec<&Block> = blocks.iter().filter(is_typed).collect();
    assert!(typed.len() >= 5, "{name} has few commands: {}", typed.len());
    let desk = Desk::new(people);
    let (printed, is_well) = desk.type_in(&typed);
    for (block, printed) in typed.iter().zip(&printed) {
        println!("{name}, line {}:\n{printed}", block.line);
    }
    assert!(is_well && printed.len() == typed.len(), "{name}: the last of these failed");
    for (at, block) in blocks.iter().enumerate() {
        if block.language() != "output" {
            continue;
        }
        let command = at.checked_sub(1).and_then(|before| blocks.get(before));
        let index = typed.iter().position(|typed| Some(typed.line) == command.map(|it| it.line));
        let printed = &printed[index.expect("output comes right after its commands")];
        if let Err(missing) = output::has(printed, &block.text) {
            panic!("{name}, line {}: no line {missing:?} in\n{printed}", block.line);
        }
    }
    Some(desk)
}

#[test]
fn the_readme_does_what_it_says() {
    let _ = follow("README.md", "you joe");
}

#[test]
fn the_guide_does_what_it_says() {
    let Some(desk) = follow("docs/guide.md", "") else { return };
    let left = desk.elsewhere();
    assert!(left.contains("Subject: out into the world"), "{left}");
    let signed = left.split("DKIM-Signature: ").nth(1).expect("one is signed");
    assert!(signed.contains(" s=s2026; d=example.org; "), "{left}");
    assert!(signed.contains("\nSubject: signed\n"), "{left}");
}

/// How many blocks of a document are of each language.
fn count(document: &str, language: &str) -> usize {
    blocks(document).iter().filter(|block| block.language() == language).count()
}

#[test]
fn nothing_is_kept_from_being_run_without_being_counted() {
    for (document, text, console) in [("README.md", 1, 2), ("docs/guide.md", 0, 2)] {
        let known = ["sh", "output", "text", "console"];
        for block in blocks(document) {
            let language = block.language();
            assert!(known.contains(&language), "{document}, line {}: {language:?}", block.line);
        }
        assert_eq!((count(document, "text"), count(document, "console")), (text, console));
    }
}

#[test]
fn what_is_left_to_ci_is_run_there() {
    let steps = document::read(".ci/run");
    for command in OF_CI {
        assert!(blocks("README.md").iter().any(|block| block.text == command), "{command}");
        let is_step = |line: &str| line.starts_with("step ") && line.ends_with(command.trim());
        assert!(steps.lines().any(is_step), "{command}");
    }
}
