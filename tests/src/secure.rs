//! Servers that protect passwords, and who has which.

use std::path::PathBuf;

use crate::listener::{Listener, Service};
use crate::process::Program;
use crate::{Tree, files};

/// A tree with a certificate, and passwords that every mechanism can be checked with.
pub struct Secure {
    /// The tree.
    pub tree: Tree,
    passwords: PathBuf,
    checker: PathBuf,
}

impl Secure {
    /// A tree where joe's password is `secret`.
    ///
    /// # Panics
    ///
    /// When there is no certificate to be had.
    #[must_use]
    pub fn new() -> Self {
        let tree = Tree::under_test();
        let made = tree.program("qmail-newcert").args(["localhost", "test.example"]).run();
        assert_eq!(made.code, Some(0), "{}", made.errors());
        tree.control("rcpthosts", "test.example\n");
        let passwords = tree.scratch().join("passwords");
        files::write(&passwords, "joe:secret\njane:another\n");
        files::set_mode(&passwords, 0o440);
        let owner = tree.accounts().qmaild;
        std::os::unix::fs::chown(&passwords, Some(owner.uid), Some(owner.gid)).expect("root may");
        let checker = tree.scratch().join("cmd5checkpw");
        std::fs::copy(tree.path("bin").join("cmd5checkpw"), &checker).expect("it is installed");
        files::set_mode(&checker, 0o755);
        Self { tree, passwords, checker }
    }

    /// With a checker that is set-id to whom the file with passwords belongs.
    ///
    /// # Panics
    ///
    /// When it cannot be given away.
    #[must_use]
    pub fn with_set_id_checker(self) -> Self {
        let owner = self.tree.accounts().qmaild;
        std::os::unix::fs::chown(&self.checker, Some(owner.uid), Some(owner.gid))
            .expect("root may");
        files::set_mode(&self.checker, 0o4711);
        self
    }

    /// qmail-smtpd with AUTH, as qmaild, not yet started.
    #[must_use]
    pub fn smtpd(&self, variables: &[(&str, &str)]) -> Program<'_> {
        let program = self.tree.smtpd_program().envs(variables);
        program
            .args(["test.example".into(), self.checker.clone(), "-f".into()])
            .args([self.passwords.clone(), "true".into()])
    }

    /// qmail-popup in front of qmail-pop3d, not yet started.
    #[must_use]
    pub fn popup(&self, variables: &[(&str, &str)]) -> Program<'_> {
        let program = self.tree.program("qmail-popup").envs(variables).arg("test.example");
        program
            .args([self.checker.clone(), "-f".into(), self.passwords.clone()])
            .args(["qmail-pop3d", "Maildir"])
    }

    /// A server in the tree's network, at this port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn serve(&self, port: u16, program: Program<'_>) -> Listener {
        let socket = self.tree.listen(&format!("127.0.0.1:{port}"));
        Listener::start(socket, Service::from(program)).expect("a server can be started")
    }

    /// `openssl s_client` to a port, with these further words.
    #[must_use]
    pub fn client(&self, port: u16, words: &[&str]) -> Program<'_> {
        let program =
            self.tree.command("/usr/bin/openssl").args(["s_client", "-quiet", "-connect"]);
        program.arg(format!("127.0.0.1:{port}")).args(words.iter().copied())
    }
}

impl Default for Secure {
    fn default() -> Self {
        Self::new()
    }
}
