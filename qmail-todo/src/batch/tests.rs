use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::testing::queue;

/// A queue, and our ends of the pipes to qmail-send and qmail-clean.
struct Bench {
    root: tempfile::TempDir,
    queue: Queue,
    disk: Disk,
    cleaner: Cleaner,
    reporter: Reporter,
    requests: File,
    replies: File,
    news: File,
}

const PARTS: [&str; 8] =
    ["mess/0", "mess/1", "info/0", "info/1", "local/0", "local/1", "remote/0", "remote/1"];

fn routes() -> Routes {
    Routes {
        default_host: b"here".to_vec(),
        locals: [b"here".to_vec()].into_iter().collect(),
        virtual_domains: [b"v.example:joe".to_vec()].into_iter().collect(),
        ..Routes::default()
    }
}

impl Bench {
    fn new(hashed: bool) -> Self {
        let todo: &[&str] = if hashed { &["todo/0", "todo/1"] } else { &["todo"] };
        let (root, queue) = queue(&[&PARTS, todo].concat());
        let (requests, replies) = (qmail_sys::pipe().unwrap(), qmail_sys::pipe().unwrap());
        let news = qmail_sys::pipe().unwrap();
        let disk = Disk::of(&queue);
        Self {
            root,
            queue,
            disk,
            cleaner: Cleaner::new(File::from(requests.write), File::from(replies.read)),
            reporter: Reporter::new(File::from(news.write)),
            requests: File::from(requests.read),
            replies: File::from(replies.write),
            news: File::from(news.read),
        }
    }

    fn file(&self, name: &str, content: &[u8]) {
        File::create(self.root.path().join(name)).unwrap().write_all(content).unwrap();
    }

