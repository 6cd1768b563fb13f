//! What people patched into qmail-smtpd, as their documents have it: each feature by a real client
//! over tcpserver. Ours only.

use std::time::{Duration, Instant};

use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::exchanger::Exchanger;
use qmail_conformance::{Tree, cdb, files};

fn ours() -> Option<Tree> {
    Tree::ours_for_mail("has no such settings")
}

const DENIED_HELO: &str = "553 sorry, your HELO host name has been denied (#5.7.1)";
const DENIED_SENDER: &str = "553 sorry, your envelope sender has been denied (#5.7.1)";
const LISTED_SENDER: &str = "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)";
const DENIED_RECIPIENT: &str = "553 sorry, your envelope recipient has been denied (#5.7.1)";
const LISTED_RECIPIENT: &str =
    "550 sorry, your envelope recipient is in my badrcptto list (#5.7.1)";
const NOT_OURS: &str = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)";

#[test]
fn qregex_denies_names_senders_and_recipients() {
    let Some(tree) = ours() else { return };
    // As in its README: names without a dot, senders and recipients without an @.
    tree.control("badhelo", "!\\.\n");
    tree.control("listlanguages", "badmailfrom:regex\n");
    tree.control("badmailfrom", "!@\n.*@.*\\.spam\\.example$\n");
    tree.control("badmailto", "!@\n[!%#:*^(){}]\n");
    let Some(mx) = Exchanger::start(&tree, &[("LOGREGEX", "1")]) else { return };
    mx.swaks(&["--helo", "localhost"]).expect(DENIED_HELO);
    mx.swaks(&["--from", "joe@mx.spam.example"]).expect(DENIED_SENDER);
    mx.swaks(&["--from", "joe"]).expect(DENIED_SENDER);
    mx.swaks(&["--to", "joe%far.example@here.example"]).expect(DENIED_RECIPIENT);
    mx.swaks(&["--to", "joe"]).expect(DENIED_RECIPIENT);
    mx.swaks(&[]).expect_acceptance();
    let log = mx.log();
    let line = "qmail-smtpd: badhelo: <localhost> at 127.0.0.1 matches pattern: !\\.\n";
    assert!(log.contains(line), "{log}");
}

#[test]
fn nobadhelo_spares_a_client_the_list() {
    let Some(tree) = ours() else { return };
    tree.control("badhelo", "!\\.\n");
    let Some(mx) = Exchanger::start(&tree, &[("NOBADHELO", "")]) else { return };
    mx.swaks(&["--helo", "localhost"]).expect_acceptance();
}

#[test]
fn spamcontrol_has_lists_with_exceptions() {
    let Some(tree) = ours() else { return };
    tree.control("listlanguages", "badmailfrom:wildmat\nbadrcptto:wildmat\nbadhelo:wildmat\n");
    tree.control("badmailfrom", "*@*.spam.example\n!good@*.spam.example\n@here.example+\n");
    tree.control("badrcptto", "*\n!*@here.example\nlist@here.example\n");
    tree.control("badhelo", "dial*\n");
    let Some(mx) = Exchanger::start(&tree, &[("HELOCHECK", "."), ("REPLY_HELO", "go home")]) else {
        return;
    };
    mx.swaks(&["--helo", "dialup"])
        .expect("550 sorry, invalid HELO/EHLO greeting go home (#5.7.1)");
    mx.swaks(&["--from", "bad@mx.spam.example"]).expect(LISTED_SENDER);
    mx.swaks(&["--from", "ann@here.example"]).expect(LISTED_SENDER);
    mx.swaks(&["--to", "list@here.example"]).expect(LISTED_RECIPIENT);
    mx.swaks(&["--from", "good@mx.spam.example"]).expect_acceptance();
}

