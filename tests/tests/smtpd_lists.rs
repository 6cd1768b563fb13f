//! qmail-smtpd: lists of what is not wanted, limits, and small switches. Ours only: the original
//! has `badmailfrom`, and nothing else of this.

use std::time::{Duration, Instant};

use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, dns::Zone, files};

fn ours() -> Option<Tree> {
    Tree::ours_for_mail("has no such lists")
}

/// What a recipient is told after this HELO and sender.
fn told(tree: &Tree, variables: &[(&str, &str)], helo: &str, sender: &str, to: &str) -> String {
    let mut session = tree.smtpd_with(variables);
    session.command(format!("HELO {helo}"));
    let mail = session.command(format!("MAIL FROM:<{sender}>"));
    if mail.code != 250 {
        return mail.text;
    }
    session.command(format!("RCPT TO:<{to}>")).text
}

const OK: &str = "250 ok\r\n";

#[test]
fn badhelo_is_regular_expressions_and_has_an_off_switch() {
    let Some(tree) = ours() else { return };
    tree.control("badhelo", "# no dot\n!\\.\n^dial-?up\n(\n");
    let denied = "553 sorry, your HELO host name has been denied (#5.7.1)\r\n";
    let told =
        |variables: &[(&str, &str)], helo| told(&tree, variables, helo, "a@b.c", "x@here.example");
    assert_eq!(told(&[], "localhost"), denied);
    assert_eq!(told(&[], "DialUp.example"), denied);
    assert_eq!(told(&[], "mx.example"), OK);
    assert_eq!(told(&[("NOBADHELO", "")], "localhost"), OK);
    assert_eq!(told(&[("RELAYCLIENT", "")], "localhost"), denied);
    tree.remove_control("badhelo");
    tree.control("badhelonorelay", "!\\.\n");
    assert_eq!(told(&[], "localhost"), denied);
    assert_eq!(told(&[("RELAYCLIENT", "")], "localhost"), OK);
}

#[test]
fn badmailfrom_is_exact_unless_another_language_is_chosen() {
    let Some(tree) = ours() else { return };
    tree.control("badmailfrom", "@spam.example\n");
    let told =
        |variables: &[(&str, &str)], sender| told(&tree, variables, "x", sender, "x@here.example");
    let listed = "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n";
    let denied = "553 sorry, your envelope sender has been denied (#5.7.1)\r\n";
    assert_eq!(told(&[], "a@spam.example"), listed);
    assert_eq!(told(&[], "a@spam.example.org"), OK);
    assert_eq!(told(&[("DISABLE_BADMAILFROM", "")], "a@spam.example"), OK);
    tree.control("listlanguages", "badmailfrom:regex\n");
    assert_eq!(told(&[], "a@spam.example.org"), denied);
    assert_eq!(told(&[], ""), OK);
    tree.control("badmailfrom", "*@spam.example\n!good@spam.example\n@own.example+\n");
    let wildmat = ("LISTLANGUAGES", "badmailfrom:wildmat");
    assert_eq!(told(&[wildmat], "a@spam.example"), listed);
    assert_eq!(told(&[wildmat], "good@spam.example"), OK);
    assert_eq!(told(&[wildmat], "x@own.example"), listed);
    assert_eq!(told(&[wildmat, ("RELAYCLIENT", "")], "x@own.example"), OK);
}

#[test]
fn badrcptto_and_badmailto_are_one_list() {
    let Some(tree) = ours() else { return };
    tree.control("badmailto", "[!%#:*^(){}]\n");
    tree.control("badrcptto", "^spamtrap@\n");
    let told = |to| told(&tree, &[], "x", "a@b.c", to);
    let denied = "553 sorry, your envelope recipient has been denied (#5.7.1)\r\n";
    assert_eq!(told("a!b@here.example"), denied);
    assert_eq!(told("SpamTrap@here.example"), denied);
    assert_eq!(told("joe@here.example"), OK);
}

#[test]
fn hits_are_logged_with_their_pattern_if_asked() {
    let Some(tree) = ours() else { return };
    tree.control("badhelo", "bad\n");
    let mut session = tree.smtpd_with(&[("LOGREGEX", "1")]);
    session.command("HELO bad.example");
    let mut session = session.mail_from("a@b.c");
    session.command("RCPT TO:<joe@here.example>");
    session.command("QUIT");
    let log = session.conversation().errors();
    assert_eq!(log, "qmail-smtpd: badhelo: <bad.example> at 192.0.2.1 matches pattern: bad\n");
}

