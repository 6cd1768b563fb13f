//! The small tools of an administrator: what they print.

use std::fs;

use qmail_conformance::{Tree, files};

fn output(tree: &Tree, program: &str) -> String {
    let finished = tree.program(program).run();
    assert_eq!(finished.code, Some(0), "{program}: {}", finished.said());
    finished.text()
}

#[test]
fn qread_shows_what_is_to_be_delivered() {
    let tree = Tree::under_test();
    tree.control("concurrencyremote", "0");
    tree.user("joe").instruct("", "|exit 0\n");
    tree.user("jane").instruct("", "|exit 100\n");
    let recipients = ["joe@test.example", "jane@test.example", "x y@far.example"];
    tree.queue("a b@here", &recipients, "hi\n");
    let queued = tree.only_todo();
    assert_eq!(output(&tree, "qmail-qread"), "");
    let running = tree.start();
    running.wait_for("success");
    running.wait_for("failure");
    running.stop();
    let text = output(&tree, "qmail-qread");
    let lines: Vec<&str> = text.lines().collect();
    let (number, size) = (queued.number, queued.message.len());
    let (date, rest) = lines[0].split_once(" GMT").unwrap();
    assert_eq!(date.split(' ').count(), 4, "{date}");
    assert_eq!(rest, format!("  #{number}  {size}  <a b@here>  bouncing"));
    let done = "  done\tlocal\tjoe@test.example";
    if lines.len() == 2 {
        // The local channel has ended.
        assert_eq!(lines[1], "\tremote\tx y@far.example");
    } else {
        assert_eq!(
            lines[1..],
            [done, "  done\tlocal\tjane@test.example", "\tremote\tx y@far.example"]
        );
    }
}

#[test]
fn qread_marks_what_is_done() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|exit 0\n");
    tree.user("jane").instruct("", "|exit 111\n");
    tree.queue("", &["joe@test.example", "jane@test.example"], "hi\n");
    let running = tree.start();
    running.wait_for("success");
    running.wait_for("deferral");
    running.stop();
    let text = output(&tree, "qmail-qread");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("  <> "), "{text}");
    assert_eq!(lines[1..], ["  done\tlocal\tjoe@test.example", "\tlocal\tjane@test.example"]);
}

#[test]
fn qstat_counts() {
    let tree = Tree::under_test();
    let counts = |queued: usize, todo: usize| {
        format!("messages in queue: {queued}\nmessages in queue but not yet preprocessed: {todo}\n")
    };
    assert_eq!(output(&tree, "qmail-qstat"), counts(0, 0));
    tree.control("concurrencyremote", "0");
    tree.queue("a@b", &["x@far.example"], "hi\n");
    tree.queue("a@b", &["x@far.example"], "hi\n");
    assert_eq!(output(&tree, "qmail-qstat"), counts(2, 2));
    let running = tree.start();
    let _ = running.wait_for_several("info msg", 2);
    qmail_conformance::wait::until("todo", || tree.todo().is_empty().then_some(()));
    running.stop();
    assert_eq!(output(&tree, "qmail-qstat"), counts(2, 0));
}

