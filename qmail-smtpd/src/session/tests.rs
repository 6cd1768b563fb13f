use super::*;
use crate::client::Client;
use crate::variables::Variables;

/// Refuses all recipients of a sender.
struct Unwelcome;

impl Check for Unwelcome {
    fn recipient(&mut self, visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        let is_bad = visit.sender().ends_with(b"@bad.example");
        if is_bad { Verdict::Refuse(replies::BAD_SENDER) } else { Verdict::Pass }
    }
}

/// Refuses a recipient, and ends the connection for another.
struct Picky;

impl Check for Picky {
    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        match recipient.address.as_slice() {
            b"no@here" if !visit.may_relay() => Verdict::Refuse(replies::NOT_OURS),
            b"broken@here" => Verdict::Disconnect(replies::UNREADABLE_CONTROLS),
            _ => Verdict::Pass,
        }
    }
}

fn session_for(relay: Option<&str>) -> Session {
    let literal_host = LiteralHost {
        name: b"literal.example".to_vec(),
        is_local: Box::new(|address: Ipv4Addr| {
            if address.is_broadcast() {
                return Err(replies::UNKNOWN_ADDRESSES);
            }
            Ok(address.is_loopback())
        }),
    };
    let mut client = Client::from_environment(&|_| None);
    client.relay = relay.map(|suffix| suffix.as_bytes().to_vec());
    let checks: Vec<Box<dyn Check>> = vec![Box::new(Unwelcome), Box::new(Picky)];
    let manners = Manners {
        greeting: b"here example".to_vec(),
        literal_host: Some(literal_host),
        largest_message: None,
        help: replies::HELP,
        unknown: replies::UNIMPLEMENTED,
    };
    Session::new(manners, Visit::new(client, Variables::none()), checks, Vec::new(), Vec::new())
}

/// The wire form of all replies to `lines`; a message counts as taken.
fn talk_with(session: &mut Session, lines: &[&str]) -> String {
    let mut said = Vec::new();
    for line in lines {
        match session.handle(line.as_bytes()) {
            Action::Say(reply) => said.extend(reply.to_wire()),
            Action::Receive(transaction) => {
                let recipients = transaction.recipients.join(&b","[..]);
                said.extend([&transaction.sender, &b" to "[..], &recipients, b"\r\n"].concat());
            }
            Action::Quit(reply) => {
                said.extend(reply.to_wire());
                said.extend(b"(quit)\r\n");
            }
            Action::Protect => said.extend(b"(protect)\r\n"),
            Action::HangUp => said.extend(b"(hang up)\r\n"),
            Action::Disconnect(reply) => {
                said.extend(reply.to_wire());
                said.extend(b"(disconnect)\r\n");
            }
        }
    }
    String::from_utf8(said).unwrap()
}

fn talk(lines: &[&str]) -> String {
    talk_with(&mut session_for(None), lines)
}

#[test]
fn commands_have_their_replies() {
    let table = [
        ("HELO x", "250 here example\r\n"),
        ("ehlo", "250-here example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"),
        ("NOOP x", "250 ok\r\n"),
        ("Rset", "250 flushed\r\n"),
        ("VRFY joe", "252 send some mail, i'll try my best\r\n"),
        ("HELP", "214 netqmail home page: http://qmail.org/netqmail\r\n"),
        ("", "502 unimplemented (#5.5.1)\r\n"),
        ("EXPN joe", "502 unimplemented (#5.5.1)\r\n"),
        ("QUIT", "221 here example\r\n(quit)\r\n"),
    ];
    for (line, reply) in table {
        assert_eq!(talk(&[line]), reply, "{line:?}");
    }
    let greeting = session_for(None).greet();
    assert_eq!(greeting, Some(Action::Say(Reply::new(220, "here example ESMTP"))));
}

#[test]
fn commands_out_of_order_change_nothing() {
    let said = talk(&["RCPT TO:<a@b>", "DATA", "MAIL FROM:<c@d>", "DATA", "RCPT TO:<a@b>", "DATA"]);
    let expected = "503 MAIL first (#5.5.1)\r\n503 MAIL first (#5.5.1)\r\n250 ok\r\n\
                    503 RCPT first (#5.5.1)\r\n250 ok\r\nc@d to a@b\r\n";
    assert_eq!(said, expected);
}