    fn content(&self, name: &str) -> Option<String> {
        fs::read(self.root.path().join(name)).ok().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Processes messages while qmail-clean answers `replies`; what was requested, and the news.
    fn process(self, ids: &[u64], replies: &[u8]) -> (Self, String, Vec<String>) {
        let (bench, _, requests, news) = self.process_found(Found::InTodo, ids, replies);
        (bench, requests, news)
    }

    /// As [`Self::process`], and whether all have gone.
    fn process_found(
        mut self,
        found: Found,
        ids: &[u64],
        replies: &[u8],
    ) -> (Self, bool, String, Vec<String>) {
        self.replies.write_all(replies).unwrap();
        let ids: Vec<QueueId> = ids.iter().copied().map(QueueId::new).collect();
        let Self { queue, disk, cleaner, reporter, .. } = &mut self;
        let all = process(queue, &routes(), &ids, found, disk, cleaner, reporter).unwrap();
        self.reporter.tell(&News::Stopped);
        self.reporter.flush().unwrap();
        let requests = if replies.is_empty() { String::new() } else { read(&mut self.requests) };
        let news = read(&mut self.news);
        let news = news.split_terminator('\0').map(str::to_owned).collect();
        (self, all, requests, news)
    }
}

fn read(pipe: &mut File) -> String {
    let mut block = [0; 8192];
    let length = pipe.read(&mut block).unwrap();
    String::from_utf8(block[..length].to_vec()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn recipients_are_sorted_into_channels() {
    let bench = Bench::new(false);
    bench.file("mess/1/7", b"0123456789");
    bench.file("todo/7", b"u1000\0p12\0Fme@here\0Ta@there\0Tb\0Tc@v.example\0Td@there\0");
    let (bench, requests, news) = bench.process(&[7], b"+");
    assert_eq!(requests, "todo/7\0");
    let info = "Linfo msg 7: bytes 10 from <me@here> qp 12 uid 1000\n";
    assert_eq!(news, ["Lnew msg 7\n", info, "DB7", "X"]);
    assert_eq!(bench.content("info/1/7").unwrap(), "Fme@here\0");
    assert_eq!(bench.content("local/1/7").unwrap(), "Tb@here\0Tjoe-c@v.example\0");
    assert_eq!(bench.content("remote/1/7").unwrap(), "Ta@there\0Td@there\0");
    for file in ["info/1/7", "local/1/7", "remote/1/7"] {
        assert_eq!(mode(&bench.root.path().join(file)), 0o600);
    }
}

#[test]
fn several_messages_are_reported_after_one_question_to_qmail_clean() {
    let bench = Bench::new(true);
    for (id, envelope) in [(4, "u0\0p1\0F\0Ta\0"), (5, "u0\0p1\0F\0Ta@b\0"), (6, "u0\0p1\0F\0")] {
        bench.file(&format!("mess/{}/{id}", id % 2), b"");
        bench.file(&format!("todo/{}/{id}", id % 2), envelope.as_bytes());
    }
    let (bench, requests, news) = bench.process(&[4, 5, 6], b"+++");
    assert_eq!(requests, "todo/0/4\0todo/1/5\0todo/0/6\0");
    assert_eq!(news[6..], ["DL4", "DR5", "DX6", "X"]);
    assert_eq!(bench.content("local/0/6"), None);
    assert_eq!(bench.content("info/0/6").unwrap(), "F\0");
}

#[test]
fn what_an_earlier_attempt_left_is_written_anew() {
    let bench = Bench::new(false);
    bench.file("mess/1/7", b"");
    bench.file("todo/7", b"u0\0p1\0F\0Ta\0");
    for file in ["info/1/7", "local/1/7", "remote/1/7"] {
        bench.file(file, b"Told half wri");
    }
    // Of another message that had this number.
    fs::create_dir(bench.root.path().join("bounce")).unwrap();
    bench.file("bounce/7", b"<joe@here>:\nno\n\n");
    let (bench, _, news) = bench.process(&[7], b"+");
    assert_eq!(news[2], "DL7");
    assert_eq!(bench.content("info/1/7").unwrap(), "F\0");
    assert_eq!(bench.content("local/1/7").unwrap(), "Ta@here\0");
    assert_eq!(bench.content("remote/1/7"), None);
    assert_eq!(bench.content("bounce/7"), None);
}

#[test]
fn a_message_that_qmail_clean_keeps_is_not_delivered_yet() {
    let bench = Bench::new(false);
    for id in [7, 9] {
        bench.file(&format!("mess/1/{id}"), b"");
        bench.file(&format!("todo/{id}"), b"u0\0p1\0F\0Ta\0");
    }
    let (_, _, news) = bench.process(&[7, 9], b"!+");
    let warning = "Lwarning: qmail-clean unable to clean up todo/7\n";
    assert_eq!(news[4..], [warning, "DL9", "X"]);
}

#[test]
fn trouble_with_one_message_is_logged_and_does_not_hold_up_others() {
    for (envelope, trouble) in [
        (b"u0\0p1\0F\0Qx\0".as_slice(), "unknown record type in todo/7"),
        (b"u0\0p1\0F\0F\0", "unknown record type in todo/7"),
        (b"u0\0p1\0F\0Ta", "trouble reading todo/7"),
        (b"u0\0p1\0Ta\0", "trouble reading todo/7"),
        (b"", "trouble reading todo/7"),
    ] {
        let bench = Bench::new(false);
        bench.file("mess/1/7", b"");
        bench.file("todo/7", envelope);
        bench.file("mess/1/9", b"");
        bench.file("todo/9", b"u0\0p1\0F\0Ta\0");
        let (bench, requests, news) = bench.process(&[7, 9], b"+");
        assert_eq!(requests, "todo/9\0");
        let warning = format!("Lwarning: qmail-todo: {trouble}\n");
        assert!(news.contains(&warning), "{news:?}");
        assert!(news.contains(&"DL9".to_owned()), "{news:?}");
        assert!(bench.content("todo/7").is_some());
    }
}

#[test]
fn missing_files_and_directories_in_the_way_are_trouble() {
    let bench = Bench::new(false);
    bench.file("todo/9", b"");
    bench.file("todo/11", b"u0\0p1\0F\0Ta\0");
    bench.file("mess/1/11", b"");
    fs::create_dir(bench.root.path().join("remote/1/11")).unwrap();
    let (_, _, news) = bench.process(&[7, 9, 11], b"");
    let expected = [
        "Lwarning: qmail-todo: unable to open todo/7\n",
        "Lwarning: qmail-todo: unable to stat mess/1/9\n",
        "Lwarning: qmail-todo: unable to unlink remote/1/11\n",
        "X",
    ];
    assert_eq!(news, expected);
}

#[test]
fn what_has_not_gone_is_told_from_what_went_before() {
    for (found, gone, warnings) in [(Found::Told, true, 0), (Found::InTodo, false, 1)] {
        let bench = Bench::new(false);
        bench.file("mess/1/9", b"");
        bench.file("todo/9", b"u0\0p1\0F\0Ta\0");
        let (_, all, _, news) = bench.process_found(found, &[7, 9], b"+");
        let warning = "Lwarning: qmail-todo: unable to open todo/7\n";
        assert_eq!(news.iter().filter(|news| *news == warning).count(), warnings);
        assert_eq!((all, news.contains(&"DL9".to_owned())), (gone, true));
    }
    for (envelope, replies) in [(b"u0\0p1\0F\0Ta\0", b"!".as_slice()), (b"u0\0p1\0F\0Qa\0", b"")] {
        let bench = Bench::new(false);
        bench.file("mess/1/9", b"");
        bench.file("todo/9", envelope);
        let (_, all, _, _) = bench.process_found(Found::Told, &[9], replies);
        assert!(!all);
    }
}

#[test]
fn a_lost_qmail_clean_is_an_error() {
    let bench = Bench::new(false);
    bench.file("mess/1/7", b"");
    bench.file("todo/7", b"u0\0p1\0F\0Ta\0");
    let Bench { root, queue, mut disk, mut cleaner, mut reporter, requests, replies, .. } = bench;
    drop((requests, replies));
    let ids = [QueueId::new(7)];
    let result =
        process(&queue, &routes(), &ids, Found::Told, &mut disk, &mut cleaner, &mut reporter);
    assert!(result.is_err());
    drop(root);
}
