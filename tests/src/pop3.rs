//! The client side of POP3.

use crate::conversation::Conversation;

/// A POP3 session, seen by the client.
pub struct Session {
    conversation: Conversation,
}

impl Session {
    /// Over any conversation; the greeting is not read.
    #[must_use]
    pub fn with(conversation: Conversation) -> Self {
        Self { conversation }
    }

    /// Sends one line, CRLF added, and reads one line.
    pub fn command(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        self.line()
    }

    /// Waits for a reply that takes much work.
    pub fn wait_patiently(&mut self) {
        self.conversation.wait_patiently();
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.conversation.send(bytes);
    }

    /// Reads one line; its CRLF is checked and removed.
    ///
    /// # Panics
    ///
    /// When the line does not end in CRLF.
    pub fn line(&mut self) -> String {
        let line = self.conversation.line();
        match line.strip_suffix("\r\n") {
            Some(text) => text.to_owned(),
            None if line.is_empty() => line,
            None => panic!("a line without CRLF: {line:?}"),
        }
    }

    /// Sends a command with a reply of several lines; all after the first, as sent, without the
    /// last line of dot.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub fn listing(&mut self, line: &str) -> String {
        let first = self.command(line);
        assert!(first.starts_with("+OK"), "{line}: {first}");
        self.lines()
    }

    /// What is left of a reply of several lines, as sent, without the last line of dot.
    pub fn lines(&mut self) -> String {
        let mut text = String::new();
        loop {
            let line = self.conversation.line();
            if line == ".\r\n" || line.is_empty() {
                return text;
            }
            text += &line;
        }
    }

    /// What else the server says until it ends.
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(&self.conversation.rest()).into_owned()
    }

    /// Closes our side; the exit code of the server.
    pub fn end(mut self) -> Option<i32> {
        self.conversation.end()
    }

    /// What the server wrote to descriptor 2, once it has ended.
    pub fn errors(&mut self) -> String {
        self.conversation.errors()
    }
}
