//! qmail-inject: the header it makes, and whom it sends to.

use qmail_conformance::process::{Finished, Program};
use qmail_conformance::{Tree, files};

fn program<'tree>(tree: &'tree Tree, arguments: &[&str], message: &str) -> Program<'tree> {
    tree.program("qmail-inject")
        .run_as(tree.user("jane").identity())
        .in_directory(tree.scratch())
        .env("USER", "jane")
        .args(arguments.iter().copied())
        .stdin(message)
}

/// What `-n` prints for a message.
fn shown(message: &str) -> String {
    shown_with(&[], &[], message)
}

fn shown_with(variables: &[(&str, &str)], arguments: &[&str], message: &str) -> String {
    let tree = Tree::under_test();
    tree.control("me", "test.example.com\n");
    let arguments = [&["-n"], arguments].concat();
    let finished = program(&tree, &arguments, message).envs(variables).run();
    assert_eq!(finished.code, Some(0), "{message:?}: {}", finished.said());
    finished.text()
}

/// The lines of a field with this name, its continuation lines included.
fn field(text: &str, name: &str) -> String {
    let mut found = String::new();
    let mut inside = false;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            inside = line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_lowercase()));
        }
        if inside {
            found += line;
            found += "\n";
        }
    }
    found
}

/// Runs it for real, with these arguments.
fn sent(variables: &[(&str, &str)], arguments: &[&str], message: &str) -> (Tree, Finished) {
    let tree = Tree::under_test();
    tree.control("me", "test.example.com\n");
    let finished = program(&tree, arguments, message).envs(variables).run();
    (tree, finished)
}

/// The envelope recipients for these arguments and this message.
fn recipients(arguments: &[&str], message: &str) -> Vec<String> {
    let (tree, finished) = sent(&[], arguments, message);
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    tree.only_todo().recipients()
}

/// The envelope sender with these variables and arguments.
fn sender(variables: &[(&str, &str)], arguments: &[&str], message: &str) -> String {
    let (tree, finished) = sent(variables, arguments, message);
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    tree.only_todo().sender()
}

#[test]
fn addresses_are_completed_and_printed() {
    let table = [
        (
            "To: a b, c@d (comment) , \"X Y\" <e@f+>",
            "To: a@test.example.com, b@test.example.com, c@d.test.example.com (comment),\n  \
             \"X Y\" <e@f.test.example.com>\n",
        ),
        ("To: (x (y) z) joe (foo) @ bar . (q) com", "To: joe@bar.com (x y z) (foo) (q)\n"),
        ("To: joe@[1.2.3.4], joe@[]", "To: joe@[1.2.3.4], joe@[]\n"),
        ("To: joe+@h+", "To: joe+@h.test.example.com\n"),
        ("To: joe@[a\\]b]", "To: joe@[a\\]b]\n"),
        ("To: a)b@c.d, x]y", "To: \"a\\)b\"@c.d, \"x\\]y\"@test.example.com\n"),
        ("To: Joe (x) Q. Public <a@b.c>", "To: Joe (x) Q.Public <a@b.c>\n"),
        ("To: g:;", "To: g: ;\n"),
        ("To: ,,a@b.c,,", "To: , , a@b.c, ,\n"),
        ("To: a;b", "To: a@test.example.com;, b@test.example.com\n"),
        ("To: a@b@c.d", "To: a@b@c.d\n"),
        ("To: <@x,@y:joe@h>", "To: <joe@h.test.example.com>\n"),
        ("To: <joe.>", "To: <joe@test.example.com>\n"),
        ("To: joe@h.", "To: joe@h.test.example.com\n"),
        ("To: <joe@>", "To: <joe@test.example.com>\n"),
        ("To:x", "To: x@test.example.com\n"),
        ("to : x", "to: x@test.example.com\n"),
        ("TO: \"a b\"@c.d", "TO: \"a b\"@c.d\n"),
    ];
    for (line, expected) in table {
        let text = shown(&format!("{line}\n\nbody\n"));
        assert_eq!(field(&text, "to"), expected, "{line}");
    }
}

#[test]
fn empty_addresses_stay_empty_in_the_header() {
    let text = shown("To: <@x>, <>, a@b.c\n\n");
    assert_eq!(field(&text, "to"), "To: <>, <>, a@b.c\n");
}

