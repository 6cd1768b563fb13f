//! Programs of ours among the original's, and of the original's among ours.
//!
//! `QMAIL_ORIGINAL` names a tree with the programs of the original; the tests that need one are
//! skipped without it.

use std::fs;
use std::time::{Duration, Instant};

use qmail_conformance::log::Running;
use qmail_conformance::old_tree::{Layout, original};
use qmail_conformance::sink::Sink;
use qmail_conformance::{Tree, files, wait};

/// Everything that a message may meet on its way, but those that start and schedule.
const PROGRAMS: [&str; 22] = [
    "bouncesaying",
    "condredirect",
    "except",
    "forward",
    "preline",
    "qmail-clean",
    "qmail-getpw",
    "qmail-inject",
    "qmail-local",
    "qmail-lspawn",
    "qmail-newu",
    "qmail-qmqpc",
    "qmail-qmqpd",
    "qmail-qmtpd",
    "qmail-qread",
    "qmail-qstat",
    "qmail-queue",
    "qmail-remote",
    "qmail-rspawn",
    "qmail-smtpd",
    "sendmail",
    "splogger",
];

/// A tree of the original's; none without one.
fn tree_of_originals() -> Option<Tree> {
    let Some(home) = original() else {
        println!("skipped: QMAIL_ORIGINAL names no tree");
        return None;
    };
    let tree = Tree::old(Layout::NETQMAIL)?;
    // Also what netqmail does not have.
    files::names(&home.join("bin")).iter().for_each(|name| tree.put_original(name));
    Some(tree)
}

/// The same, taken over; the queue keeps its layout, so that either side can read it.
fn tree_of_ours() -> Option<Tree> {
    let tree = tree_of_originals()?;
    let installed = tree.install(&[]);
    assert_eq!(installed.code, Some(0), "{}", installed.said());
    Some(tree)
}

/// Sends mail in and out by every way, and counts what arrives.
fn carries_mail(tree: &Tree, changed: &str) {
    tree.control("smtproutes", "far.example:127.0.0.1:2525\n");
    tree.control("rcpthosts", "test.example\n");
    files::write(&tree.path("users/assign"), "=known:joe:7801:7801:/nowhere:-:known:\n.\n");
    let joe_home = tree.user("joe").home().display().to_string();
    let assign = format!("=known:joe:7801:7801:{joe_home}:-:known:\n.\n");
    files::write(&tree.path("users/assign"), assign);
    let made = tree.program("qmail-newu").run();
    assert_eq!(made.code, Some(0), "{changed}: {}", made.errors());
    let sink = Sink::start(tree.listen("127.0.0.1:2525")).unwrap();
    let (joe, jane) = (tree.user("joe"), tree.user("jane"));
    let (for_joe, for_jane) = (joe.uses_maildir(), jane.uses_maildir());
    joe.instruct("-known", "|preline cat > copy\n|except false\n|forward jane@test.example\n");
    joe.instruct("-sorted", "|condredirect jane@test.example true\n./nowhere\n");
    joe.instruct("-never", "|bouncesaying 'not here' true\n");
    joe.instruct("-both", "./joe-maildir/\n&jane@test.example\n");
    let running = tree.start();
    let recipients = ["known", "joe-sorted", "joe-both", "joe-never"];
    let addresses = recipients.map(|name| format!("{name}@test.example"));
    let sent = tree
        .program("sendmail")
        .args(["-t", "-fjane@test.example"])
        .run_as(jane.identity())
        .stdin(format!("To: {}, bob@far.example\nSubject: one\n\nhi\n", addresses.join(", ")))
        .run();
    assert_eq!(sent.code, Some(0), "{changed}: {}", sent.errors());
    let mut session = tree.smtpd().mail_from("ann@far.example").rcpt_to("joe@test.example");
    let reply = session.data("Subject: two\r\n\r\n..hi\r\n");
    assert_eq!(reply.code, 250, "{changed}: {}", reply.text);
    let qmtp = b"12:\nSubject: x\n,15:ann@far.example,20:16:joe@test.example,,";
    let server = tree.program("qmail-qmtpd").env("TCPREMOTEIP", "192.0.2.1");
    let reply = server.run_as(tree.accounts().qmaild).stdin(*qmtp).run();
    assert!(reply.text().contains(":Kok "), "{changed}: {}", reply.said());
    settles(tree, running, changed);
    // Three forwards, and the bounce.
    assert_eq!(for_jane.messages().len(), 4, "{changed}");
    // One by each protocol, and a copy.
    assert_eq!(for_joe.messages().len(), 3, "{changed}");
    assert_eq!(sink.messages().len(), 1, "{changed}");
    assert!(joe.read("copy").starts_with("From jane@test.example "), "{changed}");
}

