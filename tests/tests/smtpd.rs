//! qmail-smtpd: commands, replies, addresses, and who may send where.

use std::time::Duration;

use qmail_conformance::smtp::{Reply, Session};
use qmail_conformance::{Tree, cdb};

/// The replies to each line, in one session.
fn replies(session: &mut Session, lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| session.command(line).text).collect()
}

/// What qmail-smtpd says first, and how it ends if it ends there.
fn refusal(tree: &Tree) -> (String, Option<i32>) {
    let mut session = Session::with(tree.smtpd_program().converse());
    let text = session.reply().text;
    (text, session.end())
}

#[test]
fn the_greeting_is_the_control_value_with_all_its_words() {
    let tree = Tree::under_test();
    tree.control("smtpgreeting", "mx.test.example no spam please  \nsecond line\n");
    let mut session = Session::with(tree.smtpd_program().converse());
    assert_eq!(session.reply().text, "220 mx.test.example no spam please ESMTP\r\n");
    assert_eq!(session.command("HELO x").text, "250 mx.test.example no spam please\r\n");
    assert_eq!(session.command("QUIT").text, "221 mx.test.example no spam please\r\n");
}

#[test]
fn the_greeting_falls_back_to_me() {
    let tree = Tree::under_test();
    let mut session = Session::with(tree.smtpd_program().converse());
    assert_eq!(session.reply().text, "220 test.example ESMTP\r\n");
}

#[test]
fn without_a_greeting_the_session_is_refused() {
    let tree = Tree::under_test();
    tree.remove_control("me");
    let expected = "421 unable to read controls (#4.3.0)\r\n".to_owned();
    assert_eq!(refusal(&tree), (expected, Some(1)));
}

#[test]
fn an_unreadable_control_refuses_the_session() {
    for control in ["me", "smtpgreeting", "rcpthosts", "badmailfrom", "databytes", "timeoutsmtpd"] {
        let tree = Tree::under_test();
        tree.remove_control(control);
        std::fs::create_dir(tree.path("control").join(control)).unwrap();
        let (text, code) = refusal(&tree);
        assert_eq!(text, "421 unable to read controls (#4.3.0)\r\n", "{control}");
        assert_eq!(code, Some(1), "{control}");
    }
}

#[test]
fn commands_have_their_replies() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    let table = [
        ("HELO client.example", "250 test.example\r\n"),
        ("HELO", "250 test.example\r\n"),
        ("EHLO client.example", "250-test.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"),
        ("NOOP", "250 ok\r\n"),
        ("noop with words", "250 ok\r\n"),
        ("RSET", "250 flushed\r\n"),
        ("VRFY joe", "252 send some mail, i'll try my best\r\n"),
        ("", "502 unimplemented (#5.5.1)\r\n"),
        ("EXPN joe", "502 unimplemented (#5.5.1)\r\n"),
        ("HELO\tx", "502 unimplemented (#5.5.1)\r\n"),
        (" NOOP", "502 unimplemented (#5.5.1)\r\n"),
        ("NOOPS", "502 unimplemented (#5.5.1)\r\n"),
        ("mail from:<a@b>", "250 ok\r\n"),
        ("MaIl FROM:<a@b>", "250 ok\r\n"),
        ("RSET", "250 flushed\r\n"),
    ];
    for (line, reply) in table {
        assert_eq!(session.command(line).text, reply, "{line:?}");
    }
    let help = session.command("HELP").text;
    assert!(help.starts_with("214 ") && help.lines().count() == 1, "{help}");
}

#[test]
fn quit_ends_with_0_and_a_lost_client_with_1() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    assert_eq!(session.command("QUIT").text, "221 test.example\r\n");
    assert_eq!((session.rest(), session.end()), (String::new(), Some(0)));

    let mut session = tree.smtpd();
    session.send("NOOP");
    session.conversation().close();
    assert_eq!((session.rest(), session.end()), (String::new(), Some(1)));
}

#[test]
fn command_lines_may_end_in_a_bare_newline_and_hold_a_nul() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    session.send("NOOP\n");
    assert_eq!(session.reply().text, "250 ok\r\n");
    session.send("NOOP\0rubbish\r\n");
    assert_eq!(session.reply().text, "250 ok\r\n");
}

