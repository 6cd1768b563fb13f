//! Installing again while mail flows: nobody notices.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use qmail_conformance::old_tree::Layout;
use qmail_conformance::sink::Sink;
use qmail_conformance::{Tree, wait};

/// Enough for mail to be in every place while programs are replaced.
const ROUNDS: usize = 4;

/// Sends messages in three ways, one after the other, until it is told to stop; how many.
fn send(tree: &Tree, stop: &AtomicBool) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) || count < 30 {
        let text = format!("Subject: x\n\nnumber {count}.\n");
        let (joe, bob) = ("joe@test.example", "bob@far.example");
        match count % 3 {
            0 => tree.queue("jane@test.example", &[joe, bob], &text),
            1 => {
                let sendmail = tree.program("sendmail").args(["-fjane@test.example", joe, bob]);
                let sent = sendmail.run_as(tree.user("jane").identity()).stdin(text).run();
                assert_eq!(sent.code, Some(0), "{}", sent.errors());
            }
            _ => {
                let session = tree.smtpd_with(&[("RELAYCLIENT", "")]);
                let mut session = session.mail_from("jane@test.example").rcpt_to(joe).rcpt_to(bob);
                let reply = session.data(text.replace('\n', "\r\n"));
                assert_eq!(reply.code, 250, "{}", reply.text);
            }
        }
        count += 1;
    }
    count
}

/// How often each number arrived.
fn numbers<'a>(messages: impl Iterator<Item = &'a [u8]>) -> BTreeMap<usize, usize> {
    let mut found = BTreeMap::new();
    for message in messages {
        let text = String::from_utf8_lossy(message);
        let (_, rest) = text.rsplit_once("number ").expect("it is one of ours");
        let number = rest.split('.').next().and_then(|number| number.parse().ok());
        *found.entry(number.expect("it has a number")).or_default() += 1;
    }
    found
}

#[test]
fn mail_flows_while_all_programs_are_replaced() {
    let Some(tree) = Tree::old(Layout::NETQMAIL) else { return };
    assert_eq!(tree.install(&[]).code, Some(0));
    tree.control("smtproutes", "far.example:127.0.0.1:2525\n");
    tree.control("locals", "test.example\n");
    tree.control("rcpthosts", "test.example\n");
    let sink = Sink::start(tree.listen("127.0.0.1:2525")).unwrap();
    let joe = tree.user("joe").uses_maildir();
    let running = tree.start();
    let stop = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| send(&tree, &stop));
        for round in 0..ROUNDS {
            let installed = tree.install(&[]);
            assert_eq!((installed.code, installed.said()), (Some(0), String::new()));
            let checked = tree.install(&["check"]);
            assert_eq!((checked.code, checked.said()), (Some(0), String::new()), "{round}");
        }
        stop.store(true, Ordering::Relaxed);
        sending.join().unwrap()
    });
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    let log = running.stop();
    let each_once: BTreeMap<usize, usize> = (0..sent).map(|number| (number, 1)).collect();
    let (joes, far) = (joe.messages(), sink.messages());
    assert_eq!(numbers(joes.iter().map(Vec::as_slice)), each_once, "{log:#?}");
    assert_eq!(numbers(far.iter().map(|message| message.data.as_slice())), each_once, "{log:#?}");
    let is_wrong = |line: &&String| {
        line.contains("alert") || line.contains("warning") || line.contains(": deferral: ")
    };
    assert_eq!(log.iter().find(is_wrong), None);
}