#[test]
fn spamcontrol_1_has_patterns_in_files_of_their_own() {
    let Some(tree) = ours() else { return };
    tree.control("listlanguages", "badmailfrom:wildmat\nbadrcptto:wildmat\n");
    tree.control("badmailpatterns", "*@*.spam.example\n!*@good.spam.example\n");
    tree.control("badrcptpatterns", "*%*\n");
    tree.control("rcptto", "joe@here.example\n");
    tree.control("blackholedsender", "@hole.example\n");
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    mx.swaks(&["--from", "joe@mx.spam.example"]).expect(LISTED_SENDER);
    mx.swaks(&["--from", "joe@good.spam.example"]).expect_acceptance();
    mx.swaks(&["--to", "a%b@here.example"]).expect(LISTED_RECIPIENT);
    let unknown = "550 sorry, no mailbox here by that name (#5.1.1)";
    mx.swaks(&["--to", "jane@here.example"]).expect(unknown);
    let hole = mx.swaks(&["--from", "joe@hole.example"]);
    assert!(hole.text().contains("Remote host closed connection unexpectedly"), "{}", hole.text());
    assert!(mx.log().contains("blackholedsender: <joe@hole.example> at 127.0.0.1\n"));
    tree.control("listlanguages", "");
    mx.swaks(&["--from", "joe@mx.spam.example", "--to", "jane@here.example"]).expect_acceptance();
}

#[test]
fn a_sender_relays_only_from_where_that_is_allowed() {
    let Some(tree) = ours() else { return };
    tree.control("relaymailfrom", "boss@here.example\n");
    let far = ["--to", "x@far.example", "--from", "boss@here.example"];
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    mx.swaks(&far).expect(NOT_OURS);
    drop(mx);
    let Some(mx) = Exchanger::start(&tree, &[("RELAYMAILFROM", "")]) else { return };
    mx.swaks(&far).expect_acceptance();
    mx.swaks(&["--to", "x@far.example"]).expect(NOT_OURS);
    assert!(mx.log().contains("relaymailfrom: <boss@here.example> at 127.0.0.1"));
}

