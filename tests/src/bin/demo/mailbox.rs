//! Reading one's mail.

use qmail_conformance::listener::Service;

use crate::dialogue::Dialogue;
use crate::failure::{Failure, Outcome};
use crate::messages::{expect_line, listen};
use crate::say::{say, show_message, step};
use crate::stage::{HERE, Stage};

/// alice fetches what came for her: a message and a bounce.
pub(crate) fn fetched(stage: &Stage) -> Outcome<()> {
    step("POP3: alice fetches her mail");
    let service = Service::new(stage.program("qmail-popup"))
        .arg(HERE)
        .arg(stage.stand_in("stand-in-checkpassword"))
        .arg(stage.program("qmail-pop3d"))
        .arg(stage.maildir("alice").path());
    let listener = listen(stage, service)?;
    let mut pop3 = Dialogue::open(listener.address(), "+OK ")?;
    pop3.say("USER alice", "+OK")?;
    pop3.say("PASS secret", "+OK")?;
    let status = pop3.say("STAT", "+OK ")?;
    if !status.starts_with("+OK 2 ") {
        return Err(Failure::new("alice should have two messages"));
    }
    pop3.say("RETR 1", "+OK")?;
    let message = pop3.hear_text()?;
    show_message(&message);
    expect_line(&message, "Subject: over SMTP")?;
    for number in ["1", "2"] {
        pop3.say(&format!("DELE {number}"), "+OK")?;
    }
    pop3.say("QUIT", "+OK")?;
    let left = stage.maildir("alice").names("new").len();
    if left > 0 {
        return Err(Failure::new(format!("{left} messages are left in alice's Maildir")));
    }
    say("  alias/alice is empty");
    Ok(())
}
