use super::ledger::LARGEST;
use super::*;
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use crate::maildir::tests::{maildir, names};
use crate::maildir::{Delivered, Delivery, deliver};

fn write(path: &Path, text: &str) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn said(maildir: &Path) -> String {
    fs::read_to_string(maildir.join(FILE)).unwrap()
}

/// Delivers a message of so many bytes; how full the maildir is then.
fn put(maildir: &Path, bytes: usize, quota: Wanted) -> Result<Option<u64>, MaildirError> {
    let message = vec![b'x'; bytes];
    let delivery = Delivery { maildir, quota, ..Delivery::default() };
    deliver(&delivery, &mut names(), message.as_slice()).map(|Delivered { percent }| percent)
}

fn limits(text: &str) -> Limits {
    Limits::parse(text.as_bytes()).unwrap()
}

/// Makes all directories look as if nothing had happened for a while.
fn rest(maildir: &Path) {
    let past = SystemTime::now() - Duration::from_secs(5);
    for part in ["new", "cur"] {
        File::open(maildir.join(part)).unwrap().set_modified(past).unwrap();
    }
}

#[test]
fn a_maildir_without_the_file_has_no_quota() {
    let maildir = maildir();
    assert_eq!(put(maildir.path(), 1000, Wanted::AsItIs).unwrap(), None);
    assert!(!maildir.path().join(FILE).exists());
}

