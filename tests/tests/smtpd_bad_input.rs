//! qmail-smtpd: clients, programs, lists and name servers at their worst. Ours only.

use qmail_conformance::dns::Zone;
use qmail_conformance::smtp::{Reply, Session};
use qmail_conformance::{Need, Tree};

/// More than a session may need, in KiB, whatever the client sends. A development build takes more
/// than a release.
const MOST_MEMORY: u64 = 32_768;
/// More than a long list may add.
const MOST_FOR_A_LIST: u64 = 1024;

fn ours() -> Option<Tree> {
    Tree::ours_for_mail("has neither limits nor programs to ask")
}

fn rcpt(tree: &Tree, variables: &[(&str, &str)]) -> String {
    let mut session = tree.smtpd_with(variables).mail_from("a@sender.example");
    session.command("RCPT TO:<joe@here.example>").text
}

fn send(tree: &Tree, variables: &[(&str, &str)]) -> Reply {
    tree.smtpd_with(variables).mail_from("a@b").rcpt_to("joe@here.example").data("x\r\n")
}

const OK: &str = "250 ok\r\n";

#[test]
fn a_gigabyte_over_the_limit_is_read_in_little_memory_and_refused() {
    let Some(tree) = ours() else { return };
    tree.control("databytes", "1000\n");
    tree.control("signatures", "TVqQAAMAA\n");
    let mut session = tree.smtpd().mail_from("a@b").rcpt_to("joe@here.example");
    assert_eq!(session.command("DATA").code, 354);
    let block = format!("{}\r\n", "x".repeat(1022)).repeat(1024);
    for _ in 0..1024 {
        session.send(&block);
    }
    session.send(".\r\nNOOP\r\n");
    assert_eq!(session.reply().code, 552);
    assert_eq!(session.reply().code, 250);
    let peak = tree.peak_memory_of("qmail-smtpd");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
    assert_eq!(tree.queued(), 0);
}