#[test]
fn a_catastrophic_expression_takes_no_time_and_a_bad_line_stops_no_other() {
    let Some(tree) = ours() else { return };
    tree.control("badhelo", "^(a*)*(a|aa)+$\n(a\n((a{200}){200}){200}\nevil\n");
    let start = Instant::now();
    assert_eq!(told(&tree, &[], &format!("{}b", "a".repeat(3000)), "a@b.c", "x@here.example"), OK);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(told(&tree, &[], "evil", "a@b.c", "x@here.example").starts_with("553 "));
}

#[test]
fn a_list_of_a_million_lines_works_with_and_without_its_index() {
    let Some(tree) = ours() else { return };
    let mut lines = String::from("*@pattern.example\n");
    (0..1_000_000).for_each(|number| lines += &format!("user{number}@spam.example\n"));
    let list = tree.path("control/badmailfrom");
    let ago = |minutes: u64| std::time::SystemTime::now() - Duration::from_secs(60 * minutes);
    tree.control("badmailfrom", lines);
    files::set_times(&list, ago(20));
    let told = |sender| told(&tree, &[], "x", sender, "x@here.example");
    assert!(told("User999999@spam.example").starts_with("553 "));
    assert_eq!(told("user1000000@spam.example"), OK);
    let made = tree.program("qmail-newlist").arg("badmailfrom").run();
    assert_eq!((made.code, made.errors()), (Some(0), String::new()));
    assert!(told("User999999@spam.example").starts_with("553 "));
    assert_eq!(told("user1000000@spam.example"), OK);
    // Written while the index was made, and put in place behind it.
    tree.control("badmailfrom", "new@spam.example\n");
    files::set_times(&list, ago(10));
    assert!(told("new@spam.example").starts_with("553 "));
    assert_eq!(told("user1@spam.example"), OK);
}

#[test]
fn relay_probes_and_null_senders_have_switches() {
    let Some(tree) = ours() else { return };
    let probe =
        |variables: &[(&str, &str)]| told(&tree, variables, "x", "a@b.c", "a%b@here.example");
    assert_eq!(probe(&[]), OK);
    assert_eq!(probe(&[("RELAYREJ", "1")]), "553 we don't relay (#5.7.1)\r\n");
    tree.control("rejectrelaytest", "1\n");
    assert_eq!(probe(&[("RELAYCLIENT", "")]), "553 we don't relay (#5.7.1)\r\n");
    tree.control("rejectnullsenders", "1\n");
    let said = told(&tree, &[], "x", "", "joe@here.example");
    assert_eq!(said, "421 null senders temporarily denied (#4.3.0)\r\n");
}

#[test]
fn a_bounce_has_one_recipient_if_so_asked() {
    let Some(tree) = ours() else { return };
    tree.control("bounceonercpt", "1\n");
    let session = tree.smtpd().mail_from("").rcpt_to("a@here.example");
    let mut session = session.rcpt_to("b@here.example");
    let expected =
        "550 sorry, bounce messages should have a single envelope recipient (#5.7.1)\r\n";
    assert_eq!(session.command("DATA").text, expected);
    assert_eq!(tree.smtpd().mail_from("").rcpt_to("a@here.example").data("x\r\n").code, 250);
}

#[test]
fn recipients_have_limits() {
    let Some(tree) = ours() else { return };
    tree.control("maxrcpt", "2\n");
    let mut session =
        tree.smtpd().mail_from("a@b").rcpt_to("a@here.example").rcpt_to("b@here.example");
    let limit = "452 sorry, too many recipients (#4.5.3)\r\n";
    assert_eq!(session.command("RCPT TO:<c@here.example>").text, limit);
    assert_eq!(session.data("x\r\n").code, 250);
    assert_eq!(tree.only_todo().recipients(), ["a@here.example", "b@here.example"]);
    tree.control("brtlimit", "2\n");
    let mut session = tree.smtpd().mail_from("a@b");
    assert_eq!(session.command("RCPT TO:<a@elsewhere.example>").code, 553);
    session.command("RSET");
    let mut session = session.mail_from("a@b");
    let last = session.command("RCPT TO:<b@elsewhere.example>").text;
    assert_eq!(last, "421 too many invalid addresses, goodbye (#4.3.0)\r\n");
    assert_eq!((session.rest(), session.end()), (String::new(), Some(1)));
}