#[test]
fn groups_are_completed_inside() {
    let text = shown("Reply-To: Joe <joe> , grp: a,b;, c\nTo: x@y.z\n\n");
    let expected = "Reply-To: Joe <joe@test.example.com>, grp: a@test.example.com,\n  \
        b@test.example.com;, c@test.example.com\n";
    assert_eq!(field(&text, "reply-to"), expected);
}

#[test]
fn a_line_is_folded_after_78_bytes() {
    for (length, folded) in [(62, false), (63, false), (64, true)] {
        let long = "x".repeat(length);
        let to = field(&shown(&format!("To: a@b.c, {long}@y.z\n\n")), "to");
        let expected = if folded { ",\n  " } else { ", " };
        assert_eq!(to, format!("To: a@b.c{expected}{long}@y.z\n"));
    }
}

#[test]
fn one_long_address_is_not_broken() {
    let long = "x".repeat(200);
    let text = shown(&format!("To: {long}@y.z\n\n"));
    assert_eq!(field(&text, "to"), format!("To: {long}@y.z\n"));
}

#[test]
fn the_controls_complete_addresses() {
    let tree = Tree::under_test();
    tree.control("defaulthost", "host\n");
    tree.control("defaultdomain", "domain.example\n");
    tree.control("plusdomain", "plus.example\n");
    tree.control("idhost", "id.example\n");
    let finished = program(&tree, &["-n"], "To: a, b@c, d@e+, f@g.h\n\n").run();
    let text = finished.text();
    let to = "To: a@host.domain.example, b@c.domain.example, d@e.plus.example, f@g.h\n";
    assert_eq!(field(&text, "to"), to);
    assert_eq!(field(&text, "from"), "From: jane@host.domain.example\n");
    assert!(field(&text, "message-id").ends_with(".qmail@id.example>\n"), "{text}");
    let variables = [
        ("QMAILDEFAULTHOST", "vhost"),
        ("QMAILDEFAULTDOMAIN", "vdomain"),
        ("QMAILPLUSDOMAIN", "vplus"),
        ("QMAILIDHOST", "vid"),
    ];
    let finished = program(&tree, &["-n"], "To: a, b@c, d@e+\n\n").envs(&variables).run();
    let to = "To: a@vhost.vdomain, b@c.vdomain, d@e.vplus\n";
    assert_eq!(field(&finished.text(), "to"), to);
    assert!(field(&finished.text(), "message-id").ends_with(".qmail@vid>\n"));
}

#[test]
fn missing_fields_are_added_on_top_in_their_order() {
    let text = shown("Subject: x\nX: y\n\nbody\nlast");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Return-Path: <jane@test.example.com>");
    assert!(lines[1].starts_with("Date: ") && lines[1].ends_with(" -0000"), "{text}");
    assert!(lines[2].starts_with("Message-ID: <20"), "{text}");
    assert!(lines[2].ends_with(".qmail@test.example.com>"), "{text}");
    assert_eq!(lines[3], "From: jane@test.example.com");
    assert_eq!(lines[4], "Cc: recipient list not shown: ;");
    assert_eq!(lines[5..], ["Subject: x", "X: y", "", "body", "last"]);
    assert!(text.ends_with("last\n"));
}

#[test]
fn fields_that_are_there_are_kept_as_they_are() {
    let header = "Date: never\nMESSAGE-ID:  <x>\nFrom: a@b.c\nCc: d@e.f\nReceived: x\n  y\n\
        Mail-Followup-To: (not, touched\nDelivered-To: (x\n";
    let text = shown(&format!("{header}\nbody\n"));
    assert_eq!(text, format!("Return-Path: <jane@test.example.com>\n{header}\nbody\n"));
}

#[test]
fn some_fields_never_leave() {
    let text = shown("Bcc: x@y.z\nContent-Length: 5\nReturn-Path: <r@s.t>\nTo: a@b.c\n\n");
    for name in ["bcc", "content-length"] {
        assert_eq!(field(&text, name), "", "{text}");
    }
    assert_eq!(field(&text, "return-path"), "Return-Path: <r@s.t>\n");
}

