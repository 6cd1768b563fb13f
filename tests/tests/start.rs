//! qmail-start: processes, their identities and descriptors, and the log.

use std::fs;

use qmail_conformance::log::Running;
use qmail_conformance::{Need, Tree, files, wait};

/// The children of a process, with their names.
fn children(parent: i32) -> Vec<(String, i32)> {
    let mut found = Vec::new();
    for name in files::names("/proc".as_ref()) {
        let Ok(process) = name.parse::<i32>() else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        let Some((start, rest)) = stat.rsplit_once(')') else { continue };
        let command = start.split_once('(').map(|(_, command)| command.to_owned());
        if rest.split(' ').nth(2) == Some(parent.to_string().as_str()) {
            found.push((command.unwrap_or_default(), process));
        }
    }
    found.sort();
    found
}

/// The four ids of a kind in /proc: real, effective, saved, file system.
fn ids(process: i32, kind: &str) -> Vec<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(kind)).unwrap();
    line.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

#[test]
fn every_process_has_its_name_and_identity() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let running = tree.start();
    running.wait_for("status:");
    let accounts = tree.accounts();
    let send = running.pid().as_raw();
    let name = fs::read_to_string(format!("/proc/{send}/comm")).unwrap();
    assert_eq!(name, "qmail-send\n");
    assert_eq!(ids(send, "Uid:"), [accounts.qmails.uid; 4]);
    let expected = [
        ("qmail-clean", accounts.qmailq.uid),
        ("qmail-lspawn", 0),
        ("qmail-rspawn", accounts.qmailr.uid),
    ];
    let found = wait::until("all processes", || {
        let found = children(send);
        expected.iter().all(|(name, _)| found.iter().any(|(n, _)| n == name)).then_some(found)
    });
    for (name, uid) in expected {
        for (_, process) in found.iter().filter(|(found, _)| found == name) {
            assert_eq!(ids(*process, "Uid:"), [uid; 4], "{name}");
            assert_eq!(ids(*process, "Gid:"), [accounts.qmailq.gid; 4], "{name}");
            // Notqmail gives qmailr the groups of its account as well.
            assert!(ids(*process, "Groups:").contains(&accounts.qmailq.gid), "{name}");
        }
    }
}

#[test]
fn the_parent_of_a_running_qmail_is_not_needed() {
    let tree = Tree::under_test();
    let mut running = tree.start();
    running.wait_for("status:");
    let send = running.pid().as_raw();
    let before = children(send);
    nix::sys::signal::kill(running.pid(), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(running.wait(), Some(0));
    // All helpers end with it.
    for (name, process) in before {
        wait::until(&format!("the end of {name}"), || {
            let there = fs::read_to_string(format!("/proc/{process}/comm")).ok();
            (there.as_deref() != Some(&format!("{name}\n"))).then_some(())
        });
    }
}

#[test]
fn a_logger_gets_the_log() {
    let tree = Tree::under_test();
    let log = tree.scratch().join("log");
    let script = tree.scratch().join("logger");
    let body =
        format!("{{ echo \"$1 $2\"; id -u; id -g; id -G; cat; echo end; }} > {}", log.display());
    files::write_script(&script, &body);
    files::set_mode(&tree.scratch(), 0o777);
    let program = tree.program("qmail-start").arg("./Maildir/").arg(&script);
    let running = Running::of(program.args(["one", "two"]));
    let read = || fs::read_to_string(&log).unwrap_or_default();
    wait::until("the first line", || read().contains("status: local 0/10").then_some(()));
    nix::sys::signal::kill(running.pid(), nix::sys::signal::Signal::SIGTERM).unwrap();
    wait::until("the end of the log", || read().ends_with("status: exiting\nend\n").then_some(()));
    let (user, text) = (tree.accounts().qmaill, read());
    let start = format!("one two\n{}\n{}\n{}\nstatus: ", user.uid, user.gid, user.gid);
    if !tree.is_single_user() {
        assert!(text.starts_with(&start), "{text}");
    }
    drop(running);
}

#[test]
fn the_default_delivery_is_mailbox() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let running = Running::of(tree.program("qmail-start"));
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    running.wait_for("success: did_1+0+0/");
    assert!(tree.user("joe").read("Mailbox").starts_with("From a@b "));
}

#[test]
fn the_default_delivery_may_have_several_lines() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let running = tree.start_with("#comment\n./one\n./two\n");
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    running.wait_for("success: did_2+0+0/");
}