#[test]
fn tcprules_let_a_client_relay_but_not_under_any_name() {
    let Some(tree) = ours() else { return };
    tree.control("mailfromrules", "127.0.0.:@own.example,joe@other.example\n");
    let made = tree.program("qmail-newlist").arg("mailfromrules").run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
    tree.control("smtpdlog", "spamcontrol\n");
    let rules = [("RELAYCLIENT", ""), ("LOCALMFCHECK", "!")];
    let Some(mx) = Exchanger::start(&tree, &rules) else { return };
    mx.swaks(&["--to", "x@far.example", "--from", "ann@own.example"]).expect_acceptance();
    mx.swaks(&["--to", "x@far.example", "--from", "joe@other.example"]).expect_acceptance();
    mx.swaks(&["--to", "x@far.example", "--from", "<>"]).expect_acceptance();
    let refused = mx.swaks(&["--to", "x@far.example", "--from", "jane@other.example"]);
    refused.expect("553 sorry, invalid sender address specified (#5.7.1)");
    let log = mx.log();
    for part in
        ["Accept::ORIG::Local_Sender P:SMTPM S:127.0.0.1:", "Reject::ORIG::Invalid_Mailfrom "]
    {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn help_and_unknown_commands_say_more_if_asked() {
    let Some(tree) = ours() else { return };
    let talk = "print(mail.docmd('HELP'))\nprint(mail.docmd('EXPN', 'joe'))";
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    let plain = mx.smtplib(talk);
    assert!(plain.contains("(214, b'netqmail home page: http://qmail.org/netqmail')"), "{plain}");
    assert!(plain.contains("(502, b'unimplemented (#5.5.1)')"), "{plain}");
    drop(mx);
    let asked = [("QMAILSMTPD_HELP_VERSION", ""), ("UNRECOGNISED500", "1")];
    let Some(mx) = Exchanger::start(&tree, &asked) else { return };
    let more = mx.smtplib(talk);
    assert!(more.contains("HELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT"), "{more}");
    assert!(more.contains("(500, b'unrecognised (#5.5.2)')"), "{more}");
}

#[test]
fn an_address_literal_of_zeros_is_this_host() {
    let Some(tree) = ours() else { return };
    tree.control("localiphost", "here.example\n");
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    mx.swaks(&["--to", "joe@[0.0.0.0]"]).expect_acceptance();
    assert_eq!(tree.only_todo().recipients(), ["joe@here.example"]);
    mx.swaks(&["--to", "joe@[192.0.2.9]"]).expect(NOT_OURS);
}

#[test]
fn relay_probes_are_told_so() {
    let Some(tree) = ours() else { return };
    let Some(mx) = Exchanger::start(&tree, &[("RELAYREJ", "1")]) else { return };
    for probe in ["a%far.example@here.example", "far.example!a@here.example", "a@b@here.example"] {
        mx.swaks(&["--to", probe]).expect("553 we don't relay (#5.7.1)");
    }
    mx.swaks(&[]).expect_acceptance();
}

#[test]
fn a_message_of_more_than_databytes_is_refused_as_soon_as_that_is_known() {
    let Some(tree) = ours() else { return };
    let Some(mx) = Exchanger::start(&tree, &[("DATABYTES", "5000")]) else { return };
    let too_large = "552 sorry, that message size exceeds my databytes limit (#5.3.4)";
    let small = mx.swaks(&[]);
    small.expect("250 SIZE 5000");
    small.expect_acceptance();
    let told = mx.smtplib("mail.ehlo()\nprint(mail.mail('a@b.example', ['size=5001']))");
    assert!(told.contains(&too_large[4..]), "{told}");
    mx.swaks_message(&format!("Subject: x\n\n{}\n", "x".repeat(6000)), &[]).expect(too_large);
    assert_eq!(tree.queued(), 1);
}

#[test]
fn a_bounce_has_one_recipient_and_null_senders_can_be_turned_away() {
    let Some(tree) = ours() else { return };
    let two = ["--from", "<>", "--to", "joe@here.example,ann@here.example"];
    let Some(mx) = Exchanger::start(&tree, &[("NULLSENDERMULTRCPTS", "1")]) else { return };
    let expected = "550 sorry, bounce messages should have a single envelope recipient (#5.7.1)";
    mx.swaks(&two).expect(expected);
    mx.swaks(&two[..2]).expect_acceptance();
    drop(mx);
    let Some(mx) = Exchanger::start(&tree, &[("REJECTNULLSENDERS", "1")]) else { return };
    mx.swaks(&two[..2]).expect("421 null senders temporarily denied (#4.3.0)");
}

#[test]
fn limits_and_the_tarpit_hold() {
    let Some(tree) = ours() else { return };
    let many = "joe@here.example,ann@here.example,bob@here.example";
    let variables =
        [("MAXRECIPIENTS", "2"), ("BRTLIMIT", "2"), ("TARPITCOUNT", "2"), ("TARPITDELAY", "1")];
    let Some(mx) = Exchanger::start(&tree, &variables) else { return };
    let start = Instant::now();
    mx.swaks(&["--to", many]).expect("452 sorry, too many recipients (#4.5.3)");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(tree.only_todo().recipients(), ["joe@here.example", "ann@here.example"]);
    let guesses = mx.swaks(&["--to", "a@far.example,b@far.example,c@far.example"]);
    guesses.expect("421 too many invalid addresses, goodbye (#4.3.0)");
}

#[test]
fn the_domain_of_a_sender_is_looked_for() {
    let Some(tree) = ours() else { return };
    let Some(mx) = Exchanger::start(&tree, &[("MFDNSCHECK", "")]) else { return };
    let _server = tree.name_server(Zone::new().mx("mx.test", 10, "a.test"));
    mx.swaks(&["--from", "ann@mx.test"]).expect_acceptance();
    let no = "553 sorry, your envelope sender domain must exist (#5.7.1)";
    mx.swaks(&["--from", "ann@none.test"]).expect(no);
}

#[test]
fn rcptcheck_asks_the_sample_scripts() {
    let Some(tree) = ours() else { return };
    files::write(&tree.scratch().join("known"), "joe@here.example\n");
    let list = tree.scratch().join("known").display().to_string();
    // The codes of the original: 100 no, 111 later, 120 cannot be run.
    let program = tree.script(
        "check",
        &format!(
            "case $RECIPIENT in later@*) exit 111;; broken@*) exit 120;; esac\n\
             grep -Fxq -- \"$RECIPIENT\" {list} || exit 100"
        ),
    );
    for name in ["RCPTCHECK", "CHECKENV"] {
        let Some(mx) = Exchanger::start(&tree, &[(name, &program)]) else { return };
        mx.swaks(&[]).expect_acceptance();
        let no = "553 sorry, no mailbox here by that name. (#5.1.1)";
        mx.swaks(&["--to", "jane@here.example"]).expect(no);
        mx.swaks(&["--to", ".*@here.example"]).expect(no);
        let later = "421 unable to verify recipient (#4.3.0)";
        mx.swaks(&["--to", "later@here.example"]).expect(later);
        let broken = "421 unable to execute recipient check (#4.3.0)";
        mx.swaks(&["--to", "broken@here.example"]).expect(broken);
    }
}

#[test]
fn rcptcheck_does_greylisting() {
    let Some(tree) = ours() else { return };
    let seen = tree.scratch().join("seen");
    std::fs::create_dir(&seen).expect("a fresh directory");
    files::set_mode(&seen, 0o777);
    let body = "name=$(printf '%s\\0' \"$RECIPIENT\" \"$SENDER\" \"$TCPREMOTEIP\" | md5sum | cut -c1-32)\n\
                mkdir SEEN/$name 2>/dev/null || exit 0\n\
                echo '451 try later (#4.3.0)' >&4; exit 100";
    let program = tree.script("grey", &body.replace("SEEN", &seen.display().to_string()));
    let Some(mx) = Exchanger::start(&tree, &[("RCPTCHECK", &program)]) else { return };
    mx.swaks(&[]).expect("451 try later (#4.3.0)");
    mx.swaks(&[]).expect_acceptance();
    mx.swaks(&["--from", "other@sender.example"]).expect("451 try later (#4.3.0)");
}

#[test]
fn chkuser_knows_mailboxes_and_how_full_they_are() {
    let Some(tree) = ours() else { return };
    let domain = tree.scratch().join("vpopmail");
    let mailbox = domain.join("full/Maildir");
    std::fs::create_dir_all(&mailbox).expect("a fresh directory");
    files::write(&mailbox.join("maildirsize"), "1000S\n990 3\n");
    files::write(&domain.join(".qmail-default"), "| vdelivermail '' bounce-no-mailbox\n");
    let record = |name: &str| {
        format!("x:1:0:{name}:{}:1000S:clear", domain.join(name).display()).into_bytes()
    };
    let mailboxes = [(&b"joe"[..], record("joe")), (b"full", record("full"))];
    let mailboxes = mailboxes.each_ref().map(|(name, record)| (*name, record.as_slice()));
    files::write(&domain.join("vpasswd.cdb"), cdb::make(&mailboxes));
    let owner = format!("vpopmail\x0089\x0089\0{}\0-\0", domain.display());
    let records: [(&[u8], &[u8]); 2] = [(b"", b"-"), (b"!here.example-", owner.as_bytes())];
    files::write(&tree.path("users/cdb"), cdb::make(&records));
    tree.control("virtualdomains", "here.example:here.example\n");
    let variables = [("CHKUSER_START", "ALWAYS"), ("CHKUSER_MBXQUOTA", "99")];
    let Some(mx) = Exchanger::start(&tree, &variables) else { return };
    mx.swaks(&[]).expect_acceptance();
    let full = "552 5.2.2 sorry, recipient mailbox is full (chkuser)";
    mx.swaks(&["--to", "full@here.example"]).expect(full);
    let none = "550 5.1.1 sorry, no mailbox here by that name (chkuser)";
    mx.swaks(&["--to", "none@here.example"]).expect(none);
    let log = mx.log();
    for (title, why) in [
        ("accepted rcpt", "found existing recipient"),
        ("mbx overquota", "rcpt mailbox is overquota"),
        ("rejected rcpt", "not existing recipient"),
    ] {
        let start = format!("CHKUSER {title}: from <ann@sender.example::> remote <client.example:");
        let line = log.lines().find(|line| line.starts_with(&start));
        assert!(line.is_some_and(|line| line.ends_with(&format!(" : {why}"))), "{title}: {log}");
    }
}

#[test]
fn chkuser_asks_senders_for_a_domain() {
    let Some(tree) = ours() else { return };
    let variables = [
        ("CHKUSER_START", "ALWAYS"),
        ("CHKUSER_SENDER_FORMAT", ""),
        ("CHKUSER_SENDER_MX", ""),
        ("CHKUSER_DOUBLEBOUNCE", ""),
    ];
    let Some(mx) = Exchanger::start(&tree, &variables) else { return };
    let _server = tree.name_server(Zone::new().mx("mx.test", 10, "a.test").fails("broken.test", 2));
    let sender = |sender: &str| {
        mx.smtplib(&format!("mail.ehlo('x.y')\nprint(mail.docmd('MAIL', 'FROM:<{sender}>'))"))
    };
    assert!(sender("ann@mx.test").starts_with("(250,"));
    assert!(sender("#@[]").starts_with("(250,"));
    assert!(sender("ann").contains("(553, b'5.1.7 sorry, sender syntax not allowed (chkuser)')"));
    let none = sender("ann@none.test");
    assert!(
        none.contains("5.1.8 sorry, can't find a valid MX for sender domain (chkuser)"),
        "{none}"
    );
    assert!(sender("ann@broken.test").contains("(451, b'4.4.0 DNS temporary failure (chkuser)')"));
    let log = mx.log();
    assert!(log.contains("CHKUSER accepted doublebounce: from <#@[]::>"), "{log}");
    assert!(log.contains(" : invalid sender MX domain\n"), "{log}");
}

#[test]
fn dns_lists_refuse_at_rcpt_and_rblsmtpd_before() {
    let Some(tree) = ours() else { return };
    tree.control("dnsbllist", "-bl.test\n");
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    let zone = Zone::new().with("1.0.0.127.bl.test", Record::Txt(b"see http://bl.test".to_vec()));
    let _server = tree.name_server(zone);
    mx.swaks(&[]).expect("553 see http://bl.test");
    mx.swaks(&["--to", "x@far.example"]).expect(NOT_OURS);
    drop(mx);
    let skip = [("DNSBLSKIP", ""), ("RBLSMTPD", "[RBL info] see http://bl.test")];
    let Some(mx) = Exchanger::start(&tree, &skip) else { return };
    mx.swaks(&[]).expect_acceptance();
    assert!(tree.only_todo().text().contains("\nX-RBL-Info: see http://bl.test\n"));
}

#[test]
fn who_talks_before_the_greeting_is_told_so_and_others_wait() {
    let Some(tree) = ours() else { return };
    let delay = [("GREETDELAY", "1"), ("DROP_PRE_GREET", "1")];
    let Some(mx) = Exchanger::start(&tree, &delay) else { return };
    let start = Instant::now();
    mx.swaks(&[]).expect_acceptance();
    assert!(start.elapsed() >= Duration::from_secs(1));
    let early = mx.smtplib(
        "import socket\nearly = socket.create_connection(('127.0.0.1', 2525))\n\
         early.sendall(b'EHLO x\\r\\nMAIL FROM:<a@b>\\r\\nRCPT TO:<joe@here.example>\\r\\nDATA\\r\\n')\n\
         print(early.recv(1000))",
    );
    assert_eq!(early, "b'554 SMTP protocol violation\\r\\n'\n");
    let log = mx.log();
    assert!(log.contains("GREETDELAY from 127.0.0.1: client sent data before greeting"), "{log}");
}

#[test]
fn the_log_says_what_became_of_each_message() {
    let Some(tree) = ours() else { return };
    tree.control("smtpdlog", "wheeler qlog\n");
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    mx.swaks(&[]).expect_acceptance();
    mx.swaks(&["--to", "x@far.example"]).expect(NOT_OURS);
    let log = mx.log();
    for line in [
        "qmail-smtpd: message accepted: ann@sender.example from 127.0.0.1 to joe@here.example helo \
         client.example",
        "qmail-smtpd: reject (rcpthosts): ann@sender.example from 127.0.0.1 to x@far.example helo \
         client.example",
        "qlogreceived: result=accepted code=250 ",
        "qlogenvelope: result=rejected code=553 reason=rcpthosts ",
    ] {
        assert!(log.lines().any(|found| found.starts_with(line)), "{line}: {log}");
    }
}

#[test]
fn a_failed_auth_leaves_morercpthosts_open() {
    let Some(tree) = ours() else { return };
    tree.control("morercpthosts", "more.example\n");
    let made = tree.program("qmail-newmrh").run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
    let checker = tree.script("checker", "cat <&3 >/dev/null; exit 1");
    let variables = [("ALLOW_INSECURE_AUTH", "1")];
    let Some(mx) = Exchanger::start_with(&tree, &variables, &[&checker, "/bin/true"]) else {
        return;
    };
    let said = mx.smtplib(
        "mail.ehlo('x.y')\ntry:\n    mail.login('joe', 'wrong')\nexcept smtplib.SMTPException:\n    \
         pass\nmail.mail('a@b.example')\nfor to in ['x@more.example', 'x@far.example']:\n    \
         print(mail.rcpt(to))",
    );
    let expected = format!("(250, b'ok')\n(553, b\"{}\")\n", &NOT_OURS[4..]);
    assert_eq!(said, expected);
}
