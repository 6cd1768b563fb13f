use super::*;
use crate::maildir::scan;
use std::fs;

fn maildir(messages: &[(&str, &[u8])]) -> tempfile::TempDir {
    let maildir = tempfile::tempdir().unwrap();
    for directory in ["new", "cur", "tmp"] {
        fs::create_dir(maildir.path().join(directory)).unwrap();
    }
    for (second, (path, message)) in (0..).zip(messages) {
        let mut file = File::create(maildir.path().join(path)).unwrap();
        file.write_all(message).unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
        file.set_modified(time).unwrap();
    }
    maildir
}

/// What a client is told who sends all of `input` at once.
fn talk(maildir: &Path, input: &[u8]) -> (String, Ended) {
    let mut told = Vec::new();
    let mut client = Conversation::new(input, &mut told, 65_536);
    let ended = serve(&mut client, Some(maildir), SystemTime::now());
    drop(client);
    (String::from_utf8_lossy(&told).into_owned(), ended)
}

fn room() -> Room {
    Room { block: vec![0; 1000], wire: Vec::new() }
}

fn lines(text: &[&str]) -> String {
    text.iter().map(|line| format!("{line}\r\n")).collect()
}

#[test]
fn a_whole_session() {
    let maildir = maildir(&[
        ("new/1.x", b"Subject: one\n\n.dot\nlast"),
        ("cur/2.x:2,S", b"Subject: two\n\nbody\n"),
    ]);
    let (said, ended) = talk(
        maildir.path(),
        b"STAT\r\nLIST\r\nUIDL\nRETR 1\r\nTOP 2 0\r\nDELE 2\r\nRETR 2\r\nQUIT\r\nNOOP\r\n",
    );
    let expected = lines(&[
        "+OK ",
        "+OK 2 54",
        "+OK ",
        "1 30",
        "2 24",
        ".",
        "+OK ",
        "1 1.x",
        "2 2.x",
        ".",
        "+OK ",
        "Subject: one",
        "",
        "..dot",
        "last",
        "",
        ".",
        "+OK ",
        "Subject: two",
        "",
        "",
        ".",
        "+OK ",
        "-ERR already deleted",
        "+OK ",
    ]);
    assert_eq!(said, expected);
    assert!(matches!(ended, Ended::Quit));
    assert!(maildir.path().join("cur/1.x:2,").exists());
    assert!(!maildir.path().join("cur/2.x:2,S").exists());
}

#[test]
fn a_client_who_goes_without_quit_changes_nothing() {
    let maildir = maildir(&[("new/1.x", b"x\n")]);
    let (said, ended) = talk(maildir.path(), b"DELE 1\r\nQUIT");
    assert_eq!(said, lines(&["+OK ", "+OK "]));
    assert!(matches!(ended, Ended::Lost));
    assert!(maildir.path().join("new/1.x").exists());
}

/// A client who has broken off, after all that he wanted was on its way here.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_is_deleted_before_what_was_fetched_is_sent() {
    let maildir = maildir(&[("new/1.x", b"x\n")]);
    let input = b"RETR 1\r\nDELE 1\r\nQUIT\r\n";
    let mut client = Conversation::new(input.as_slice(), Gone, 65_536);
    let ended = serve(&mut client, Some(maildir.path()), SystemTime::now());
    assert!(matches!(ended, Ended::Lost));
    assert!(maildir.path().join("new/1.x").exists());
}

#[test]
fn large_messages_are_whole() {
    let message = b"0123456789\n.\n".repeat(50_000);
    let maildir = maildir(&[("new/1.x", &message)]);
    let (said, _) = talk(maildir.path(), b"RETR 1\r\nQUIT\r\n");
    let body = "0123456789\r\n..\r\n".repeat(50_000);
    assert_eq!(said, format!("+OK \r\n+OK \r\n{body}\r\n.\r\n+OK \r\n"));
}

#[test]
fn an_empty_maildir_has_empty_lists() {
    let (said, _) = talk(maildir(&[]).path(), b"STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n");
    let expected =
        ["+OK ", "+OK 0 0", "+OK ", ".", "+OK ", ".", "-ERR not that many messages", "+OK "];
    assert_eq!(said, lines(&expected));
}

#[test]
fn a_message_that_went_away_is_no_reason_to_end() {
    let maildir = maildir(&[("new/1.x", b"x\n")]);
    let mut mailbox = scan(maildir.path()).unwrap();
    fs::remove_file(maildir.path().join("new/1.x")).unwrap();
    let mut told = Vec::new();
    let mut client = Conversation::new(&b""[..], &mut told, 64);
    let message = open_message(maildir.path(), &mut mailbox, 0);
    send(&mut client, message, None, &mut room()).unwrap();
    drop(client);
    assert_eq!(told, b"-ERR unable to open that message\r\n");
}

#[test]
fn a_message_that_others_have_moved_is_sent() {
    let maildir = maildir(&[("new/1.x", b"x\n"), ("cur/2.x:2,", b"y\n")]);
    let mut mailbox = scan(maildir.path()).unwrap();
    let rename = |from, to| fs::rename(maildir.path().join(from), maildir.path().join(to));
    rename("new/1.x", "cur/1.x:2,").unwrap();
    rename("cur/2.x:2,", "cur/2.x:2,S").unwrap();
    for (index, path) in [(0, "cur/1.x:2,"), (1, "cur/2.x:2,S")] {
        let (_, found) = open_message(maildir.path(), &mut mailbox, index).unwrap();
        assert_eq!(found, maildir.path().join(path));
    }
}

#[test]
fn a_message_that_cannot_be_read_ends_the_session() {
    let maildir = maildir(&[("new/1.x", b"x\n")]);
    let mut mailbox = scan(maildir.path()).unwrap();
    fs::remove_file(maildir.path().join("new/1.x")).unwrap();
    fs::create_dir(maildir.path().join("new/1.x")).unwrap();
    let mut told = Vec::new();
    let mut client = Conversation::new(&b""[..], &mut told, 64);
    let message = open_message(maildir.path(), &mut mailbox, 0);
    let ended = send(&mut client, message, None, &mut room()).unwrap_err();
    let Ended::Unreadable(problem) = ended else { panic!("{ended:?}") };
    assert!(problem.to_string().ends_with("new/1.x: is a directory"), "{problem}");
}

#[test]
fn without_a_maildir_there_is_no_session() {
    let nowhere = tempfile::tempdir().unwrap();
    let (said, _) = talk(&nowhere.path().join("Maildir"), b"");
    assert_eq!(said, lines(&[replies::NO_MAILDIR]));
    let (said, _) = talk(nowhere.path(), b"");
    assert_eq!(said, lines(&[replies::NO_SCAN]));
}

#[test]
fn a_long_line_is_a_syntax_error() {
    let input = format!("{}\r\nQUIT\r\n", "x".repeat(10_000));
    let (said, _) = talk(maildir(&[]).path(), input.as_bytes());
    assert_eq!(said, lines(&["+OK ", "-ERR syntax error", "+OK "]));
}
