//! Four messages and the ways that they go.

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;

use qmail_conformance::listener::{Listener, Service};

use crate::dialogue::Dialogue;
use crate::failure::{Failure, Outcome, wait_until};
use crate::say::{say, show_message, step};
use crate::stage::{ELSEWHERE, HERE, Running, Stage};

/// From the network to a Maildir; and what is not for us is refused.
pub(crate) fn over_smtp(stage: &Stage, qmail: &Running) -> Outcome<()> {
    step("SMTP: carol, who is elsewhere, writes to alice, who is here");
    let start = qmail.log.len();
    let listener = listen(stage, Service::new(stage.program("qmail-smtpd")))?;
    let mut smtp = Dialogue::open(listener.address(), "220 ")?;
    smtp.say(&format!("EHLO mail.{ELSEWHERE}"), "250")?;
    smtp.say(&format!("MAIL FROM:<carol@{ELSEWHERE}>"), "250 ")?;
    smtp.say(&format!("RCPT TO:<dave@{ELSEWHERE}>"), "553 ")?;
    smtp.say(&format!("RCPT TO:<alice@{HERE}>"), "250 ")?;
    smtp.say("DATA", "354 ")?;
    let (from, to) = (format!("From: carol@{ELSEWHERE}"), format!("To: alice@{HERE}"));
    smtp.say_text(&[&from, &to, "Subject: over SMTP", "", "Hello from elsewhere."], "250 ")?;
    smtp.say("QUIT", "221 ")?;
    qmail.log.show_way_of_messages(start, 1)?;
    arrived(stage, "alice", "Subject: over SMTP")
}

/// From a program on this host to a Maildir.
pub(crate) fn by_sendmail(stage: &Stage, qmail: &Running) -> Outcome<()> {
    step("sendmail: alice writes to bob, both are here");
    let start = qmail.log.len();
    send(stage, &format!("bob@{HERE}"), "by sendmail")?;
    qmail.log.show_way_of_messages(start, 1)?;
    arrived(stage, "bob", "Subject: by sendmail")
}

/// From a program on this host to another host.
pub(crate) fn relayed(stage: &Stage, qmail: &Running) -> Outcome<()> {
    step("Relay: alice answers carol");
    let start = qmail.log.len();
    send(stage, &format!("carol@{ELSEWHERE}"), "an answer")?;
    qmail.log.show_way_of_messages(start, 1)?;
    let taken = wait_until("a message elsewhere", || stage.sink.messages().pop())?;
    let address = stage.sink.address();
    say(format!("  the host at {address}, for {ELSEWHERE}, was told"));
    say(format!("  >    MAIL {}", taken.mail));
    taken.rcpt.iter().for_each(|rcpt| say(format!("  >    RCPT {rcpt}")));
    show_message(&taken.data);
    expect_line(&taken.data, "Subject: an answer")
}

/// To nobody, and back to the sender.
pub(crate) fn bounced(stage: &Stage, qmail: &Running) -> Outcome<()> {
    step("Bounce: alice writes to somebody who is not here");
    let start = qmail.log.len();
    send(stage, &format!("nobody-of-that-name@{HERE}"), "for nobody")?;
    qmail.log.show_way_of_messages(start, 2)?;
    arrived(stage, "alice", "Subject: failure notice")
}

/// A listener that runs `service` for each connection, with what its program needs to know.
pub(crate) fn listen(stage: &Stage, service: Service) -> Outcome<Listener> {
    let variables = stage.environment();
    let service = variables.into_iter().fold(service, |all, (name, value)| all.env(name, value));
    let socket = TcpListener::bind("127.0.0.1:0").map_err(Failure::because("cannot listen"))?;
    Listener::start(socket, service).map_err(Failure::because("cannot listen"))
}

fn send(stage: &Stage, recipient: &str, subject: &str) -> Outcome<()> {
    say(format!("  $    echo 'Subject: {subject}' | sendmail -f alice@{HERE} {recipient}"));
    let cannot = || Failure::because("cannot run sendmail");
    let mut sendmail = stage
        .command("sendmail")
        .args(["-f", &format!("alice@{HERE}"), recipient])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(cannot())?;
    if let Some(mut stdin) = sendmail.stdin.take() {
        writeln!(stdin, "Subject: {subject}").map_err(cannot())?;
    }
    match sendmail.wait().map_err(cannot())? {
        status if status.success() => Ok(()),
        status => Err(Failure::new(format!("sendmail: {status}"))),
    }
}

/// Shows the message with this line in a user's Maildir.
fn arrived(stage: &Stage, user: &str, line: &str) -> Outcome<()> {
    let maildir = stage.maildir(user);
    let found = maildir.messages().into_iter().find(|message| has_line(message, line));
    match found {
        Some(message) => {
            say(format!("  alias/{user}/new has it:"));
            show_message(&message);
            Ok(())
        }
        None => Err(Failure::new(format!("no message with \"{line}\" came to {user}"))),
    }
}

/// Whether it is the message that we think it is.
pub(crate) fn expect_line(message: &[u8], line: &str) -> Outcome<()> {
    if has_line(message, line) {
        Ok(())
    } else {
        Err(Failure::new(format!("the message has no line \"{line}\"")))
    }
}

fn has_line(message: &[u8], line: &str) -> bool {
    message.split(|byte| *byte == b'\n').any(|found| found.trim_ascii_end() == line.as_bytes())
}
