//! docs/COMPATIBILITY.md tells of everything, and of no test that does not exist.
//!
//! Unlike most of this suite, this looks at our files, and at no tree.

use std::collections::BTreeSet;

use qmail_conformance::document::{self, false_references, quoted, references, rows};
use qmail_conformance::old_tree::PROGRAMS;

/// What netqmail 1.06 builds for somebody to run, and leaves where it was built.
const NOT_INSTALLED: [&str; 11] = [
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

fn text() -> String {
    document::read("docs/COMPATIBILITY.md")
}

fn assert_none(missing: &[String]) {
    assert!(missing.is_empty(), "not so:\n{}", missing.join("\n"));
}

#[test]
fn every_test_that_is_named_exists() {
    let text = text();
    assert!(references(&text).len() > 100, "{}", references(&text).len());
    assert_none(&false_references(&text));
}

#[test]
fn every_row_says_what_is_so_and_by_which_test() {
    let text = text();
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
    let rows = rows(&text(), "Programs");
    let named: Vec<_> = rows.iter().filter_map(|row| row.first()).map(String::as_str).collect();
    let mut expected: Vec<_> = PROGRAMS.iter().chain(&NOT_INSTALLED).copied().collect();
    let missing = expected.iter().filter(|program| !named.contains(program));
    assert_none(&missing.map(|name| (*name).to_owned()).collect::<Vec<_>>());
    expected.sort_unstable();
    let mut named = named;
    named.sort_unstable();
    assert_eq!(named, expected, "each of them once, and nothing else");
}

#[test]
fn every_control_file_has_a_row_and_is_in_the_table_of_the_programs() {
    let text = text();
    let rows = rows(&text, "Control files");
    let named: Vec<_> =
        rows.iter().filter_map(|row| row.first()).flat_map(|cell| quoted(cell)).collect();
    assert_eq!(named, CONTROLS);
    let table = document::read("crates/core/src/control/table.rs");
    let missing = CONTROLS.iter().filter(|name| !table.contains(&format!(" \"{name}\" ")));
    assert_none(&missing.map(|name| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn every_variable_has_a_row() {
    let text = text();
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
    let text = text();
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
