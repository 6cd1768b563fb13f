//! The commands for a user's own mail: sending it, and bringing it from a maildir into an mbox.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{Home, names, outcome, run};

const MAILDIRMAKE: &str = env!("CARGO_BIN_EXE_maildirmake");
const MAILDIR2MBOX: &str = env!("CARGO_BIN_EXE_maildir2mbox");
const MAILDIRWATCH: &str = env!("CARGO_BIN_EXE_maildirwatch");
const PREDATE: &str = env!("CARGO_BIN_EXE_predate");
const DATEMAIL: &str = env!("CARGO_BIN_EXE_datemail");
const MAILSUBJ: &str = env!("CARGO_BIN_EXE_mailsubj");
const ELQ: &str = env!("CARGO_BIN_EXE_elq");

fn with_maildir() -> Home {
    let home = Home::new();
    assert_eq!(outcome(home.command(MAILDIRMAKE).arg("Maildir")).said(), (0, ""));
    home
}

fn maildir2mbox(home: &Home) -> Command {
    let mut command = home.command(MAILDIR2MBOX);
    command
        .env("MAILDIR", home.path("Maildir"))
        .env("MAIL", home.path("mbox"))
        .env("MAILTMP", home.path("mbox.tmp"));
    command
}

fn deliver(home: &Home, name: &str, message: &[u8], seconds: u64) {
    let name = format!("Maildir/{name}");
    home.write(&name, message);
    set_time(home, &name, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
}

fn set_time(home: &Home, name: &str, time: SystemTime) {
    let file = File::options().write(true).open(home.path(name)).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(time).set_accessed(time)).unwrap();
}

#[test]
fn maildirmake_makes_private_directories() {
    let home = with_maildir();
    for name in ["Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"] {
        let mode = fs::metadata(home.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700, "{name}");
    }
    let line = "maildirmake: fatal: unable to mkdir Maildir: file already exists\n";
    assert_eq!(outcome(home.command(MAILDIRMAKE).arg("Maildir")).said(), (111, line));
    let usage = "maildirmake: usage: maildirmake name\n";
    assert_eq!(outcome(&mut home.command(MAILDIRMAKE)).said(), (100, usage));
}

#[test]
fn messages_move_into_the_mbox_oldest_first() {
    let home = with_maildir();
    home.write("mbox", b"From old\n\nold\n");
    deliver(&home, "new/2", b"Return-Path: <>\n\nFrom me\n", 86_400);
    deliver(&home, "cur/1", b"Return-Path: <a b@c>\n\nfirst\n", 0);
    assert_eq!(outcome(&mut maildir2mbox(&home)).said(), (0, ""));
    let expected = "From old\n\nold\n\
         From a-b@c Thu Jan 01 00:00:00 1970\nReturn-Path: <a b@c>\n\nfirst\n\n\
         From MAILER-DAEMON Fri Jan 02 00:00:00 1970\nReturn-Path: <>\n\n>From me\n\n";
    assert_eq!(home.read("mbox"), expected);
    assert!(names(&home.path("Maildir/new")).is_empty());
    assert!(names(&home.path("Maildir/cur")).is_empty());
    assert!(!home.has("mbox.tmp"));
}

#[test]
fn a_message_without_a_last_line_end_keeps_its_last_line() {
    let home = with_maildir();
    home.write("mbox", b"From old\n\nno line end");
    deliver(&home, "new/1", b"one line only", 0);
    assert_eq!(outcome(&mut maildir2mbox(&home)).said(), (0, ""));
    let expected = "From old\n\nno line end\n\
         From XXX Thu Jan 01 00:00:00 1970\none line only\n\n";
    assert_eq!(home.read("mbox"), expected);
}

#[test]
fn an_empty_maildir_leaves_the_mbox_alone_and_litter_goes() {
    let home = with_maildir();
    deliver(&home, "tmp/old", b"x", 0);
    deliver(&home, "tmp/young", b"x", 0);
    set_time(&home, "Maildir/tmp/young", SystemTime::now() - Duration::from_secs(3600));
    deliver(&home, "new/.hidden", b"x", 0);
    assert_eq!(outcome(&mut maildir2mbox(&home)).said(), (0, ""));
    assert!(!home.has("mbox"));
    assert_eq!(names(&home.path("Maildir/tmp")), ["young"]);
    assert!(home.has("Maildir/new/.hidden"));
}

