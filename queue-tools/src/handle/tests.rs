use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{Outcome, Reader, Request, run};

const PARTS: u64 = 2;

struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for directory in ["lock", "pid", "todo", "intd", "bounce"] {
            fs::create_dir_all(tree.path(directory)).unwrap();
        }
        for area in ["mess", "info", "local", "remote"] {
            for part in 0..PARTS {
                fs::create_dir_all(tree.path(&format!("{area}/{part}"))).unwrap();
            }
        }
        tree.write("lock/sendmutex", b"");
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("queue").join(name)
    }

    fn write(&self, name: &str, contents: &[u8]) -> u64 {
        let mut file = File::create(self.path(name)).unwrap();
        file.write_all(contents).unwrap();
        file.metadata().unwrap().ino()
    }

    fn file(&self, area: &str, id: u64) -> PathBuf {
        self.path(&format!("{area}/{}/{id}", id % PARTS))
    }

    fn message(&self, text: &str) -> u64 {
        let id = self.write("mess/new", text.as_bytes());
        fs::rename(self.path("mess/new"), self.file("mess", id)).unwrap();
        id
    }

    fn queued(&self, sender: &str, recipients: &str, text: &str) -> u64 {
        let id = self.message(text);
        let part = id % PARTS;
        self.write(&format!("info/{part}/{id}"), format!("F{sender}\0").as_bytes());
        self.write(&format!("remote/{part}/{id}"), recipients.as_bytes());
        id
    }

    fn waiting(&self, sender: &str) -> u64 {
        let id = self.message("Subject: new\n\n");
        for area in ["todo", "intd"] {
            let envelope = format!("u1\0p2\0F{sender}\0Tx@y\0");
            self.write(&format!("{area}/{id}"), envelope.as_bytes());
        }
        id
    }

    fn run(&self, words: &[&str]) -> (Outcome, String) {
        let words = std::iter::once("qmail-qhandle").chain(words.iter().copied());
        let request = Request::parse(words.map(Into::into)).unwrap();
        let mut text = Vec::new();
        let outcome = run(&request, self.0.path(), Reader::Terminal, &mut text).unwrap();
        (outcome, String::from_utf8(text).unwrap())
    }

    /// As long as this lives, qmail-send seems to run.
    fn daemon(&self) -> File {
        let mutex = File::options().write(true).open(self.path("lock/sendmutex")).unwrap();
        mutex.lock().unwrap();
        mutex
    }

    fn remote(&self, id: u64) -> String {
        fs::read_to_string(self.file("remote", id)).unwrap()
    }

    fn birth(&self, id: u64) -> i64 {
        fs::metadata(self.file("info", id)).unwrap().mtime()
    }
}

#[test]
fn a_list_shows_headers_and_where_a_message_is() {
    let tree = Tree::new();
    let id = tree.queued("a@b", "Tx@y\0", "From: A\nsubject: hi\x1b\n there\n\nbody\n");
    let waiting = tree.waiting("new@b");
    let part = id % PARTS;
    let expected = format!(
        "{id} ({part}, R)\n  Return-path: a@b\n  From: A\n  Subject: hi? there\n  Size: 34 bytes\n\n"
    );
    assert_eq!(tree.run(&["-R"]), (Outcome::Complete, expected.clone()));
    let (_, all) = tree.run(&["-l"]);
    assert!(all.contains(&expected) && all.contains(&format!("{waiting} (")), "{all}");
    assert!(all.contains(", T)\n  Return-path: new@b\n"), "{all}");
    assert_eq!(tree.run(&["-RN"]).1, format!("{id}\n"));
    assert_eq!(tree.run(&["-L"]).1, "");
    assert!(tree.run(&["-Rc"]).1.starts_with(&format!("\x1b[1m{id}\x1b[0m (")));
}

#[test]
fn statistics_count_and_a_message_is_shown_without_controls() {
    let tree = Tree::new();
    let id = tree.queued("a@b", "Tx@y\0", "To: x\n\n\x1b[2J\n");
    tree.write(&format!("bounce/{id}"), b"x");
    tree.waiting("a@b");
    // Still being written.
    tree.message("unfinished");
    let expected = "Total messages: 2\n\
                    Messages with local recipients: 0\n\
                    Messages with remote recipients: 1\n\
                    Messages with bounces: 1\n\
                    Messages in preprocess: 1\n";
    assert_eq!(tree.run(&["-s"]).1, expected);
    assert_eq!(tree.run(&["-m", &id.to_string()]).1, "To: x\n\n?[2J\n");
    assert_eq!(
        tree.run(&["-m1"]),
        (Outcome::Incomplete, "warning: #1: is not in the queue\n".into())
    );
}

