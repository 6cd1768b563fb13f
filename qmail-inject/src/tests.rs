//! Whole messages, without processes.

use super::*;
use qmail_core::control::Set;
use qmail_message::complete::Completion;

const FIXED: &str = "Date: 2 Jan 2026 03:04:05 -0000\n\
                     Message-ID: <20260102030405.77.qmail@id.example>\n";

/// What the message was sent with.
#[derive(Default)]
struct Sent<'a> {
    options: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    lists: &'a [&'a str],
}

impl Sent<'_> {
    fn settings(&self) -> Result<Settings, Failure> {
        let author = Author::new(|name| {
            let found = self.variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        });
        let me = b"test.example.com";
        let completion = Completion::new(me, me, me).unwrap();
        let defaults = Defaults { completion, id_host: b"id.example".to_vec() };
        let lists: Set = self.lists.iter().map(|list| list.as_bytes().to_vec()).collect();
        let words = std::iter::once("qmail-inject").chain(self.options.iter().copied());
        let command = Command::parse(Options::new(LETTERS, words.map(Into::into)))?;
        Settings::new(author, defaults, Some(lists), command, 1_767_323_045, 77)
    }

    fn try_message(&self, mut text: &[u8]) -> Result<(Composed, Vec<u8>), Failure> {
        let settings = self.settings()?;
        let (composed, begins) = message::read_header(&mut text, &settings)?;
        let mut body = Vec::new();
        if let Some(begins) = begins {
            message::copy_body(&mut text, &begins, |bytes| {
                body.extend_from_slice(bytes);
                Ok(())
            })?;
        }
        Ok((composed, body))
    }

    fn composed(&self, text: &str) -> Composed {
        self.try_message(text.as_bytes()).unwrap().0
    }

    fn header(&self, text: &str) -> String {
        string(self.composed(text).header)
    }

    fn sender(&self, text: &str) -> String {
        string(self.composed(text).sender)
    }

    fn recipients(&self, text: &str) -> Vec<String> {
        self.composed(text).recipients.into_iter().map(string).collect()
    }

    fn refusal(&self, text: &str) -> (u8, String) {
        let failure = self.try_message(text.as_bytes()).unwrap_err();
        (failure.code(), string(failure.message()))
    }
}

fn string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn plain() -> Sent<'static> {
    Sent { variables: &[("USER", "joe")], ..Sent::default() }
}

#[test]
fn an_empty_message_gets_all_that_it_lacks() {
    let expected = format!("{FIXED}From: joe@test.example.com\nCc: recipient list not shown: ;\n");
    assert_eq!(plain().header(""), expected);
    let (_, body) = plain().try_message(b"hello").unwrap();
    assert_eq!(body, b"\nhello\n");
}

#[test]
fn what_is_there_is_not_added_and_keeps_its_order() {
    let text = "Subject:  x \n y\nTo: a\nDATE: d\nFrom: b\nMessage-id : m\nX:y\n\nbody\n";
    let expected = "Subject:  x \n y\nTo: a@test.example.com\nDATE: d\n\
                    From: b@test.example.com\nMessage-id : m\nX:y\n";
    assert_eq!(plain().header(text), expected);
}

#[test]
fn a_resent_message_gets_resent_fields_only() {
    let expected = "Resent-Date: 2 Jan 2026 03:04:05 -0000\n\
                    Resent-Message-ID: <20260102030405.77.qmail@id.example>\n\
                    Resent-From: joe@test.example.com\n\
                    Resent-Cc: recipient list not shown: ;\n\
                    To: a@b.c\n";
    let text = "To: a@b.c\nResent-Bcc: d@e.f\n";
    assert_eq!(plain().header(text), expected);
    assert_eq!(plain().recipients(text), ["d@e.f"]);
    assert_eq!(plain().recipients("Resent-Date: x\nTo: a@b.c\n"), [""; 0]);
}

#[test]
fn recipients_are_taken_from_the_right_in_each_field() {
    let text = "To: a@b.c, d@e.f\nBcc: g@h.i\nCc: x: y@z.z;, <>\nApparently-To: a@b.c\n";
    let expected = ["d@e.f", "a@b.c", "g@h.i", "y@z.z", "a@b.c"];
    assert_eq!(plain().recipients(text), expected);
    let header = plain().header(text);
    assert!(header.ends_with(
        "From: joe@test.example.com\nTo: a@b.c, d@e.f\nCc: x: y@z.z;, <>\nApparently-To: a@b.c\n"
    ));
}

