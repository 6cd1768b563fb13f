//! qmail-pop3d: the mailbox of one user.

use std::time::{Duration, SystemTime};

use qmail_conformance::maildir::Maildir;
use qmail_conformance::pop3::Session;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files};

/// A Maildir of joe.
struct Box {
    tree: Tree,
    joe: User,
    maildir: Maildir,
}

impl Box {
    fn new() -> Self {
        let tree = Tree::under_test();
        let joe = tree.user("joe");
        let maildir = joe.make_maildir("Maildir");
        Self { tree, joe, maildir }
    }

    /// A message this many seconds old.
    fn add(&self, name: &str, age: u64, text: &str) {
        let file = format!("Maildir/{name}");
        self.joe.write(&file, text);
        let time = SystemTime::now() - Duration::from_secs(age);
        files::set_times(&self.joe.home().join(file), time);
    }

    /// A session after the first reply.
    fn open(&self) -> Session {
        let program = self.tree.program("qmail-pop3d").run_as(self.joe.identity());
        let mut session = Session::with(program.arg(self.maildir.path()).converse());
        assert_eq!(session.line(), "+OK ");
        session
    }
}

/// Three messages: two new ones and an old one.
fn three() -> Box {
    let messages = Box::new();
    messages.add("new/200.two.host", 200, "Subject: two\n\n.\n..dots\nlast");
    messages.add("cur/300.one.host:2,S", 300, "Subject: one\n\nbody\n");
    messages.add("new/100.three.host", 100, "Subject: three\n\n1\n2\n3\n");
    messages
}

#[test]
fn messages_are_numbered_by_age_and_named_by_their_files() {
    let messages = three();
    let mut session = messages.open();
    assert_eq!(session.listing("UIDL"), "1 300.one.host\r\n2 200.two.host\r\n3 100.three.host\r\n");
    assert_eq!(session.command("UIDL 2"), "+OK 2 200.two.host");
    assert_eq!(session.command("QUIT"), "+OK ");
    assert_eq!((session.rest(), session.end()), (String::new(), Some(0)));
}

#[test]
fn sizes_are_of_the_file_or_of_what_is_sent() {
    let messages = three();
    let mut session = messages.open();
    let listed = session.listing("LIST");
    let sizes: Vec<u64> =
        listed.lines().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    let total: u64 = sizes.iter().sum();
    assert_eq!(session.command("STAT"), format!("+OK 3 {total}"));
    assert_eq!(session.command("LIST 2"), format!("+OK 2 {}", sizes[1]));
    let disk = [19, 27, 22];
    if messages.tree.is_original() {
        assert_eq!(sizes, disk);
    } else {
        // As they are sent: with CRLF line ends and the empty line at the end, without the dots.
        let dots = [0, 2, 0];
        for (number, (size, dots)) in (1..).zip(sizes.iter().zip(dots)) {
            let sent = session.listing(&format!("RETR {number}")).len();
            assert_eq!(usize::try_from(*size), Ok(sent - dots), "{number}");
        }
    }
}

#[test]
fn retr_sends_the_message_with_stuffed_dots() {
    let messages = three();
    let mut session = messages.open();
    let text = session.listing("RETR 2");
    assert_eq!(text, "Subject: two\r\n\r\n..\r\n...dots\r\nlast\r\n\r\n");
    assert_eq!(session.listing("retr 1"), "Subject: one\r\n\r\nbody\r\n\r\n");
}

#[test]
fn line_ends_of_another_kind_are_not_doubled() {
    let messages = Box::new();
    messages.add("new/1.x.h", 100, "Subject: x\r\n\r\nbody\r\n.\r\n");
    let mut session = messages.open();
    let text = session.listing("RETR 1");
    if messages.tree.is_original() {
        // It sends CR CR LF.
        return;
    }
    assert_eq!(text, "Subject: x\r\n\r\nbody\r\n..\r\n\r\n");
    assert_eq!(session.listing("TOP 1 1"), "Subject: x\r\n\r\nbody\r\n\r\n");
}

#[test]
fn top_sends_the_header_and_some_lines() {
    let messages = three();
    let mut session = messages.open();
    assert_eq!(session.listing("TOP 3 0"), "Subject: three\r\n\r\n\r\n");
    assert_eq!(session.listing("TOP 3 2"), "Subject: three\r\n\r\n1\r\n2\r\n\r\n");
    assert_eq!(session.listing("TOP 3 99"), "Subject: three\r\n\r\n1\r\n2\r\n3\r\n\r\n");
    assert_eq!(session.listing("TOP 2 1"), "Subject: two\r\n\r\n..\r\n\r\n");
}

#[test]
fn deleted_messages_are_gone_after_quit_only() {
    let messages = three();
    let mut session = messages.open();
    assert_eq!(session.command("DELE 2"), "+OK ");
    for command in ["DELE 2", "RETR 2", "LIST 2", "UIDL 2", "TOP 2 0"] {
        assert_eq!(session.command(command), "-ERR already deleted", "{command}");
    }
    assert_eq!(session.listing("UIDL"), "1 300.one.host\r\n3 100.three.host\r\n");
    assert_eq!(messages.maildir.names("new"), ["100.three.host", "200.two.host"]);
    assert_eq!(session.command("QUIT"), "+OK ");
    assert_eq!(session.end(), Some(0));
    assert_eq!(messages.maildir.names("new"), [""; 0]);
    assert_eq!(messages.maildir.names("cur"), ["100.three.host:2,", "300.one.host:2,S"]);
}