#[test]
fn the_environment_reaches_deliveries() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|echo \"$SPECIAL\"\n");
    let program = tree.program("qmail-start").arg("./Maildir/").env("SPECIAL", "kept");
    let running = Running::of(program);
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    running.wait_for("success: kept/did_0+0+1/");
}

/// What the descriptors of this process are, for they may come from further above.
fn inherited() -> Vec<String> {
    let links = files::names("/proc/self/fd".as_ref()).into_iter();
    links
        .filter_map(|name| fs::read_link(format!("/proc/self/fd/{name}")).ok())
        .map(|link| link.display().to_string())
        .collect()
}

#[test]
fn deliveries_have_no_descriptors_of_ours() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|exec ls -l /proc/self/fd > open\n");
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    let running = tree.start();
    running.wait_for("delivery 1: success: ");
    let open = tree.user("joe").read("open");
    let ours = inherited();
    let further =
        open.lines().filter_map(|line| line.split_once(" -> ")).filter(|(start, link)| {
            let number = start.rsplit(' ').next().unwrap();
            // What ls lists is open too.
            !["0", "1", "2"].contains(&number)
                && !link.ends_with("/fd")
                && !ours.contains(&(*link).to_owned())
        });
    assert_eq!(further.count(), 0, "{open}");
}

#[test]
fn a_lost_spawner_ends_qmail_send() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    for name in ["qmail-lspawn", "qmail-rspawn", "qmail-clean"] {
        let tree = Tree::under_test();
        let mut running = tree.start();
        running.wait_for("status:");
        let send = running.pid().as_raw();
        let victims = wait::until("the helper", || {
            let found = children(send);
            let victims: Vec<i32> =
                found.iter().filter(|(n, _)| n == name).map(|(_, process)| *process).collect();
            (!victims.is_empty()).then_some(victims)
        });
        for process in victims {
            kill(Pid::from_raw(process), Signal::SIGKILL).unwrap();
        }
        if name == "qmail-clean" {
            // It is missed when it is wanted.
            tree.queue("a@b", &[], "hi\n");
            running.wait_for("qmail-clean connection! dying...");
        } else {
            running.wait_for("alert: oh no! lost spawn connection! dying...");
        }
        assert_eq!(running.wait(), Some(0), "{name}");
    }
}

#[test]
fn remote_mail_goes_out() {
    use qmail_conformance::sink::Sink;
    let tree = Tree::under_test();
    let sink = Sink::start(tree.listen("127.0.0.1:0")).unwrap();
    tree.control("smtproutes", format!(":127.0.0.1:{}\n", sink.address().port()));
    tree.queue("joe@test.example", &["x@far.example", "y@far.example"], "Subject: x\n\n.\n");
    let running = tree.start();
    let messages = sink.wait_for(2);
    let mut recipients: Vec<String> = messages.into_iter().flat_map(|m| m.rcpt).collect();
    recipients.sort();
    assert_eq!(recipients, ["TO:<x@far.example>", "TO:<y@far.example>"]);
    let text = "success: 127.0.0.1_accepted_message./Remote_host_said:_250_taken/";
    let _ = running.wait_for_several(text, 2);
    running.wait_for("end msg");
}

#[test]
fn mail_from_the_network_reaches_the_user() {
    use qmail_conformance::conversation::Conversation;
    use qmail_conformance::listener::Listener;
    use qmail_conformance::smtp::Session;
    let tree = Tree::under_test();
    let maildir = tree.user("joe").uses_maildir();
    let running = tree.start();
    let program = tree.program("qmail-smtpd").run_as(tree.accounts().qmaild);
    let listener = Listener::start(tree.listen("127.0.0.1:0"), program.into()).unwrap();
    let stream = tree.connect(&listener.address().to_string());
    let mut session = Session::with(Conversation::over(stream));
    assert_eq!(session.reply().code, 220);
    let mut session = session.mail_from("a@far.example").rcpt_to("joe@test.example");
    assert_eq!(session.data("Subject: x\r\n\r\nhi\r\n").code, 250);
    assert_eq!(session.command("QUIT").code, 221);
    let _ = maildir.wait_for(1);
    let text = maildir.only();
    assert!(text.contains("\nReceived: from localhost (127.0.0.1)\n  by localhost with SMTP; "));
    running.wait_for("end msg");
}
