//! Every scenario of `bench` works, on little mail: see the rows of its tables.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use qmail_conformance::{Need, Tree};

/// A row of the table for each thing that is measured, by its first words.
const ROWS: [&str; 18] = [
    "`sendmail`, 1 writer ",
    "`sendmail`, 20 writers ",
    "`qmail-queue`, 4 writers ",
    "SMTP acceptance, 1 session ",
    "SMTP acceptance, 50 sessions ",
    "SMTP to Maildir ",
    "drain of a full queue ",
    "SMTP to another server ",
    "burst of 20 writers, to the last delivery ",
    "burst: delivered when the last is in the queue ",
    "one message to 3 recipients ",
    "memory of an idle session ",
    "connections ",
    "1 MiB in ",
    "1 MiB out ",
    "POP3, 6 messages read ",
    "SMTP to Maildir with 2 queued ",
    "qmail-send with 2000 queued ",
];

const LITTLE: [&str; 10] = [
    "--rounds",
    "1",
    "--messages",
    "3",
    "--recipients",
    "3",
    "--mebibytes",
    "1",
    "--queued",
    "2000",
];

#[test]
fn every_scenario_gives_a_figure_and_leaves_nothing_behind() {
    if lacks_something() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let output = bench(place.path(), &["--systems", "qmail-rs"]).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !errors.contains("bench: "), "{errors}");
    for row in ROWS {
        let line = text.lines().find(|line| line.starts_with(&format!("| {row}")));
        let line = line.unwrap_or_else(|| panic!("no {row}: {text}{errors}"));
        assert!(line.chars().any(|letter| letter.is_ascii_digit()), "{line}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn other_mail_systems_are_measured_with_the_same_mail() {
    if lacks_something() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let output = bench(place.path(), &["--scenarios", "local,remote"]).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !errors.contains("bench: "), "{errors}");
    let header = text.lines().find(|line| line.starts_with("|  | qmail-rs |")).unwrap();
    for (name, package) in
        [("Postfix", "postfix"), ("OpenSMTPD", "opensmtpd"), ("Exim", "exim4-daemon-light")]
    {
        let is_there = Path::new("/usr/local/lib/mail-servers").join(package).exists();
        assert_eq!(header.contains(name), is_there, "{header}");
    }
}

fn lacks_something() -> bool {
    let tree = Tree::under_test();
    let needs = [Need::Root, Need::Tool("tcpserver"), Need::Tool("setpriv"), Need::Tool("cc")];
    needs.into_iter().any(|need| tree.lacks(need))
}

fn bench(place: &Path, words: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(LITTLE)
        .args(words)
        .arg("--disk")
        .arg(place)
        .arg("--no-counts")
        .env_remove("QMAIL_ORIGINAL")
        .output()
}