#[test]
fn while_qmail_send_runs_recipients_are_marked_and_files_left_to_it() {
    let tree = Tree::new();
    let spam = tree.queued("spam@x", "Ta@b\0Dc@d\0Te@f\0", "Subject: x\n\n");
    let other = tree.queued("a@b", "Tx@y\0", "\n");
    tree.write(&format!("bounce/{spam}"), b"x");
    let _daemon = tree.daemon();
    let (outcome, text) = tree.run(&["-fspam@x"]);
    assert_eq!(outcome, Outcome::Complete);
    assert!(text.starts_with("Deleted 1 messages from queue\n"), "{text}");
    assert_eq!(
        (tree.remote(spam), tree.remote(other)),
        ("Da@b\0Dc@d\0De@f\0".into(), "Tx@y\0".into())
    );
    assert!(tree.file("mess", spam).exists() && tree.file("info", spam).exists());
    assert!(!tree.path(&format!("bounce/{spam}")).exists());
}

#[test]
fn what_qmail_todo_may_be_at_is_left_alone_while_it_runs() {
    let tree = Tree::new();
    let id = tree.waiting("a@b");
    let daemon = tree.daemon();
    for words in [&["-D"][..], &["-eD"], &["-t@y"]] {
        let (outcome, text) = tree.run(words);
        assert_eq!(outcome, Outcome::Incomplete);
        assert!(text.starts_with(&format!("warning: #{id}: is not yet preprocessed")), "{text}");
    }
    assert!(tree.path(&format!("todo/{id}")).exists());
    drop(daemon);
    assert_eq!(tree.run(&["-D"]), (Outcome::Complete, "Deleted 1 messages from queue\n".into()));
    for area in ["todo", "intd"] {
        assert!(!tree.path(&format!("{area}/{id}")).exists());
    }
}

#[test]
fn without_qmail_send_every_file_of_a_message_goes() {
    let tree = Tree::new();
    let id = tree.queued("a@b", "Tx@y\0", "Subject: cheap pills\n\n");
    let other = tree.queued("a@b", "Tx@y\0", "Subject: dear\n\npills\n");
    tree.write(&format!("bounce/{id}"), b"x");
    assert_eq!(tree.run(&["-Spills"]).1, "Deleted 1 messages from queue\n");
    for area in ["mess", "info", "remote"] {
        assert!(!tree.file(area, id).exists() && tree.file(area, other).exists(), "{area}");
    }
    assert!(!tree.path(&format!("bounce/{id}")).exists());
}

#[test]
fn a_message_expires_or_begins_anew() {
    let tree = Tree::new();
    let old = tree.queued("a@b", "Tx@y\0", "\n");
    let (outcome, text) = tree.run(&["-e", "-d", &old.to_string()]);
    assert_eq!((outcome, text.as_str()), (Outcome::Complete, "Expired 1 messages in queue\n"));
    assert_eq!(tree.birth(old), 0);
    assert_eq!(tree.run(&["-t^X@"]).1, "Renewed 0 messages in queue\n");
    assert_eq!(tree.run(&["-t^x@"]).1, "Renewed 1 messages in queue\n");
    assert!(tree.birth(old) > 1_000_000_000);
}

#[test]
fn a_number_that_is_not_that_of_its_file_is_not_touched() {
    let tree = Tree::new();
    let id = tree.queued("a@b", "Tx@y\0", "\n");
    let wrong = id + PARTS;
    fs::copy(tree.file("mess", id), tree.file("mess", wrong)).unwrap();
    fs::rename(tree.file("info", id), tree.file("info", wrong)).unwrap();
    if fs::metadata(tree.file("mess", wrong)).unwrap().ino() == wrong {
        return;
    }
    let (outcome, text) = tree.run(&["-d", &wrong.to_string()]);
    assert_eq!(outcome, Outcome::Incomplete);
    assert!(text.contains("see qmail-qrepair\n"), "{text}");
    assert!(tree.file("info", wrong).exists());
}

#[test]
fn without_qmail_send_all_become_due_when_it_starts() {
    let tree = Tree::new();
    let id = tree.queued("a@b", "Tx@y\0", "\n");
    let file = File::options().write(true).open(tree.file("remote", id)).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(100_000);
    file.set_modified(later).unwrap();
    assert_eq!(tree.run(&["-a"]), (Outcome::Complete, String::new()));
    assert!(file.metadata().unwrap().modified().unwrap() < later);
}
