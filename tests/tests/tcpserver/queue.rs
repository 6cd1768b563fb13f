//! A qmail-queue that stays for the sessions of a server.

use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qmail_conformance::conversation::Conversation;
use qmail_conformance::smtp::{Reply, Session};
use qmail_conformance::{Need, Tree, wait};

use super::server::{Server, ours};

/// A tree whose qmail-smtpd runs as qmaild below our server, which is named; none without one.
fn tree() -> Option<(Tree, String)> {
    let tree = Tree::under_test();
    let server = ours(&tree).filter(|_| !tree.lacks(Need::Root))?;
    tree.control("rcpthosts", "test.example\n");
    Some((tree, server))
}

fn start<'tree>(tree: &'tree Tree, server: &str) -> Server<'tree> {
    let qmaild = tree.accounts().qmaild;
    let (uid, gid) = (qmaild.uid.to_string(), qmaild.gid.to_string());
    let smtpd = tree.home().join("bin/qmail-smtpd").display().to_string();
    Server::start(tree, server, &["-HRl0", "-u", &uid, "-g", &gid], &[&smtpd])
}

fn session(server: &Server<'_>) -> Session {
    let mut session = Session::with(Conversation::over(server.connect()));
    assert_eq!(session.reply().code, 220);
    session.mail_from("ann@far.example").rcpt_to("joe@test.example")
}

/// The number in the reply to a message that was queued.
fn number(reply: &Reply) -> u32 {
    let (start, number) = reply.text.as_str().rsplit_once(" qp ").unwrap();
    assert!(start.starts_with("250 ok "), "{start}");
    number.trim_end().parse().unwrap()
}

/// Sends a message, and ends. Returns its number.
fn send(mut session: Session) -> u32 {
    let number = number(&session.data("Subject: x\r\n\r\nhi\r\n"));
    assert_eq!(session.command("QUIT").code, 221);
    number
}

fn queuers(tree: &Tree) -> BTreeSet<Pid> {
    tree.processes_named("qmail-queue").into_iter().collect()
}

#[test]
fn each_message_has_a_number_of_its_own_whoever_queues_it() {
    let Some((tree, server)) = tree() else { return };
    let server = start(&tree, &server);
    let mut numbers = BTreeSet::new();
    for _ in 0..20 {
        numbers.insert(send(session(&server)));
    }
    assert_eq!(numbers.len(), 20);
    let at_once: Vec<Session> = (0..5).map(|_| session(&server)).collect();
    numbers.extend(at_once.into_iter().map(send));
    let queued = tree.todo();
    assert_eq!((numbers.len(), queued.len()), (25, 25));
    for message in queued {
        let number = message.records(b'p').pop().unwrap();
        assert!(numbers.remove(&number.parse().unwrap()), "{number}");
        let received = format!("Received: (qmail {number} invoked from network); ");
        assert!(message.text().starts_with(&received), "{}", message.text());
    }
    let there = queuers(&tree);
    assert!((2..25).contains(&there.len()), "{there:?}");
    server.end();
    wait::until("the end of those who have nothing to do any more", || {
        queuers(&tree).is_empty().then_some(())
    });
}

#[test]
fn whoever_is_killed_while_he_queues_queues_nothing_and_the_client_hears_of_it() {
    let Some((tree, server)) = tree() else { return };
    let server = start(&tree, &server);
    let mut first = session(&server);
    let before = queuers(&tree);
    first.send("DATA\r\n");
    assert_eq!(first.reply().code, 354);
    let worker = wait::until("a process for the message", || {
        queuers(&tree).difference(&before).next().copied()
    });
    kill(worker, Signal::SIGKILL).unwrap();
    first.send("Subject: x\r\n\r\nhi\r\n.\r\n");
    let reply = first.reply();
    assert_eq!((reply.code, reply.text.as_str()), (451, "451 qq crashed (#4.3.0)\r\n"));
    assert_eq!(tree.todo().len(), 0);
    let again = first.mail_from("ann@far.example").rcpt_to("joe@test.example");
    send(again);
    send(session(&server));
    assert_eq!(tree.todo().len(), 2);
}

#[test]
fn where_the_one_that_stays_has_gone_messages_are_queued_all_the_same() {
    let Some((tree, server)) = tree() else { return };
    let server = start(&tree, &server);
    let open = session(&server);
    for process in queuers(&tree) {
        kill(process, Signal::SIGKILL).unwrap();
    }
    wait::until("its end", || queuers(&tree).is_empty().then_some(()));
    send(open);
    assert!(queuers(&tree).is_empty());
    // The next session finds another one.
    let next = session(&server);
    assert_eq!(queuers(&tree).len(), 1);
    send(next);
    assert_eq!(tree.todo().len(), 2);
    let children = |process: &Pid| {
        let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
        list.unwrap_or_default().split_whitespace().count()
    };
    let servers = tree.processes_named("qmail-smtpd");
    assert_eq!(servers.iter().map(children).sum::<usize>(), 1, "nobody was waited for");
}

#[test]
fn who_waits_for_a_message_keeps_nobody_from_repairing_the_queue() {
    let Some((tree, server)) = tree() else { return };
    let server = start(&tree, &server);
    let mut known = session(&server);
    send(session(&server));
    let repair = tree.program("qmail-qrepair").arg("-r").run();
    assert_eq!(repair.code, Some(0), "{}", repair.said());
    assert_eq!(known.data("Subject: x\r\n\r\nhi\r\n").code, 250);
    assert_eq!(tree.todo().len(), 2);
}

#[test]
fn another_program_in_its_place_has_the_next_message() {
    let Some((tree, server)) = tree() else { return };
    let server = start(&tree, &server);
    let mut open = session(&server);
    assert_eq!(queuers(&tree).len(), 1);
    tree.replace_program("qmail-queue", "exit 31");
    for mut session in [session(&server), session(&server)] {
        assert_eq!(session.data("hi\r\n").code, 554);
    }
    assert_eq!(open.data("hi\r\n").code, 554);
    assert_eq!(tree.todo().len(), 0);
}
