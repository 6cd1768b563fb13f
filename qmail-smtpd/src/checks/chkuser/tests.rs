use super::*;
use crate::checks::testing::{FixedDns, visit_with};
use crate::client::Authentication;

fn check(script: &str) -> (ChkUser, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("bin")).unwrap();
    crate::testing::write_script(&home.path().join("bin/qmail-chkuser"), script);
    let check = ChkUser {
        service: Service {
            home: home.path().to_owned(),
            socket: None,
            time: Duration::from_secs(60),
            line: None,
        },
        is_on: true,
        terms: Vec::new(),
        limits: Limits::new(None, Some(2)),
        identity: b"id".to_vec(),
        senders: Demands::default(),
        recipients: Demands::default(),
        must_authenticate: false,
        takes_double_bounces: false,
        dns: Box::new(FixedDns::new().takes_mail("good.example").unknown("broken.example")),
    };
    (check, home)
}

fn answering(letters: &str) -> (ChkUser, tempfile::TempDir) {
    check(&format!("printf {letters}; cat >/dev/null"))
}

fn ask(check: &mut ChkUser, visit: &mut Visit) -> Verdict {
    check.recipient(visit, &mut Recipient { is_ours: true, ..Recipient::new("joe@here") })
}

fn titles(visit: &mut Visit) -> Vec<String> {
    let title = |note: Vec<u8>| {
        let note = String::from_utf8(note).unwrap();
        note.strip_prefix("CHKUSER ").unwrap().split_once(':').unwrap().0.to_owned()
    };
    visit.take_notes().into_iter().map(title).collect()
}

const ALL: Demands = Demands { is_plain: true, takes_mail: true };

#[test]
fn letters_are_verdicts() {
    let mut visit = visit_with(&[]);
    let (mut check, _home) = answering("KRDFZ");
    let said: Vec<Verdict> = (0..5).map(|_| ask(&mut check, &mut visit)).collect();
    let expected = [
        Verdict::Pass,
        Verdict::Pass,
        Verdict::Refuse(replies::CHKUSER_NO_MAILBOX),
        Verdict::Refuse(replies::CHKUSER_FULL),
        Verdict::Refuse(replies::CHKUSER_LATER),
    ];
    assert_eq!(said, expected);
    assert_eq!(visit.take_pause(), Duration::from_millis(1000 + 1300));
    let notes = visit.take_notes();
    let first = "CHKUSER accepted rcpt: from <::id> remote <:unknown:192.0.2.1> rcpt \
                 <joe@here> : found existing recipient";
    assert_eq!(String::from_utf8_lossy(&notes[0]), first);
    assert!(notes[2].starts_with(b"CHKUSER mbx overquota: "));
}

#[test]
fn who_guesses_is_not_answered_any_more() {
    let mut visit = visit_with(&[]);
    let (mut check, _home) = answering("DDK");
    let said: Vec<Verdict> = (0..3).map(|_| ask(&mut check, &mut visit)).collect();
    assert_eq!(said[2], Verdict::Refuse(replies::CHKUSER_THRESHOLD));
    assert_eq!(visit.take_pause(), Duration::from_millis(1000 + 1300 + 1600));
    let expected = ["rejected rcpt", "rejected rcpt", "intrusion threshold", "rejected intrusion"];
    assert_eq!(titles(&mut visit), expected);
}