#[test]
fn recipients_come_from_arguments_or_from_the_header() {
    let message = "To: a@b.c, d@e.f\nCc: g@h.i\nBcc: j@k.l\nApparently-To: m@n.o\n\nx\n";
    let header = ["d@e.f", "a@b.c", "g@h.i", "j@k.l", "m@n.o"];
    assert_eq!(recipients(&[], message), header);
    assert_eq!(recipients(&["-h", "x@y.z"], message), header);
    assert_eq!(recipients(&["x@y.z", "w"], message), ["x@y.z", "w@test.example.com"]);
    assert_eq!(recipients(&["-a"], message), [""; 0]);
    assert_eq!(recipients(&["-aH", "x@y.z"], message), [&["x@y.z"], &header[..]].concat());
    assert_eq!(recipients(&["-ha", "x@y.z"], message), ["x@y.z"]);
    assert_eq!(recipients(&["-A", "x@y.z"], message), ["x@y.z"]);
    assert_eq!(recipients(&["--", "-x"], message), ["-x@test.example.com"]);
    assert_eq!(recipients(&["a b@c.d,e<f>"], ""), ["a b@c.d,e<f>"]);
}

#[test]
fn unquoted_text_goes_into_the_envelope() {
    let message = "To: \"a b\"@c.d, e(x)@f.g, \"q\\\"r\"@s.t, h\\ i@j.k, <@route:l@m.n>\n\n";
    let mut found = recipients(&[], message);
    found.sort();
    assert_eq!(found, ["a b@c.d", "e@f.g", "h i@j.k", "l@m.n", "q\"r@s.t"]);
}

#[test]
fn resent_mail_goes_to_the_resent_recipients_only() {
    let message = "To: a@b.c\nResent-To: d@e.f\nResent-Bcc: g@h.i\nSubject: x\n\nbody\n";
    assert_eq!(recipients(&[], message), ["d@e.f", "g@h.i"]);
    let text = shown(message);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("Resent-Date: "), "{text}");
    assert!(lines[2].starts_with("Resent-Message-ID: <"), "{text}");
    assert_eq!(lines[3], "Resent-From: jane@test.example.com");
    assert_eq!(lines[4..], ["To: a@b.c", "Resent-To: d@e.f", "Subject: x", "", "body"]);
    let text = shown("Resent-From: x@y.z\nTo: a@b.c\n\n");
    assert_eq!(field(&text, "resent-cc"), "Resent-Cc: recipient list not shown: ;\n");
    assert_eq!(field(&text, "from"), "");
}

#[test]
fn the_sender_is_found_in_its_order() {
    let message = "To: a@b.c\n\n";
    let path = "Return-Path: x@y.z, <r@s.t>\nTo: a@b.c\n\n";
    assert_eq!(sender(&[], &[], message), "jane@test.example.com");
    assert_eq!(sender(&[], &[], path), "r@s.t");
    assert_eq!(sender(&[], &["-fq"], path), "q@test.example.com");
    assert_eq!(sender(&[], &["-f", "q@z"], path), "q@z.test.example.com");
    assert_eq!(sender(&[], &["-f", ""], path), "");
    assert_eq!(sender(&[], &["-fone@x.y", "-ftwo@x.y"], path), "two@x.y");
    assert_eq!(sender(&[], &["-fa b@c.d"], path), "a b@c.d");
    assert_eq!(sender(&[("QMAILINJECT", "s")], &[], path), "jane@test.example.com");
    assert_eq!(sender(&[("QMAILSUSER", "su")], &[], message), "su@test.example.com");
    let both = [("QMAILSUSER", "su"), ("QMAILSHOST", "sh")];
    assert_eq!(sender(&both, &[], message), "su@sh.test.example.com");
    assert_eq!(sender(&[("QMAILHOST", "mh.x")], &[], message), "jane@mh.x");
    assert_eq!(sender(&[], &[], "Return-Path: <>\nTo: a@b.c\n\n"), "");
}

#[test]
fn senders_may_be_one_for_each_recipient_or_message() {
    let message = "To: a@b.c\n\n";
    let r = [("QMAILINJECT", "r")];
    let m = [("QMAILINJECT", "m")];
    assert_eq!(sender(&r, &[], message), "jane-@test.example.com-@[]");
    assert_eq!(sender(&r, &[], "Return-Path: <x@y.z>\nTo: a@b.c\n\n"), "x@y.z-@[]");
    assert_eq!(sender(&r, &["-fx@y.z"], message), "x@y.z");
    let once = sender(&m, &[], message);
    let middle = once.strip_prefix("jane-").unwrap().strip_suffix("@test.example.com").unwrap();
    let (time, process) = middle.split_once('.').unwrap();
    assert!(time.parse::<u64>().unwrap() > 1_700_000_000 && process.parse::<u32>().is_ok());
    let both = sender(&[("QMAILINJECT", "mr")], &[], message);
    assert!(both.starts_with("jane-1") && both.ends_with("-@test.example.com-@[]"), "{both}");
}

