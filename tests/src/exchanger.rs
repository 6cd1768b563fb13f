//! A mail exchanger as it stands on the Internet: qmail-smtpd behind tcpserver with rules, and
//! clients that we did not write.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;

use crate::process::Finished;
use crate::{Need, Tree, files, wait};

/// Where it listens.
const ADDRESS: &str = "127.0.0.1:2525";

/// A running exchanger.
pub struct Exchanger<'tree> {
    tree: &'tree Tree,
    server: Child,
    log: PathBuf,
}

/// What a client has seen.
#[derive(Debug)]
pub struct Talk(Finished);

impl<'tree> Exchanger<'tree> {
    /// Starts one, with these variables for all clients; none if this machine cannot.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(tree: &'tree Tree, variables: &[(&str, &str)]) -> Option<Self> {
        Self::start_with(tree, variables, &[])
    }

    /// The same, where qmail-smtpd gets these words.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start_with(
        tree: &'tree Tree,
        variables: &[(&str, &str)],
        words: &[&str],
    ) -> Option<Self> {
        let needs = ["tcpserver", "tcprules", "swaks", "python3"].map(Need::Tool);
        if needs.into_iter().chain([Need::Root]).any(|need| tree.lacks(need)) {
            return None;
        }
        let rules = tree.scratch().join("smtp.cdb");
        let values = variables.iter().map(|(name, value)| format!(",{name}=\"{value}\""));
        let made = tree
            .command("tcprules")
            .args([&rules, &tree.scratch().join("smtp.tmp")])
            .stdin(format!(":allow{}\n", values.collect::<String>()))
            .run();
        assert_eq!(made.code, Some(0), "{}", made.errors());
        let log = tree.scratch().join("log");
        files::write(&log, "");
        let daemon = tree.accounts().qmaild;
        let (server, _output) = tree
            .command("tcpserver")
            .args(["-H", "-R", "-l", "test.example", "-x"])
            .arg(&rules)
            .args(["-u", &daemon.uid.to_string(), "-g", &daemon.gid.to_string()])
            .args(ADDRESS.split(':'))
            .arg(tree.home().join("bin/qmail-smtpd"))
            .args(words.iter().copied())
            .redirected(&format!("2>>{}", log.display()))
            .start();
        let exchanger = Self { tree, server, log };
        wait::until("a server", || tree.within_network(|| TcpStream::connect(ADDRESS)).ok());
        Some(exchanger)
    }

    /// What swaks sees with these words; without others, it sends a message from
    /// `ann@sender.example` to `joe@here.example` and calls itself `client.example`.
    #[must_use]
    pub fn swaks(&self, words: &[&str]) -> Talk {
        let usual = ["--helo", "client.example", "--from", "ann@sender.example"];
        let usual = usual.into_iter().chain(["--to", "joe@here.example"]);
        let swaks = self.tree.command("swaks").args(["--server", ADDRESS]);
        Talk(swaks.args(usual).args(words.iter().copied()).run())
    }

    /// What a message with this text is told. Its lines end as those of a file.
    #[must_use]
    pub fn swaks_message(&self, text: &str, words: &[&str]) -> Talk {
        let path = self.tree.scratch().join("message");
        files::write(&path, text);
        let file = format!("@{}", path.display());
        self.swaks(&[&["--data", file.as_str()], words].concat())
    }

    /// What Python's smtplib prints in these lines, where `mail` is a connection.
    ///
    /// # Panics
    ///
    /// When they fail.
    #[must_use]
    pub fn smtplib(&self, lines: &str) -> String {
        let script = format!("import smtplib\nmail = smtplib.SMTP('127.0.0.1', 2525)\n{lines}\n");
        let python = self.tree.command("python3").args(["-I", "-c", &script]).run();
        assert_eq!(python.code, Some(0), "{}", python.said());
        python.text()
    }

    /// What the server has written to its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&files::read(&self.log)).into_owned()
    }
}

impl Drop for Exchanger<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Talk {
    /// Whether the server has said this line, for good or ill.
    #[must_use]
    pub fn has(&self, reply: &str) -> bool {
        self.0.text().lines().any(|line| line.get(4..).is_some_and(|said| said == reply))
    }

    /// Whether the client was content.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.0.code == Some(0)
    }

    /// All that was said.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.said()
    }

    /// Fails unless the server has said this line.
    ///
    /// # Panics
    ///
    /// Then.
    #[track_caller]
    pub fn expect(&self, reply: &str) {
        assert!(self.has(reply), "no \"{reply}\" in\n{}", self.text());
    }

    /// Fails unless the message was taken.
    ///
    /// # Panics
    ///
    /// Then.
    #[track_caller]
    pub fn expect_acceptance(&self) {
        assert!(self.is_accepted(), "refused:\n{}", self.text());
    }
}
