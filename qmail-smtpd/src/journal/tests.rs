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
        journal.answered(&mut visit, Some(b"c@d"), &replies::NOT_OURS);
        journal.answered(&mut visit, Some(b"e@f"), &replies::OK);
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

#[test]
fn several_may_be_asked_for_and_nobody_is_asked_by_mistake() {
    assert_eq!(named(b"wheeler, qlog\tnone").len(), 2);
    assert!(named(b"").is_empty());
}
