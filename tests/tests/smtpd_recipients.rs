//! qmail-smtpd: whether recipients exist, and whether clients are on DNS lists. Ours only.

use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::{Need, Tree, cdb, files};

fn ours() -> Option<Tree> {
    prepared(Tree::under_test())
}

/// The same, among the programs of others, of which this one is needed.
fn ours_among(path: &'static str) -> Option<Tree> {
    prepared(Tree::among_others(path)?)
}

fn prepared(tree: Tree) -> Option<Tree> {
    if tree.is_original() {
        println!("skipped: the original does not look for recipients");
        return None;
    }
    tree.control("rcpthosts", "here.example\nthere.example\n");
    Some(tree)
}

fn rcpt(tree: &Tree, variables: &[(&str, &str)], recipient: &str) -> String {
    let mut session = tree.smtpd_with(variables).mail_from("from@sender.example");
    session.command(format!("RCPT TO:<{recipient}>")).text
}

/// A program of the administrator's.
fn script(tree: &Tree, body: &str) -> String {
    tree.script("program", body)
}

const OK: &str = "250 ok\r\n";
const NO_MAILBOX: &str = "550 sorry, no mailbox here by that name (#5.1.1)\r\n";

#[test]
fn validrcptto_says_who_there_is_and_who_is_not() {
    let Some(tree) = ours() else { return };
    tree.control("validrcptto", "joe@here.example\n-jane@here.example\n-@there.example\n");
    tree.control("morevalidrcptto", "ann@there.example\n");
    let index = tree.program("qmail-newlist").args(["morevalidrcptto"]).run();
    assert_eq!(index.code, Some(0), "{}", index.errors());
    assert_eq!(rcpt(&tree, &[], "JOE@here.example"), OK);
    assert_eq!(rcpt(&tree, &[], "jane@here.example"), NO_MAILBOX);
    assert_eq!(rcpt(&tree, &[], "other@here.example"), OK);
    assert_eq!(rcpt(&tree, &[], "ann@there.example"), OK);
    assert_eq!(rcpt(&tree, &[], "x@there.example"), NO_MAILBOX);
    assert_eq!(rcpt(&tree, &[("RELAYCLIENT", "")], "jane@here.example"), OK);
}

#[test]
fn a_database_of_recipients_knows_default_addresses() {
    let Some(tree) = ours() else { return };
    let records: [(&[u8], &[u8]); 2] =
        [(b"joe@here.example", b""), (b"joe-default@here.example", b"")];
    files::write(&tree.path("control/rcpt.cdb"), cdb::make(&records));
    let named = [("VALIDRCPTTO_CDB", "control/rcpt.cdb"), ("VALIDRCPTTO_LOG", "1")];
    assert_eq!(rcpt(&tree, &named, "joe-x-y@here.example"), OK);
    assert_eq!(rcpt(&tree, &named, "jane@here.example"), NO_MAILBOX);
}

#[test]
fn rcptcheck_has_its_contract() {
    let Some(tree) = ours() else { return };
    let answer = |code: &str| {
        let program = script(&tree, &format!("exit {code}"));
        rcpt(&tree, &[("RCPTCHECK", &program)], "joe@here.example")
    };
    assert_eq!(answer("0"), OK);
    assert_eq!(answer("1"), OK);
    assert_eq!(answer("100"), "553 sorry, no mailbox here by that name. (#5.1.1)\r\n");
    assert_eq!(answer("111"), "421 unable to verify recipient (#4.3.0)\r\n");
    assert_eq!(answer("120"), "421 unable to execute recipient check (#4.3.0)\r\n");
    assert_eq!(answer("113"), "421 you have exceeded your messaging limits (#4.3.0)\r\n");
    let none = [("CHECKENV", "/nonexistent")];
    let unable = "421 unable to execute recipient check (#4.3.0)\r\n";
    assert_eq!(rcpt(&tree, &none, "joe@here.example"), unable);
    assert_eq!(rcpt(&tree, &[none[0], ("RELAYCLIENT", "")], "joe@here.example"), OK);
}

#[test]
fn rcptcheck_gets_the_envelope_and_may_choose_the_reply() {
    let Some(tree) = ours() else { return };
    let program = script(
        &tree,
        "printf '450 4.2.0 %s from %s (%s)\\n' \"$RECIPIENT\" \"$SENDER\" \"$RCPTHOSTS\" >&4; exit 100",
    );
    let said = rcpt(&tree, &[("RCPTCHECK", &program)], "joe@here.example");
    assert_eq!(said, "450 4.2.0 joe@here.example from from@sender.example (1)\r\n");
}

