//! The client side of SMTP.

use crate::Tree;
use crate::conversation::Conversation;
use crate::process::Program;

/// An SMTP session, seen by the client.
pub struct Session {
    conversation: Conversation,
}

/// A reply of an SMTP server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reply {
    /// The code; 0 if the server said nothing more.
    pub code: u16,
    /// All of it, line ends included.
    pub text: String,
}

impl Tree {
    /// qmail-smtpd as qmaild, for a client at 192.0.2.1, not yet started.
    #[must_use]
    pub fn smtpd_program(&self) -> Program<'_> {
        self.program("qmail-smtpd").run_as(self.accounts().qmaild).envs(&[
            ("PROTO", "TCP"),
            ("TCPLOCALIP", "192.0.2.2"),
            ("TCPLOCALHOST", "mx.test.example"),
            ("TCPREMOTEIP", "192.0.2.1"),
            ("TCPREMOTEHOST", "client.example"),
        ])
    }

    /// A session with qmail-smtpd, after its greeting.
    #[must_use]
    pub fn smtpd(&self) -> Session {
        self.smtpd_with(&[])
    }

    /// The same, with further variables.
    #[must_use]
    pub fn smtpd_with(&self, variables: &[(&str, &str)]) -> Session {
        let mut session = Session::with(self.smtpd_program().envs(variables).converse());
        let greeting = session.reply();
        assert_eq!(greeting.code, 220, "{}", greeting.text);
        session
    }
}

impl Session {
    /// Over any conversation; the greeting is not read.
    #[must_use]
    pub fn with(conversation: Conversation) -> Self {
        Self { conversation }
    }

    /// Sends one line, CRLF added, and reads the reply.
    pub fn command(&mut self, line: impl AsRef<[u8]>) -> Reply {
        self.send([line.as_ref(), b"\r\n"].concat());
        self.reply()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.conversation.send(bytes);
    }

    /// Reads a reply, all lines of it.
    pub fn reply(&mut self) -> Reply {
        let mut text = String::new();
        loop {
            let line = self.conversation.line();
            text += &line;
            if line.as_bytes().get(3) != Some(&b'-') {
                let code = line.get(..3).and_then(|code| code.parse().ok()).unwrap_or_default();
                return Reply { code, text };
            }
        }
    }

    /// Names a sender.
    #[must_use]
    pub fn mail_from(mut self, address: &str) -> Self {
        let reply = self.command(format!("MAIL FROM:<{address}>"));
        assert_eq!(reply.code, 250, "{}", reply.text);
        self
    }

    /// Names a recipient.
    #[must_use]
    pub fn rcpt_to(mut self, address: &str) -> Self {
        let reply = self.command(format!("RCPT TO:<{address}>"));
        assert_eq!(reply.code, 250, "{}", reply.text);
        self
    }

    /// Sends a message, with line ends and dots as they are to be on the wire; the last line of
    /// dot is added.
    pub fn data(&mut self, message: impl AsRef<[u8]>) -> Reply {
        let reply = self.command("DATA");
        assert_eq!(reply.code, 354, "{}", reply.text);
        self.send([message.as_ref(), b".\r\n"].concat());
        self.reply()
    }

    /// What else the server says until it ends.
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(&self.conversation.rest()).into_owned()
    }

    /// Closes our side; the exit code of the server.
    pub fn end(mut self) -> Option<i32> {
        self.conversation.end()
    }

    /// The conversation below.
    pub fn conversation(&mut self) -> &mut Conversation {
        &mut self.conversation
    }
}