#[test]
fn a_line_without_end_is_read_in_little_memory() {
    let Some(tree) = ours() else { return };
    let mut session = tree.smtpd();
    let block = "x".repeat(1 << 20);
    for _ in 0..64 {
        session.send(&block);
    }
    session.send("\r\nNOOP\r\n");
    assert_eq!(session.reply().code, 500);
    assert_eq!(session.reply().code, 250);
    let peak = tree.peak_memory_of("qmail-smtpd");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

#[test]
fn a_hundred_thousand_recipients_are_bounded() {
    let Some(tree) = ours() else { return };
    let mut session = tree.smtpd().mail_from("a@b");
    let mut codes = [0; 2];
    for _ in 0..100 {
        session.send("RCPT TO:<joe@here.example>\r\n".repeat(1000));
        for _ in 0..1000 {
            codes[usize::from(session.reply().code != 250)] += 1;
        }
    }
    assert_eq!(codes, [50_000, 50_000]);
    let peak = tree.peak_memory_of("qmail-smtpd");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

#[test]
fn commands_before_the_greeting_are_answered_in_their_order() {
    let Some(tree) = ours() else { return };
    let mut session = Session::with(tree.smtpd_program().converse());
    session.send(
        "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<joe@here.example>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n",
    );
    let codes: Vec<u16> = (0..7).map(|_| session.reply().code).collect();
    assert_eq!(codes, [220, 250, 250, 250, 354, 250, 221]);
    assert_eq!((session.end(), tree.queued()), (Some(0), 1));
}

#[test]
fn lists_of_a_million_lines_take_no_memory() {
    let Some(tree) = ours() else { return };
    let peak = |tree: &Tree| {
        let mut session = tree.smtpd().mail_from("a@sender.example");
        assert_eq!(session.command("RCPT TO:<joe@here.example>").text, OK);
        tree.peak_memory_of("qmail-smtpd")
    };
    let none = peak(&tree);
    let mut lines = String::from("*@pattern.example\n");
    (0..1_000_000).for_each(|number| lines += &format!("user{number}@spam.example\n"));
    let lists = ["badmailfrom", "badrcptto", "morevalidrcptto", "blackholedsender"];
    lists.iter().for_each(|name| tree.control(name, &lines));
    tree.control("listlanguages", "badmailfrom:wildmat\nbadrcptto:exact\n");
    let without_index = peak(&tree);
    let made = tree.program("qmail-newlist").args(lists).run();
    assert_eq!((made.code, made.errors()), (Some(0), String::new()));
    let with_index = peak(&tree);
    tree.control("listlanguages", "badmailfrom:regex\nbadrcptto:regex\n");
    let expressions = peak(&tree);
    for peak in [without_index, with_index, expressions] {
        assert!(peak < none + MOST_FOR_A_LIST, "{none} KiB without a list, {peak} KiB with");
    }
}

#[test]
fn a_check_of_recipients_may_crash_flood_or_say_half_a_line() {
    let Some(tree) = ours() else { return };
    tree.control("timeoutplugin", "1\n");
    let said = |body: &str| {
        let program = tree.script("check", body);
        rcpt(&tree, &[("RCPTCHECK", &program)])
    };
    let broken = "421 unable to execute recipient check (#4.3.0)\r\n";
    assert_eq!(said("kill -9 $$"), broken);
    assert_eq!(said("printf '550 half a line' >&4; exit 100"), "550 half a line\r\n");
    assert_eq!(said("exec yes >&4"), "421 unable to verify recipient (#4.3.0)\r\n");
    let several = "451 temporary problem (#4.4.2)\r\n";
    assert_eq!(said("yes 550 no | head -c 3000000 >&4; exit 100"), several);
    assert_eq!(said("printf 'nonsense\\n' >&4; exit 100"), "451 temporary problem (#4.4.2)\r\n");
    assert_eq!(said("exec yes"), "421 unable to verify recipient (#4.3.0)\r\n");
}

#[test]
fn a_plugin_may_flood_without_end() {
    let Some(tree) = ours() else { return };
    tree.control("timeoutplugin", "1\n");
    tree.control("smtpplugins", "[rcpt]\n:exec yes x\n");
    let expected = "451 qmail-spp failure: :exec yes x: timeout (#4.3.0)\r\n";
    assert_eq!(rcpt(&tree, &[]), expected);
    tree.control("smtpplugins", "[rcpt]\n:exec head -c 100000000 /dev/zero\n");
    tree.control("timeoutplugin", "60\n");
    assert_eq!(rcpt(&tree, &[]), OK);
}

#[test]
fn a_filter_may_crash_flood_or_stop_in_the_middle() {
    let Some(tree) = ours() else { return };
    tree.control("timeoutfilters", "1\n");
    let later = "451 mail server temporarily rejected message (#4.3.0)\r\n";
    for filter in [":kill -9 $$", ":exec yes", ":head -c 1; exit 3", ":head -c 1; kill -9 $$"] {
        tree.control("filters", format!("{filter}\n"));
        assert_eq!(send(&tree, &[("QMAILQUEUE", "bin/hi-q")]).text, later, "{filter}");
    }
    assert_eq!(tree.queued(), 0);
}

#[test]
fn a_queue_program_may_crash_flood_or_hang() {
    let Some(tree) = ours() else { return };
    let said = |body: &str| {
        let program = tree.script("queue", body);
        send(&tree, &[("QMAILQUEUE", &program)]).text
    };
    assert_eq!(said("kill -9 $$"), "451 qq crashed (#4.3.0)\r\n");
    let flooded = said("cat >/dev/null; yes Dno | head -c 3000000 >&4; exit 82");
    assert!(flooded.starts_with("554 no Dno Dno ") && flooded.len() < 300, "{flooded}");
    let left_behind = "cat >/dev/null; sleep 100 & printf Dno >&4; exit 82";
    assert_eq!(said(left_behind), "554 no\r\n");
}

#[test]
fn somebody_who_looks_recipients_up_may_hang() {
    let Some(tree) = ours() else { return };
    if tree.lacks(Need::Root) {
        return;
    }
    tree.control("timeoutplugin", "1\n");
    let later = "451 4.3.0 system temporary unavailable, try again later (chkuser)\r\n";
    for body in ["exec sleep 100", "kill -9 $$", "printf ?", "exec yes ?"] {
        tree.replace_program("qmail-chkuser", body);
        assert_eq!(rcpt(&tree, &[("CHKUSER_START", "ALWAYS")]), later, "{body}");
    }
}

#[test]
fn a_name_server_that_says_nothing_is_for_later_or_no_objection() {
    let Some(tree) = ours() else { return };
    if tree.lacks(Need::Root) {
        return;
    }
    let zone = Zone::new().silent("sender.example").silent("1.2.0.192.bl.test");
    let _server = tree.name_server(zone);
    tree.control("mfcheck", "1\n");
    let mut session = tree.smtpd();
    let sender = session.command("MAIL FROM:<a@sender.example>").text;
    assert_eq!(sender, "451 DNS temporary failure (#4.3.0)\r\n");
    tree.control("mfcheck", "0\n");
    tree.control("dnsbllist", "-bl.test\n");
    assert_eq!(rcpt(&tree, &[]), OK);
    assert_eq!(rcpt(&tree, &[("DNSBLFAILCLOSED", "")]), "451 temporary RBL lookup error\r\n");
}