#[test]
fn showctl_explains_every_control() {
    let tree = Tree::under_test();
    tree.control("locals", "here.example\n# comment\nthere.example\n");
    tree.control("databytes", "100");
    tree.control("smtproutes", ":relay.example\n");
    tree.control("strange", "");
    let text = output(&tree, "qmail-showctl");
    let expected = [
        format!("qmail home directory: {}.\n", tree.home().display()),
        "user-ext delimiter: -.\n".to_owned(),
        "paternalism (in decimal): 2.\n".to_owned(),
        "subdirectory split: 23.\n".to_owned(),
        "\nbadmailfrom: (Default.) Any MAIL FROM is allowed.\n".to_owned(),
        "\nbouncefrom: (Default.) Bounce user name is MAILER-DAEMON.\n".to_owned(),
        "\nbouncehost: (Default.) Bounce host name is test.example.\n".to_owned(),
        "\nconcurrencylocal: (Default.) Local concurrency is 10.\n".to_owned(),
        "\nconcurrencyremote: (Default.) Remote concurrency is 20.\n".to_owned(),
        "\ndatabytes: SMTP DATA limit is 100 bytes.\n".to_owned(),
        "\ndoublebounceto: (Default.) 2B recipient user: postmaster.\n".to_owned(),
        "\nlocals: \nMessages for here.example are delivered locally.\n\
         Messages for there.example are delivered locally.\n"
            .to_owned(),
        "\nme: My name is test.example.\n".to_owned(),
        "\nqueuelifetime: (Default.) Message lifetime in the queue is 604800 seconds.\n".to_owned(),
        "\nrcpthosts: (Default.) SMTP clients may send messages to any recipient.\n".to_owned(),
        "\nmorercpthosts: (Default.) No rcpthosts; morercpthosts is irrelevant.\n".to_owned(),
        "\nsmtpgreeting: (Default.) SMTP greeting: 220 test.example.\n".to_owned(),
        "\nsmtproutes: \nSMTP route: :relay.example\n".to_owned(),
        "\ntimeoutsmtpd: (Default.) SMTP server data timeout is 1200 seconds.\n".to_owned(),
        "\nstrange: I have no idea what this file does.\n".to_owned(),
    ];
    for part in expected {
        assert!(text.contains(&part), "{part:?} is not in {text}");
    }
}

#[test]
fn pw2u_makes_assignments_of_accounts() {
    let tree = Tree::under_test();
    let home = tree.scratch();
    let uid = {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(&home).unwrap().uid().max(1)
    };
    std::os::unix::fs::chown(&home, Some(uid), None).unwrap();
    let home = home.display();
    let passwd = format!(
        "root:x:0:0::/root:/bin/sh\nann:x:{uid}:5::{home}:/bin/sh\nBob:x:{uid}:5::{home}:/bin/sh\n\
         gone:x:{uid}:5::/nonexistent:/bin/sh\nalias:x:{uid}:6::{home}:/bin/sh\nrubbish\n"
    );
    let finished = tree.program("qmail-pw2u").stdin(passwd).run();
    let expected = format!(
        "=ann:ann:{uid}:5:{home}:::\n+ann-:ann:{uid}:5:{home}:-::\n\
         +:alias:{uid}:6:{home}:-::\n=alias:alias:{uid}:6:{home}:::\n\
         +alias-:alias:{uid}:6:{home}:-::\n.\n"
    );
    assert_eq!((finished.code, finished.text()), (Some(0), expected), "{}", finished.errors());
}

#[test]
fn newu_refuses_bad_assignments_and_keeps_the_old_ones() {
    let tree = Tree::under_test();
    let assign = tree.path("users/assign");
    files::write(&assign, "=a:b:1:2:/:::\n.\n");
    assert_eq!(tree.program("qmail-newu").run().code, Some(0));
    let before = files::read(&tree.path("users/cdb"));
    let text = "qmail-newu: fatal: bad format in users/assign\n";
    for bad in ["=a:b:1:2:/::\n.\n", "\n.\n", "=a:b:1:2:/:::\n", "#c\n.\n", "a", "=a\n.\n", ""] {
        files::write(&assign, bad);
        let finished = tree.program("qmail-newu").run();
        assert_eq!((finished.code, finished.errors().as_str()), (Some(111), text), "{bad:?}");
        assert_eq!(files::read(&tree.path("users/cdb")), before);
    }
    fs::remove_file(&assign).unwrap();
    let finished = tree.program("qmail-newu").run();
    let text = "qmail-newu: fatal: unable to open users/assign\n";
    assert_eq!((finished.code, finished.errors().as_str()), (Some(111), text));
}

#[test]
fn newmrh_without_its_file_is_111() {
    let tree = Tree::under_test();
    let finished = tree.program("qmail-newmrh").run();
    let text = "qmail-newmrh: fatal: unable to read control/morercpthosts: file does not exist\n";
    assert_eq!((finished.code, finished.errors().as_str()), (Some(111), text));
}