#[test]
fn commands_out_of_order_are_refused() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    let said = replies(
        &mut session,
        &["RCPT TO:<joe@here>", "DATA", "MAIL FROM:<>", "DATA", "RCPT TO:<joe@here>"],
    );
    let expected = [
        "503 MAIL first (#5.5.1)\r\n",
        "503 MAIL first (#5.5.1)\r\n",
        "250 ok\r\n",
        "503 RCPT first (#5.5.1)\r\n",
        "250 ok\r\n",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_transaction_ends_with_rset_helo_ehlo_and_the_message() {
    let tree = Tree::under_test();
    for end in ["RSET", "HELO x", "EHLO x"] {
        let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
        assert_eq!(session.command(end).code, 250);
        assert_eq!(session.command("DATA").text, "503 MAIL first (#5.5.1)\r\n", "{end}");
    }
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here");
    assert_eq!(session.data("x\r\n").code, 250);
    assert_eq!(session.command("DATA").text, "503 MAIL first (#5.5.1)\r\n");
}

#[test]
fn a_second_mail_drops_the_recipients_of_the_first() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here").mail_from("c@d");
    assert_eq!(session.command("DATA").text, "503 RCPT first (#5.5.1)\r\n");
    assert_eq!(session.rcpt_to("jane@here").data("x\r\n").code, 250);
    let queued = tree.only_todo();
    assert_eq!((queued.sender(), queued.recipients()), ("c@d".into(), vec!["jane@here".into()]));
}

#[test]
fn several_messages_go_through_one_session() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    for recipient in ["one@here", "two@here", "three@here"] {
        session = session.mail_from("a@b").rcpt_to(recipient);
        assert_eq!(session.data("x\r\n").code, 250);
    }
    assert_eq!(tree.todo().len(), 3);
}

#[test]
fn commands_may_be_sent_together() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    session.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n");
    let codes: Vec<u16> = (0..4).map(|_| session.reply().code).collect();
    assert_eq!(codes, [250, 250, 250, 354]);
    session.send("x\r\n.\r\nMAIL FROM:<g@h>\r\nQUIT\r\n");
    let codes: Vec<u16> = (0..3).map(|_| session.reply().code).collect();
    assert_eq!(codes, [250, 250, 221]);
    assert_eq!(tree.only_todo().recipients(), ["c@d", "e@f"]);
}