#[test]
fn arguments_come_first_and_may_be_all() {
    let text = "To: c@d.e\n";
    let with = |options| Sent { options, ..plain() };
    assert_eq!(with(&["a b", ""]).recipients(text), ["a b@test.example.com"]);
    assert_eq!(with(&["-H", "x@y.z"]).recipients(text), ["x@y.z", "c@d.e"]);
    assert_eq!(with(&["-h", "x@y.z"]).recipients(text), ["c@d.e"]);
    assert_eq!(with(&["-a"]).recipients(text), [""; 0]);
}

#[test]
fn an_argument_that_is_no_address_is_refused() {
    for argument in ["a@)", "a\nb@c", "a@b\nc"] {
        let refusal = Sent { options: &[argument], ..plain() }.refusal("");
        let text = format!("qmail-inject: fatal: unable to parse address: {argument}\n");
        assert_eq!(refusal, (100, text));
    }
}

#[test]
fn fields_that_are_not_to_be_sent_are_left_out() {
    let text = "Bcc: a@b.c\nContent-Length: 5\nReturn-Path: <x@y.z>\nTo: d@e.f\n";
    let expected = format!("{FIXED}From: joe@test.example.com\nTo: d@e.f\n");
    assert_eq!(plain().header(text), expected);
}

#[test]
fn the_return_path_of_the_message_is_its_sender() {
    assert_eq!(
        plain().sender("Return-Path: a@b.c, <d@e>\nReturn-Path: <x@y.z>\n"),
        "d@e.test.example.com"
    );
    assert_eq!(plain().sender("Return-Path:\nReturn-Path: <>\nReturn-Path: a\n"), "");
    let sent = Sent { variables: &[("USER", "joe"), ("QMAILINJECT", "r")], ..Sent::default() };
    assert_eq!(sent.sender("Return-Path: <a@b.c>\n"), "a@b.c-@[]");
    assert_eq!(sent.sender("Return-Path: <>\n"), "-@[]");
    let sent = Sent { variables: &[("USER", "joe"), ("QMAILINJECT", "s")], ..Sent::default() };
    assert_eq!(sent.sender("Return-Path: a>\n"), "joe@test.example.com");
}

#[test]
fn the_option_is_stronger_than_all_else() {
    let variables = &[("QMAILINJECT", "rm"), ("QMAILSUSER", "x")];
    let with = |options| Sent { options, variables, ..Sent::default() };
    let text = "Return-Path: <a@b.c>\n";
    assert_eq!(with(&["-fjoe x@h"]).sender(text), "joe x@h.test.example.com");
    assert_eq!(with(&["-f", ""]).sender(text), "");
    assert_eq!(with(&["-f", "<>"]).sender(text), "");
    assert_eq!(with(&["-f", "#@[]"]).sender(text), "#@[]");
    let refusal = with(&["-fa b@(c"]).refusal(text);
    let text = "qmail-inject: fatal: unable to parse this line:\n\"a b\"@(c";
    assert_eq!(refusal, (100, text.into()));
}

#[test]
fn senders_can_be_one_per_message_and_recipient() {
    let sender = |letters, host: &str| {
        let mut variables = vec![("USER", "joe"), ("QMAILINJECT", letters)];
        variables.extend((!host.is_empty()).then_some(("QMAILSHOST", host)));
        Sent { variables: &variables, ..Sent::default() }.sender("")
    };
    assert_eq!(sender("", ""), "joe@test.example.com");
    assert_eq!(sender("m", "h.dom"), "joe-1767323045.77@h.dom");
    assert_eq!(sender("r", "h"), "joe-@h.test.example.com-@[]");
    assert_eq!(sender("rm", ""), "joe-1767323045.77-@test.example.com-@[]");
}

#[test]
fn the_author_is_named_in_either_form() {
    let from = |letters, name: &str, user| {
        let variables =
            [("QMAILINJECT", letters), ("NAME", name), ("USER", user), ("MAILHOST", "host.dom")];
        let header = Sent { variables: &variables, ..Sent::default() }.header("");
        header.lines().find(|line| line.starts_with("From: ")).unwrap().to_owned()
    };
    assert_eq!(from("", "Joe \"X\" O", "joe"), "From: \"Joe \\\"X\\\" O\" <joe@host.dom>");
    assert_eq!(from("c", "Joe (X) O", "joe"), "From: joe@host.dom (Joe \\(X\\) O)");
    assert_eq!(from("", "", "joe.x"), "From: \"\" <joe.x@host.dom>");
    assert_eq!(from("", "J", "joe x"), "From: \"J\" <\"joe x\"@host.dom>");
    assert_eq!(from("", "J\nBcc: x@y", "joe"), "From: \"J Bcc: x@y\" <joe@host.dom>");
}

