//! Lists of users and hosts, and the databases made from them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use qmail_core::cdb::Cdb;

use crate::support::{Home, failed, outcome, printed};

const NEWU: &str = env!("CARGO_BIN_EXE_qmail-newu");
const NEWMRH: &str = env!("CARGO_BIN_EXE_qmail-newmrh");
const NEWLIST: &str = env!("CARGO_BIN_EXE_qmail-newlist");
const PW2U: &str = env!("CARGO_BIN_EXE_qmail-pw2u");

const ASSIGN: &str = "=Joe:joe:1000:100:/home/joe:::\n\
    +joe-:joe:1000:100:/home/joe:-::\n\
    +listX:l:7:8:/l:-:x:\n\
    +:alias:9:8:/var/qmail/alias:-::\n.\nnot read\n";

#[test]
fn newu_makes_the_database_that_lookups_read() {
    let home = Home::new();
    home.write("users/assign", ASSIGN.as_bytes());
    assert_eq!(home.run(NEWU, &[]), printed(""));
    let cdb = Cdb::open(home.path("users/cdb")).unwrap();
    let data = |key: &[u8]| cdb.get(key).unwrap().unwrap();
    assert_eq!(data(b"!joe\0"), b"joe\x001000\x00100\0/home/joe\0\0");
    assert_eq!(data(b"!listx"), b"l\x007\x008\0/l\0-\0x");
    assert_eq!(data(b"!"), b"alias\x009\x008\0/var/qmail/alias\0-\0");
    assert_eq!(data(b""), b"-x");
    let mode = fs::metadata(home.path("users/cdb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    assert!(!home.path("users/cdb.tmp").exists());
}

#[test]
fn newu_leaves_the_old_database_alone_if_anything_is_wrong() {
    let home = Home::new();
    home.write("users/cdb", b"old");
    let fatal = |text: &str| failed(111, &format!("qmail-newu: fatal: {text}"));
    assert_eq!(home.run(NEWU, &[]), fatal("unable to open users/assign"));
    for bad in ["", "=joe:joe:1:2:/:::\n", "\n.\n", "=joe:joe:1:2\n.\n"] {
        home.write("users/assign", bad.as_bytes());
        assert_eq!(home.run(NEWU, &[]), fatal("bad format in users/assign"), "{bad:?}");
    }
    fs::create_dir(home.path("users/cdb.tmp")).unwrap();
    assert_eq!(home.run(NEWU, &[]), fatal("unable to open users/cdb.tmp"));
    assert_eq!(home.read("users/cdb"), "old");
    let nowhere = outcome(home.command(NEWU).env("QMAILHOME", "/nonexistent"));
    assert_eq!(nowhere, fatal("unable to chdir"));
}

#[test]
fn two_at_once_make_one_whole_index() {
    let home = Home::new();
    let many: String = (0..20_000).map(|n| format!("user{n}@host.example\n")).collect();
    home.write("control/list", many.as_bytes());
    let newlist = || home.command(NEWLIST).arg("list").spawn().unwrap();
    let children: Vec<_> = (0..4).map(|_| newlist()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let cdb = Cdb::open(home.path("control/list.cdb")).unwrap();
    assert!(cdb.get(b"user19999@host.example").unwrap().is_some());
}

#[test]
fn two_at_once_make_one_whole_database() {
    let home = Home::new();
    let many: String =
        (0..20_000).map(|n| format!("=user{n}:joe:1000:100:/home/joe:-:{n}:\n")).collect();
    home.write("users/assign", format!("{many}.\n").as_bytes());
    let children: Vec<_> = (0..4).map(|_| home.command(NEWU).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let cdb = Cdb::open(home.path("users/cdb")).unwrap();
    assert!(cdb.get(b"!user19999\0").unwrap().is_some());
    assert_eq!(cdb.get(b"").unwrap().unwrap(), b"");
    assert_eq!(fs::read_dir(home.path("users")).unwrap().count(), 2);
}

#[test]
fn newmrh_makes_a_database_of_hosts() {
    let home = Home::new();
    home.write("control/morercpthosts", b"# x\nHost.Example \n\n.wild.example\nlast");
    assert_eq!(home.run(NEWMRH, &[]), printed(""));
    let cdb = Cdb::open(home.path("control/morercpthosts.cdb")).unwrap();
    for host in ["host.example", ".wild.example", "last"] {
        assert_eq!(cdb.get(host.as_bytes()).unwrap().unwrap(), b"", "{host}");
    }
    assert_eq!(cdb.get(b"# x").unwrap(), None);
}

#[test]
fn newmrh_says_what_it_cannot_read_or_write() {
    let home = Home::new();
    let fatal = |text: &str| failed(111, &format!("qmail-newmrh: fatal: {text}"));
    let text = "unable to read control/morercpthosts: file does not exist";
    assert_eq!(home.run(NEWMRH, &[]), fatal(text));
    home.write("control/morercpthosts", b"a\n");
    fs::create_dir(home.path("control/morercpthosts.tmp")).unwrap();
    let text = "unable to write to control/morercpthosts.tmp: is a directory";
    assert_eq!(home.run(NEWMRH, &[]), fatal(text));
    let nowhere = outcome(home.command(NEWMRH).env("QMAILHOME", "/nonexistent"));
    assert_eq!(nowhere, fatal("unable to chdir to /nonexistent: file does not exist"));
}

#[test]
fn an_index_is_as_old_as_the_list_that_it_was_made_of() {
    let home = Home::new();
    home.write("control/list", b"a@b.example\n");
    let list = File::open(home.path("control/list")).unwrap();
    let written = SystemTime::now() - Duration::from_secs(600);
    list.set_modified(written).unwrap();
    assert_eq!(home.run(NEWLIST, &["list"]), printed(""));
    // A list that was changed while it was read is younger.
    let time = |name| fs::metadata(home.path(name)).unwrap().modified().unwrap();
    assert_eq!(time("control/list.cdb"), time("control/list"));
}

#[test]
fn newlist_says_which_line_is_none_and_leaves_nothing_behind() {
    let home = Home::new();
    home.write("control/mailfromrules", b"nonsense\n");
    let reason = "unable to parse this line: nonsense";
    let text = format!("qmail-newlist: fatal: unable to make control/mailfromrules.cdb: {reason}");
    assert_eq!(home.run(NEWLIST, &["mailfromrules"]), failed(111, &text));
    assert_eq!(fs::read_dir(home.path("control")).unwrap().count(), 1);
    let text = "qmail-newlist: fatal: unable to make control/none.cdb: file does not exist";
    assert_eq!(home.run(NEWLIST, &["none"]), failed(111, text));
}

#[test]
fn pw2u_prints_what_newu_takes() {
    let home = Home::new();
    let root = home.root().display();
    let passwd = format!("alias:x:7:8::{root}/users:/bin/sh\njoe:x:1000:1::{root}:\n");
    home.write("passwd", passwd.as_bytes());
    home.write("users/subusers", b"info:joe:x:\n");
    home.write("users/append", b"=last:joe:1:2:/:::");
    let list = |options: &[&str]| {
        let passwd = File::open(home.path("passwd")).unwrap();
        outcome(home.command(PW2U).args(options).stdin(passwd))
    };
    let (code, output, _) = list(&["-H"]);
    assert!(
        code == 0
            && output.ends_with(&format!(
                "=info:joe:1000:1:{root}:-:x:\n+info-:joe:1000:1:{root}:-:x-:\n\
         =last:joe:1:2:/:::\n.\n"
            )),
        "{output}"
    );
    home.write("users/assign", output.as_bytes());
    assert_eq!(home.run(NEWU, &[]), printed(""));
    assert_eq!(list(&["-x"]), failed(100, "qmail-pw2u: illegal option -- x"));
    home.write("users/exclude", b"alias\n");
    let (code, _, error) = list(&["-H"]);
    assert_eq!((code, error.as_str()), (111, "qmail-pw2u: fatal: unable to find alias user\n"));
    fs::create_dir(home.path("users/include")).unwrap();
    let (code, _, error) = list(&["-H"]);
    assert_eq!((code, error.as_str()), (111, "qmail-pw2u: fatal: unable to read controls\n"));
}
