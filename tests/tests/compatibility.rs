//! docs/COMPATIBILITY.md tells of everything, and of no test that does not exist.
//!
//! Unlike most of this suite, this looks at our files, and at no tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use qmail_conformance::old_tree::PROGRAMS;

/// What netqmail 1.06 builds for somebody to run beside [`PROGRAMS`].
const FURTHER_PROGRAMS: [&str; 15] = [
    "config",
    "config-fast",
    "dnsfq",
    "dnsip",
    "dnsmxip",
    "dnsptr",
    "hostname",
    "install",
    "instcheck",
    "ipmeprint",
    "qmail-upq",
    "qreceipt",
    "qsmhook",
    "splogger",
    "tcp-env",
];

/// The control files of netqmail 1.06.
const CONTROLS: [&str; 29] = [
    "badmailfrom",
    "bouncefrom",
    "bouncehost",
    "concurrencylocal",
    "concurrencyremote",
    "databytes",
    "defaultdomain",
    "defaulthost",
    "doublebouncehost",
    "doublebounceto",
    "envnoathost",
    "helohost",
    "idhost",
    "localiphost",
    "locals",
    "me",
    "morercpthosts",
    "morercpthosts.cdb",
    "percenthack",
    "plusdomain",
    "qmqpservers",
    "queuelifetime",
    "rcpthosts",
    "smtpgreeting",
    "smtproutes",
    "timeoutconnect",
    "timeoutremote",
    "timeoutsmtpd",
    "virtualdomains",
];

/// The variables that programs of netqmail 1.06 read or set.
const VARIABLES: [&str; 50] = [
    "DATABYTES",
    "DEFAULT",
    "DTLINE",
    "EXT",
    "EXT2",
    "EXT3",
    "EXT4",
    "HOME",
    "HOST",
    "HOST2",
    "HOST3",
    "HOST4",
    "LOCAL",
    "LOGNAME",
    "MAIL",
    "MAILDIR",
    "MAILHOST",
    "MAILNAME",
    "MAILTMP",
    "MAILUSER",
    "NAME",
    "NEWSENDER",
    "PATH",
    "PROTO",
    "QMAILDEFAULTDOMAIN",
    "QMAILDEFAULTHOST",
    "QMAILHOST",
    "QMAILIDHOST",
    "QMAILINJECT",
    "QMAILMFTFILE",
    "QMAILNAME",
    "QMAILPLUSDOMAIN",
    "QMAILQUEUE",
    "QMAILSHOST",
    "QMAILSUSER",
    "QMAILUSER",
    "RECIPIENT",
    "RELAYCLIENT",
    "RPLINE",
    "SENDER",
    "TCPLOCALHOST",
    "TCPLOCALIP",
    "TCPLOCALPORT",
    "TCPREMOTEHOST",
    "TCPREMOTEINFO",
    "TCPREMOTEIP",
    "TCPREMOTEPORT",
    "TZ",
    "UFLINE",
    "USER",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> String {
    fs::read_to_string(workspace().join("docs/COMPATIBILITY.md")).unwrap()
}

/// The cells of each row of the tables below a heading, without those of the table's head.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let is_row = |line: &&str| line.starts_with("| ");
    let mut found = Vec::new();
    for block in section.split("| --- |").skip(1) {
        for row in block.lines().skip(1).take_while(is_row) {
            let cells = row.trim_matches('|').split(" | ");
            found.push(cells.map(|cell| cell.trim().to_owned()).collect());
        }
    }
    found
}

/// What is between back quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// References to tests: `place::name`.
fn references(text: &str) -> BTreeSet<(&str, &str)> {
    quoted(text).filter_map(|word| word.split_once("::")).collect()
}