#[test]
fn stat_counts_what_is_left() {
    let messages = three();
    let mut session = messages.open();
    assert_eq!(session.command("DELE 1"), "+OK ");
    let stat = session.command("STAT");
    // The original counts deleted messages too, but not their bytes.
    let count = if messages.tree.is_original() { "+OK 3 " } else { "+OK 2 " };
    assert!(stat.starts_with(count), "{stat}");
}

#[test]
fn rset_takes_deletions_back() {
    let messages = three();
    let mut session = messages.open();
    assert_eq!(session.command("DELE 1"), "+OK ");
    assert_eq!(session.command("RSET"), "+OK ");
    assert_eq!(session.listing("UIDL").lines().count(), 3);
    assert_eq!(session.command("QUIT"), "+OK ");
    assert_eq!(session.end(), Some(0));
    assert_eq!(messages.maildir.names("cur").len(), 3);
}

#[test]
fn a_lost_client_changes_nothing() {
    let messages = three();
    let mut session = messages.open();
    assert_eq!(session.command("DELE 1"), "+OK ");
    assert_eq!(session.end(), Some(0));
    assert_eq!(messages.maildir.names("new"), ["100.three.host", "200.two.host"]);
    assert_eq!(messages.maildir.names("cur"), ["300.one.host:2,S"]);
}

#[test]
fn wrong_numbers_have_their_replies() {
    let messages = three();
    let mut session = messages.open();
    for command in ["RETR", "DELE", "LIST", "UIDL", "TOP"] {
        let none = if matches!(command, "LIST" | "UIDL") { None } else { Some("") };
        for argument in none.into_iter().chain([" x", " -1"]) {
            let reply = session.command(&format!("{command}{argument}"));
            assert_eq!(reply, "-ERR syntax error", "{command}{argument}");
        }
        let reply = session.command(&format!("{command} 0 0"));
        assert_eq!(reply, "-ERR messages are counted from 1", "{command}");
        for number in ["4", "99999999", "18446744073709551617"] {
            if number.len() > 19 && messages.tree.is_original() {
                // Numbers wrap around there.
                continue;
            }
            let reply = session.command(&format!("{command} {number} 0"));
            assert_eq!(reply, "-ERR not that many messages", "{command} {number}");
        }
    }
}

#[test]
fn other_commands_have_their_replies() {
    let messages = Box::new();
    let mut session = messages.open();
    assert_eq!(session.command("NOOP"), "+OK ");
    assert_eq!(session.command("STAT"), "+OK 0 0");
    assert_eq!(session.listing("LIST"), "");
    if messages.tree.is_original() {
        assert_eq!(session.command("CAPA").get(..4), Some("-ERR"));
    } else {
        assert!(session.listing("CAPA").contains("\r\nUIDL\r\n"));
    }
    assert_eq!(session.command("XYZZY"), "-ERR unimplemented");
    assert_eq!(session.command(""), "-ERR unimplemented");
    session.send("NOOP\nNOOP\r\n");
    assert_eq!((session.line(), session.line()), ("+OK ".to_owned(), "+OK ".to_owned()));
}

#[test]
fn names_with_a_dot_in_front_are_no_messages() {
    let messages = three();
    messages.add("new/.hidden", 50, "x\n");
    let mut session = messages.open();
    assert_eq!(session.listing("LIST").lines().count(), 3);
}

#[test]
fn a_message_of_this_very_moment_is_there() {
    let messages = Box::new();
    messages.add("new/1.x.h", 0, "x\n");
    let mut session = messages.open();
    let count = session.listing("LIST").lines().count();
    // The original does not see what is younger than the running second.
    assert!(messages.tree.is_original() || count == 1);
}

#[test]
fn old_files_in_tmp_are_removed() {
    let messages = Box::new();
    messages.add("tmp/1.old.h", 130_000, "x\n");
    messages.add("tmp/2.young.h", 100, "x\n");
    messages.add("tmp/.keep", 130_000, "x\n");
    assert_eq!(messages.open().command("QUIT"), "+OK ");
    assert_eq!(messages.maildir.names("tmp"), [".keep", "2.young.h"]);
}

#[test]
fn without_a_maildir_there_is_an_error() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let missing = joe.home().join("missing");
    for argument in [None, Some(missing)] {
        let mut program = tree.program("qmail-pop3d").run_as(joe.identity());
        program = program.args(argument);
        let mut session = Session::with(program.converse());
        assert_eq!(session.line(), "-ERR this user has no $HOME/Maildir");
        assert_eq!(session.end(), Some(0));
    }
}

#[test]
fn root_has_no_mailbox() {
    let messages = three();
    if messages.tree.lacks(Need::Root) {
        return;
    }
    let program = messages.tree.program("qmail-pop3d").arg(messages.maildir.path());
    let finished = program.stdin("QUIT\r\n").run();
    // Netqmail lets root read.
    let read = messages.tree.is_original() && finished.code == Some(0);
    assert!(read || finished.code == Some(1), "{}", finished.said());
}

#[test]
fn a_message_that_went_away_is_an_error() {
    let messages = three();
    let mut session = messages.open();
    std::fs::remove_file(messages.maildir.path().join("new/200.two.host")).unwrap();
    assert_eq!(session.command("RETR 2"), "-ERR unable to open that message");
    assert_eq!(session.command("NOOP"), "+OK ");
}

#[test]
fn many_large_messages_are_sent_whole() {
    let messages = Box::new();
    let body = ".0123456789abcdef\n".repeat(20_000);
    messages.add("new/1.x.h", 100, &format!("Subject: x\n\n{body}"));
    let mut session = messages.open();
    for _ in 0..3 {
        let text = session.listing("RETR 1");
        assert_eq!(text.len(), 12 + 2 + 20_000 * 20 + 2);
    }
}