#[test]
fn a_session_has_so_many_recipients_and_no_more() {
    let mut visit = visit_with(&[]);
    let (mut check, _home) = answering("KKK");
    check.limits = Limits::new(Some(2), None);
    let said: Vec<Verdict> = (0..3).map(|_| ask(&mut check, &mut visit)).collect();
    let expected = [
        Verdict::Pass,
        Verdict::Refuse(replies::CHKUSER_MAXIMUM),
        Verdict::Refuse(replies::CHKUSER_THRESHOLD),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_service_that_dies_is_for_later() {
    let (mut check, _home) = check("exit 0");
    check.service.time = Duration::from_millis(100);
    let expected = Verdict::Refuse(replies::CHKUSER_LATER);
    assert_eq!(ask(&mut check, &mut visit_with(&[])), expected);
    check.service.socket = Some("/nonexistent".into());
    assert_eq!(ask(&mut check, &mut visit_with(&[])), expected);
}

#[test]
fn a_service_that_failed_leaves_no_process_behind() {
    for script in ["echo $$ > pid; exit 0", "echo $$ > pid; exec >&-; exec sleep 600"] {
        let (mut check, home) = check(script);
        let expected = Verdict::Refuse(replies::CHKUSER_LATER);
        assert_eq!(ask(&mut check, &mut visit_with(&[])), expected, "{script}");
        let pid = std::fs::read_to_string(home.path().join("pid")).unwrap();
        let process = std::path::Path::new("/proc").join(pid.trim());
        assert!(!process.exists(), "{script}: {}", process.display());
    }
}

#[test]
fn senders_must_be_addresses_that_take_mail_if_so_asked() {
    let (mut check, _home) = answering("K");
    let mut visit = visit_with(&[]);
    let mut verdict = |check: &mut ChkUser, sender: &str| {
        (check.sender(&mut visit, &mut Transaction::from(sender)), titles(&mut visit).join(" "))
    };
    assert_eq!(verdict(&mut check, "a b@c"), (Verdict::Pass, String::new()));
    check.senders = ALL;
    let accepted = (Verdict::Pass, "accepted sender".to_owned());
    let refused = |reply| (Verdict::Refuse(reply), "rejected sender".to_owned());
    assert_eq!(verdict(&mut check, ""), accepted);
    assert_eq!(verdict(&mut check, "a@good.example"), accepted);
    assert_eq!(verdict(&mut check, "a b@good.example"), refused(replies::CHKUSER_BAD_SENDER));
    assert_eq!(verdict(&mut check, "a@none.example"), refused(replies::CHKUSER_NO_SENDER_MX));
    assert_eq!(verdict(&mut check, "a@broken.example"), refused(replies::CHKUSER_DNS_FAILURE));
    assert_eq!(verdict(&mut check, "#@[]"), refused(replies::CHKUSER_BAD_SENDER));
    check.takes_double_bounces = true;
    assert_eq!(verdict(&mut check, "#@[]"), (Verdict::Pass, "accepted doublebounce".to_owned()));
}

#[test]
fn recipients_elsewhere_must_be_addresses_that_take_mail_if_so_asked() {
    let (mut check, _home) = answering("K");
    check.recipients = ALL;
    let mut visit = visit_with(&[]);
    visit.client.authentication = Some(Authentication { user: b"joe".to_vec(), method: "plain" });
    let mut verdict = |address: &str, is_ours| {
        let mut recipient = Recipient { is_ours, ..Recipient::new(address) };
        check.recipient(&mut visit, &mut recipient)
    };
    assert_eq!(verdict("a@good.example", false), Verdict::Pass);
    assert_eq!(verdict("a@none.example", true), Verdict::Pass);
    let refuse = Verdict::Refuse;
    assert_eq!(verdict("a@none.example", false), refuse(replies::CHKUSER_NO_RECIPIENT_MX));
    assert_eq!(verdict("a@broken.example", false), refuse(replies::CHKUSER_DNS_FAILURE));
    assert_eq!(verdict("a b@good.example", true), refuse(replies::CHKUSER_BAD_RECIPIENT));
    assert_eq!(verdict("joe", true), refuse(replies::CHKUSER_NO_DOMAIN));
}

#[test]
fn clients_that_may_relay_are_spared_and_others_may_have_to_authenticate() {
    let (mut check, _home) = answering("D");
    let mut relay = visit_with(&[("RELAYCLIENT", "")]);
    assert_eq!(ask(&mut check, &mut relay), Verdict::Pass);
    check.recipient(&mut relay, &mut Recipient::new("a@far.example"));
    assert_eq!(titles(&mut relay), ["accepted any rcpt", "relaying rcpt"]);
    check.must_authenticate = true;
    let mut stranger = visit_with(&[]);
    let mut transaction = Transaction::from("a@b");
    assert_eq!(check.sender(&mut relay, &mut transaction), Verdict::Pass);
    let expected = Verdict::Refuse(replies::CHKUSER_MUST_AUTHENTICATE);
    assert_eq!(check.sender(&mut stranger, &mut transaction), expected);
    check.refused(&mut stranger, &Recipient::new("a@far.example"), &replies::NOT_OURS);
    // Nobody has looked yet whose recipient it is.
    check.refused(&mut stranger, &Recipient::new("joe@here"), &replies::BAD_SENDER);
    assert_eq!(titles(&mut stranger), ["must auth", "rejected relaying"]);
}

#[test]
fn who_has_to_authenticate_is_seen_by_this_sender_and_not_by_the_one_before() {
    let (mut check, _home) = answering("K");
    check.must_authenticate = true;
    let mut visit = visit_with(&[]);
    let mut relaying = Transaction { may_relay: true, ..Transaction::from("a@trusted.example") };
    assert_eq!(check.sender(&mut visit, &mut relaying), Verdict::Pass);
    visit.transaction = Some(relaying);
    let refused = Verdict::Refuse(replies::CHKUSER_MUST_AUTHENTICATE);
    assert_eq!(check.sender(&mut visit, &mut Transaction::from("a@b")), refused);
}

#[test]
fn the_variables_say_what_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("control")).unwrap();
    let controls = qmail_core::control::Controls::open(home.path()).unwrap();
    let load = |variables: &[(&str, &str)]| {
        let visit = visit_with(variables);
        let (variables, client) = (&visit.variables, &visit.client);
        let source = Source { home: home.path(), controls: &controls, variables, client };
        ChkUser::load(&source, Duration::from_secs(1))
    };
    assert!(load(&[]).is_none() && load(&[("CHKUSER_START", "none")]).is_none());
    let domain = load(&[("CHKUSER_START", "Domain"), ("CHKUSER_MBXQUOTA", "90")]).unwrap();
    assert_eq!(domain.terms, b"quota 90\ndomain\n");
    let names =
        [("CHKUSER_START", "ALWAYS"), ("CHKUSER_SENDER_MX", ""), ("CHKUSER_RCPT_FORMAT", "")];
    let always = load(&names).unwrap();
    assert_eq!(always.senders, Demands { is_plain: false, takes_mail: true });
    assert_eq!(always.recipients, Demands { is_plain: true, takes_mail: false });
    let none = load(&[names[0], names[1], ("CHKUSER_SENDER_MX_NOCHECK", "")]).unwrap();
    assert!(!none.senders.is_any());
    assert!(!load(&[("CHKUSER_MUSTAUTH", "")]).unwrap().is_on);
}