#[test]
fn what_fails_leaves_the_messages_where_they_are() {
    let home = with_maildir();
    deliver(&home, "new/1", b"x\n", 0);
    fs::create_dir(home.path("mbox.tmp")).unwrap();
    let line = format!(
        "maildir2mbox: fatal: unable to create {}: is a directory\n",
        home.path("mbox.tmp").display()
    );
    assert_eq!(outcome(&mut maildir2mbox(&home)).said(), (111, line.as_str()));
    assert!(home.has("Maildir/new/1"));
    for name in ["MAIL", "MAILTMP", "MAILDIR"] {
        let line = format!("maildir2mbox: fatal: {name} not set\n");
        let done = outcome(maildir2mbox(&home).env_remove(name));
        assert_eq!(done.said(), (111, line.as_str()));
    }
    let line = "maildir2mbox: fatal: unable to chdir to /nonexistent: file does not exist\n";
    let done = outcome(maildir2mbox(&home).env("MAILDIR", "/nonexistent"));
    assert_eq!(done.said(), (111, line));
}

#[test]
fn the_mbox_is_never_its_own_temporary_file() {
    let home = with_maildir();
    home.write("mbox", b"From a\n\nold\n");
    deliver(&home, "new/1", b"message\n", 0);
    let link = home.path("link");
    std::os::unix::fs::symlink("mbox", &link).unwrap();
    for temporary in [home.path("mbox"), link] {
        let done = outcome(maildir2mbox(&home).env("MAILTMP", temporary));
        assert_eq!(done.said(), (111, "maildir2mbox: fatal: MAIL and MAILTMP are one file\n"));
        assert_eq!(home.read("mbox"), "From a\n\nold\n");
        assert!(home.has("Maildir/new/1"));
    }
    let line = "maildir2mbox: fatal: unable to lock /nonexistent/mbox: file does not exist\n";
    let done = outcome(maildir2mbox(&home).env("MAIL", "/nonexistent/mbox"));
    assert_eq!(done.said(), (111, line));
}

#[test]
fn an_mbox_that_was_replaced_while_we_waited_is_not_lost() {
    let home = with_maildir();
    home.write("mbox", b"From a\n\nold\n");
    deliver(&home, "new/1", b"message\n", 0);
    let locked = File::options().append(true).open(home.path("mbox")).unwrap();
    locked.lock().unwrap();
    let mut child = maildir2mbox(&home).spawn().unwrap();
    wait_for_lock(child.id());
    home.write("replacement", b"From a\n\nold\n\nFrom b\n\nother\n");
    fs::rename(home.path("replacement"), home.path("mbox")).unwrap();
    drop(locked);
    assert!(child.wait().unwrap().success());
    let mbox = home.read("mbox");
    assert!(mbox.contains("other\n") && mbox.contains("message\n"), "{mbox}");
}

#[test]
fn the_locks_are_those_that_deliveries_take() {
    let home = with_maildir();
    // More than a pipe takes.
    let old = [b"From a\n\n".as_slice(), &b"old\n".repeat(100_000)].concat();
    home.write("mbox", &old);
    deliver(&home, "new/1", b"message\n", 0);
    // It is opened behind the locks, and before somebody reads it nothing goes on.
    let temporary = home.path("mbox.tmp");
    assert!(Command::new("mkfifo").arg(&temporary).status().unwrap().success());
    let mut child = maildir2mbox(&home).env("MBOXLOCKS", "fcntl,dot").spawn().unwrap();
    let mut written = File::open(&temporary).unwrap();
    assert!(home.has("mbox.lock"));
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let held = format!(" POSIX  ADVISORY  WRITE {} ", child.id());
    assert!(locks.contains(&held), "{locks}");
    std::io::Read::read_to_end(&mut written, &mut Vec::new()).unwrap();
    // No FIFO can be brought to disk.
    assert_eq!(child.wait().unwrap().code(), Some(111));
    assert!(home.read("mbox").as_bytes() == old);
    assert!(!home.has("mbox.lock") && home.has("Maildir/new/1"));
    fs::remove_file(&temporary).unwrap();
    assert_eq!(outcome(maildir2mbox(&home).env("MBOXLOCKS", "dot")).said(), (0, ""));
    assert!(home.read("mbox").ends_with("\nmessage\n\n"));
    let line = "maildir2mbox: fatal: MBOXLOCKS must be some of flock, fcntl and dot, with commas \
                between them\n";
    assert_eq!(outcome(maildir2mbox(&home).env("MBOXLOCKS", "none")).said(), (111, line));
}