#[test]
fn addresses_are_parsed() {
    let table = [
        ("TO:<joe@here>", "joe@here"),
        ("to:<JOE@Here>", "JOE@Here"),
        ("TO: <joe@here>", "joe@here"),
        ("<joe@here>", "joe@here"),
        ("joe <jane@here> x", "jane@here"),
        ("TO:joe@here", "joe@here"),
        ("TO:  joe@here SIZE=3", "joe@here"),
        ("TO:<joe@here> NOTIFY=NEVER", "joe@here"),
        ("TO:<@a,@b:joe@here>", "joe@here"),
        ("TO:@a:joe@here", "joe@here"),
        (r#"TO:<"a b"@here>"#, "a b@here"),
        (r#"TO:<"a>b"@here>"#, "a>b@here"),
        (r#"TO:<a\"b@here>"#, "a\"b@here"),
        (r"TO:<a\>b@here>", "a>b@here"),
        (r#"TO:<"a\\b"@here>"#, r"a\b@here"),
        ("TO:<joe@here", "joe@here"),
        (r#"TO:<"joe@here>"#, "joe@here>"),
        ("TO:<joe>", "joe"),
        ("TO:<>", ""),
        ("", ""),
        ("TO", ""),
        ("TO:<@a>", ""),
        ("TO:<a@b@c>", "a@b@c"),
        ("TO:<joe@[192.0.2.77]>", "joe@[192.0.2.77]"),
    ];
    let tree = Tree::under_test();
    let mut session = tree.smtpd().mail_from("a@b");
    for (argument, _) in table {
        let reply = session.command(format!("RCPT {argument}"));
        assert_eq!(reply.text, "250 ok\r\n", "{argument:?}");
    }
    assert_eq!(session.data("x\r\n").code, 250);
    let expected: Vec<_> = table.iter().map(|(_, address)| *address).collect();
    assert_eq!(tree.only_todo().recipients(), expected);
}

#[test]
fn senders_are_parsed_alike() {
    for (argument, sender) in
        [("FROM:<>", ""), ("FROM:<a@b> SIZE=10 BODY=8BITMIME", "a@b"), ("FROM:<#@[]>", "#@[]")]
    {
        let tree = Tree::under_test();
        let mut session = tree.smtpd();
        assert_eq!(session.command(format!("MAIL {argument}")).code, 250);
        assert_eq!(session.rcpt_to("joe@here").data("x\r\n").code, 250);
        assert_eq!(tree.only_todo().sender(), sender);
    }
}

#[test]
fn one_of_our_own_addresses_becomes_our_name() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd().mail_from("root@[127.0.0.1]").rcpt_to("joe@[127.0.0.1]");
    assert_eq!(session.data("x\r\n").code, 250);
    let queued = tree.only_todo();
    assert_eq!(queued.sender(), "root@test.example");
    assert_eq!(queued.recipients(), ["joe@test.example"]);
}

#[test]
fn localiphost_names_our_own_addresses_before_rcpthosts_is_asked() {
    let tree = Tree::under_test();
    tree.control("localiphost", "literal.example\n");
    tree.control("rcpthosts", "literal.example\n");
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@[127.0.0.1]");
    assert_eq!(session.command("RCPT TO:<joe@[192.0.2.77]>").code, 553);
    assert_eq!(session.data("x\r\n").code, 250);
    assert_eq!(tree.only_todo().recipients(), ["joe@literal.example"]);
}

#[test]
fn an_address_of_899_bytes_is_the_longest() {
    let tree = Tree::under_test();
    let longest = format!("{}@here", "x".repeat(894));
    let mut session = tree.smtpd().mail_from(&longest).rcpt_to(&longest);
    let too_long = "555 syntax error (#5.5.4)\r\n";
    assert_eq!(session.command(format!("RCPT TO:<x{longest}>")).text, too_long);
    assert_eq!(session.command(format!("MAIL FROM:<x{longest}>")).text, too_long);
    // The refused MAIL has not touched the transaction.
    assert_eq!(session.data("x\r\n").code, 250);
    assert_eq!(tree.only_todo().recipients(), [longest]);
}

#[test]
fn a_very_long_command_line_does_no_harm() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    let reply = session.command("x".repeat(1_000_000));
    assert!((500..=502).contains(&reply.code), "{}", reply.text);
    assert_eq!(session.command(format!("NOOP {}", "x".repeat(1019))).code, 250);
}

#[test]
fn badmailfrom_is_told_at_rcpt() {
    let tree = Tree::under_test();
    tree.control("badmailfrom", "# comment\nBad@one.example\n@bad.example\n");
    let refused =
        "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n".to_owned();
    let table = [
        ("bad@one.example", true),
        ("BAD@ONE.EXAMPLE", true),
        ("good@one.example", false),
        ("anybody@BAD.example", true),
        ("x@y@bad.example", true),
        ("x@sub.bad.example", false),
        ("", false),
    ];
    for variables in [&[][..], &[("RELAYCLIENT", "")]] {
        for (sender, bad) in table {
            let mut session = tree.smtpd_with(variables).mail_from(sender);
            let reply = session.command("RCPT TO:<joe@here>");
            let expected = if bad { refused.clone() } else { "250 ok\r\n".to_owned() };
            assert_eq!(reply.text, expected, "{sender}");
        }
    }
}

/// Whether each recipient is accepted.
fn accepted(tree: &Tree, recipients: &[&str]) -> Vec<bool> {
    let mut session = tree.smtpd().mail_from("a@b");
    let refused = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n";
    recipients
        .iter()
        .map(|recipient| {
            let reply: Reply = session.command(format!("RCPT TO:<{recipient}>"));
            assert!(reply.code == 250 || reply.text == refused, "{recipient}: {}", reply.text);
            reply.code == 250
        })
        .collect()
}

#[test]
fn rcpthosts_lists_hosts_and_domains() {
    let tree = Tree::under_test();
    tree.control("rcpthosts", "#here.example\nhere.example  \n.wild.example\n\n");
    let table = [
        ("joe@here.example", true),
        ("joe@HERE.Example", true),
        ("joe@sub.here.example", false),
        ("joe@wild.example", false),
        ("joe@a.wild.example", true),
        ("joe@a.b.Wild.example", true),
        ("joe@here.example.", false),
        ("joe@other.example", false),
        ("joe%other.example@here.example", true),
        ("joe@here.example@other.example", false),
        ("joe@other.example@here.example", true),
        ("joe", true),
        ("", true),
    ];
    let recipients: Vec<_> = table.iter().map(|(recipient, _)| *recipient).collect();
    let expected: Vec<_> = table.iter().map(|(_, accepted)| *accepted).collect();
    assert_eq!(accepted(&tree, &recipients), expected);
}

#[test]
fn without_rcpthosts_everything_is_accepted_and_the_database_not_asked() {
    let tree = Tree::under_test();
    tree.control("morercpthosts.cdb", "rubbish");
    assert_eq!(accepted(&tree, &["joe@anywhere.example"]), [true]);
}

#[test]
fn morercpthosts_adds_to_rcpthosts() {
    let tree = Tree::under_test();
    tree.control("rcpthosts", "");
    tree.control(
        "morercpthosts.cdb",
        cdb::make(&[(b"more.example", b""), (b".wild.example", b"")]),
    );
    let recipients =
        ["a@More.example", "a@sub.more.example", "a@x.Wild.example", "a@wild.example", "a@here"];
    assert_eq!(accepted(&tree, &recipients), [true, false, true, false, false]);
}

#[test]
fn a_damaged_morercpthosts_is_a_temporary_failure() {
    let tree = Tree::under_test();
    tree.control("rcpthosts", "here.example\n");
    let whole = cdb::make(&[(b"more.example", b"")]);
    tree.control("morercpthosts.cdb", &whole[..whole.len() - 4]);
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here.example");
    let reply = session.command("RCPT TO:<joe@more.example>");
    assert_eq!(reply.text, "421 unable to read controls (#4.3.0)\r\n");
    assert_eq!(session.end(), Some(1));
}

#[test]
fn newmrh_writes_the_database_that_smtpd_reads() {
    let tree = Tree::under_test();
    tree.control("rcpthosts", "");
    tree.control("morercpthosts", "# comment\nMore.Example \n\n.wild.example\nlast.example");
    let made = tree.program("qmail-newmrh").run();
    assert_eq!((made.code, made.errors()), (Some(0), String::new()));
    let recipients = ["a@more.example", "a@x.wild.example", "a@last.example", "a@# comment"];
    assert_eq!(accepted(&tree, &recipients), [true, true, true, false]);
}

#[test]
fn a_relay_client_may_send_anywhere_and_its_mail_is_marked() {
    let tree = Tree::under_test();
    tree.control("rcpthosts", "here.example\n");
    let mut session = tree.smtpd_with(&[("RELAYCLIENT", "@fixup")]).mail_from("a@b");
    session = session.rcpt_to("joe@far.example").rcpt_to("joe");
    assert_eq!(session.data("x\r\n").code, 250);
    assert_eq!(tree.only_todo().recipients(), ["joe@far.example@fixup", "joe@fixup"]);
    let mut session = tree.smtpd_with(&[("RELAYCLIENT", "")]).mail_from("a@b");
    assert_eq!(session.command("RCPT TO:<joe@far.example>").code, 250);
}

#[test]
fn a_silent_client_is_told_and_left() {
    let tree = Tree::under_test();
    for value in ["1", "0"] {
        tree.control("timeoutsmtpd", value);
        let mut session = tree.smtpd();
        assert_eq!(session.reply().text, "451 timeout (#4.4.2)\r\n", "{value}");
        assert_eq!(session.end(), Some(1));
    }
}

#[test]
fn the_default_patience_is_more_than_a_moment() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd();
    assert!(session.conversation().is_silent_for(Duration::from_millis(1500)));
}

#[test]
fn a_hundred_recipients_are_taken() {
    let tree = Tree::under_test();
    let mut session = tree.smtpd().mail_from("a@b");
    let recipients: Vec<String> = (0..100).map(|n| format!("user{n}@here")).collect();
    for recipient in &recipients {
        session = session.rcpt_to(recipient);
    }
    assert_eq!(session.data("x\r\n").code, 250);
    assert_eq!(tree.only_todo().recipients(), recipients);
}