#[test]
fn an_angle_pair_as_sender_is_the_empty_one() {
    let found = sender(&[], &["-f", "<>"], "To: a@b.c\n\n");
    // The original takes it for a local part.
    let original = Tree::under_test().is_original();
    assert_eq!(found, if original { "<>@test.example.com" } else { "" });
}

#[test]
fn from_is_made_of_the_environment() {
    let from =
        |variables: &[(&str, &str)]| field(&shown_with(variables, &[], "To: a@b.c\n\n"), "from");
    let table: [(&[(&str, &str)], &str); 11] = [
        (&[("LOGNAME", "log")], "From: jane@test.example.com\n"),
        (&[("MAILUSER", "mu")], "From: mu@test.example.com\n"),
        (&[("MAILUSER", "mu"), ("QMAILUSER", "qu")], "From: qu@test.example.com\n"),
        (&[("MAILHOST", "h.x")], "From: jane@h.x\n"),
        (&[("MAILHOST", "h.x"), ("QMAILHOST", "q.x")], "From: jane@q.x\n"),
        (&[("NAME", "Joe X")], "From: \"Joe X\" <jane@test.example.com>\n"),
        (&[("NAME", "n"), ("MAILNAME", "m")], "From: \"m\" <jane@test.example.com>\n"),
        (&[("NAME", "Joe \"X\" O")], "From: \"Joe \\\"X\\\" O\" <jane@test.example.com>\n"),
        (
            &[("QMAILNAME", "Joe (X) O"), ("QMAILINJECT", "c")],
            "From: jane@test.example.com (Joe \\(X\\) O)\n",
        ),
        (&[("NAME", "")], "From: \"\" <jane@test.example.com>\n"),
        (&[("QMAILUSER", "a b")], "From: \"a b\"@test.example.com\n"),
    ];
    for (variables, expected) in table {
        assert_eq!(from(variables), expected, "{variables:?}");
    }
}

#[test]
fn nobody_in_the_environment_is_anonymous() {
    let tree = Tree::under_test();
    let program = tree.program("qmail-inject").run_as(tree.user("jane").identity()).arg("-n");
    let text = program.stdin("To: a@b.c\n\n").run().text();
    assert_eq!(field(&text, "from"), "From: anonymous@test.example\n");
}

#[test]
fn letters_replace_fields() {
    let message = "From: x@y.z\nMessage-ID: <old>\nTo: a@b.c\n\n";
    let text = shown_with(&[("QMAILINJECT", "fi")], &[], message);
    assert_eq!(field(&text, "from"), "From: jane@test.example.com\n");
    let id = field(&text, "message-id");
    assert!(id.ends_with(".qmail@test.example.com>\n") && !id.contains("old"), "{id}");
}

#[test]
fn a_header_ends_where_it_is_none() {
    let added = |text: &str| text.split_once("To: a@b.c\n").unwrap().1.to_owned();
    assert_eq!(added(&shown("To: a@b.c\n\nbody\n")), "\nbody\n");
    assert_eq!(added(&shown("To: a@b.c\nno field\nbody\n")), "\nno field\nbody\n");
    assert_eq!(added(&shown("To: a@b.c\n: x\n")), "\n: x\n");
    assert_eq!(added(&shown("To: a@b.c\nX y: z\n")), "\nX y: z\n");
    assert_eq!(added(&shown("To: a@b.c\nX\t : z\n")), "X\t : z\n");
    assert_eq!(added(&shown("To: a@b.c\n")), "");
    assert_eq!(added(&shown("To: a@b.c")), "");
    let text = shown(" continuation first\n");
    assert!(text.ends_with("recipient list not shown: ;\n\n continuation first\n"), "{text}");
}

#[test]
fn a_from_line_of_an_mbox_becomes_a_field() {
    let text = shown("From me\nTo: a@b.c\n\n");
    assert!(text.contains("\nMBOX-Line: From me\nTo: a@b.c\n"), "{text}");
}

#[test]
fn an_empty_input_is_a_message() {
    let text = shown("");
    assert!(text.ends_with("Cc: recipient list not shown: ;\n"), "{text}");
    assert_eq!(recipients(&["a@b.c"], ""), ["a@b.c"]);
}

#[test]
fn the_body_is_not_touched() {
    let body = "\0\r\n.\n..\n\u{e9}\nTo: (\n";
    let text = shown(&format!("To: a@b.c\n\n{body}"));
    assert!(text.ends_with(&format!("\n\n{body}")), "{text:?}");
}

