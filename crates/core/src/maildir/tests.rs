use super::*;
use std::os::unix::fs::PermissionsExt;

pub(super) fn maildir() -> tempfile::TempDir {
    let maildir = tempfile::tempdir().unwrap();
    for name in ["tmp", "new", "cur"] {
        fs::create_dir(maildir.path().join(name)).unwrap();
    }
    maildir
}

pub(super) fn names() -> Names {
    Names::new(std::process::id(), b"host")
}

fn to<'a>(maildir: &'a Path, lines: &'a [&'a [u8]]) -> Delivery<'a> {
    Delivery { maildir, lines, ..Delivery::default() }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_message_arrives_in_new_as_it_is() {
    let maildir = maildir();
    let body = [b"Subject: x\n\nFrom here\n".as_slice(), &[b'y'; 200_000]].concat();
    let lines: [&[u8]; 2] = [b"Return-Path: <>\n", b"Delivered-To: a@b\n"];
    deliver(&to(maildir.path(), &lines), &mut names(), body.as_slice()).unwrap();
    let [path] = files(&maildir.path().join("new")).try_into().unwrap();
    assert_eq!(fs::read(&path).unwrap(), [lines.concat(), body].concat());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o133, 0);
    assert!(files(&maildir.path().join("tmp")).is_empty());
}

#[test]
fn a_name_that_is_taken_is_not_used() {
    let maildir = maildir();
    let taken = Names::new(1, b"h");
    let make = |path: &Path| {
        if path.ends_with("free") { Ok(()) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    };
    let mut names = taken;
    let error = unless_taken(maildir.path(), &mut names, "", make).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert!(names.next_name(Duration::ZERO).contains("Q4."), "three names were tried");
}

#[test]
fn a_link_to_a_name_that_is_taken_gets_another_one() {
    let maildir = maildir();
    let (tmp, new) = (maildir.path().join("tmp"), maildir.path().join("new"));
    let mut names = names();
    let temporary = Temporary::create(&tmp, &mut names).unwrap();
    let other = new.join(temporary.path.file_name().unwrap());
    File::create(&other).unwrap().write_all(b"other").unwrap();
    temporary.link_into(&new, &mut names, "").unwrap();
    assert_eq!(files(&new).len(), 2);
    assert_eq!(fs::read(&other).unwrap(), b"other");
}

#[test]
fn a_link_that_was_made_already_is_success() {
    let maildir = maildir();
    let (tmp, new) = (maildir.path().join("tmp"), maildir.path().join("new"));
    let mut names = names();
    let temporary = Temporary::create(&tmp, &mut names).unwrap();
    temporary.link_into(&new, &mut names, "").unwrap();
    temporary.link_into(&new, &mut names, "").unwrap();
    assert_eq!(files(&new).len(), 1);
}

#[test]
fn a_directory_that_is_missing_cannot_be_entered() {
    let result = deliver(&to(Path::new("/nonexistent/"), &[]), &mut names(), b"".as_slice());
    assert!(matches!(result, Err(MaildirError::Enter(_))));
    let result = deliver(&to(Path::new("/etc/passwd"), &[]), &mut names(), b"".as_slice());
    assert!(matches!(result, Err(MaildirError::Enter(_))));
}

#[test]
fn without_tmp_or_new_nothing_is_delivered() {
    for missing in ["tmp", "new"] {
        let maildir = maildir();
        fs::remove_dir(maildir.path().join(missing)).unwrap();
        let result = deliver(&to(maildir.path(), &[]), &mut names(), b"x".as_slice());
        assert!(matches!(result, Err(MaildirError::Other(_))), "{missing}");
        assert!(files(maildir.path()).iter().all(|directory| files(directory).is_empty()));
    }
}

#[test]
fn a_message_that_cannot_be_read_leaves_nothing() {
    let maildir = maildir();
    let unreadable = File::open("/").unwrap();
    let result = deliver(&to(maildir.path(), &[b"x"]), &mut names(), unreadable);
    assert!(matches!(result, Err(MaildirError::Read(_))));
    assert!(files(maildir.path()).iter().all(|directory| files(directory).is_empty()));
}

#[test]
fn a_delivery_that_takes_too_long_leaves_nothing() {
    let maildir = maildir();
    let result = deliver_within(
        Duration::ZERO,
        &to(maildir.path(), &[]),
        &mut names(),
        b"x".as_slice(),
        Refusals::Possible,
    );
    assert!(matches!(result, Err(MaildirError::Timeout)));
    assert!(files(maildir.path()).iter().all(|directory| files(directory).is_empty()));
}
