//! What happens to a message between DATA and the queue: signatures, the words of queue programs,
//! filters. Ours only.

use qmail_conformance::Tree;
use qmail_conformance::smtp::Reply;

fn ours() -> Option<Tree> {
    let tree = Tree::under_test();
    if tree.is_original() {
        println!("skipped: the original looks at no contents");
        return None;
    }
    Some(tree)
}

fn send(tree: &Tree, variables: &[(&str, &str)], message: &str) -> Reply {
    tree.smtpd_with(variables).mail_from("a@b").rcpt_to("joe@here.example").data(message)
}

const EXECUTABLE: &str =
    "Subject: x\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\nTVqQAAMAAAAEAAAA\r\n--b--\r\n";

#[test]
fn executables_are_refused_by_their_first_bytes() {
    let Some(tree) = ours() else { return };
    tree.control("signatures", "# Windows\nTVqQAAMAA\nTVpQAAIAA\n#UEsDBBQAA\n");
    let said = send(&tree, &[], EXECUTABLE);
    assert_eq!(said.text, "552 we don't accept email with such content (#5.3.4)\r\n");
    assert_eq!(tree.queued(), 0);
    assert_eq!(send(&tree, &[("EXECUTABLEOK", "")], EXECUTABLE).code, 250);
    assert_eq!(send(&tree, &[], "Subject: x\r\n\r\nTVqQ is text\r\n").code, 250);
}

#[test]
fn every_dialect_of_a_queue_programs_own_words_is_heard() {
    let Some(tree) = ours() else { return };
    let said = |body: &str, variables: &[(&str, &str)]| {
        let program = tree.script("queue", body);
        let mut variables = variables.to_vec();
        variables.push(("QMAILQUEUE", &program));
        send(&tree, &variables, "x\r\n").text
    };
    let words = "cat >/dev/null; printf 'Dno spam (#5.7.1)' >&";
    let no = "554 no spam (#5.7.1)\r\n";
    assert_eq!(said(&format!("{words}4; exit 82"), &[]), no);
    assert_eq!(said(&format!("{words}6; exit 82"), &[]), no);
    assert_eq!(said(&format!("{words}$ERROR_FD; exit 88"), &[]), no);
    assert_eq!(said(&format!("{words}5; exit 82"), &[("ERROR_FD", "5")]), no);
    let broken = "cat >/dev/null; printf 'Zlater\\r\\n250 ok' >&4; exit 82";
    assert_eq!(said(broken, &[]), "451 later  250 ok\r\n");
    let spam = "554 message rejected by spam filter (#5.7.1)\r\n";
    assert_eq!(said("cat >/dev/null; exit 21", &[]), spam);
    let rejected = "554 mail server permanently rejected message (#5.3.0)\r\n";
    for code in [31, 32, 33, 34] {
        assert_eq!(said(&format!("cat >/dev/null; exit {code}"), &[]), rejected, "{code}");
    }
}

#[test]
fn exit_codes_may_have_texts_of_the_administrator() {
    let Some(tree) = ours() else { return };
    tree.control("queuetexts", "21:Dmessage rejected by spam filter (#4.2.2)\n32:Zno spam today\n");
    let said = |code: u8| {
        let program = tree.script("queue", &format!("cat >/dev/null; exit {code}"));
        send(&tree, &[("QMAILQUEUE", &program)], "x\r\n").text
    };
    assert_eq!(said(21), "554 message rejected by spam filter (#4.2.2)\r\n");
    assert_eq!(said(32), "451 no spam today\r\n");
    assert_eq!(said(31), "554 mail server permanently rejected message (#5.3.0)\r\n");
}

#[test]
fn hi_q_filters_before_the_queue() {
    let Some(tree) = ours() else { return };
    let filter = tree.script("filter", "sed 's/^Subject: /&[x] /' || exit 2\nexit ${CODE:-0}");
    let said = |code: &str| {
        send(&tree, &[("QMAILQUEUE", "bin/hi-q"), ("CODE", code)], "Subject: a\r\n\r\n")
    };
    assert_eq!(said("0").text, "451 qq unable to read configuration (#4.3.0)\r\n");
    tree.control("filters", format!("# first\n{filter}\n:cat\n"));
    assert_eq!(said("0").code, 250);
    assert!(tree.only_todo().text().contains("Subject: [x] a\n"));
    assert_eq!(said("1").text, "554 message rejected by spam filter (#5.7.1)\r\n");
    let failed = "451 mail server temporarily rejected message (#4.3.0)\r\n";
    assert_eq!(said("2").text, failed);
    assert_eq!(said("99").text, failed);
    assert_eq!(tree.queued(), 1);
    tree.control("timeoutfilters", "1\n");
    tree.control("filters", ":exec sleep 100\n");
    assert_eq!(said("0").text, failed);
}

#[test]
fn qmail_qfilter_changes_message_envelope_and_queue_program() {
    let Some(tree) = ours() else { return };
    let first = "printf 'X-User: %s %s %s %s\\n' $QMAILUSER $QMAILHOST $NUMRCPTS $MSGSIZE; cat";
    let second = "cat <&3 | sed 's/joe/jane/' >&4";
    let home = tree.home().display().to_string();
    let wrapper = tree.script(
        "wrapper",
        &format!(
            "exec {home}/bin/qmail-qfilter /bin/sh -c \"{}\" -- /bin/sh -c \"{second}\" -- \
                  /bin/sh -c \"exit ${{CODE:-0}}\"",
            first.replace('$', "\\$")
        ),
    );
    let said =
        |code: &str| send(&tree, &[("QMAILQUEUE", &wrapper), ("CODE", code)], "Subject: a\r\n");
    assert_eq!(said("0").code, 250);
    let queued = tree.only_todo();
    assert_eq!(queued.recipients(), ["jane@here.example"]);
    assert!(queued.text().contains("X-User: a b 1 "), "{}", queued.text());
    assert_eq!(said("31").text, "554 mail server permanently rejected message (#5.3.0)\r\n");
    assert_eq!(said("71").text, "451 mail server temporarily rejected message (#4.3.0)\r\n");
    assert_eq!(said("99").code, 250);
    assert_eq!(tree.queued(), 1);
}

#[test]
fn a_queue_program_knows_the_session() {
    let Some(tree) = ours() else { return };
    let program = tree.script("queue",
        "cat >/dev/null; printf 'D%s %s %s %s' $HELOHOST $MAILFROM \"$RCPTTO\" $TCPREMOTEIP >&4; exit 82",
    );
    let mut session = tree.smtpd_with(&[("QMAILQUEUE", &program)]);
    session.command("HELO me.example");
    let mut session = session.mail_from("a@b").rcpt_to("c@d").rcpt_to("e@f");
    assert_eq!(session.data("x\r\n").text, "554 me.example a@b c@d e@f 192.0.2.1\r\n");
}