#[test]
fn a_recipient_check_that_hangs_is_ended() {
    let Some(tree) = ours() else { return };
    tree.control("timeoutplugin", "1\n");
    let program = script(&tree, "exec sleep 100");
    let said = rcpt(&tree, &[("RCPTCHECK", &program)], "joe@here.example");
    assert_eq!(said, "421 unable to verify recipient (#4.3.0)\r\n");
}

#[test]
fn spamcontrols_recipients_ask_databases_and_programs() {
    let Some(tree) = ours() else { return };
    let records: [(&[u8], &[u8]); 1] = [(b":joe@here.example", b"")];
    files::write(&tree.path("control/r.cdb"), cdb::make(&records));
    let program = script(&tree, "tr '\\0' '\\n' <&3 | grep -Fxq ann@there.example");
    tree.control("recipients", format!("@here.example:control/r.cdb\nthere.example|{program}\n"));
    assert_eq!(rcpt(&tree, &[], "Joe@here.example"), OK);
    let no = "550 sorry, no mailbox by that name (#5.7.1)\r\n";
    assert_eq!(rcpt(&tree, &[], "jane@here.example"), no);
    assert_eq!(rcpt(&tree, &[], "ann@there.example"), OK);
    let later = "450 sorry, mailbox currently unavailable (#4.2.1)\r\n";
    assert_eq!(rcpt(&tree, &[("RECIPIENTS450", "")], "bob@there.example"), later);
}

#[test]
fn chkuser_finds_extensions_and_virtual_users() {
    let Some(tree) = ours() else { return };
    let user = tree.user("joe");
    user.instruct("-list", "#\n");
    let (home, identity) = (user.home().to_owned(), user.identity());
    let fields = format!("joe\0{}\0{}\0{}\0", identity.uid, identity.gid, home.display());
    let (whole, prefix) = (format!("{fields}\0"), format!("{fields}-\0"));
    let records: [(&[u8], &[u8]); 4] = [
        (b"", b"-"),
        (b"!joe\0", whole.as_bytes()),
        (b"!joe-", prefix.as_bytes()),
        (b"!", prefix.as_bytes()),
    ];
    files::write(&tree.path("users/cdb"), cdb::make(&records));
    tree.control("locals", "here.example\n");
    tree.control("virtualdomains", "there.example:joe\n");
    let start = [("CHKUSER_START", "ALWAYS")];
    assert_eq!(rcpt(&tree, &start, "joe@here.example"), OK);
    assert_eq!(rcpt(&tree, &start, "joe-list@here.example"), OK);
    assert_eq!(rcpt(&tree, &start, "list@there.example"), OK);
    let no = "550 5.1.1 sorry, no mailbox here by that name (chkuser)\r\n";
    assert_eq!(rcpt(&tree, &start, "joe-none@here.example"), no);
    assert_eq!(rcpt(&tree, &[], "joe-none@here.example"), OK);
    let mut session = tree.smtpd_with(&start).mail_from("a@b");
    session.command("RCPT TO:<none@there.example>");
    session.command("QUIT");
    let log = session.conversation().errors();
    let title =
        "CHKUSER rejected rcpt: from <a@b::> remote <:client.example:192.0.2.1> rcpt <none@";
    assert!(log.starts_with(title), "{log}");
    files::write(&tree.path("users/cdb"), "damaged");
    let later = "451 4.3.0 system temporary unavailable, try again later (chkuser)\r\n";
    assert_eq!(rcpt(&tree, &start, "joe@here.example"), later);
}

