use super::*;
use crate::checks::testing::visit_with;
use crate::replies;

fn lines(name: &str) -> Vec<String> {
    let mut visit = visit_with(&[("TCPREMOTEHOST", "client.example"), ("TCPLOCALPORT", "25")]);
    visit.client.helo = Some(b"he lo".to_vec());
    visit.transaction = Some(Transaction::from("a@b"));
    let transaction = Transaction {
        recipients: vec![b"c@d".to_vec(), b"e@f".to_vec()],
        ..Transaction::from("a@b")
    };
    let conclusion = |fate, code, text: &str| Conclusion {
        fate,
        reply: Reply::with_text(code, text),
        queue_id: 7,
        exit_code: None,
        size: 99,
    };
    for mut journal in named(name.as_bytes()) {
        journal.answered(&mut visit, About::Recipient(b"c@d"), &replies::NOT_OURS);
        journal.answered(&mut visit, About::Recipient(b"e@f"), &replies::OK);
        journal.concluded(&mut visit, &transaction, &conclusion(Fate::Accepted, 250, "ok"));
        let rejected = conclusion(Fate::Rejected, 554, "spam (#5.7.1)");
        journal.concluded(&mut visit, &transaction, &rejected);
        journal.ended(&mut visit, End::Timeout);
    }
    let pid = std::process::id().to_string();
    let text = |note: Vec<u8>| String::from_utf8(note).unwrap().replace(&pid, "PID");
    visit.take_notes().into_iter().map(text).collect()
}

#[test]
fn wheeler_names_message_sender_client_and_last_recipient() {
    let expected = [
        "qmail-smtpd: reject (rcpthosts): a@b from 192.0.2.1 to c@d helo he?lo",
        "qmail-smtpd: message accepted: a@b from 192.0.2.1 to e@f helo he?lo",
        "qmail-smtpd: message rejected (spam (#5.7.1)): a@b from 192.0.2.1 to (null) helo he?lo",
        "qmail-smtpd: timeout: a@b from 192.0.2.1 to (null) helo he?lo",
    ];
    assert_eq!(lines("wheeler"), expected);
}

#[test]
fn qlog_has_every_key_in_every_line() {
    let all = lines("qlog");
    assert_eq!(all.len(), 4);
    let expected = "qlogenvelope: result=rejected code=553 reason=rcpthosts detail= helo=he_lo \
                    mailfrom=a@b rcptto=c@d relay=no rcpthosts=no size= authuser= authtype= \
                    encrypted= sslverified=no localip= localport=25 remoteip=192.0.2.1 \
                    remoteport= remotehost=client.example qp= pid=PID";
    assert_eq!(all[0], expected);
    assert!(all[2].starts_with("qlogreceived: result=accepted code=250 "), "{}", all[2]);
    assert!(all[2].contains(" rcptto=c@d,e@f ") && all[2].contains(" size=99 "), "{}", all[2]);
    assert!(all[2].ends_with(" qp=7 pid=PID"), "{}", all[2]);
}

#[test]
fn spamcontrol_has_its_pairs() {
    let tail = "P:SMTP S:192.0.2.1:client.example H:he?lo F:a@b T:";
    let expected = [
        format!("qmail-smtpd: pid PID Reject::SNDR::Invalid_Relay {tail}c@d"),
        format!("qmail-smtpd: pid PID Accept::RCPT::Rcpthosts_Rcptto {tail}e@f"),
        format!("qmail-smtpd: pid PID Reject::DATA::Spam_Message {tail}e@f"),
    ];
    assert_eq!(lines("spamcontrol"), expected);
}

/// What is noted when this happens to a visit without a transaction.
fn notes(name: &str, happens: impl Fn(&mut dyn Journal, &mut Visit)) -> String {
    let mut visit = visit_with(&[]);
    named(name.as_bytes()).iter_mut().for_each(|journal| happens(journal.as_mut(), &mut visit));
    String::from_utf8(visit.take_notes().join(&b'\n')).unwrap()
}

#[test]
fn a_sender_who_is_refused_is_named() {
    let noted = |name: &str| {
        let about = About::Sender(Some(b"bad@nowhere"));
        notes(name, |journal, visit| journal.answered(visit, about, &replies::NO_SENDER_DOMAIN))
    };
    let line = "qmail-smtpd: reject (mfcheck): bad@nowhere from 192.0.2.1 to (null) helo (null)";
    assert_eq!(noted("wheeler"), line);
    assert!(noted("qlog").contains(" mailfrom=bad@nowhere rcptto= "));
    assert!(noted("spamcontrol").ends_with(" F:bad@nowhere T:"));
    let nobody = notes("wheeler", |journal, visit| {
        journal.answered(visit, About::Sender(None), &replies::SYNTAX);
    });
    assert!(nobody.contains(": (null) from "), "{nobody}");
}

#[test]
fn who_may_not_relay_is_called_so_in_tls_too() {
    let text = "sorry, that domain isn't in my list of allowed rcpthosts; no valid cert for \
                gatewaying (#5.7.1)";
    let noted = |name: &str| {
        notes(name, |journal, visit| {
            journal.answered(visit, About::Recipient(b"c@d"), &Reply::new(553, text));
        })
    };
    assert!(noted("wheeler").starts_with("qmail-smtpd: reject (rcpthosts): "));
    assert!(noted("qlog").contains(" reason=rcpthosts "));
    assert!(noted("spamcontrol").contains(" Reject::SNDR::Invalid_Relay "));
}

#[test]
fn who_breaks_a_message_off_is_named() {
    let line = notes("wheeler", |journal, visit| {
        visit.transaction = Some(Transaction::from("a@b"));
        journal.answered(visit, About::Recipient(b"c@d"), &replies::OK);
        // The message is on its way.
        visit.transaction = None;
        journal.ended(visit, End::BadNewlines);
    });
    assert_eq!(line, "qmail-smtpd: bad newlines: a@b from 192.0.2.1 to c@d helo (null)");
}

#[test]
fn several_may_be_asked_for_and_nobody_is_asked_by_mistake() {
    assert_eq!(named(b"wheeler, qlog\tnone").len(), 2);
    assert!(named(b"").is_empty());
}
