//! The program as qmail-lspawn runs it, in a home directory of its own.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const MESSAGE: &[u8] = b"Subject: hi\n\nFrom me\nbye";

struct Home {
    directory: TempDir,
}

impl Home {
    fn new(instructions: &str) -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap() };
        home.write("message", MESSAGE, 0o600);
        home.write(".qmail", instructions.as_bytes(), 0o600);
        for name in ["M", "M/tmp", "M/new", "M/cur"] {
            fs::create_dir(home.path(name)).unwrap();
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) {
        let path = self.path(name);
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(mode).open(path).unwrap();
        file.write_all(content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn command(&self, dash: &str, extension: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qmail-local"));
        command.args(["--", "joe"]).arg(self.directory.path());
        command.args(["Joe-L", dash, extension, "h.example", "s@x", "./Default"]);
        command.stdin(File::open(self.path("message")).unwrap());
        command.env("DEFAULT", "somebody's").env("QMAILHOME", self.directory.path());
        command
    }

    fn deliver(&self, dash: &str, extension: &str) -> (i32, String) {
        told(&self.command(dash, extension).output().unwrap())
    }
}

/// Runs it with the script `queue` for a queue program. Another test may fork while the script is
/// open for writing, which the kernel does not run then.
fn forward(home: &Home) -> (i32, String) {
    loop {
        let output = home.command("", "").env("QMAILQUEUE", "./queue").output().unwrap();
        let result = told(&output);
        if !result.1.contains("unable to exec") {
            return result;
        }
    }
}

/// Exit code and report.
fn told(output: &Output) -> (i32, String) {
    let report = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(report).unwrap())
}

#[test]
fn a_maildir_and_an_mbox_get_the_message_with_its_lines() {
    let home = Home::new("./M/\n./m\n");
    assert_eq!(home.deliver("", ""), (0, "did 2+0+0\n".into()));
    let lines = "Return-Path: <s@x>\nDelivered-To: Joe-L@h.example\n";
    let [new] =
        <[_; 1]>::try_from(fs::read_dir(home.path("M/new")).unwrap().collect::<Vec<_>>()).unwrap();
    let arrived = fs::read(new.unwrap().path()).unwrap();
    assert_eq!(arrived, [lines.as_bytes(), MESSAGE].concat());
    let mbox = home.read("m");
    let (from, rest) = mbox.split_once('\n').unwrap();
    assert!(from.starts_with("From s@x "), "{from}");
    assert_eq!(rest, format!("{lines}Subject: hi\n\n>From me\nbye\n\n"));
}

#[test]
fn an_empty_file_and_a_missing_one_mean_the_default_delivery() {
    let home = Home::new("");
    assert_eq!(home.deliver("", ""), (0, "did 1+0+0\n".into()));
    fs::remove_file(home.path(".qmail")).unwrap();
    assert_eq!(home.deliver("", ""), (0, "did 1+0+0\n".into()));
    assert_eq!(home.read("Default").matches("Subject: hi").count(), 2);
    let sorry = "Sorry, no mailbox here by that name. (#5.1.1)\n";
    assert_eq!(home.deliver("-", "x"), (100, sorry.into()));
}

#[test]
fn programs_read_the_message_from_its_beginning_and_know_the_delivery() {
    let home = Home::new("");
    let script = "|cat > one; echo hello\n|cat > two; echo $EXT,$DEFAULT,$SENDER,$PWD > vars\n";
    home.write(".qmail-a-default", script.as_bytes(), 0o600);
    assert_eq!(home.deliver("-", "A-B"), (0, "hello\ndid 0+0+2\n".into()));
    assert_eq!(home.read("one").as_bytes(), MESSAGE);
    assert_eq!(home.read("two").as_bytes(), MESSAGE);
    let place = fs::canonicalize(home.directory.path()).unwrap();
    assert_eq!(home.read("vars"), format!("A-B,B,s@x,{}\n", place.display()));
    home.write(".qmail-x", b"|echo ${DEFAULT-none} > vars\n", 0o600);
    assert_eq!(home.deliver("-", "x").0, 0);
    assert_eq!(home.read("vars"), "none\n");
}

