use super::*;

const FROM: &[u8] = b"From a@b Fri Jan 02 03:04:05 2026\n";

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn messages_follow_each_other_with_an_empty_line_between() {
    let directory = directory();
    let mbox = directory.path().join("Mailbox");
    append(&mbox, Locks::default(), &[FROM, b"Return-Path: <a@b>\n"], b"S: 1\n\nFrom x".as_slice())
        .unwrap();
    append(&mbox, Locks::default(), &[FROM], b"S: 2\n\n".as_slice()).unwrap();
    let expected = [FROM, b"Return-Path: <a@b>\nS: 1\n\n>From x\n\n", FROM, b"S: 2\n\n\n"].concat();
    assert_eq!(fs::read(&mbox).unwrap(), expected);
    assert_eq!(fs::metadata(&mbox).unwrap().mode() & 0o177, 0);
}

#[test]
fn long_messages_arrive_whole() {
    let directory = directory();
    let mbox = directory.path().join("Mailbox");
    let body = b">From one line of many\n".repeat(40_000);
    append(&mbox, Locks::default(), &[FROM], body.as_slice()).unwrap();
    let quoted = b">>From one line of many\n".repeat(40_000);
    assert!(fs::read(&mbox).unwrap() == [FROM, &quoted, b"\n"].concat());
}

#[test]
fn a_message_that_cannot_be_read_leaves_the_file_as_it_was() {
    let directory = directory();
    let mbox = directory.path().join("Mailbox");
    append(&mbox, Locks::default(), &[FROM], b"one\n".as_slice()).unwrap();
    let before = fs::read(&mbox).unwrap();
    let start = b"x\n".repeat(200_000);
    let breaks_off = start.as_slice().chain(File::open("/").unwrap());
    assert!(matches!(
        append(&mbox, Locks::default(), &[FROM], breaks_off),
        Err(MboxError::Read(_))
    ));
    assert!(fs::read(&mbox).unwrap() == before);
}

/// Runs one test of this file again in a process of its own, since limits are for a process.
fn in_a_process_of_its_own(script: &str, test: &str, mbox: &Path) {
    let status = std::process::Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("mbox::tests::{test}")])
        .env("MBOX_OF_TEST", mbox)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_file_size_limit_leaves_the_file_as_it_was() {
    let Some(mbox) = std::env::var_os("MBOX_OF_TEST") else {
        let directory = directory();
        let mbox = directory.path().join("Mailbox");
        append(&mbox, Locks::default(), &[FROM], b"one\n".as_slice()).unwrap();
        let before = fs::read(&mbox).unwrap();
        let limited = "ulimit -f 1; exec \"$@\"";
        in_a_process_of_its_own(limited, "a_file_size_limit_leaves_the_file_as_it_was", &mbox);
        assert_eq!(fs::read(&mbox).unwrap(), before);
        return;
    };
    let error =
        append(Path::new(&mbox), Locks::default(), &[FROM], b"x\n".repeat(10_000).as_slice())
            .unwrap_err();
    assert!(matches!(error, MboxError::Write(_)), "{error}");
}

#[test]
fn waiting_too_long_is_told_apart_from_having_no_locks() {
    let lock_error = |kind: ErrorKind| lock_failure(kind.into());
    assert!(matches!(lock_error(ErrorKind::TimedOut), MboxError::Locked));
    assert!(matches!(lock_error(ErrorKind::Unsupported), MboxError::Lock(_)));
}

#[test]
fn a_file_that_was_replaced_while_we_waited_is_not_written_to() {
    let directory = directory();
    let mbox = directory.path().join("Mailbox");
    let old = File::create(&mbox).unwrap();
    let target = Locked::open(&mbox).unwrap();
    assert!(is_still(&target.file, &mbox));
    fs::rename(&mbox, directory.path().join("old")).unwrap();
    assert!(!is_still(&target.file, &mbox));
    append(&mbox, Locks::default(), &[FROM], b"x\n".as_slice()).unwrap();
    assert!(!is_still(&target.file, &mbox));
    assert_eq!(old.metadata().unwrap().len(), 0);
}

#[test]
fn a_device_is_refused_before_it_is_written_to() {
    let error =
        append(Path::new("/dev/null"), Locks::default(), &[FROM], b"x".as_slice()).unwrap_err();
    assert!(matches!(&error, MboxError::Write(_)), "{error}");
    assert_eq!(error.to_string(), "unable to write to the mbox: invalid argument");
}

#[test]
fn what_cannot_be_opened_is_told() {
    for path in ["/nonexistent/Mailbox", "/"] {
        let result = append(Path::new(path), Locks::default(), &[FROM], b"x".as_slice());
        assert!(matches!(result, Err(MboxError::Open(_))), "{path}");
    }
}

#[test]
fn a_dangling_link_makes_the_file_that_it_names() {
    let directory = directory();
    let (mbox, target) = (directory.path().join("Mailbox"), directory.path().join("target"));
    std::os::unix::fs::symlink(&target, &mbox).unwrap();
    append(&mbox, Locks::default(), &[FROM], b"x".as_slice()).unwrap();
    assert_eq!(fs::read(&target).unwrap(), [FROM, b"x\n\n"].concat());
}

#[test]
fn every_kind_of_lock_is_taken_and_given_back() {
    let directory = directory();
    let mbox = directory.path().join("Mailbox");
    for locks in ["flock", "fcntl", "dot", "flock,fcntl,dot"] {
        append(&mbox, Locks::parse(locks.as_bytes()).unwrap(), &[FROM], b"x".as_slice()).unwrap();
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    File::create(directory.path().join("Mailbox.lock")).unwrap();
    let before = fs::metadata(&mbox).unwrap().len();
    let locks = Locks::parse(b"dot").unwrap();
    let result = append_within(Duration::ZERO, &mbox, locks, &[FROM], b"x".as_slice());
    assert!(matches!(result, Err(MboxError::Locked)), "{result:?}");
    assert_eq!(fs::metadata(&mbox).unwrap().len(), before);
}
