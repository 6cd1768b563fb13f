use super::*;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

/// A maildir with so many messages in `cur`, each of `x` and a line end. The clock of the file system
/// has moved on since.
fn maildir(count: usize) -> tempfile::TempDir {
    let maildir = tempfile::tempdir().unwrap();
    for directory in ["new", "cur", "tmp"] {
        fs::create_dir(maildir.path().join(directory)).unwrap();
    }
    for number in 0..count {
        add(maildir.path(), &format!("cur/{number:04}.x:2,"));
    }
    let last = changed(&maildir.path().join("cur"));
    let probe = maildir.path().join("tmp/probe");
    loop {
        add(maildir.path(), "tmp/probe");
        let now = changed(&probe);
        fs::remove_file(&probe).unwrap();
        if now > last {
            return maildir;
        }
    }
}

fn changed(path: &Path) -> (i64, i64) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.ctime(), metadata.ctime_nsec())
}

fn add(maildir: &Path, path: &str) {
    let mut file = File::create(maildir.join(path)).unwrap();
    file.write_all(b"x\n").unwrap();
}

/// When all directories have settled.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(10)
}

fn index(maildir: &tempfile::TempDir) -> PathBuf {
    maildir.path().join("qmail-pop3d.index")
}

/// A session that has counted the octets of all messages, as it is at its end.
fn session(maildir: &tempfile::TempDir, now: SystemTime) -> (Mailbox, Known) {
    let (mut mailbox, known) = open_mailbox(maildir.path(), now).unwrap();
    for index in mailbox.unmeasured() {
        mailbox.measure(index, Some(5));
    }
    known.keep(maildir.path(), &mailbox, UNTOUCHED);
    (mailbox, known)
}

const UNTOUCHED: Updated = Updated { all_gone: true, as_it_was: true };

fn summary(mailbox: &Mailbox) -> Vec<(PathBuf, u64)> {
    mailbox.all().iter().map(|message| (message.path().to_owned(), message.size())).collect()
}

#[test]
fn the_next_session_lists_and_counts_nothing() {
    let maildir = maildir(300);
    let (first, known) = session(&maildir, later());
    assert_eq!((known.listed, known.counted), (false, 0));
    let (second, known) = session(&maildir, later());
    assert_eq!((known.listed, known.counted), (true, 300));
    assert_eq!(summary(&second), summary(&first));
    assert_eq!(fs::read_dir(maildir.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn whatever_happens_to_a_directory_makes_a_new_list() {
    let changes: [fn(&Path); 5] = [
        |maildir| add(maildir, "new/9999.x"),
        |maildir| fs::remove_file(maildir.join("cur/0007.x:2,")).unwrap(),
        |maildir| {
            fs::rename(maildir.join("cur/0007.x:2,"), maildir.join("cur/0007.x:2,S")).unwrap()
        },
        |maildir| fs::rename(maildir.join("cur/0007.x:2,"), maildir.join("new/0007.x")).unwrap(),
        |maildir| {
            fs::rename(maildir.join("new"), maildir.join("old")).unwrap();
            fs::create_dir(maildir.join("new")).unwrap();
        },
    ];
    for change in changes {
        let maildir = maildir(300);
        session(&maildir, later());
        change(maildir.path());
        let (mailbox, known) = open_mailbox(maildir.path(), later()).unwrap();
        assert!(!known.listed);
        assert!(known.counted >= 299, "{}", known.counted);
        let mut there = summary(&scan(maildir.path()).unwrap());
        there
            .iter_mut()
            .for_each(|(path, size)| *size = if path.ends_with("9999.x") { 2 } else { 5 });
        assert_eq!(summary(&mailbox), there);
    }
}

#[test]
fn a_directory_that_has_just_changed_may_change_again_unseen() {
    let maildir = maildir(300);
    session(&maildir, SystemTime::now());
    let (_, known) = session(&maildir, later());
    assert_eq!((known.listed, known.counted), (false, 300));
    let (_, known) = session(&maildir, later());
    assert!(known.listed);
}

#[test]
fn what_a_session_changes_makes_a_new_list() {
    let maildir = maildir(300);
    let (mailbox, known) = open_mailbox(maildir.path(), later()).unwrap();
    known.keep(maildir.path(), &mailbox, Updated { all_gone: true, as_it_was: false });
    assert!(!index(&maildir).exists());
    // Somebody else's changes, while the session went on.
    add(maildir.path(), "new/9999.x");
    known.keep(maildir.path(), &mailbox, UNTOUCHED);
    assert!(!index(&maildir).exists());
}

#[test]
fn a_broken_index_is_as_good_as_none() {
    let maildir = maildir(300);
    let (first, _) = session(&maildir, later());
    let good = fs::read(index(&maildir)).unwrap();
    let half = good[..good.len() / 2].to_vec();
    let zeros = [&half[..], &vec![0; good.len() - half.len()][..]].concat();
    let state = good.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let outside = [state, b"1 2 3 new/../../secret\nend\n"].concat();
    let endless = [state, &vec![b'x'; 100_000]].concat();
    for broken in [half, zeros, outside, endless, Vec::new(), b"something else\n".to_vec()] {
        File::create(index(&maildir)).unwrap().write_all(&broken).unwrap();
        let (mailbox, known) = open_mailbox(maildir.path(), later()).unwrap();
        let paths = |mailbox: &Mailbox| -> Vec<PathBuf> {
            mailbox.all().iter().map(|message| message.path().to_owned()).collect()
        };
        assert!(!known.listed);
        assert_eq!(paths(&mailbox), paths(&first));
    }
}

#[test]
fn what_is_in_the_place_of_an_index_is_not_opened() {
    let maildir = maildir(300);
    symlink("/dev/zero", index(&maildir)).unwrap();
    assert!(Index::open(maildir.path()).is_none());
    fs::remove_file(index(&maildir)).unwrap();
    qmail_sys::make_fifo(&index(&maildir), 0o600).unwrap();
    assert!(Index::open(maildir.path()).is_none());
    // And gives way to one.
    session(&maildir, later());
    assert!(open_mailbox(maildir.path(), later()).unwrap().1.listed);
}

#[test]
fn a_small_maildir_has_no_index() {
    let maildir = maildir(3);
    session(&maildir, later());
    assert!(!index(&maildir).exists());
    File::create(index(&maildir)).unwrap().write_all(b"qmail-pop3d 1 0 0 0 0\nend\n").unwrap();
    session(&maildir, later());
    assert!(!index(&maildir).exists());
}

#[test]
fn a_maildir_that_cannot_be_written_to_is_read_all_the_same() {
    let maildir = maildir(300);
    fs::remove_dir(maildir.path().join("tmp")).unwrap();
    session(&maildir, later());
    assert!(!index(&maildir).exists());
}
