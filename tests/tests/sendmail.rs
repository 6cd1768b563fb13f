//! sendmail, under its three names.

use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, files};

#[test]
fn recipients_are_arguments_and_with_t_header_as_well() {
    let message = "To: a@b.c\n\nx\n";
    let table: [(&[&str], &[&str]); 6] = [
        (&["d@e.f"], &["d@e.f"]),
        (&["-i", "d@e.f", "g@h.i"], &["d@e.f", "g@h.i"]),
        (&["-t"], &["a@b.c"]),
        (&["-t", "d@e.f"], &["d@e.f", "a@b.c"]),
        (&["-oi", "-oem", "-bm", "-v", "-m", "--", "d@e.f"], &["d@e.f"]),
        (&["-B8BITMIME", "-p", "x", "-Ex", "-Jy", "d@e.f"], &["d@e.f"]),
    ];
    for (arguments, recipients) in table {
        let tree = Tree::under_test();
        let program = tree.program("sendmail").run_as(tree.user("jane").identity());
        let finished = program.args(arguments.iter().copied()).stdin(message).run();
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.said());
        assert_eq!(tree.only_todo().recipients(), recipients, "{arguments:?}");
    }
}

#[test]
fn f_sets_the_sender_and_from() {
    let tree = Tree::under_test();
    let program = tree.program("sendmail").run_as(tree.user("jane").identity());
    let variables = [("USER", "jane"), ("MAILNAME", "Jane"), ("QMAILHOST", "other.example")];
    let program = program.envs(&variables).args(["-fjoe@far.example", "a@b.c"]);
    assert_eq!(program.stdin("Subject: x\n\n").run().code, Some(0));
    let queued = tree.only_todo();
    assert_eq!(queued.sender(), "joe@far.example");
    assert!(queued.text().contains("\nFrom: joe@far.example\n"), "{}", queued.text());
}

#[test]
fn the_name_is_set_by_capital_f() {
    let tree = Tree::under_test();
    let program = tree.program("sendmail").run_as(tree.user("jane").identity());
    let program = program.env("USER", "jane").args(["-FJane Doe", "a@b.c"]);
    assert_eq!(program.stdin("Subject: x\n\n").run().code, Some(0));
    let text = tree.only_todo().text();
    assert!(text.contains("\nFrom: \"Jane Doe\" <jane@test.example>\n"), "{text}");
}

#[test]
fn the_name_is_kept_beside_a_sender() {
    let tree = Tree::under_test();
    let program = tree.program("sendmail").run_as(tree.user("jane").identity());
    let program = program.args(["-FJane Doe", "-fjane@x.y", "a@b.c"]);
    assert_eq!(program.stdin("Subject: x\n\n").run().code, Some(0));
    let text = tree.only_todo().text();
    // The original forgets the name.
    let from = if tree.is_original() { "jane@x.y" } else { "\"Jane Doe\" <jane@x.y>" };
    assert!(text.contains(&format!("\nFrom: {from}\n")), "{text}");
}

#[test]
fn a_lone_dot_is_no_end() {
    let tree = Tree::under_test();
    let program = tree.program("sendmail").run_as(tree.user("jane").identity()).arg("a@b.c");
    assert_eq!(program.stdin("Subject: x\n\n.\nafter\n").run().code, Some(0));
    assert!(tree.only_todo().text().ends_with("\n\n.\nafter\n"));
}

#[test]
fn bs_talks_smtp() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Program("qmail-smtpd")) {
        return;
    }
    tree.control("rcpthosts", "here.example\n");
    tree.control("databytes", "1\n");
    let program = tree.program("sendmail").run_as(tree.user("jane").identity()).arg("-bs");
    let mut session = Session::with(program.converse());
    assert_eq!(session.reply().text, "220 test.example ESMTP\r\n");
    let reply = session.mail_from("a@b").rcpt_to("joe@far.example").data("x\r\n");
    assert_eq!(reply.code, 250, "{}", reply.text);
    let text = tree.only_todo().text();
    let received = "Received: from localhost (sendmail-bs@127.0.0.1)\n  by localhost with SMTP; ";
    assert!(text.contains(received), "{text}");
}

#[test]
fn bp_and_mailq_show_the_queue() {
    let tree = Tree::under_test();
    let link = tree.scratch().join("mailq");
    std::os::unix::fs::symlink(tree.home().join("bin/sendmail"), &link).unwrap();
    for program in [tree.program("sendmail").arg("-bp"), tree.command(&link)] {
        let finished = program.run();
        assert_eq!((finished.code, finished.said()), (Some(0), String::new()));
    }
}

#[test]
fn newaliases_says_what_to_use() {
    let tree = Tree::under_test();
    let link = tree.scratch().join("newaliases");
    std::os::unix::fs::symlink(tree.home().join("bin/sendmail"), &link).unwrap();
    let finished = tree.command(&link).run();
    let text = "sendmail: fatal: please use fastforward/newaliases instead\n";
    assert_eq!((finished.code, finished.errors().as_str()), (Some(100), text));
}

#[test]
fn unknown_options_and_modes_are_100() {
    let tree = Tree::under_test();
    let usage =
        "sendmail: usage: sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] [ -bs ] [ arg ... ]\n";
    for option in ["-bx", "-q", "-z"] {
        let finished = tree.program("sendmail").arg(option).run();
        assert_eq!(finished.code, Some(100), "{option}: {}", finished.said());
        assert!(finished.errors().ends_with(usage), "{option}: {}", finished.errors());
    }
}

#[test]
fn what_goes_in_comes_out_at_the_user() {
    let tree = Tree::under_test();
    let maildir = tree.user("joe").uses_maildir();
    let running = tree.start();
    running.wait_for("status:");
    let program = tree.program("sendmail").run_as(tree.user("jane").identity());
    let finished = program.env("USER", "jane").arg("-t").stdin("To: joe\n\nhi\n").run();
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    let _ = maildir.wait_for(1);
    let text = maildir.only();
    assert!(text.starts_with("Return-Path: <jane@test.example>\nDelivered-To: joe@"), "{text}");
    assert!(text.contains("\nTo: joe@test.example\n\nhi\n"), "{text}");
    running.wait_for("end msg");
}

#[test]
fn datemail_and_predate_put_a_date_in_front() {
    let tree = Tree::under_test();
    let program = tree.program("predate").env("TZ", "XYZ-1:30").arg("cat").stdin("x\n");
    let finished = program.run();
    let text = finished.text();
    let (date, rest) = text.split_once('\n').unwrap();
    assert!(date.starts_with("Date: ") && date.ends_with(" +0130"), "{date}");
    assert_eq!((finished.code, rest), (Some(0), "x\n"));
    let program = tree.program("predate").args(["sh", "-c", "exit 7"]);
    assert_eq!(program.run().code, Some(7));
    assert_eq!(tree.program("predate").run().code, Some(100));
}

#[test]
fn mailsubj_makes_a_header() {
    let tree = Tree::under_test();
    let program = tree.program("mailsubj").run_as(tree.user("jane").identity());
    let finished = program.args(["hi there", "a@b.c", "d@e.f"]).stdin("body\n").run();
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    let text = tree.only_todo().text();
    assert!(text.ends_with("\nSubject: hi there\nTo: a@b.c, d@e.f\n\nbody\n"), "{text}");
    let mut recipients = tree.only_todo().recipients();
    recipients.sort();
    assert_eq!(recipients, ["a@b.c", "d@e.f"]);
    files::write(&tree.scratch().join("done"), "");
}