#[test]
fn maildirmake_makes_a_closed_maildir_once() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let make = || {
        let program = tree.program("maildirmake").run_as(joe.identity());
        program.in_directory(joe.home()).arg("Mail").run()
    };
    assert_eq!(make().code, Some(0));
    for part in ["", "tmp", "new", "cur"] {
        assert_eq!(files::mode(&joe.home().join("Mail").join(part)), 0o700, "{part}");
    }
    let again = make();
    let text = "maildirmake: fatal: unable to mkdir Mail: file already exists\n";
    assert_eq!((again.code, again.errors().as_str()), (Some(111), text));
    assert_eq!(tree.program("maildirmake").run().code, Some(100));
}

#[test]
fn tools_for_programs_in_dot_qmail_files_decide_by_exit_codes() {
    let tree = Tree::under_test();
    let table: [(&str, &[&str], i32, &str); 14] = [
        ("except", &["true"], 100, ""),
        ("except", &["false"], 0, ""),
        ("except", &["sh", "-c", "exit 111"], 111, "except: fatal: temporary child error\n"),
        ("except", &["sh", "-c", "kill -9 $$"], 111, "except: fatal: child crashed\n"),
        ("except", &[], 100, "except: usage: except program [ arg ... ]\n"),
        ("bouncesaying", &["no thanks"], 100, "no thanks\n"),
        ("bouncesaying", &["no thanks", "true"], 100, "no thanks\n"),
        ("bouncesaying", &["no thanks", "false"], 0, ""),
        ("condredirect", &["a@b", "false"], 0, ""),
        (
            "condredirect",
            &["a@b", "sh", "-c", "exit 111"],
            111,
            "condredirect: fatal: temporary child error\n",
        ),
        ("condredirect", &["a@b", "true"], 100, "condredirect: fatal: SENDER not set\n"),
        ("forward", &["a@b"], 100, "forward: fatal: NEWSENDER not set\n"),
        ("preline", &[], 100, "preline: usage: preline cmd [ arg ... ]\n"),
        (
            "bouncesaying",
            &["x", "sh", "-c", "exit 111"],
            111,
            "bouncesaying: fatal: temporary child error\n",
        ),
    ];
    let message = tree.scratch().join("message");
    files::write(&message, "Subject: x\n\n");
    for (name, words, code, text) in table {
        let message = fs::File::open(&message).unwrap();
        let program = tree.program(name).stdin_from(message);
        let finished = program.args(words.iter().copied()).run();
        let found = (finished.code, finished.errors());
        assert_eq!(found, (Some(code), text.to_owned()), "{name} {words:?}");
    }
}

#[test]
fn forward_and_condredirect_send_the_message_on() {
    for (name, words, sender, code) in [
        ("forward", &["a@b", "c@d"][..], "new@sender", 0),
        ("condredirect", &["a@b", "true"], "old@sender", 99),
    ] {
        let tree = Tree::under_test();
        let joe = tree.user("joe");
        joe.write("message", "Subject: x\n\nhi\n");
        let message = fs::File::open(joe.home().join("message")).unwrap();
        let program = tree.program(name).run_as(joe.identity()).args(words.iter().copied());
        let variables = [
            ("SENDER", "old@sender"),
            ("NEWSENDER", "new@sender"),
            ("DTLINE", "Delivered-To: x\n"),
        ];
        let finished = program.envs(&variables).stdin_from(message).run();
        assert_eq!(finished.code, Some(code), "{}", finished.said());
        let queued = tree.only_todo();
        assert_eq!(finished.errors(), format!("{name}: qp {}\n", queued.records(b'p')[0]));
        assert_eq!(queued.sender(), sender);
        assert_eq!(queued.recipients()[0], "a@b");
        assert_eq!(queued.without_received(), "Delivered-To: x\nSubject: x\n\nhi\n");
    }
}

#[test]
fn preline_puts_lines_in_front() {
    let tree = Tree::under_test();
    let variables =
        [("UFLINE", "From x\n"), ("RPLINE", "Return-Path: <x>\n"), ("DTLINE", "D: y\n")];
    let table: [(&[&str], &str); 4] = [
        (&["cat"], "From x\nReturn-Path: <x>\nD: y\nhi\n"),
        (&["-f", "cat"], "Return-Path: <x>\nD: y\nhi\n"),
        (&["-frd", "cat"], "hi\n"),
        (&["-frdF", "cat"], "From x\nhi\n"),
    ];
    for (words, text) in table {
        let program = tree.program("preline").envs(&variables).args(words.iter().copied());
        let finished = program.stdin("hi\n").run();
        assert_eq!((finished.code, finished.text().as_str()), (Some(0), text), "{words:?}");
    }
    let program = tree.program("preline").envs(&variables).args(["sh", "-c", "exit 7"]);
    assert_eq!(program.stdin("hi\n").run().code, Some(7));
}