#[test]
fn a_program_decides_by_its_exit_code() {
    for (command, code, report) in [
        ("echo no; exit 100", 100, "no\n"),
        ("echo wait; exit 1", 111, "wait\n"),
        ("exit 99", 0, "did 0+0+1\n"),
        ("kill -9 $$", 111, "Aack, child crashed. (#4.3.0)\n"),
    ] {
        let home = Home::new(&format!("|{command}\n./m\n"));
        assert_eq!(home.deliver("", ""), (code, report.into()), "{command}");
        assert!(!home.path("m").exists());
    }
}

#[test]
fn forwarding_queues_one_message_for_all() {
    let home = Home::new("&a@b\n|true\nc@d\n");
    home.write(".qmail-owner", b"./m\n", 0o600);
    home.write("queue", b"#!/bin/sh\ncat > sent; cat <&1 > envelope; echo $HOST > host\n", 0o700);
    let (code, report) = forward(&home);
    assert_eq!(code, 0, "{report}");
    assert!(report.starts_with("did 0+2+1\nqp "), "{report}");
    let expected = [b"Delivered-To: Joe-L@h.example\n", MESSAGE].concat();
    assert_eq!(home.read("sent").as_bytes(), expected);
    assert_eq!(home.read("envelope"), "FJoe-L-owner@h.example\0Ta@b\0Tc@d\0\0");
    assert_eq!(home.read("host"), "h.example\n");
    home.write("queue", b"#!/bin/sh\nexit 31\n", 0o700);
    let text = "Unable to forward message: mail server permanently rejected message (#5.3.0).\n";
    assert_eq!(forward(&home), (100, text.into()));
}

#[test]
fn a_message_that_was_here_before_is_looping() {
    let home = Home::new("./m\n");
    home.write("message", b"A: b\nDelivered-To: Joe-L@h.example\n\nx", 0o600);
    let text = "This message is looping: it already has my Delivered-To line. (#5.4.6)\n";
    assert_eq!(home.deliver("", ""), (100, text.into()));
    assert!(!home.path("m").exists());
}

#[test]
fn what_others_could_have_written_is_not_obeyed() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new("./m\n");
    let change = |name: &str, mode| {
        fs::set_permissions(home.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    change(".qmail", 0o666);
    let text = "Uh-oh: .qmail file is writable. (#4.7.0)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
    change(".qmail", 0o700);
    let text = "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
    change(".", 0o757);
    let text = "Uh-oh: home directory is writable. (#4.7.0)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
    change(".", 0o1700);
    let text = "Home directory is sticky: user is editing his .qmail file. (#4.2.1)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
}

#[test]
fn describing_does_nothing_and_needs_no_message() {
    let home = Home::new("./m\n&a@b\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_qmail-local"));
    command.args(["-n", "joe"]).arg(home.directory.path());
    let output = command.args(["l", "", "", "h", "s", "x"]).output().unwrap();
    assert_eq!(told(&output), (0, "mbox ./m\nforward a@b\ndid 1+1+0\n".into()));
    assert!(!home.path("m").exists());
}

#[test]
fn files_that_are_no_files_are_passed_over() {
    let home = Home::new("");
    fs::create_dir(home.path(".qmail-x")).unwrap();
    qmail_sys::make_fifo(&home.path(".qmail-x-default"), 0o600).unwrap();
    home.write(".qmail-default", b"./m\n", 0o600);
    assert_eq!(home.deliver("-", "x"), (0, "did 1+0+0\n".into()));
    assert_eq!(home.deliver("-", "x-y"), (0, "did 1+0+0\n".into()));
}

#[test]
fn errors_have_their_texts() {
    let home = Home::new("./nowhere/\n");
    let text = "Unable to chdir to maildir. (#4.2.1)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
    home.write(".qmail", b"./no/where\n", 0o600);
    let text = "Unable to open ./no/where: file does not exist. (#4.2.1)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
    home.write(".qmail", b"/dev/null\n", 0o600);
    let text = "Unable to write /dev/null: invalid argument. (#4.3.0)\n";
    assert_eq!(home.deliver("", ""), (111, text.into()));
    let usage = "qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n";
    let output = Command::new(env!("CARGO_BIN_EXE_qmail-local")).output().unwrap();
    assert_eq!(told(&output), (100, usage.into()));
}
