//! What people put into `.qmail` files: dot-forward, fastforward, maildir-filter, maildrop and
//! Dovecot's delivery agent, as Debian has them.

use qmail_conformance::Tree;
use qmail_conformance::log::Running;
use qmail_conformance::user::User;
use qmail_conformance::wait;

const MESSAGE: &str = "From: Ann <ann@test.example>\nSubject: lunch\n\nNoon?\n";

/// Delivers a message to each recipient and waits until the queue is empty; the log.
fn deliver(tree: &Tree, recipients: &[&str]) -> Vec<String> {
    deliver_with(tree, tree.start(), recipients)
}

fn deliver_with(tree: &Tree, running: Running, recipients: &[&str]) -> Vec<String> {
    // What comes back is not looked at.
    tree.alias("ann").instruct("", "#\n");
    tree.queue("ann@test.example", recipients, MESSAGE);
    running.wait_for("end msg");
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    running.stop()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Has a user's further mail go to a Maildir of his, by a line of instructions.
fn keeps_the_rest(user: &User, line: &str) {
    user.instruct("", format!("{line}\n./Maildir/\n"));
}

#[test]
fn dot_forward_forwards_and_stops_further_instructions() {
    let Some(tree) = Tree::among_others("usr/bin/dot-forward") else { return };
    let (joe, jane) = (tree.user("joe"), tree.user("jane"));
    let (kept, forwarded) = (joe.make_maildir("Maildir"), jane.uses_maildir());
    keeps_the_rest(&joe, "|dot-forward .forward");
    joe.write(".forward", "# comment\nJane (at work) <jane@test.example>\n");
    deliver(&tree, &["joe@test.example"]);
    let mail = forwarded.only();
    assert!(mail.contains("Delivered-To: joe@test.example\n"), "{mail}");
    assert!(mail.starts_with("Return-Path: <ann@test.example>\n"), "{mail}");
    assert!(mail.ends_with("Noon?\n"), "{mail}");
    assert!(kept.messages().is_empty());
}

#[test]
fn dot_forward_completes_addresses_from_the_control_files() {
    let Some(tree) = Tree::among_others("usr/bin/dot-forward") else { return };
    let (joe, jane) = (tree.user("joe"), tree.user("jane"));
    let forwarded = jane.uses_maildir();
    tree.control("defaulthost", "test\n");
    tree.control("defaultdomain", "example\n");
    joe.instruct("", "|dot-forward .forward\n");
    joe.write(".forward", "jane\n");
    deliver(&tree, &["joe@test.example"]);
    assert!(forwarded.only().ends_with("Noon?\n"));
}

#[test]
fn without_a_dot_forward_file_mail_is_kept() {
    let Some(tree) = Tree::among_others("usr/bin/dot-forward") else { return };
    let joe = tree.user("joe");
    let kept = joe.make_maildir("Maildir");
    // As the boot script `home+df` has it.
    let running = tree.start_with("|dot-forward .forward\n./Maildir/");
    let log = deliver_with(&tree, running, &["joe@test.example"]);
    assert!(kept.only().ends_with("Noon?\n"));
    assert!(log.iter().any(|line| line.contains("success: did_1+0+1/")), "{log:#?}");
}

#[test]
fn dot_forward_runs_commands_with_the_lines_that_qmail_local_made() {
    let Some(tree) = Tree::among_others("usr/bin/dot-forward") else { return };
    let joe = tree.user("joe");
    joe.instruct("", "|dot-forward .forward\n");
    joe.write(".forward", "\"|cat > copy\"\n");
    deliver(&tree, &["joe@test.example"]);
    let copy = joe.read("copy");
    let lines: Vec<_> = copy.lines().take(3).collect();
    assert!(lines[0].starts_with("From ann@test.example "), "{copy}");
    let rest = ["Return-Path: <ann@test.example>", "Delivered-To: joe@test.example"];
    assert_eq!(lines[1..], rest);
}

#[test]
fn fastforward_follows_etc_aliases() {
    let Some(tree) = Tree::among_others("usr/bin/fastforward") else { return };
    let (joe, jane) = (tree.user("joe").uses_maildir(), tree.user("jane").uses_maildir());
    tree.write_in_its_world("/etc/aliases", "sales: joe, jane@test.example\nloud: \"|cat >&2\"\n");
    assert_eq!(tree.shell("qmail-newaliases"), "");
    tree.alias("default").instruct("", "| fastforward -d /etc/aliases.cdb\n");
    let log = deliver(&tree, &["sales@test.example", "loud@test.example", "nobody@test.example"]);
    assert!(joe.only().contains("Delivered-To: sales@test.example\n"));
    assert!(jane.only().contains("Delivered-To: sales@test.example\n"));
    let with = |text: &str| log.iter().any(|line| line.contains(text));
    assert!(with("success: fastforward:_qp_"), "{log:#?}");
    assert!(with("Subject:_lunch//Noon?/"), "{log:#?}");
    let bounce = "failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/";
    assert!(with(bounce), "{log:#?}");
}

#[test]
fn fastforward_passes_on_whom_it_does_not_know() {
    let Some(tree) = Tree::among_others("usr/bin/fastforward") else { return };
    let aliases = tree.alias("default");
    let kept = aliases.make_maildir("Maildir");
    let joe = tree.user("joe").uses_maildir();
    tree.shell("cd /etc && echo 'sales@test.example: joe;' | setforward known.cdb known.tmp");
    aliases.instruct("", "| fastforward -p /etc/known.cdb\n./Maildir/\n");
    deliver(&tree, &["sales@test.example", "other@test.example"]);
    assert!(joe.only().contains("Delivered-To: sales@test.example\n"));
    assert!(kept.only().contains("Delivered-To: other@test.example\n"));
}

#[test]
fn maildir_filter_sorts_and_bounces() {
    let Some(tree) = Tree::among_others("usr/bin/maildir-filter") else { return };
    let (joe, jane) = (tree.user("joe"), tree.user("jane"));
    let (lunch, rest) = (joe.make_maildir("lunch"), joe.make_maildir("Maildir"));
    keeps_the_rest(&joe, "|maildir-filter -H -r '^Subject: lunch' -d ./lunch");
    jane.instruct("", "|maildir-filter -r Noon -b\n./Maildir/\n");
    let log = deliver(&tree, &["joe@test.example", "jane@test.example"]);
    assert!(lunch.only().ends_with("Noon?\n"));
    assert!(rest.messages().is_empty(), "{}", text(&rest.messages()[0]));
    assert!(log.iter().any(|line| line.contains("failure: ")), "{log:#?}");
}

#[test]
fn maildrop_delivers_through_preline() {
    let Some(tree) = Tree::among_others("usr/bin/maildrop") else { return };
    let joe = tree.user("joe");
    let (lunch, rest) = (joe.make_maildir("lunch"), joe.make_maildir("Maildir"));
    joe.instruct("", "|preline maildrop ./.mailfilter\n");
    let filter = "if (/^Subject: lunch/)\n{\n    to \"lunch\"\n}\nto \"Maildir\"\n";
    joe.write(".mailfilter", filter);
    tree.shell(&format!("chmod 600 {}/.mailfilter", joe.home().display()));
    let log = deliver(&tree, &["joe@test.example"]);
    let messages = lunch.messages();
    assert_eq!((messages.len(), rest.messages().len()), (1, 0), "{log:#?}");
    let mail = text(&messages[0]);
    assert!(mail.contains("Return-Path: <ann@test.example>\n"), "{mail}");
    assert!(mail.contains("Delivered-To: joe@test.example\n"), "{mail}");
}

#[test]
fn what_maildrop_cannot_do_now_is_tried_again() {
    let Some(tree) = Tree::among_others("usr/bin/maildrop") else { return };
    let joe = tree.user("joe");
    joe.instruct("", "|preline maildrop ./.mailfilter\n");
    joe.write(".mailfilter", "to \"/nowhere/at/all\"\n");
    tree.shell(&format!("chmod 600 {}/.mailfilter", joe.home().display()));
    let running = tree.start();
    tree.queue("ann@test.example", &["joe@test.example"], MESSAGE);
    running.wait_for("deferral: ");
}

#[test]
fn dovecots_delivery_agent_delivers_through_preline() {
    let Some(tree) = Tree::among_others("usr/lib/dovecot/dovecot-lda") else { return };
    let joe = tree.user("joe");
    let configuration = "mail_location = maildir:~/Maildir\nlog_path = /dev/stderr\n\
        lda_mailbox_autocreate = yes\nlisten = 127.0.0.1\nssl = no\n";
    tree.write_in_its_world("/etc/dovecot/dovecot.conf", configuration);
    joe.instruct("", "|preline -f /usr/lib/dovecot/dovecot-lda -f \"$SENDER\" -a \"$RECIPIENT\"\n");
    joe.instruct("-default", "|preline -f /usr/lib/dovecot/dovecot-lda -m \"$EXT\"\n");
    let log = deliver(&tree, &["joe@test.example", "joe-lists@test.example"]);
    let maildir = |name: &str| qmail_conformance::maildir::Maildir::at(joe.home().join(name));
    let (inbox, lists) = (maildir("Maildir"), maildir("Maildir/.lists"));
    assert_eq!((inbox.messages().len(), lists.messages().len()), (1, 1), "{log:#?}");
    let mail = inbox.only();
    assert!(mail.contains("Return-Path: <ann@test.example>\n"), "{mail}");
    assert!(mail.contains("Delivered-To: joe@test.example\n"), "{mail}");
}

#[test]
fn a_mailbox_that_dovecot_does_not_find_is_no_reason_to_bounce() {
    let Some(tree) = Tree::among_others("usr/lib/dovecot/dovecot-lda") else { return };
    let joe = tree.user("joe");
    // Not to be understood, so it exits 89 or 75, depending on how far it comes.
    tree.write_in_its_world("/etc/dovecot/dovecot.conf", "mail_location = nonsense:~/Maildir\n");
    joe.instruct("", "|preline /usr/lib/dovecot/dovecot-lda\n");
    let running = tree.start();
    tree.queue("ann@test.example", &["joe@test.example"], MESSAGE);
    running.wait_for("deferral: ");
}

#[test]
fn procmail_delivers_through_preline() {
    let Some(tree) = Tree::among_others("usr/bin/procmail") else { return };
    let joe = tree.user("joe");
    let lunch = joe.make_maildir("lunch");
    let home = joe.home().display();
    let recipes = format!("MAILDIR={home}\nDEFAULT={home}/mbox\n:0\n* ^Subject: lunch\nlunch/\n");
    joe.write(".procmailrc", recipes);
    // Whoever has no name on this host has no home either.
    joe.instruct("", "|preline procmail -m ./.procmailrc\n");
    let log = deliver(&tree, &["joe@test.example"]);
    let messages = lunch.messages();
    assert_eq!(messages.len(), 1, "{log:#?}");
    let mail = text(&messages[0]);
    assert!(mail.contains("Return-Path: <ann@test.example>\n"), "{mail}");
    assert!(mail.contains("Delivered-To: joe@test.example\n"), "{mail}");
    assert!(mail.ends_with("Noon?\n"), "{mail}");
}

#[test]
fn procmail_and_qmail_local_take_turns_at_an_mbox() {
    let Some(tree) = Tree::among_others("usr/bin/procmail") else { return };
    if tree.is_original() {
        // It has flock only, and procmail does not: mail gets lost.
        return;
    }
    let joe = tree.user("joe");
    let home = joe.home().display();
    joe.write(".procmailrc", format!("MAILDIR={home}\nLOCKSLEEP=1\n:0:\nmbox\n"));
    joe.write("message", format!("Subject: x\n\n{}", "one of many lines\n".repeat(2000)));
    joe.write(".qmail", "./mbox\n");
    let script = "for i in 1 2 3 4 5 6 7 8; do \
        qmail-local -- joe \"$1\" joe '' '' test.example s@far.example '' < message & \
        { echo 'From s@far.example Fri Jan 02 03:04:05 2026'; cat message; } | \
            procmail -m ./.procmailrc & \
        done; wait";
    let program = tree.command("/bin/sh").args(["-c", script, "sh"]).arg(joe.home());
    let finished =
        program.run_as(joe.identity()).env("MBOXLOCKS", "fcntl,dot").in_directory(joe.home()).run();
    assert_eq!(finished.text(), "did 1+0+0\n".repeat(8), "{}", finished.said());
    let mbox = joe.read("mbox");
    let messages: Vec<&str> = mbox.split("From s@far.example ").skip(1).collect();
    assert_eq!(messages.len(), 16);
    for message in messages {
        assert_eq!(message.matches("one of many lines\n").count(), 2000);
        assert!(message.ends_with("lines\n\n"), "mixed with another");
    }
    assert!(!joe.home().join("mbox.lock").exists());
}
