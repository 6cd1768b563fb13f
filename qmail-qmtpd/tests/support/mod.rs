//! A home of qmail whose queue program keeps what it is given in files. The tests of qmail-qmqpd use
//! it, too.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const QUEUE: &str = "cat >message; cat <&1 >envelope";

/// What a server runs in.
pub(crate) struct Home {
    root: TempDir,
    program: &'static str,
    protocol: &'static str,
}

impl Home {
    /// Of the server that this `program` is, and which speaks this `protocol`.
    pub(crate) fn of(program: &'static str, protocol: &'static str) -> Self {
        let home = Self { root: tempfile::tempdir().unwrap(), program, protocol };
        fs::create_dir(home.path("bin")).unwrap();
        fs::create_dir(home.path("control")).unwrap();
        let mut hosts = File::create(home.path("control/rcpthosts")).unwrap();
        hosts.write_all(b"here.example\n").unwrap();
        home.queue(QUEUE);
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Another process writes it: no child of ours can hold it open for writing, which would keep it
    /// from being run.
    pub(crate) fn queue(&self, lines: &str) {
        let text = format!("#!/bin/sh\n{lines}\n");
        let path = self.path("bin/qmail-queue");
        let made = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""])
            .args([path.as_os_str(), text.as_ref()])
            .status();
        assert!(made.unwrap().success());
    }

    pub(crate) fn server(&self) -> Command {
        let mut command = Command::new(self.program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("QMAILHOME", self.root.path())
            .env("TCPREMOTEHOST", "client.example")
            .env("TCPREMOTEIP", "192.0.2.1")
            .env("TCPREMOTEINFO", "joe")
            .env("TCPLOCALHOST", "here.example")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    /// Exit code and replies of a server that gets `input` and then no more.
    pub(crate) fn serve(&self, input: &[u8]) -> (i32, String) {
        talk(&mut self.server(), input)
    }

    /// The message in the queue, less its Received field, and its envelope.
    pub(crate) fn queued(&self) -> (String, String) {
        let received = format!(
            "Received: from client.example (joe@192.0.2.1)\n  by here.example with {}; ",
            self.protocol
        );
        let message = fs::read_to_string(self.path("message")).unwrap();
        let (_, message) = message.strip_prefix(&received).unwrap().split_once('\n').unwrap();
        (message.into(), fs::read_to_string(self.path("envelope")).unwrap())
    }

    pub(crate) fn has_queued(&self) -> bool {
        fs::read(self.path("envelope")).is_ok_and(|envelope| envelope.ends_with(b"\0\0"))
    }
}

/// Exit code and replies of a server that gets `input` and then no more.
pub(crate) fn talk(server: &mut Command, input: &[u8]) -> (i32, String) {
    let mut child = server.spawn().unwrap();
    // The server may go before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}
