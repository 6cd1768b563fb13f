//! The parent's side of qmail-lspawn and qmail-rspawn.

use crate::Tree;
use crate::conversation::Conversation;
use crate::process::Program;

/// A spawner that takes commands from the test.
pub struct Spawner {
    conversation: Conversation,
    limit: u8,
}

/// The report on a delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Which delivery.
    pub delivery: u8,
    /// `K`, `Z` or `D`, and the text.
    pub text: String,
}

impl Spawner {
    /// Starts one and reads the largest number of deliveries that it allows.
    ///
    /// # Panics
    ///
    /// When it does not say.
    #[must_use]
    pub fn start(program: Program<'_>) -> Self {
        let mut conversation = program.converse();
        let limit = conversation.bytes(1);
        assert_eq!(limit.len(), 1, "no limit: {}", conversation.errors());
        Self { conversation, limit: limit[0] }
    }

    /// How many deliveries it allows at once.
    #[must_use]
    pub fn limit(&self) -> u8 {
        self.limit
    }

    /// Commands a delivery.
    pub fn command(&mut self, delivery: u8, message: &str, sender: &str, recipient: &str) {
        self.conversation.send([delivery]);
        self.conversation.send(format!("{message}\0{sender}\0{recipient}\0"));
    }

    /// Reads a report.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn report(&mut self) -> Report {
        let delivery = self.conversation.bytes(1);
        assert_eq!(delivery.len(), 1, "no report");
        let text = self.conversation.until(0);
        let text = text.strip_suffix(b"\0").expect("a report ends");
        Report { delivery: delivery[0], text: String::from_utf8_lossy(text).into_owned() }
    }

    /// Commands a delivery as number 0, and reads what it says about it.
    pub fn deliver(&mut self, message: &str, sender: &str, recipient: &str) -> String {
        self.command(0, message, sender, recipient);
        let report = self.report();
        assert_eq!(report.delivery, 0);
        report.text
    }

    /// Ends its input; the exit code, and whatever it said in the end.
    pub fn end(mut self) -> (Option<i32>, Vec<u8>) {
        let code = self.conversation.end();
        (code, self.conversation.rest())
    }
}

impl Tree {
    /// qmail-lspawn, talking with the test; `./Maildir/` is the default delivery.
    #[must_use]
    pub fn lspawn(&self) -> Spawner {
        Spawner::start(self.program("qmail-lspawn").arg("./Maildir/"))
    }

    /// qmail-rspawn, talking with the test, with this script in the place of qmail-remote.
    #[must_use]
    pub fn rspawn(&self, script: &str) -> Spawner {
        let directory = self.scratch().join("rspawn");
        std::fs::create_dir_all(&directory).expect("a scratch directory has room");
        crate::files::write_script(&directory.join("qmail-remote"), script);
        let path = format!("{}:{}/bin:/usr/bin:/bin", directory.display(), self.home().display());
        let program = self.program("qmail-rspawn").run_as(self.accounts().qmailr);
        Spawner::start(program.env("PATH", path))
    }

    /// Queues a message and returns its name in commands: bucket and number.
    #[must_use]
    pub fn spawnable(&self, message: &str) -> String {
        self.queue("sender@far.example", &[], message);
        let file = self.message_file("mess", self.only_todo().number);
        let relative = file.strip_prefix(self.path("queue/mess")).expect("it is there");
        relative.to_string_lossy().into_owned()
    }
}