#[test]
fn deliveries_are_counted_and_refused_and_named_by_size() {
    let maildir = maildir();
    Quota::set(maildir.path(), limits("3000S"), &mut names()).unwrap();
    assert_eq!(put(maildir.path(), 1000, Wanted::AsItIs).unwrap(), Some(33));
    assert_eq!(put(maildir.path(), 2000, Wanted::AsItIs).unwrap(), Some(100));
    let refused = put(maildir.path(), 1, Wanted::AsItIs);
    assert!(matches!(refused, Err(MaildirError::Full)), "{refused:?}");
    let mut sizes: Vec<_> = fs::read_dir(maildir.path().join("new"))
        .unwrap()
        .map(|entry| size_in_name(entry.unwrap().file_name().as_bytes()))
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [Some(1000), Some(2000)]);
    assert_eq!(fs::read_dir(maildir.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn sums_that_refuse_are_counted_first() {
    let maildir = maildir();
    write(&maildir.path().join(FILE), "100S\n90 1\n90 1\n");
    rest(maildir.path());
    assert_eq!(put(maildir.path(), 10, Wanted::AsItIs).unwrap(), Some(10));
    assert_eq!(
        said(maildir.path()),
        "100S\n           0            0\n          10            1\n"
    );
}

#[test]
fn sums_from_the_future_refuse_nothing() {
    let maildir = maildir();
    let file = maildir.path().join(FILE);
    write(&file, "100S\n90 1\n");
    rest(maildir.path());
    let refused = put(maildir.path(), 20, Wanted::AsItIs);
    assert!(matches!(refused, Err(MaildirError::Full)), "{refused:?}");
    let next_year = SystemTime::now() + Duration::from_secs(365 * 86_400);
    File::options().append(true).open(&file).unwrap().set_modified(next_year).unwrap();
    assert_eq!(put(maildir.path(), 20, Wanted::AsItIs).unwrap(), Some(20));
}

#[test]
fn a_long_file_is_replaced_by_a_short_one() {
    let maildir = maildir();
    let lines = "1 1\n".repeat(LARGEST / 4);
    write(&maildir.path().join(FILE), &format!("9999999S\n{lines}"));
    rest(maildir.path());
    put(maildir.path(), 10, Wanted::AsItIs).unwrap();
    assert!(said(maildir.path()).starts_with("9999999S\n           0            0\n"));
}

#[test]
fn what_was_counted_while_others_were_busy_is_counted_again() {
    let maildir = maildir();
    // Just now: another change could leave the same time.
    let future = SystemTime::now() + Duration::from_secs(5);
    File::open(maildir.path().join("new")).unwrap().set_modified(future).unwrap();
    Quota::set(maildir.path(), limits("100S"), &mut names()).unwrap();
    let text = said(maildir.path());
    assert!(text.len() > LARGEST && text.starts_with("100S\n           0            0\n"));
    rest(maildir.path());
    put(maildir.path(), 10, Wanted::AsItIs).unwrap();
    assert!(said(maildir.path()).len() < 100);
}

#[test]
fn a_wish_makes_the_file_and_only_an_order_changes_it() {
    let maildir = maildir();
    put(maildir.path(), 40, Wanted::Default(limits("100S"))).unwrap();
    assert!(said(maildir.path()).starts_with("100S\n"));
    let refused = put(maildir.path(), 70, Wanted::Default(limits("1000S")));
    assert!(matches!(refused, Err(MaildirError::Full)));
    assert_eq!(put(maildir.path(), 60, Wanted::Exactly(limits("1000S"))).unwrap(), Some(10));
    assert!(said(maildir.path()).starts_with("1000S\n"));
    assert_eq!(put(maildir.path(), 5000, Wanted::Exactly(Limits::default())).unwrap(), None);
}

#[test]
fn garbage_is_no_quota_until_somebody_says_one() {
    let maildir = maildir();
    write(&maildir.path().join(FILE), "\0\0\0\0");
    assert_eq!(put(maildir.path(), 10, Wanted::AsItIs).unwrap(), None);
    assert_eq!(put(maildir.path(), 10, Wanted::Default(limits("40S"))).unwrap(), Some(50));
}

#[test]
fn links_and_fifos_are_not_opened() {
    let maildir = maildir();
    let other = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::symlink(other.path(), maildir.path().join(FILE)).unwrap();
    assert!(matches!(put(maildir.path(), 10, Wanted::AsItIs), Err(MaildirError::Other(_))));
    fs::remove_file(maildir.path().join(FILE)).unwrap();
    qmail_sys::make_fifo(&maildir.path().join(FILE), 0o600).unwrap();
    assert!(matches!(put(maildir.path(), 10, Wanted::AsItIs), Err(MaildirError::Other(_))));
    assert_eq!(other.as_file().metadata().unwrap().len(), 0);
}

#[test]
fn a_folder_counts_for_its_maildir_and_trash_for_none() {
    let maildir = maildir();
    for folder in [".Drafts", ".Trash"] {
        for part in ["", "tmp", "new", "cur"] {
            fs::create_dir(maildir.path().join(folder).join(part)).unwrap();
        }
        write(&maildir.path().join(folder).join(FOLDER_MARK), "");
    }
    Quota::set(maildir.path(), limits("100S"), &mut names()).unwrap();
    assert_eq!(put(&maildir.path().join(".Drafts"), 60, Wanted::AsItIs).unwrap(), Some(60));
    assert!(matches!(put(maildir.path(), 60, Wanted::AsItIs), Err(MaildirError::Full)));
    assert_eq!(put(&maildir.path().join(".Trash"), 600, Wanted::AsItIs).unwrap(), None);
    assert!(!maildir.path().join(".Drafts/maildirsize").exists());
}

#[test]
fn whoever_appends_to_a_file_that_was_replaced_counts_again() {
    let maildir = maildir();
    Quota::set(maildir.path(), limits("100S"), &mut names()).unwrap();
    let mut quota = Quota::open(maildir.path(), Wanted::AsItIs, &mut names()).unwrap().unwrap();
    assert!(quota.admits(10, &mut names()).unwrap());
    Quota::set(maildir.path(), limits("100S"), &mut names()).unwrap();
    write(&maildir.path().join("new/1.2.3,S=10"), "0123456789");
    assert_eq!(quota.add(Usage::message(10), &mut names()).unwrap(), 10);
    assert!(said(maildir.path()).starts_with("100S\n          10            1\n"));
}

#[test]
fn a_file_that_somebody_removes_or_changes_meanwhile_is_taken_as_it_is_then() {
    let maildir = maildir();
    Quota::set(maildir.path(), limits("100S"), &mut names()).unwrap();
    let mut quota = Quota::open(maildir.path(), Wanted::AsItIs, &mut names()).unwrap().unwrap();
    Quota::set(maildir.path(), limits("200S"), &mut names()).unwrap();
    assert!(quota.admits(150, &mut names()).unwrap());
    fs::remove_file(maildir.path().join(FILE)).unwrap();
    assert!(!quota.admits(250, &mut names()).unwrap());
    assert!(said(maildir.path()).starts_with("200S\n           0            0\n"));
}

#[test]
fn whoever_only_looks_is_told_what_was_counted_last() {
    let maildir = maildir();
    let used = |text: &str, limits: Option<Limits>| {
        write(&maildir.path().join(FILE), text);
        percent_used(maildir.path(), limits)
    };
    assert_eq!(percent_used(maildir.path(), Some(limits("100S"))), None);
    assert_eq!(used("100S,10C\n40 1\n10 1\n", None), Some(50));
    assert_eq!(used("100S\n50 1\n", Some(limits("1C"))), Some(100));
    assert_eq!(used("100S\n50 1\n", Some(Limits::default())), None);
    for text in ["", "0S\n50 1\n", "100S\nnonsense\n", "100S\n-1 0\n"] {
        assert_eq!(used(text, None), None, "{text:?}");
    }
}

#[test]
fn removed_messages_are_one_line() {
    let maildir = maildir();
    assert!(Removal::begin(maildir.path()).is_none());
    Quota::set(maildir.path(), limits("100S"), &mut names()).unwrap();
    let mut removal = Removal::begin(maildir.path()).unwrap();
    removal.note(b"1.2.3,S=10:2,S", 7);
    removal.note(b"1.2.4:2,", 5);
    removal.note(b"1.2.5:2,T", 50);
    // Somebody counts meanwhile.
    Quota::set(maildir.path(), limits("200S"), &mut names()).unwrap();
    removal.finish().unwrap();
    assert!(said(maildir.path()).starts_with("200S\n"));
    assert!(said(maildir.path()).ends_with("\n         -15           -2\n"));
    Removal::begin(maildir.path()).unwrap().finish().unwrap();
    assert!(said(maildir.path()).ends_with("\n         -15           -2\n"));
}

fn warnings(maildir: &Path) -> usize {
    fs::read_dir(maildir.join("new")).unwrap().count()
}

#[test]
fn a_warning_comes_once_a_day_and_is_never_refused() {
    let maildir = maildir();
    Quota::set(maildir.path(), limits("1C"), &mut names()).unwrap();
    let give = || {
        let warning = Warning { lines: &[b"Date: now\n"], text: b"\nfull\n".as_slice() };
        warn(maildir.path(), &mut names(), warning).unwrap();
    };
    give();
    give();
    assert_eq!(warnings(maildir.path()), 1);
    let yesterday = SystemTime::now() - PAUSE_OF_WARNINGS;
    File::open(maildir.path().join("quotawarn")).unwrap().set_modified(yesterday).unwrap();
    give();
    assert_eq!(warnings(maildir.path()), 2);
}

const PAUSE_OF_WARNINGS: Duration = Duration::from_secs(24 * 60 * 60 + 1);

#[test]
fn setting_no_limits_removes_the_quota() {
    let maildir = maildir();
    Quota::set(maildir.path(), Limits::default(), &mut names()).unwrap();
    Quota::set(maildir.path(), limits("5S"), &mut names()).unwrap();
    Quota::set(maildir.path(), Limits::default(), &mut names()).unwrap();
    assert!(!maildir.path().join(FILE).exists());
}
