use super::*;
use crate::checks::testing::visit;

/// Plug-ins, each a shell command.
fn plugins(text: &str) -> (Plugins, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
    let time = Duration::from_secs(60);
    (Plugins::new(Sections::parse(&lines), home.path().to_owned(), time), home)
}

fn mail(text: &str) -> (Verdict, Visit, Transaction) {
    let (mut plugins, _home) = plugins(&format!("[mail]\n{text}"));
    let mut visit = visit();
    let mut beginning = Transaction::from("from@here");
    let verdict = plugins.sender(&mut visit, &mut beginning);
    (verdict, visit, beginning)
}

fn said(line: &str) -> Reply {
    Reply::verbatim(line)
}

#[test]
fn the_first_command_that_ends_it_decides() {
    assert_eq!(mail(":true").0, Verdict::Pass);
    assert_eq!(mail(":printf 'E550 no\\nN\\n'").0, Verdict::Refuse(said("550 no")));
    assert_eq!(mail(":echo R421 bye").0, Verdict::Disconnect(said("421 bye")));
    assert_eq!(mail(":echo D").0, Verdict::HangUp);
    assert_eq!(mail(":echo O").0, Verdict::Vouch);
    assert_eq!(mail(":echo N\n:echo E550 no").0, Verdict::Pass);
    assert_eq!(mail(":echo x\n:echo E550 no").0, Verdict::Refuse(said("550 no")));
    assert_eq!(mail(":echo E").0, Verdict::Refuse(replies::PLUGIN_SILENT));
}

#[test]
fn what_fails_is_for_later_and_named() {
    let failed = |line: &str| match mail(line).0 {
        Verdict::Refuse(reply) => String::from_utf8(reply.to_wire()).unwrap(),
        verdict => panic!("{verdict:?}"),
    };
    assert_eq!(
        failed("plugins/none"),
        "451 qmail-spp failure: plugins/none: can't execute (#4.3.0)\r\n"
    );
    assert_eq!(
        failed(":kill -9 $$"),
        "451 qmail-spp failure: :kill -9 $$: child crashed (#4.3.0)\r\n"
    );
    let (mut plugins, _home) = plugins("[mail]\n:exec sleep 20");
    plugins.time = Duration::from_millis(50);
    let Verdict::Refuse(reply) = plugins.sender(&mut visit(), &mut Transaction::from("a@b")) else {
        panic!("not refused");
    };
    assert!(reply.text().ends_with(b": timeout (#4.3.0)"));
}

#[test]
fn a_plugin_sees_the_session_and_changes_it() {
    let script = ":printf 'Ca new@there\\nHX-From: %s\\nSNOTE=n\\nUGONE\\nP250-x\\n' \
                  \"$SMTPMAILFROM\"";
    let (verdict, mut visit, beginning) = mail(&format!("{script}\n:[ $NOTE = n ] && echo O"));
    assert_eq!((verdict, beginning.sender), (Verdict::Vouch, b"a new@there".to_vec()));
    assert_eq!(visit.fields, [b"X-From: from@here".to_vec()]);
    assert_eq!(visit.take_words(), [b"250-x".to_vec()]);
}

#[test]
fn after_accept_no_plugin_is_asked_but_what_was_queued_is_said() {
    let (mut plugins, _home) =
        plugins("[mail]\n:printf 'LR450 one\\nLR550 two\\nA\\n'\n[rcpt]\n:echo E550 three");
    let mut visit = visit();
    assert_eq!(plugins.sender(&mut visit, &mut Transaction::from("a@b")), Verdict::Pass);
    let mut rcpt =
        |plugins: &mut Plugins| plugins.recipient(&mut visit, &mut Recipient::new("c@d"));
    for _ in 0..2 {
        assert_eq!(rcpt(&mut plugins), Verdict::Refuse(said("450 one\n550 two")));
    }
    plugins.reset(&mut super::super::testing::visit());
    assert_eq!(rcpt(&mut plugins), Verdict::Pass);
}

#[test]
fn recipients_are_counted() {
    let count = "[rcpt]\n:echo E$SMTPRCPTCOUNT,$SMTPRCPTCOUNTALL,$SMTPRCPTHOSTSOK,$SMTPRCPTTO";
    let (mut plugins, _home) = plugins(count);
    let mut visit = visit();
    visit.transaction = Some(Transaction::from("a@b"));
    let mut rcpt = |ours: bool| {
        let mut recipient = Recipient { is_ours: ours, ..Recipient::new("c@d") };
        plugins.recipient(&mut visit, &mut recipient)
    };
    assert_eq!(rcpt(true), Verdict::Refuse(said("0,1,1,c@d")));
    assert_eq!(rcpt(false), Verdict::Refuse(said("0,2,0,c@d")));
}

#[test]
fn a_user_is_known_to_plugins_before_he_is_believed() {
    let (mut plugins, _home) = plugins("[auth]\n:echo E535 $SMTPAUTHUSER $SMTPAUTHMETHOD");
    let mut visit = visit();
    let user = Authentication { user: b"joe".to_vec(), method: "plain" };
    visit.hear(&user);
    let refused = Verdict::Refuse(said("535 joe plain"));
    assert_eq!(plugins.authenticated(&mut visit, &user), refused);
}

#[test]
fn what_is_kept_does_not_grow_with_every_command() {
    let script = "[mail]\n:i=0; while [ $i -lt 400 ]; do echo HA: b; echo LDno; i=$((i+1)); done";
    let (mut plugins, _home) = plugins(script);
    let mut visit = visit();
    for _ in 0..4 {
        assert_eq!(plugins.sender(&mut visit, &mut Transaction::from("a@b")), Verdict::Pass);
    }
    assert_eq!((visit.fields.len(), plugins.queued[2].len()), (MOST_KEPT, MOST_KEPT));
}
