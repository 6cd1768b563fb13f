//! Reports on trees with a few files.

use super::*;

use std::fs::File;
use std::io::Write;
use std::time::Duration;

fn report_on(files: &[(&str, &str)]) -> Result<String, Failure> {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("control")).unwrap();
    for (name, contents) in files {
        let mut file = File::create(home.path().join("control").join(name)).unwrap();
        file.write_all(contents.as_bytes()).unwrap();
    }
    report(home.path()).map(|report| String::from_utf8(report).unwrap())
}

/// Whether the report on these files has a section.
fn has(files: &[(&str, &str)], section: &str) -> bool {
    let report = report_on(files).unwrap();
    let found = report.contains(&format!("\n{section}\n"));
    assert!(found, "{section:?} is not in {report}");
    found
}

const NOTHING: &str = "
badmailfrom: (Default.) Any MAIL FROM is allowed.

bouncefrom: (Default.) Bounce user name is MAILER-DAEMON.

bouncehost: (Default.) Bounce host name is bouncehost.

concurrencylocal: (Default.) Local concurrency is 10.

concurrencyremote: (Default.) Remote concurrency is 20.

databytes: (Default.) SMTP DATA limit is 0 bytes.

defaultdomain: (Default.) Default domain name is defaultdomain.

defaulthost: (Default.) Default host name is defaulthost.

doublebouncehost: (Default.) 2B recipient host: doublebouncehost.

doublebounceto: (Default.) 2B recipient user: postmaster.

envnoathost: (Default.) Presumed domain name is envnoathost.

helohost: (Default.) SMTP client HELO host name is helohost.

idhost: (Default.) Message-ID host name is idhost.

localiphost: (Default.) Local IP address becomes localiphost.

locals: (Default.) Messages for me are delivered locally.

me: (Default.) My name is undefined! Uh-oh.

percenthack: (Default.) The percent hack is not allowed.

plusdomain: (Default.) Plus domain name is plusdomain.

qmqpservers: (Default.) No QMQP servers.

queuelifetime: (Default.) Message lifetime in the queue is 604800 seconds.

rcpthosts: (Default.) SMTP clients may send messages to any recipient.

morercpthosts: (Default.) No rcpthosts; morercpthosts is irrelevant.

morercpthosts.cdb: (Default.) No effect.

smtpgreeting: (Default.) SMTP greeting: 220 smtpgreeting.

smtproutes: (Default.) No artificial SMTP routes.

timeoutconnect: (Default.) SMTP client connection timeout is 60 seconds.

timeoutremote: (Default.) SMTP client data timeout is 1200 seconds.

timeoutsmtpd: (Default.) SMTP server data timeout is 1200 seconds.

virtualdomains: (Default.) No virtual domains.
";

#[test]
fn without_files_everything_is_default() {
    assert_eq!(report_on(&[]).unwrap(), NOTHING);
}

#[test]
fn me_is_the_default_of_many() {
    let files = [("me", "here.example \nx")];
    assert!(has(&files, "me: My name is here.example."));
    assert!(has(&files, "helohost: (Default.) SMTP client HELO host name is here.example."));
    assert!(has(&files, "doublebounceto: (Default.) 2B recipient user: postmaster."));
    assert!(has(&files, "locals: (Default.) Messages for me are delivered locally."));
}

#[test]
fn lists_begin_on_a_line_of_their_own() {
    let routes = "# x\n:relay\na:b\x1b\nc:d:25|user|secret\n";
    let files = [("smtproutes", routes), ("locals", ""), ("badmailfrom", "a@b\n@c")];
    let expected = "smtproutes: \nSMTP route: :relay\nSMTP route: a:b?\nSMTP route: c:d:25|user|?";
    assert!(has(&files, expected));
    assert!(has(&files, "locals: \n"));
    let expected = "badmailfrom: \na@b not accepted in MAIL FROM.\n@c not accepted in MAIL FROM.";
    assert!(has(&files, expected));
}

#[test]
fn numbers_without_digits_are_default() {
    assert!(has(&[("databytes", "10k\n")], "databytes: SMTP DATA limit is 10 bytes."));
    let default = "databytes: (Default.) SMTP DATA limit is 0 bytes.";
    assert!(has(&[("databytes", "-1\n")], default));
}

#[test]
fn further_hosts_depend_on_the_list() {
    let more = ("morercpthosts", "a\n");
    let without = "morercpthosts: \nNo rcpthosts; doesn't matter that morercpthosts has a.";
    assert!(has(&[more], without));
    let with = "morercpthosts: \nSMTP clients may send messages to recipients at a.";
    assert!(has(&[more, ("rcpthosts", "")], with));
    assert!(has(&[("rcpthosts", "")], "morercpthosts: (Default.) No effect."));
}

#[test]
fn the_database_has_to_be_younger_than_its_source() {
    let oops = "morercpthosts.cdb: Oops! morercpthosts";
    let (source, cdb) = (("morercpthosts", "a\n"), ("morercpthosts.cdb", ""));
    assert!(has(&[source], &format!("{oops} exists but morercpthosts.cdb doesn't.")));
    assert!(has(&[cdb], &format!("{oops}.cdb exists but morercpthosts doesn't.")));

    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("control")).unwrap();
    let shown = |age: u64| {
        for (name, seconds) in [("morercpthosts", 1000), ("morercpthosts.cdb", 1000 - age)] {
            let file = File::create(home.path().join("control").join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        String::from_utf8(report(home.path()).unwrap()).unwrap()
    };
    assert!(shown(1).contains(&format!("{oops}.cdb is older than morercpthosts.\n")));
    assert!(shown(0).contains(": Modified recently enough; hopefully up to date.\n"));
}

#[test]
fn other_files_are_named_and_lists_with_secrets_are_not_shown() {
    let files = [("strange\x1b", ""), ("authsenders", "a:b|user|secret\n"), ("remotelog", "full")];
    assert!(has(&files, "strange?: I have no idea what this file does."));
    let report = report_on(&files).unwrap();
    assert!(report.contains("\nauthsenders: ") && !report.contains("secret"));
    assert!(report.contains("\nremotelog: ") && report.contains(": full.\n"));
}

#[test]
fn what_cannot_be_read_is_an_oops() {
    let home = tempfile::tempdir().unwrap();
    let shown = |failure: Failure| failure.text();
    let expected = "Oops! Unable to chdir to control.\n";
    assert_eq!(report(home.path()).map_err(shown).unwrap_err(), expected);
    assert_eq!(
        report(Path::new("/nonexistent")).map_err(shown).unwrap_err(),
        "Oops! Unable to chdir to /nonexistent.\n"
    );
    fs::create_dir_all(home.path().join("control/locals")).unwrap();
    let text = String::from_utf8(report(home.path()).unwrap()).unwrap();
    assert!(text.contains("\nlocals: Oops! Trouble reading this file.\n"));
    fs::create_dir_all(home.path().join("control/me")).unwrap();
    let expected = "Oops! Trouble reading control/me.";
    assert_eq!(report(home.path()).map_err(shown).unwrap_err(), expected);
}