/// All Rust files below a directory, but for what is built.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The names of the tests in the files that a place may mean.
fn tests_in(place: &str) -> BTreeSet<String> {
    let files = match place.rsplit_once('/') {
        None => vec![workspace().join("tests/tests").join(format!("{place}.rs"))],
        Some((directory, stem)) => {
            let all = sources(&workspace().join(directory)).into_iter();
            all.filter(|path| path.file_stem().is_some_and(|name| name == stem)).collect()
        }
    };
    let texts = files.into_iter().map(|file| fs::read_to_string(file).unwrap_or_default());
    let mut names = BTreeSet::new();
    for text in texts {
        for test in text.split("#[test]").skip(1) {
            let name = test.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

fn assert_none(missing: &[String]) {
    assert!(missing.is_empty(), "not so:\n{}", missing.join("\n"));
}

#[test]
fn every_test_that_is_named_exists() {
    let text = document();
    let references = references(&text);
    assert!(references.len() > 100, "{}", references.len());
    let missing = references.into_iter().filter(|(place, name)| !tests_in(place).contains(*name));
    assert_none(&missing.map(|(place, name)| format!("{place}::{name}")).collect::<Vec<_>>());
}

#[test]
fn every_row_says_what_is_so_and_by_which_test() {
    let text = document();
    let headings = ["Programs", "Options", "Control files", "Other files", "Environment variables"];
    let mut wrong = Vec::new();
    for row in headings.iter().flat_map(|heading| rows(&text, heading)) {
        let [name, here, tests] = &row[..] else {
            wrong.push(format!("not three cells: {row:?}"));
            continue;
        };
        let verdict =
            ["same", "better: ", "not offered: "].iter().any(|word| here.starts_with(word));
        if !verdict {
            wrong.push(format!("{name}: {here}"));
        }
        if references(tests).is_empty() && !here.starts_with("not offered: ") {
            wrong.push(format!("{name}: no test"));
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_program_has_a_row() {
    let rows = rows(&document(), "Programs");
    let named: Vec<_> = rows.iter().filter_map(|row| row.first()).map(String::as_str).collect();
    let mut expected: Vec<_> = PROGRAMS.iter().chain(&FURTHER_PROGRAMS).copied().collect();
    let missing = expected.iter().filter(|program| !named.contains(program));
    assert_none(&missing.map(|name| (*name).to_owned()).collect::<Vec<_>>());
    expected.sort_unstable();
    let mut named = named;
    named.sort_unstable();
    assert_eq!(named, expected, "each of them once, and nothing else");
}

#[test]
fn every_control_file_has_a_row_and_is_in_the_table_of_the_programs() {
    let text = document();
    let rows = rows(&text, "Control files");
    let named: Vec<_> =
        rows.iter().filter_map(|row| row.first()).flat_map(|cell| quoted(cell)).collect();
    assert_eq!(named, CONTROLS);
    let table = fs::read_to_string(workspace().join("crates/core/src/control/table.rs")).unwrap();
    let missing = CONTROLS.iter().filter(|name| !table.contains(&format!(" \"{name}\" ")));
    assert_none(&missing.map(|name| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn every_variable_has_a_row() {
    let text = document();
    let rows = rows(&text, "Environment variables");
    let named: BTreeSet<_> =
        rows.iter().filter_map(|row| row.first()).flat_map(|cell| quoted(cell)).collect();
    let missing = VARIABLES.iter().filter(|name| !named.contains(*name));
    assert_none(&missing.map(|name| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn every_option_of_a_program_has_a_row() {
    let options = [
        ("qmail-inject", "aAhHfnN"),
        ("sendmail", "tfFbBpeovimxEJ"),
        ("qmail-local", "nN"),
        ("qmail-pw2u", "ohHuUcC/"),
        ("preline", "frdFRD"),
        ("tcp-env", "rRt"),
        ("qsmhook", "xnPl"),
    ];
    let text = document();
    let cells: Vec<_> = rows(&text, "Options").into_iter().map(|row| row[0].clone()).collect();
    let mut missing = Vec::new();
    for (program, letters) in options {
        let of_program = cells.iter().filter(|cell| cell.split(' ').next() == Some(program));
        let named: BTreeSet<_> = of_program.flat_map(|cell| quoted(cell)).collect();
        for letter in letters.chars() {
            if !named.iter().any(|option| option.starts_with(&format!("-{letter}"))) {
                missing.push(format!("{program} -{letter}"));
            }
        }
    }
    assert_none(&missing);
}