#[test]
fn what_cannot_be_parsed_is_permanent() {
    let unable = "qmail-inject: fatal: unable to parse this line:\n";
    for line in ["From: (x", "Reply-To: \"x", "Sender: a>", "Errors-To: a:b", "From: x\\\n"] {
        let (tree, finished) = sent(&[], &["a@b.c"], &format!("{line}\n\n"));
        if line.ends_with('\n') && tree.is_original() {
            continue;
        }
        assert_eq!(finished.code, Some(100), "{line}: {}", finished.said());
        assert!(finished.errors().starts_with(unable), "{line}: {}", finished.errors());
        assert!(tree.todo().is_empty());
    }
}

#[test]
fn recipients_that_cannot_be_parsed_are_not_lost_silently() {
    let (tree, finished) = sent(&[], &["-h"], "To: a@b.c, (x, d@e.f\n\n");
    if tree.is_original() {
        // Notqmail 1.09 goes on with what it had.
        return;
    }
    assert_eq!(finished.code, Some(100), "{}", finished.said());
    assert!(tree.todo().is_empty());
}

#[test]
fn mail_followup_to_lists_everybody_when_a_list_is_known() {
    let tree = Tree::under_test();
    tree.control("me", "test.example.com\n");
    files::write(&tree.scratch().join("lists"), "# lists\nList@test.example.com\n");
    let show = |message: &str| {
        let program = program(&tree, &["-n"], message).env("QMAILMFTFILE", "lists");
        field(&program.run().text(), "mail-followup-to")
    };
    let expected = "Mail-Followup-To: list@test.example.com,\n  a@b.c\n";
    let found = show("To: list, a@b.c\n\n");
    assert_eq!(found, expected);
    assert_eq!(show("To: other, a@b.c\n\n"), "");
    assert_eq!(show("Bcc: list\n\n"), "");
    let own = "Mail-Followup-To: x\n";
    assert_eq!(show(&format!("To: list\n{own}\n")), own);
    assert_eq!(show("Resent-To: list\nTo: list\n\n"), "");
}

#[test]
fn the_verdict_of_the_queue_is_the_exit_code() {
    let table = [
        (31, 100, "qmail-inject: fatal: mail server permanently rejected message (#5.3.0)\n"),
        (53, 111, "qmail-inject: fatal: qq write error or disk full (#4.3.0)\n"),
        (120, 111, "qmail-inject: fatal: unable to exec qq (#4.3.0)\n"),
    ];
    for (code, expected, text) in table {
        let tree = Tree::under_test();
        let script = tree.scratch().join("queue-program");
        files::write_script(&script, &format!("cat > /dev/null\ncat <&1 >/dev/null\nexit {code}"));
        let program = program(&tree, &["a@b.c"], "\n").env("QMAILQUEUE", &script);
        let finished = program.run();
        assert_eq!((finished.code, finished.errors().as_str()), (Some(expected), text));
    }
}

#[test]
fn wrong_options_are_100() {
    let tree = Tree::under_test();
    let finished = program(&tree, &["-z"], "").run();
    assert_eq!(finished.code, Some(100));
    assert!(finished.errors().starts_with("qmail-inject: illegal option -- z\n"));
    let finished = program(&tree, &["-f"], "").run();
    assert_eq!(finished.code, Some(100));
    assert!(finished.errors().starts_with("qmail-inject: option requires an argument -- f\n"));
}

#[test]
fn an_unreadable_control_is_temporary() {
    for control in ["me", "defaulthost", "idhost", "plusdomain", "defaultdomain"] {
        let tree = Tree::under_test();
        tree.remove_control(control);
        std::fs::create_dir(tree.path("control").join(control)).unwrap();
        let finished = program(&tree, &["a@b.c"], "\n").run();
        let text = "qmail-inject: fatal: read error\n";
        assert_eq!((finished.code, finished.errors().as_str()), (Some(111), text), "{control}");
    }
}

#[test]
fn escaped_specials_stay_quoted_in_the_header() {
    if Tree::under_test().is_original() {
        // They lose their backslash there, and another address comes out.
        return;
    }
    for (address, envelope) in [("a\\,b@c.d", "a,b@c.d"), ("x\\@y@z.w", "x@y@z.w")] {
        let text = shown(&format!("To: {address}\n\n"));
        let printed = field(&text, "to");
        let again = recipients(&[], &format!("{printed}\n"));
        assert_eq!(again, [envelope], "{printed}");
    }
}