fn settles(tree: &Tree, running: Running, changed: &str) {
    let start = Instant::now();
    while !tree.queue_is_empty() {
        let log = running.lines();
        assert!(start.elapsed() < wait::LIMIT, "{changed}: mail stays: {log:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    running.stop();
}

/// One of ours at a time among the original's; the names are dealt to two tests, side by side.
fn ours_in_original_trees(part: usize) {
    for name in PROGRAMS.iter().skip(part).step_by(2) {
        let Some(tree) = tree_of_originals() else { return };
        tree.put_ours(name);
        carries_mail(&tree, &format!("our {name}"));
    }
}

fn originals_in_our_trees(part: usize) {
    for name in PROGRAMS.iter().skip(part).step_by(2) {
        let Some(tree) = tree_of_ours() else { return };
        tree.put_original(name);
        carries_mail(&tree, &format!("the original {name}"));
    }
}

#[test]
fn any_program_of_ours_works_in_an_original_tree() {
    ours_in_original_trees(0);
}

#[test]
fn any_further_program_of_ours_works_in_an_original_tree() {
    ours_in_original_trees(1);
}

#[test]
fn any_original_program_works_in_our_tree() {
    originals_in_our_trees(0);
}

#[test]
fn any_further_original_program_works_in_our_tree() {
    originals_in_our_trees(1);
}

#[test]
fn the_original_qmail_send_works_in_our_tree() {
    let Some(tree) = tree_of_ours() else { return };
    // It preprocesses mail itself. Our qmail-todo waits for its word, and ends with it.
    tree.put_original("qmail-send");
    carries_mail(&tree, "the original qmail-send");
    wait::until("the end of qmail-todo", || {
        tree.processes_named("qmail-todo").is_empty().then_some(())
    });
}

#[test]
fn our_qmail_start_works_in_an_original_tree() {
    let Some(tree) = tree_of_originals() else { return };
    // There is no qmail-todo for it to start, and nobody misses it.
    tree.put_ours("qmail-start");
    carries_mail(&tree, "our qmail-start");
    assert!(!fs::exists(tree.path("").join("bin/qmail-todo")).unwrap());
}

#[test]
fn our_qmail_send_says_that_the_original_qmail_start_does_not_do() {
    let Some(tree) = tree_of_ours() else { return };
    tree.put_original("qmail-start");
    let mut running = tree.start();
    running.wait_for("alert: cannot start: qmail-start has not started qmail-todo");
    assert_eq!(running.wait(), Some(111));
}

#[test]
fn qmail_send_says_that_it_has_no_pipes_to_qmail_todo() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // It is its own qmail-todo.
        return;
    }
    let log = tree.scratch().join("log");
    let pipes = "1>/dev/null 2</dev/null 3>/dev/null 4</dev/null 5>/dev/null 6</dev/null";
    let finished = tree
        .program("qmail-send")
        .run_as(tree.accounts().qmails)
        .redirected(&format!("{pipes} 7>&- 8>&- 0>{}", log.display()))
        .run();
    assert_eq!(finished.code, Some(111));
    let expected = "alert: cannot start: qmail-start has not started qmail-todo\n";
    assert_eq!(fs::read_to_string(log).unwrap(), expected);
}

#[test]
fn qmail_send_numbers_deliveries_as_a_patched_spawner_does() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // It takes the second byte for the number of a delivery.
        return;
    }
    // It says 509 as the patch for more than 255 deliveries does: byte by byte.
    let said = tree.scratch().join("said");
    let script = format!(
        "printf '\\375'; printf '\\001'; head -c 2 > {}; printf '\\000\\000Kok\\n\\000'; \
         exec cat > /dev/null",
        said.display()
    );
    tree.replace_program("qmail-lspawn", &script);
    tree.control("concurrencylocal", "1000");
    tree.queue("jane@test.example", &["joe@test.example"], "Subject: x\n\nhi\n");
    let running = tree.start();
    running.wait_for("status: local 0/509 remote 0/20");
    running.wait_for("delivery 1: success: ok/");
    running.wait_for("end msg ");
    running.stop();
    assert_eq!(fs::read(said).unwrap(), [0, 0]);
}

#[test]
fn our_spawners_run_more_than_255_deliveries_where_they_are_allowed_to() {
    let tree = Tree::under_test();
    if tree.is_original() {
        return;
    }
    tree.control("spawnlimit", "300");
    tree.control("concurrencylocal", "1000");
    tree.control("concurrencyremote", "260");
    let joe = tree.user("joe").uses_maildir();
    let recipients = vec!["joe@test.example"; 300];
    tree.queue("jane@test.example", &recipients, "Subject: x\n\nhi\n");
    let running = tree.start();
    running.wait_for("status: local 0/300 remote 0/260");
    running.wait_for("end msg ");
    running.stop();
    assert_eq!(joe.messages().len(), 300);
}

#[test]
fn nothing_is_lost_to_a_qmail_todo_that_knows_more_channels() {
    let tree = Tree::under_test();
    if tree.is_original() {
        return;
    }
    let joe = tree.user("joe").uses_maildir();
    tree.control("concurrencylocal", "0");
    tree.queue("jane@test.example", &["joe@test.example"], "Subject: x\n\nhi\n");
    let running = tree.start();
    running.wait_for("info msg ");
    wait::until("preprocessing", || tree.todo().is_empty().then_some(()));
    running.stop();
    tree.remove_control("concurrencylocal");
    // With four channels it says which of them have recipients by as many digits.
    let news = "head -c 1 > /dev/null; printf 'D10001\\0'; head -c 1 > /dev/null; printf 'X\\0'";
    tree.replace_program("qmail-todo", news);
    let running = tree.start();
    running.wait_for("warning: qmail-send unable to understand qmail-todo: report mangled");
    running.wait_for("end msg ");
    running.stop();
    assert_eq!(joe.messages().len(), 1);
}