#[test]
fn an_author_whose_variables_break_lines_is_refused() {
    for variables in
        [[("USER", "joe\nX"), ("MAILHOST", "h")], [("USER", "joe"), ("MAILHOST", "h\nX")]]
    {
        let sent = Sent { variables: &variables, options: &["-f", "a@b.c"], ..Sent::default() };
        assert_eq!(sent.refusal("").0, 100);
    }
}

#[test]
fn letters_replace_fields() {
    let variables = &[("USER", "joe"), ("QMAILINJECT", "fi")];
    let header = Sent { variables, ..Sent::default() }
        .header("From: a>\nMessage-ID: x\nResent-Message-ID: y\nResent-From: b@c.d\nTo: e@f.g\n");
    assert!(header.ends_with("Resent-Message-ID: y\nResent-From: b@c.d\nTo: e@f.g\n"));
    assert!(!header.contains("a>") && !header.contains("Message-ID: x"));
}

#[test]
fn a_mail_to_a_list_asks_for_answers_to_all_recipients() {
    let sent = Sent { lists: &["LIST@b.c"], ..plain() };
    let header = sent.header("To: list@b.c, \"x y\"@d.e\nCc: f@g.h, f@g.h\nBcc: i@j.k\n");
    let expected = "Mail-Followup-To: f@g.h,\n  f@g.h,\n  list@b.c,\n  \"x y\"@d.e\nTo: ";
    assert!(header.contains(expected), "{header}");
    assert!(!sent.header("To: other@b.c\nBcc: list@b.c\n").contains("Followup"));
    assert!(!sent.header("To: list@b.c\nResent-Date: x\n").contains("Followup"));
    let own = "Mail-Followup-To:  x,y\n";
    assert_eq!(sent.header(&format!("To: list@b.c\n{own}")).matches("Followup").count(), 1);
}

#[test]
fn a_recipient_field_that_cannot_be_read_is_refused_only_if_it_counts() {
    let text = "To: good@b.c, bad>\n";
    let refusal = (100, format!("qmail-inject: fatal: unable to parse this line:\n{text}"));
    assert_eq!(plain().refusal(text), refusal);
    let sent = Sent { options: &["-a", "x@y.z"], ..plain() };
    assert!(sent.header(text).ends_with(text));
    assert_eq!(sent.recipients(text), ["x@y.z"]);
    let refusal = (100, "qmail-inject: fatal: unable to parse this line:\nFrom: a>\n".into());
    assert_eq!(sent.refusal("From: a>\n"), refusal);
}

#[test]
fn a_line_that_is_no_field_begins_the_body() {
    let (composed, body) = plain().try_message(b"To: a@b.c\nFrom x\nhello world\nTo: c\n").unwrap();
    assert!(composed.header.ends_with(b"To: a@b.c\nMBOX-Line: From x\n"));
    assert_eq!(body, b"\nhello world\nTo: c\n");
}

#[test]
fn the_body_is_passed_on_unchanged() {
    let text = b"To: a@b.c\n\n.\r\n\0\xff\r\nend";
    assert_eq!(plain().try_message(text).unwrap().1, b"\n.\r\n\0\xff\r\nend\n");
}

#[test]
fn a_header_without_end_is_refused() {
    let field = [b"To: ".as_slice(), &vec![b'a'; 1 << 20], b"\n"].concat();
    let failure = plain().try_message(&field).unwrap_err();
    assert_eq!(failure.code(), 100);
    let fields = [b"Bcc: ".as_slice(), &vec![b'a'; 1 << 19], b"\n"].concat().repeat(33);
    assert_eq!(plain().try_message(&fields).unwrap_err().code(), 100);
}

#[test]
fn a_line_without_end_in_the_body_is_no_header() {
    let text = vec![b'x'; 3 << 20];
    let (_, body) = plain().try_message(&text).unwrap();
    assert_eq!(body.len(), text.len() + 2);
}