/// Waits until the process waits for a lock.
fn wait_for_lock(id: u32) {
    let waiting = format!(" {id} ");
    for _ in 0..60_000 {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        if locks.lines().any(|line| line.contains("->") && line.contains(&waiting)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{id} never waited for the lock");
}

#[test]
fn maildirwatch_shows_new_mail() {
    let home = with_maildir();
    deliver(&home, "new/1", b"Subject: hello\n\nbody\n", 0);
    let page = home.path("page");
    let mut child = home
        .command(MAILDIRWATCH)
        .env("MAILDIR", home.path("Maildir"))
        .stdout(File::create(&page).unwrap())
        .spawn()
        .unwrap();
    let expected = "\x1b[;H\x1b[;JFROM ? TO <?>\nhello//body/\n\n";
    for _ in 0..60_000 {
        if home.read("page") == expected {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(home.read("page"), expected);
    let line = "maildirwatch: fatal: MAILDIR not set\n";
    assert_eq!(outcome(&mut home.command(MAILDIRWATCH)).said(), (111, line));
}

#[test]
fn predate_adds_the_date_of_its_place() {
    let home = Home::new();
    let mut command = home.command(PREDATE);
    let done = run(command.arg("cat").env("TZ", "XXX-5:30"), b"Subject: x\n\nbody\n");
    assert_eq!(done.said(), (0, ""));
    let (date, rest) = done.output.split_once('\n').unwrap();
    assert!(date.starts_with("Date: ") && date.ends_with(" +0530"), "{date}");
    assert_eq!(rest, "Subject: x\n\nbody\n");
}

#[test]
fn predate_ends_as_its_program_does() {
    let home = Home::new();
    let predate = |words: &[&str]| {
        let done = run(home.command(PREDATE).args(words), b"");
        (done.code.unwrap(), done.error)
    };
    assert_eq!(predate(&["sh", "-c", "exit 3"]), (3, String::new()));
    assert_eq!(predate(&[]), (100, "predate: usage: predate child\n".into()));
    let line = "predate: fatal: unable to run /nonexistent: file does not exist\n";
    assert_eq!(predate(&["/nonexistent"]), (111, line.into()));
    let line = "predate: fatal: child crashed\n";
    assert_eq!(predate(&["sh", "-c", "kill -9 $$"]), (111, line.into()));
}

#[test]
fn datemail_runs_sendmail_by_way_of_predate() {
    let home = Home::new();
    home.script("bin/predate", "echo predate \"$@\"");
    let done = run(home.command(DATEMAIL).args(["-t", "a b"]), b"");
    let expected = format!("predate {} -t a b\n", home.path("bin/sendmail").display());
    assert_eq!((done.code, done.output), (Some(0), expected));
}

#[test]
fn mailsubj_writes_a_header_that_arguments_cannot_extend() {
    let home = Home::new();
    home.script("bin/qmail-inject", "cat; exit 5");
    let done = run(home.command(MAILSUBJ).args(["a  \\n b", "c@d", "e"]), b"body\n");
    assert_eq!(done.output, "Subject: a  \\n b\nTo: c@d e\n\nbody\n");
    assert_eq!(done.code, Some(5));
    let done = run(home.command(MAILSUBJ).args(["a\nBcc: b", "c"]), b"body\n");
    assert_eq!(done.said(), (100, "mailsubj: fatal: line break in argument\n"));
}

#[test]
fn elq_shows_mail_once_it_is_there() {
    let home = Home::new();
    home.script("bin/maildir2mbox", "echo collected");
    home.script("bin/elm", "echo reading \"$@\"");
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    let done = outcome(home.command(ELQ).env("PATH", &path).args(["-z"]));
    assert_eq!((done.code, done.output.as_str()), (Some(0), "collected\nreading -z\n"));
    home.script("bin/maildir2mbox", "exit 111");
    let done = outcome(home.command(ELQ).env("PATH", &path));
    assert_eq!((done.code, done.output.as_str()), (Some(111), ""));
}
