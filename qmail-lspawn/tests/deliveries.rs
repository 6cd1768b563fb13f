//! The program in a tree of stand-ins, started by root or by anybody.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};

use qmail_core::accounts::Accounts;
use qmail_core::cdb::CdbWriter;
use qmail_sys::{effective_uid, real_gid};
use qmail_wire::spawn::{self, ReportParser, Width};
use tempfile::TempDir;

/// Somebody who is not root, and exists nowhere.
const NOBODY: u32 = 7_899;

/// While a script is open for writing, a child that another test has just forked has it open, too,
/// and then the kernel does not run it.
static ONE_BY_ONE: Mutex<()> = Mutex::new(());

struct Tree {
    directory: TempDir,
    uid: u32,
    gid: u32,
    _turn: MutexGuard<'static, ()>,
}

impl Tree {
    /// All roles are ours, or, for root, nobody's.
    fn new() -> Self {
        let turn = ONE_BY_ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_root = effective_uid() == 0;
        let (uid, gid) = if is_root { (NOBODY, NOBODY) } else { (effective_uid(), real_gid()) };
        let tree = Self { directory: tempfile::tempdir().unwrap(), uid, gid, _turn: turn };
        fs::set_permissions(tree.home(), Permissions::from_mode(0o755)).unwrap();
        for name in ["bin", "users", "queue", "queue/mess", "queue/mess/0"] {
            fs::create_dir(tree.home().join(name)).unwrap();
        }
        let ids = Accounts::single_user(uid, gid, tree.home()).to_ids();
        tree.write("users/ids", ids.as_bytes(), 0o644);
        tree.write("queue/mess/0/1", b"the message\n", 0o644);
        chown(tree.home().join("queue/mess/0/1"), Some(uid), Some(gid)).unwrap();
        tree
    }

    fn home(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) {
        let path = self.home().join(name);
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(mode);
        options.open(path).unwrap().write_all(content).unwrap();
    }

    fn script(&self, name: &str, script: &str) {
        self.write(name, format!("#!/bin/sh\n{script}\n").as_bytes(), 0o755);
    }

    fn assign(&self, records: &[(&[u8], &str)]) {
        let file = File::create(self.home().join("users/cdb")).unwrap();
        let mut writer = CdbWriter::new(file).unwrap();
        for (key, data) in records {
            writer.add(key, data.replace(':', "\0").as_bytes()).unwrap();
        }
        writer.finish().unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qmail-lspawn"));
        command.arg("./Default").env("QMAILHOME", self.home()).env_remove("QMAILLOCAL");
        command
    }

    /// What is reported of a delivery to `recipient`.
    fn deliver(&self, recipient: &str) -> String {
        self.deliver_by(&mut self.command(), recipient)
    }

    fn deliver_by(&self, lspawn: &mut Command, recipient: &str) -> String {
        let mut child = lspawn.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let command = spawn::Command {
            delivery: 3,
            message: b"0/1".to_vec(),
            sender: b"s@x".to_vec(),
            recipient: recipient.into(),
        };
        child.stdin.take().unwrap().write_all(&command.encode(Width::One)).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let (_, reports) = output.stdout.split_first().unwrap();
        let [report] = <[_; 1]>::try_from(ReportParser::new(Width::One).push(reports)).unwrap();
        let report = report.unwrap();
        assert_eq!(report.delivery, 3);
        let text = String::from_utf8(report.text).unwrap();
        format!("{}{text}", char::from(report.verdict.letter()))
    }
}

#[test]
fn qmail_local_runs_as_the_user_with_all_that_is_known() {
    let tree = Tree::new();
    tree.script("bin/qmail-local", "echo \"$0\" \"$@\"; id -u; id -g; pwd; cat");
    tree.script("bin/qmail-getpw", "printf '%s\\0' \"$1\" $(id -u) $(id -g) /h - e");
    let (uid, gid, home) = (tree.uid, tree.gid, tree.home().display().to_string());
    let words = "-- Joe /h Joe - e x.example s@x ./Default";
    let expected = format!("Kbin/qmail-local {words}\n{uid}\n{gid}\n{home}\nthe message\n");
    assert_eq!(tree.deliver("Joe@x.example"), expected);
    tree.assign(&[(b"!joe\0", &format!("ann:{uid}:{gid}:/a::")), (b"", "-")]);
    let words = "-- ann /a Joe   x.example s@x ./Default";
    let expected = format!("Kbin/qmail-local {words}\n{uid}\n{gid}\n{home}\nthe message\n");
    assert_eq!(tree.deliver("Joe@x.example"), expected);
}

#[test]
fn another_program_can_take_the_place_of_qmail_local() {
    let tree = Tree::new();
    tree.script("bin/qmail-local", "echo original");
    tree.script("bin/other", "echo other $8");
    tree.assign(&[(b"!", &format!("ann:{}:{}:/::", tree.uid, tree.gid)), (b"", "")]);
    let by =
        |program: &str| tree.deliver_by(tree.command().env("QMAILLOCAL", program), "joe@x.example");
    assert_eq!(by("bin/other"), "Kother s@x\n");
    assert_eq!(by(""), "Koriginal\n");
    assert_eq!(by("/nonexistent"), "DUnable to run qmail-local.\n");
}

