use super::*;
use std::fs::{File, Permissions, create_dir, set_permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

/// Puts `text` into a file. By a process of its own: a file that is open for writing in a fork of
/// ours cannot be executed.
fn write(path: &Path, text: &str) {
    let script = "cat > $0 && chmod 755 $0";
    let mut writer = Command::new("/bin/sh");
    let mut writer = writer.args(["-c", script]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}

/// A tree whose qmail-tlsrelay is a script; started by root, somebody else runs it.
fn tree(script: &str) -> (tempfile::TempDir, TlsRelay) {
    let home = tempfile::tempdir().unwrap();
    set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    for directory in ["bin", "users"] {
        create_dir(home.path().join(directory)).unwrap();
    }
    let accounts = Accounts::single_user(65_534, 65_534, home.path());
    write(&home.path().join("users/ids"), &accounts.to_ids());
    write(&home.path().join("bin/qmail-tlsrelay"), &format!("#!/bin/sh\n{script}\n"));
    let relay = TlsRelay::new(home.path());
    (home, relay)
}

fn start(relay: &TlsRelay) -> Report<Waiting, String> {
    let nothing = File::options().read(true).write(true).open("/dev/null").unwrap();
    relay.start(nothing.as_fd(), nothing.as_fd())
}

const READY: &str = "printf '11:4:Nodd,1:R,,' >&3; ";
const BEGUN: &str = "test \"$(head -c 1 <&3)\" = + || exit; ";
const SECURED: &str = "printf '22:8:VTLSv1.3,8:CCIPHER2,,' >&3; ";

#[test]
fn what_the_client_says_arrives_behind_the_report() {
    let (_home, relay) = tree(&format!("{READY}{BEGUN}{SECURED}printf %s \"$*\" >&3; cat >&3"));
    let relay = relay.asking_clients().with_patience(Duration::from_secs(7));
    let (client, mut to) = UnixStream::pair().unwrap();
    let report = relay.start(client.as_fd(), client.as_fd());
    assert_eq!(report.notes, ["odd"]);
    drop(client);
    to.write_all(b" hello").unwrap();
    to.shutdown(std::net::Shutdown::Write).unwrap();
    let carried = report.outcome.unwrap().begin().outcome.unwrap();
    assert_eq!((&*carried.secured.version, &*carried.secured.cipher), ("TLSv1.3", "CIPHER2"));
    let (input, output, process) = carried.into_parts().unwrap();
    let mut said = String::new();
    File::from(input).read_to_string(&mut said).unwrap();
    assert_eq!(said, "-c -t7 hello");
    drop(output);
    drop(process);
}

#[test]
fn who_is_not_able_says_why() {
    let (_home, relay) = tree("printf '24:7:Nreason,10:Uno reason,,' >&3");
    let report = start(&relay);
    assert_eq!(report.notes, ["reason"]);
    assert_eq!(report.outcome.unwrap_err(), "no reason");
}

#[test]
fn one_that_is_missing_or_ends_or_talks_nonsense_is_no_way_to_tls() {
    for (script, note) in [
        ("exit 0", "bin/qmail-tlsrelay does not work: it ended without a report"),
        ("kill -9 $$", "bin/qmail-tlsrelay does not work: it ended without a report"),
        ("printf '11:4:Nodd' >&3", "bin/qmail-tlsrelay does not work: it ended without a report"),
        ("printf x >&3", "bin/qmail-tlsrelay does not work: malformed report"),
        // It is not waited for.
        ("printf 4:1:X,, >&3; exec sleep 600", "does not work: malformed report"),
    ] {
        let (_home, relay) = tree(script);
        let report = start(&relay);
        assert_eq!(report.outcome.unwrap_err(), NO_REPORT, "{script}");
        assert!(report.notes.len() == 1 && report.notes[0].ends_with(note), "{:?}", report.notes);
    }
    let (home, relay) = tree("");
    std::fs::remove_file(home.path().join("bin/qmail-tlsrelay")).unwrap();
    let note = &start(&relay).notes[0];
    assert!(note.ends_with("bin/qmail-tlsrelay does not work: file does not exist"), "{note}");
}

#[test]
fn a_handshake_without_a_proper_report_has_failed() {
    for (script, note) in [
        ("exit 0", "it ended without a report"),
        ("printf '4:1:R,,' >&3; exec sleep 600", "malformed report"),
        ("printf '22:8:VTLSv1.3' >&3; kill -9 $$", "it ended without a report"),
    ] {
        let (_home, relay) = tree(&format!("{READY}{BEGUN}{script}"));
        let report = start(&relay).outcome.unwrap().begin();
        assert_eq!(report.outcome.unwrap_err(), Failure::Reason(NO_REPORT.into()), "{script}");
        assert_eq!(report.notes, [format!("qmail-tlsrelay does not work: {note}")]);
    }
}

#[test]
fn one_that_is_not_needed_after_all_ends() {
    let (_home, relay) = tree(&format!("{READY}head -c 1 <&3 >/dev/null"));
    let waiting = start(&relay).outcome.unwrap();
    let child = waiting.process.0.as_ref().unwrap().id();
    drop(waiting);
    assert!(!Path::new(&format!("/proc/{child}")).exists());
}