#[test]
fn the_tarpit_delays_the_recipient_that_was_named_and_those_after_it() {
    let Some(tree) = ours() else { return };
    tree.control("tarpitcount", "2\n");
    tree.control("tarpitdelay", "1\n");
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("a@here.example");
    for _ in 0..2 {
        let start = Instant::now();
        session = session.rcpt_to("b@here.example");
        assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    }
    let mut free =
        tree.smtpd_with(&[("TARPITCOUNT", "0"), ("TARPITDELAY", "200")]).mail_from("a@b");
    free.send("RCPT TO:<a@here.example>\r\n".repeat(3));
    assert_eq!((0..3).map(|_| free.reply().code).collect::<Vec<_>>(), [250; 3]);
}

#[test]
fn who_speaks_before_the_greeting_is_told_so() {
    let Some(tree) = ours() else { return };
    let delay = [("GREETDELAY", "1"), ("DROP_PRE_GREET", "1")];
    let mut early = Session::with(tree.smtpd_program().envs(&delay).converse());
    early.send("EHLO early\r\n");
    assert_eq!(early.reply().text, "554 SMTP protocol violation\r\n");
    assert_eq!((early.rest(), early.end()), (String::new(), Some(1)));
    let mut patient = Session::with(tree.smtpd_program().envs(&delay).converse());
    assert_eq!(patient.reply().code, 220);
    patient.command("QUIT");
    assert_eq!(patient.conversation().errors(), "GREETDELAY: 1s\n");
    let forgiving = [("SMTPD_GREETDELAY", "1")];
    let mut early = Session::with(tree.smtpd_program().envs(&forgiving).converse());
    early.send("EHLO early\r\n");
    assert_eq!(early.reply().code, 220);
    assert_eq!(early.command("NOOP").text, OK);
}

#[test]
fn the_size_of_a_message_is_announced_and_believed() {
    let Some(tree) = ours() else { return };
    tree.control("databytes", "1000\n");
    let mut session = tree.smtpd();
    let ehlo = session.command("EHLO x").text;
    assert_eq!(ehlo, "250-test.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n");
    let too_large = "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n";
    assert_eq!(session.command("MAIL FROM:<a@b> BODY=8BITMIME size=1001").text, too_large);
    assert_eq!(session.command("MAIL FROM:<a@b> SIZE=1000").text, OK);
    let mut session = session.rcpt_to("a@here.example");
    assert_eq!(session.data(format!("{}\r\n", "x".repeat(1000))).text, too_large);
}

#[test]
fn unknown_commands_and_help_say_more_if_asked() {
    let Some(tree) = ours() else { return };
    let mut session = tree.smtpd_with(&[("UNRECOGNISED500", "1"), ("QMAILSMTPD_HELP_VERSION", "")]);
    assert_eq!(session.command("EXPN joe").text, "500 unrecognised (#5.5.2)\r\n");
    assert_eq!(session.command("VRFY joe").code, 252);
    let help = session.command("HELP").text;
    assert!(help.starts_with("214-qmail-rs ") && help.lines().count() == 3, "{help}");
}

#[test]
fn the_domain_of_a_sender_must_exist_if_so_asked() {
    let Some(tree) = ours() else { return };
    if tree.lacks(Need::Root) {
        return;
    }
    let zone = Zone::new().mx("mx.test", 10, "a.test").a("a.test", [192, 0, 2, 9]);
    let zone = zone.mx("null.test", 0, "").fails("broken.test", 2);
    let _server = tree.name_server(zone);
    tree.control("mfcheck", "1\n");
    let told = |sender| told(&tree, &[], "x", sender, "joe@here.example");
    for sender in ["a@mx.test", "a@a.test", "", "a@[192.0.2.1]"] {
        assert_eq!(told(sender), OK, "{sender}");
    }
    let no = "553 sorry, your envelope sender domain must exist (#5.7.1)\r\n";
    for sender in ["a@none.test", "a", "a@null.test"] {
        assert_eq!(told(sender), no, "{sender}");
    }
    assert_eq!(told("a@broken.test"), "451 DNS temporary failure (#4.3.0)\r\n");
}

#[test]
fn spamcontrol_checks_the_name_in_helo() {
    let Some(tree) = ours() else { return };
    let told = |value, helo| {
        let said = told(&tree, &[("HELOCHECK", value)], helo, "a@b.c", "joe@here.example");
        said == OK
    };
    assert!(told("!", "x") && !told("!", ""));
    assert!(told("=", "client.example") && !told("=", "other.example"));
}