#[test]
fn a_transaction_ends_with_rset_hello_another_mail_or_its_message() {
    for end in ["RSET", "HELO x", "EHLO x", "DATA"] {
        let said = talk(&["MAIL FROM:<a@b>", "RCPT TO:<c@d>", end, "DATA"]);
        assert!(said.ends_with("503 MAIL first (#5.5.1)\r\n"), "{end}: {said}");
    }
    let said = talk(&["MAIL FROM:<a@b>", "RCPT TO:<c@d>", "MAIL FROM:<>", "DATA"]);
    assert!(said.ends_with("503 RCPT first (#5.5.1)\r\n"), "{said}");
}

#[test]
fn a_bad_address_leaves_the_transaction_alone() {
    let long = format!("MAIL FROM:<{}>", "x".repeat(900));
    let longest = format!("RCPT TO:<{}>", "x".repeat(899));
    let said = talk(&["MAIL FROM:<a@b>", &long, "MAIL FROM:<a\rb>", &longest, "RCPT TO:<c\rd>"]);
    let syntax = "555 syntax error (#5.5.4)\r\n";
    assert_eq!(said, format!("250 ok\r\n{syntax}{syntax}250 ok\r\n{syntax}"));
}

#[test]
fn a_literal_of_this_host_becomes_its_name_and_others_stay() {
    let said = talk(&[
        "MAIL FROM:<a@[127.0.0.2]>",
        "RCPT TO:<b@[127.0.0.1]>",
        "RCPT TO:<c@[192.0.2.1]>",
        "DATA",
    ]);
    assert!(said.ends_with("a@literal.example to b@literal.example,c@[192.0.2.1]\r\n"), "{said}");
    let said = talk(&["MAIL FROM:<a@[255.255.255.255]>"]);
    assert_eq!(said, "421 unable to figure out my IP addresses (#4.3.0)\r\n(disconnect)\r\n");
}

#[test]
fn a_bad_sender_is_told_at_rcpt_and_forgotten_with_the_next() {
    let said = talk(&[
        "MAIL FROM:<x@bad.example>",
        "RCPT TO:<a@b>",
        "MAIL FROM:<x@good.example>",
        "RCPT TO:<a@b>",
    ]);
    let refusal = "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n";
    assert_eq!(said, format!("250 ok\r\n{refusal}250 ok\r\n250 ok\r\n"));
}

#[test]
fn checks_refuse_or_end_the_session() {
    let said = talk(&["MAIL FROM:<a@b>", "RCPT TO:<no@here>", "DATA", "RCPT TO:<broken@here>"]);
    let expected = "250 ok\r\n\
                    553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n\
                    503 RCPT first (#5.5.1)\r\n\
                    421 unable to read controls (#4.3.0)\r\n(disconnect)\r\n";
    assert_eq!(said, expected);
}

#[test]
fn recipients_of_a_relay_client_are_marked_but_bad_senders_stay_bad() {
    let mut session = session_for(Some("@fixup"));
    let said = talk_with(&mut session, &["MAIL FROM:<a@b>", "RCPT TO:<no@here>", "DATA"]);
    assert!(said.ends_with("a@b to no@here@fixup\r\n"), "{said}");
    let said = talk_with(&mut session, &["MAIL FROM:<a@bad.example>", "RCPT TO:<no@here>"]);
    assert!(said.contains("badmailfrom"), "{said}");
}

#[test]
fn recipients_beyond_the_limit_are_refused_for_now() {
    let mut session = session_for(None);
    talk_with(&mut session, &["MAIL FROM:<a@b>"]);
    for _ in 0..MOST_RECIPIENTS {
        assert_eq!(session.handle(b"RCPT TO:<c@d>"), Action::Say(replies::OK));
    }
    let said = talk_with(&mut session, &["RCPT TO:<c@d>"]);
    assert_eq!(said, "452 too many recipients (#4.5.3)\r\n");
}
