//! Signals of every daemon: what docs/operations.md says of them.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use qmail_conformance::log::Running;
use qmail_conformance::sink::{Answer, Script, Sink};
use qmail_conformance::{Need, Tree, wait};

fn send(tree: &Tree, name: &str, signal: Signal) {
    let found = tree.processes_named(name);
    assert!(!found.is_empty(), "{name}");
    for process in found {
        kill(process, signal).unwrap();
    }
}

fn nobody_is_left(tree: &Tree) {
    wait::until("the end of everybody", || tree.names_of_processes().is_empty().then_some(()));
}

/// A tree whose mail goes to a server that never says a word.
fn with_a_delivery_that_hangs() -> (Tree, Running, Sink) {
    let tree = Tree::under_test();
    let hangs = Script { greeting: Answer::Hang, ..Script::default() };
    let sink = Sink::scripted(tree.listen("127.0.0.1:0"), hangs).unwrap();
    tree.control("smtproutes", format!(":127.0.0.1:{}\n", sink.address().port()));
    let running = tree.start();
    tree.queue("a@b", &["x@far.example"], "hi\n");
    wait::until("a connection", || (sink.connections() > 0).then_some(()));
    (tree, running, sink)
}

#[test]
fn qmail_send_says_that_it_stops_and_waits_for_deliveries() {
    let (tree, mut running, _sink) = with_a_delivery_that_hangs();
    if tree.lacks(Need::Program("qmail-todo")) {
        return;
    }
    running.signal(Signal::SIGTERM);
    running.wait_for("status: qmail-todo stop processing asap");
    // What comes now waits for the next start; what is under way goes on.
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    assert!(!tree.processes_named("qmail-remote").is_empty());
    assert_eq!(running.count("status: exiting"), 0);
    // Until somebody ends it.
    send(&tree, "qmail-remote", Signal::SIGTERM);
    running.wait_for("delivery 1: deferral: ");
    running.wait_for("status: local 0/10 remote 0/20 exitasap");
    running.wait_for("status: exiting");
    assert_eq!(running.wait(), Some(0));
    assert_eq!(running.count("starting delivery"), 1);
    assert_eq!(tree.queue_files("mess").len(), 2);
}

#[test]
fn a_delivery_that_is_ended_is_deferred_whatever_ended_it() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGALRM, Signal::SIGKILL] {
        let (tree, running, _sink) = with_a_delivery_that_hangs();
        send(&tree, "qmail-remote", signal);
        running.wait_for("delivery 1: deferral: ");
        assert_eq!(tree.queue_files("mess").len(), 1, "{signal}");
        let _ = running.stop();
    }
}

#[test]
fn qmail_send_stops_when_one_of_the_others_is_ended() {
    for name in ["qmail-lspawn", "qmail-rspawn", "qmail-todo"] {
        let tree = Tree::under_test();
        if tree.lacks(Need::Program("qmail-todo")) {
            return;
        }
        let mut running = tree.start();
        running.wait_for("status:");
        wait::until(name, || (!tree.processes_named(name).is_empty()).then_some(()));
        send(&tree, name, Signal::SIGTERM);
        running.wait_for("connection! dying...");
        assert_eq!(running.wait(), Some(0), "{name}");
    }
}

#[test]
fn all_of_qmail_is_one_group_which_ends_whole() {
    let (tree, mut running, _sink) = with_a_delivery_that_hangs();
    if tree.is_original() || tree.lacks(Need::Root) {
        return;
    }
    let group = running.pid().as_raw();
    for process in tree.processes_named("qmail-remote") {
        assert_eq!(nix::unistd::getpgid(Some(process)).unwrap().as_raw(), group);
    }
    kill(Pid::from_raw(-group), Signal::SIGTERM).unwrap();
    let _ = running.wait();
    nobody_is_left(&tree);
    assert_eq!(tree.queue_files("mess").len(), 1);
    // Nothing is lost: the next start finds it.
    let running = tree.start();
    running.wait_for("to remote x@far.example");
}

#[test]
fn at_a_terminal_qmail_stays_in_the_group_of_whoever_looks_on() {
    let tree = Tree::under_test();
    if tree.is_original() || tree.lacks(Need::Root) || tree.lacks(Need::Tool("script")) {
        return;
    }
    let line = "sh -c 'qmail-start ./Maildir/; :'";
    let program = tree.command("/usr/bin/script").args(["-q", "-e", "-c", line, "/dev/null"]);
    let running = Running::of(program);
    running.wait_for("status: local 0/10");
    let process = tree.processes_named("qmail-send")[0];
    let group = nix::unistd::getpgid(Some(process)).unwrap();
    assert_ne!(group, process);
    // As Control-C is: everything ends.
    kill(Pid::from_raw(-group.as_raw()), Signal::SIGINT).unwrap();
    nobody_is_left(&tree);
}

#[test]
fn a_server_that_is_ended_has_taken_and_deleted_nothing() {
    let tree = Tree::under_test();
    let maildir = tree.user("joe").make_maildir("Maildir");
    let message = maildir.path().join("new/1.a.b");
    qmail_conformance::files::write(&message, "Subject: x\n\nhi\n");
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGALRM] {
        let mut session = tree.smtpd();
        session.command("MAIL FROM:<a@b>");
        session.command("RCPT TO:<joe@test.example>");
        session.command("DATA");
        session.send("Subject: x\r\n");
        let pid = session.conversation().pid().unwrap();
        kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
        assert_eq!(session.rest(), "", "{signal}");
        wait::until("an empty queue", || (tree.queued() == 0).then_some(()));
        let pop3d = tree.program("qmail-pop3d").arg(maildir.path());
        let mut reader = pop3d.run_as(tree.user("joe").identity()).converse();
        assert!(reader.line().starts_with("+OK"));
        reader.send("DELE 1\r\n");
        assert!(reader.line().starts_with("+OK"));
        kill(Pid::from_raw(reader.pid().unwrap().cast_signed()), signal).unwrap();
        assert_eq!(reader.rest(), b"", "{signal}");
        assert!(message.exists(), "{signal}");
    }
}

#[test]
fn qmail_queue_is_not_disturbed_by_a_terminal() {
    let tree = Tree::under_test();
    // The message ends only when we say so.
    let mut program = tree.program("qmail-queue").converse();
    program.send("Subject: x\n");
    let pid = Pid::from_raw(program.pid().unwrap().cast_signed());
    let has_begun = || (!tree.queue_files("mess").is_empty()).then_some(());
    wait::until("the message", has_begun);
    for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGPIPE] {
        kill(pid, signal).unwrap();
    }
    program.send("more\n");
    kill(pid, Signal::SIGALRM).unwrap();
    assert_eq!(program.end(), Some(52));
    assert_eq!(tree.todo().len(), 0);
}