#[test]
fn listed_senders_relay_only_where_that_is_allowed() {
    let Some(tree) = ours() else { return };
    tree.control("relaymailfrom", "boss@here.example\n");
    let told =
        |variables: &[(&str, &str)], sender| told(&tree, variables, "x", sender, "x@far.example");
    assert!(told(&[], "boss@here.example").starts_with("553 "));
    assert_eq!(told(&[("RELAYMAILFROM", "")], "Boss@here.example"), OK);
    assert!(told(&[("RELAYMAILFROM", "")], "clerk@here.example").starts_with("553 "));
    let mut session = tree.smtpd_with(&[("RELAYMAILFROM", "")]).mail_from("boss@here.example");
    assert_eq!(session.command("RCPT TO:<x@far.example>").code, 250);
    let mut session = session.mail_from("clerk@here.example");
    assert_eq!(session.command("RCPT TO:<x@far.example>").code, 553);
}

#[test]
fn words_of_the_administrator_stand_before_the_status() {
    let Some(tree) = ours() else { return };
    let said = told(&tree, &[("REPLY_NOGATEWAY", "see http://x")], "x", "a@b", "c@far.example");
    let expected =
        "553 sorry, that domain isn't in my list of allowed rcpthosts see http://x (#5.7.1)\r\n";
    assert_eq!(said, expected);
}

#[test]
fn the_log_has_what_was_asked_for_and_nothing_else() {
    let Some(tree) = ours() else { return };
    let log = |value: &str| {
        let mut session = tree.smtpd_with(&[("SMTPDLOG", value)]);
        session.command("HELO me.example");
        let mut session = session.mail_from("a@b.c").rcpt_to("joe@here.example");
        assert_eq!(session.command("RCPT TO:<x@far.example>").code, 553);
        assert_eq!(session.data("x\r\n").code, 250);
        session.command("QUIT");
        session.conversation().errors()
    };
    assert_eq!(log(""), "");
    let expected = "qmail-smtpd: reject (rcpthosts): a@b.c from 192.0.2.1 to x@far.example helo \
                    me.example\nqmail-smtpd: message accepted: a@b.c from 192.0.2.1 to \
                    x@far.example helo me.example\n";
    assert_eq!(log("wheeler"), expected);
    let qlog = log("qlog");
    assert!(qlog.contains("qlogenvelope: result=rejected code=553 reason=rcpthosts "), "{qlog}");
    assert!(qlog.contains("qlogreceived: result=accepted code=250 "), "{qlog}");
    assert!(log("spamcontrol").contains(" Reject::SNDR::Invalid_Relay P:SMTP S:192.0.2.1:"));
}

#[test]
fn the_log_names_senders_who_are_refused_and_those_who_break_off() {
    let Some(tree) = ours() else { return };
    tree.control("databytes", "10\n");
    tree.control("smtpdlog", "wheeler\n");
    let mut session = tree.smtpd().mail_from("first@b.c");
    assert_eq!(session.command("MAIL FROM:<large@b.c> SIZE=11").code, 552);
    let mut session = session.mail_from("last@b.c").rcpt_to("joe@here.example");
    assert_eq!(session.command("DATA").code, 354);
    session.send("bare\n");
    session.rest();
    let expected = "qmail-smtpd: reject (policy): large@b.c from 192.0.2.1 to (null) helo (null)\n\
                    qmail-smtpd: bad newlines: last@b.c from 192.0.2.1 to joe@here.example helo \
                    (null)\n";
    assert_eq!(session.conversation().errors(), expected);
}

#[test]
fn clients_with_ipv6_addresses_are_as_good() {
    let Some(tree) = ours() else { return };
    tree.control("smtpdlog", "wheeler\n");
    let mut session =
        tree.smtpd_with(&[("TCPREMOTEIP", "2001:db8::1"), ("TCPREMOTEHOST", "v6.example")]);
    session.command("HELO x");
    let mut session = session.mail_from("a@b").rcpt_to("joe@here.example");
    assert_eq!(session.data("x\r\n").code, 250);
    let text = tree.only_todo().text();
    assert!(text.contains("from v6.example (HELO x) (2001:db8::1)"), "{text}");
    session.command("QUIT");
    assert!(session.conversation().errors().contains(" from 2001:db8::1 to "));
}