#[test]
fn maildir2mbox_moves_all_mail() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let maildir = joe.make_maildir("Maildir");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(1000);
    let messages = [
        ("Maildir/new/1.a.h", "Return-Path: <a b@c>\nSubject: x\n\nFrom me\n", 0),
        ("Maildir/cur/2.b.h:2,S", "Return-Path: <>\nSubject: y\n\nlast\n", 10),
    ];
    for (name, text, later) in messages {
        joe.write(name, text);
        let time = long_ago + std::time::Duration::from_secs(later);
        files::set_times(&joe.home().join(name), time);
    }
    joe.write("mbox", "");
    let home = joe.home().display();
    let run = || {
        let program = tree.program("maildir2mbox").run_as(joe.identity());
        let program = program.env("MAILDIR", format!("{home}/Maildir"));
        let program = program.env("MAIL", format!("{home}/mbox"));
        program.env("MAILTMP", format!("{home}/tmpmbox")).run()
    };
    let finished = run();
    assert_eq!((finished.code, finished.said()), (Some(0), String::new()));
    let mbox = joe.read("mbox");
    assert!(mbox.starts_with("From a-b@c "), "{mbox}");
    let middle = "\nReturn-Path: <a b@c>\nSubject: x\n\n>From me\n\nFrom MAILER-DAEMON ";
    assert!(mbox.contains(middle), "{mbox}");
    assert!(mbox.ends_with("\nReturn-Path: <>\nSubject: y\n\nlast\n\n"), "{mbox}");
    assert!(maildir.names("new").is_empty() && maildir.names("cur").is_empty());
    assert_eq!(run().code, Some(0));
    assert_eq!(joe.read("mbox"), mbox);
}

#[test]
fn maildir2mbox_moves_mail_once_to_where_nobody_may_list_files() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let maildir = joe.make_maildir("Maildir");
    joe.write("Maildir/new/1.a.h", "Subject: x\n\nHi.\n");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(1000);
    files::set_times(&joe.home().join("Maildir/new/1.a.h"), long_ago);
    joe.make_directory("spool");
    files::set_mode(&joe.home().join("spool"), 0o300);
    let home = joe.home().display();
    let program = tree.program("maildir2mbox").run_as(joe.identity());
    let program = program.env("MAILDIR", format!("{home}/Maildir"));
    let program = program.env("MAIL", format!("{home}/spool/mbox"));
    let finished = program.env("MAILTMP", format!("{home}/spool/tmpmbox")).run();
    assert_eq!((finished.code, finished.said()), (Some(0), String::new()));
    assert_eq!(joe.read("spool/mbox").matches("Hi.").count(), 1);
    assert!(maildir.names("new").is_empty(), "it would be moved again");
}

#[test]
fn qreceipt_tells_the_sender() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let run = |field: &str, sender: &str| {
        let program = tree.program("qreceipt").run_as(joe.identity()).arg("joe@test.example");
        let header =
            format!("Notice-Requested-Upon-Delivery-To: {field}\nMessage-ID: <1@x>\n\nx\n");
        program.env("SENDER", sender).stdin(header).run()
    };
    assert_eq!(run("other@test.example", "a@b").code, Some(0));
    assert_eq!(run("joe@test.example", "").code, Some(0));
    assert_eq!(tree.queued(), 0);
    assert_eq!(run("x@y, Joe <joe@test.example>", "a@b").code, Some(0));
    let queued = tree.only_todo();
    assert_eq!((queued.sender(), queued.recipients()), (String::new(), vec!["a@b".to_owned()]));
    let text = queued.text();
    assert!(text.contains("\nFrom: DELIVERY NOTICE SYSTEM <a@b>\n"), "{text}");
    assert!(text.contains("\nSubject: success notice\n\n"), "{text}");
    assert!(text.contains("\nYour Message-ID: <1@x>\n"), "{text}");
}