#[test]
fn dns_lists_are_asked_at_the_first_good_recipient() {
    let Some(tree) = ours() else { return };
    if tree.lacks(Need::Root) {
        return;
    }
    let zone = Zone::new()
        .with("1.2.0.192.text.test", Record::Txt(b"listed".to_vec()))
        .a("1.2.0.192.good.test", [127, 0, 0, 2])
        .a("1.2.0.192.parked.test", [192, 0, 2, 3])
        .fails("1.2.0.192.broken.test", 2);
    let server = tree.name_server(zone);
    let told = |list: &str, variables: &[(&str, &str)]| {
        tree.control("dnsbllist", list);
        rcpt(&tree, variables, "joe@here.example")
    };
    assert_eq!(told("none.test\ntext.test # a comment\n", &[]), "451 listed\r\n");
    assert_eq!(told("-text.test\n", &[]), "553 listed\r\n");
    assert_eq!(told("+good.test\n-text.test\n", &[]), OK);
    assert_eq!(told("parked.test:-no\n", &[]), OK);
    assert_eq!(told("good.test:-%IP% is bad\n", &[]), "553 192.0.2.1 is bad\r\n");
    assert_eq!(told("broken.test\n", &[]), OK);
    let closed = "451 temporary RBL lookup error\r\n";
    assert_eq!(told("broken.test\n", &[("DNSBLFAILCLOSED", "")]), closed);
    let asked = server.questions().len();
    assert_eq!(told("-text.test\n", &[("RELAYCLIENT", "")]), OK);
    assert_eq!(told("-text.test\n", &[("DNSBLSKIP", "")]), OK);
    assert_eq!(told("-text.test\n", &[("RBLSMTPD", "")]), OK);
    assert_eq!(told("-text.test\n", &[("RBLSMTPD", "-go away")]), "553 go away\r\n");
    assert!(rcpt(&tree, &[], "x@far.example").contains("rcpthosts"));
    assert_eq!(server.questions().len(), asked);
}

#[test]
fn dns_lists_of_ipv6_clients_go_by_half_bytes() {
    let Some(tree) = ours() else { return };
    if tree.lacks(Need::Root) {
        return;
    }
    let name = format!("1.{}8.b.d.0.1.0.0.2.six.test", "0.".repeat(23));
    let _server = tree.name_server(Zone::new().with(&name, Record::Txt(b"six".to_vec())));
    tree.control("dnsbllist", "-six.test\n");
    let client = [("TCPREMOTEIP", "2001:db8::1")];
    assert_eq!(rcpt(&tree, &client, "joe@here.example"), "553 six\r\n");
}

#[test]
fn logwatch_reads_the_log() {
    let Some(tree) = ours_among("usr/sbin/logwatch") else { return };
    tree.control("badmailfrom", "bad\n");
    tree.control("listlanguages", "badmailfrom:regex\n");
    tree.control("locals", "here.example\n");
    let records: [(&[u8], &[u8]); 2] = [(b"", b"-"), (b"!joe\0", b"joe\x001\x002\0/\0\0")];
    files::write(&tree.path("users/cdb"), cdb::make(&records));
    let mut session = tree.smtpd_with(&[("CHKUSER_START", "ALWAYS")]).mail_from("a@bad.example");
    session.command("RCPT TO:<joe@here.example>");
    let mut session = session.mail_from("a@good.example").rcpt_to("joe@here.example");
    session.command("QUIT");
    let log = session.conversation().errors();
    let script = "/usr/share/logwatch/scripts/services/qmail-smtpd";
    let perl = tree.command("/usr/bin/perl").args(["-I", "/usr/share/logwatch/lib", script]);
    let end = perl.env("LOGWATCH_DETAIL_LEVEL", "10").stdin(log.clone()).run();
    let text = end.text();
    for expected in ["Total badmailfrom: 1\n", "Accepted:         1\n"] {
        assert!(text.contains(expected), "{expected}: {} of {log}", end.said());
    }
    assert!(!text.contains("Unmatched"), "{text}");
}

#[test]
fn fail2ban_finds_listed_clients_in_the_log() {
    let Some(tree) = ours_among("usr/bin/fail2ban-regex") else { return };
    let zone = Zone::new().with("1.2.0.192.text.test", Record::Txt(b"listed".to_vec()));
    let _server = tree.name_server(zone);
    tree.control("dnsbllist", "text.test\n");
    let mut session = tree.smtpd().mail_from("a@b");
    assert_eq!(session.command("RCPT TO:<joe@here.example>").code, 451);
    // As splogger hands it on to syslog.
    let log: String = session
        .conversation()
        .errors()
        .lines()
        .map(|line| format!("Jan  1 10:00:00 mx qmail: 1704103200.123456 {line}\n"))
        .collect();
    let path = tree.scratch().join("log");
    files::write(&path, log);
    let program = tree.command("/usr/bin/fail2ban-regex").arg(&path);
    let end = program.arg("/etc/fail2ban/filter.d/qmail.conf").env("LANG", "C.UTF-8").run();
    assert!(end.text().contains("1 matched"), "{}", end.said());
}