#[test]
fn trouble_of_a_lookup_is_not_a_verdict_on_the_address() {
    let tree = Tree::new();
    tree.script("bin/qmail-local", "echo delivered");
    for (script, expected) in [
        ("exit 0", "ZInternal qmail-lspawn bug.\n"),
        ("printf 'joe\\0001\\0x\\0/\\0-\\0x\\0'", "ZInternal qmail-lspawn bug.\n"),
        ("printf 'root\\0000\\0000\\0/\\0\\0\\0'", "ZNot allowed to perform deliveries as root.\n"),
        ("exit 115", "ZNFS failure in qmail-local.\n"),
        ("exit 116", "ZUnable to find alias user!\n"),
        ("exit 118", "ZTemporary failure in qmail-lspawn.\n"),
        ("exit 127", "ZUnable to run qmail-getpw.\n"),
        ("kill -9 $$", "ZTemporary failure in qmail-lspawn.\n"),
        ("cat /dev/zero", "ZTemporary failure in qmail-lspawn.\n"),
        ("exit 100", "D"),
        ("exit 111", "Z"),
    ] {
        tree.script("bin/qmail-getpw", script);
        assert_eq!(tree.deliver("joe@x.example"), expected, "{script}");
    }
    fs::remove_file(tree.home().join("bin/qmail-getpw")).unwrap();
    assert_eq!(tree.deliver("joe@x.example"), "ZUnable to run qmail-getpw.\n");
    tree.write("users/cdb", b"", 0o644);
    let damaged = "ZTrouble reading users/cdb in qmail-lspawn.\n";
    assert_eq!(tree.deliver("joe@x.example"), damaged);
    assert_eq!(tree.deliver("@x.example"), "K");
}

#[test]
fn as_many_as_are_allowed_may_wait_for_a_lookup() {
    let tree = Tree::new();
    for (name, mode) in [("control", 0o755), ("asked", 0o777)] {
        fs::create_dir(tree.home().join(name)).unwrap();
        fs::set_permissions(tree.home().join(name), Permissions::from_mode(mode)).unwrap();
    }
    tree.write("control/spawnlimit", b"65000\n", 0o644);
    let script =
        "printf 'qmail-getpw standing\\0'; : > asked/$$; until test -e gate; do sleep 1; done";
    tree.script("bin/qmail-getpw", script);
    let mut lspawn = Command::new("/bin/sh");
    lspawn.args(["-c", "ulimit -n 560; exec \"$0\" ./Default", env!("CARGO_BIN_EXE_qmail-lspawn")]);
    let lspawn = lspawn.env("QMAILHOME", tree.home()).env_remove("QMAILLOCAL");
    let mut child = lspawn.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut limit = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut limit).unwrap();
    let mut commands = child.stdin.take().unwrap();
    for delivery in 0..limit[0] {
        let (message, sender) = (b"0/1".to_vec(), b"s@x".to_vec());
        let recipient = format!("joe{delivery}@x.example").into_bytes();
        let command = spawn::Command { delivery: delivery.into(), message, sender, recipient };
        commands.write_all(&command.encode(Width::One)).unwrap();
    }
    let asked = || fs::read_dir(tree.home().join("asked")).unwrap().count();
    for _ in 0..600 {
        if asked() == usize::from(limit[0]) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let waited = asked();
    tree.write("gate", b"", 0o644);
    drop(commands);
    let output = child.wait_with_output().unwrap();
    assert_eq!(waited, usize::from(limit[0]));
    let reports = ReportParser::new(Width::One).push(&output.stdout);
    assert_eq!(reports.len(), waited);
    for report in reports {
        assert_eq!(report.unwrap().text, b"Temporary failure in qmail-lspawn.\n");
    }
}

#[test]
fn only_root_delivers_to_others() {
    let tree = Tree::new();
    tree.script("bin/qmail-local", "echo delivered");
    // Root becomes who the tree belongs to.
    let deliver = || {
        let mut command = tree.command();
        tree.deliver_by(command.uid(tree.uid).gid(tree.gid), "joe@x.example")
    };
    tree.assign(&[(b"!", &format!("ann:{}:{}:/::", tree.uid, tree.gid)), (b"", "")]);
    assert_eq!(deliver(), "Kdelivered\n");
    tree.assign(&[(b"!", &format!("ann:{}:{}:/::", tree.uid + 1, tree.gid)), (b"", "")]);
    assert_eq!(deliver(), "ZInternal qmail-lspawn bug.\n");
}

#[test]
fn without_a_default_delivery_it_does_not_start() {
    let tree = Tree::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_qmail-lspawn"));
    let output = command.env("QMAILHOME", tree.home()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(100), Vec::new()));
}
