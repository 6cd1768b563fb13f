use std::cell::Cell;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;

fn queue(directories: &[&str]) -> (tempfile::TempDir, Queue) {
    let root = tempfile::tempdir().unwrap();
    for directory in ["pid", "mess/0", "mess/1", "intd", "todo"].iter().chain(directories) {
        fs::create_dir_all(root.path().join(directory)).unwrap();
    }
    let queue = Queue::open(root.path()).unwrap();
    (root, queue)
}

fn make(root: &Path, files: &[&str]) {
    for file in files {
        File::create(root.join(file)).unwrap();
    }
}

fn left(root: &Path, files: &[&str]) -> Vec<String> {
    let there = files.iter().filter(|file| root.join(file).exists());
    there.map(|file| (*file).to_owned()).collect()
}

fn replies(queue: &Queue, requests: &[u8]) -> String {
    let mut replies = Vec::new();
    run(queue, requests, &mut replies, SystemTime::now).unwrap();
    String::from_utf8(replies).unwrap()
}

#[test]
fn each_request_has_one_reply_and_bad_ones_remove_nothing() {
    let files = ["mess/0/2", "mess/1/3", "intd/2", "intd/3", "todo/2"];
    for (requests, expected, removed) in [
        (b"foop/2\0".as_slice(), "!", ["intd/2"].as_slice()),
        (b"foop/3\0foop/3\0", "++", &["mess/1/3", "intd/3"]),
        (b"todo/2\0", "+", &["intd/2", "todo/2"]),
        (b"foop/2a3\0", "x", &[]),
        (b"foop/2x\0foop/3\0", "x+", &["mess/1/3", "intd/3"]),
        (b"todx/2\0", "x", &[]),
        (b"todo/0/2\0", "x", &[]),
        (b"foop/\0\0foop/../2\0", "xxx", &[]),
        (b"foop/99\0todo/99\0", "++", &[]),
        (b"foop/2", "", &[]),
    ] {
        let (root, queue) = queue(&[]);
        make(root.path(), &files);
        assert_eq!(replies(&queue, requests), expected, "{requests:?}");
        let expected: Vec<_> = files.iter().filter(|file| !removed.contains(file)).collect();
        assert_eq!(left(root.path(), &files).iter().collect::<Vec<_>>(), expected, "{requests:?}");
    }
}

#[test]
fn a_hashed_todo_is_named_with_its_part() {
    let (root, queue) = queue(&["intd/0", "intd/1", "todo/0", "todo/1"]);
    let files = ["intd/1/3", "todo/1/3"];
    make(root.path(), &files);
    assert_eq!(replies(&queue, b"todo/3\0todo/0/3\0"), "xx");
    assert_eq!(left(root.path(), &files).len(), 2);
    assert_eq!(replies(&queue, b"todo/1/3\0"), "+");
    assert_eq!(left(root.path(), &files).len(), 0);
}

#[test]
fn what_cannot_be_removed_is_said_and_the_last_file_stays() {
    let (root, queue) = queue(&["intd/2"]);
    make(root.path(), &["mess/0/2"]);
    assert_eq!(replies(&queue, b"foop/2\0foop/4\0"), "!+");
    assert_eq!(left(root.path(), &["mess/0/2"]).len(), 1);
}

#[test]
fn files_in_pid_go_at_36_hours_at_start_and_after_31_requests() {
    let (root, queue) = queue(&[]);
    make(root.path(), &["pid/1.2.1", "pid/whatever"]);
    let both = || left(root.path(), &["pid/1.2.1", "pid/whatever"]).len();
    let accessed = fs::metadata(root.path().join("pid/whatever")).unwrap().accessed().unwrap();
    let accessed =
        accessed.max(fs::metadata(root.path().join("pid/1.2.1")).unwrap().accessed().unwrap());
    run(&queue, b"".as_slice(), Vec::new(), || accessed + OLD - Duration::from_secs(1)).unwrap();
    assert_eq!(both(), 2);
    let asked = Cell::new(0);
    let clock = || {
        asked.set(asked.get() + 1);
        accessed + if asked.get() > 1 { OLD } else { Duration::ZERO }
    };
    run(&queue, b"x\0".repeat(30).as_slice(), Vec::new(), clock).unwrap();
    assert_eq!((asked.get(), both()), (1, 2));
    asked.set(0);
    run(&queue, b"x\0".repeat(31).as_slice(), Vec::new(), clock).unwrap();
    assert_eq!((asked.get(), both()), (2, 0));
}

const OLD: Duration = Duration::from_secs(129_600);

#[test]
fn a_reader_that_is_gone_ends_us_with_100() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (_root, queue) = queue(&[]);
    let failure = run(&queue, b"x\0".as_slice(), Gone, SystemTime::now).unwrap_err();
    assert_eq!(failure.code(), 100);
}
