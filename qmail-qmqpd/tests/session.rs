//! The server as a program, with a queue program that keeps what it is given in files.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use qmail_wire::netstring::encode;
    use tempfile::TempDir;

    const SERVER: &str = env!("CARGO_BIN_EXE_qmail-qmqpd");
    const QUEUE: &str = "cat >message; cat <&1 >envelope";
    const RECEIVED: &str =
        "Received: from client.example (joe@192.0.2.1)\n  by here.example with QMQP; ";

    struct Home(TempDir);

    impl Home {
        fn new() -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            fs::create_dir(home.path("bin")).unwrap();
            home.queue(QUEUE);
            home
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Another process writes it: no child of ours can hold it open for writing, which would
        /// keep it from being run.
        fn queue(&self, lines: &str) {
            let text = format!("#!/bin/sh\n{lines}\n");
            let path = self.path("bin/qmail-queue");
            let made = Command::new("sh")
                .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""])
                .args([path.as_os_str(), text.as_ref()])
                .status();
            assert!(made.unwrap().success());
        }

        fn server(&self) -> Command {
            let mut command = Command::new(SERVER);
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("QMAILHOME", self.0.path())
                .env("TCPREMOTEHOST", "client.example")
                .env("TCPREMOTEIP", "192.0.2.1")
                .env("TCPREMOTEINFO", "joe")
                .env("TCPLOCALHOST", "here.example")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            command
        }

        /// Exit code and replies of a server that gets `input` and then no more.
        fn serve(&self, input: &[u8]) -> (i32, String) {
            talk(&mut self.server(), input)
        }

        /// The message in the queue, less its Received field, and its envelope.
        fn queued(&self) -> (String, String) {
            let message = fs::read_to_string(self.path("message")).unwrap();
            let (_, message) = message.strip_prefix(RECEIVED).unwrap().split_once('\n').unwrap();
            (message.into(), fs::read_to_string(self.path("envelope")).unwrap())
        }

        fn has_queued(&self) -> bool {
            fs::read(self.path("envelope")).is_ok_and(|envelope| envelope.ends_with(b"\0\0"))
        }
    }

    fn talk(server: &mut Command, input: &[u8]) -> (i32, String) {
        let mut child = server.spawn().unwrap();
        // The server may go before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn message(text: &[u8], addresses: &[&[u8]]) -> Vec<u8> {
        let addresses: Vec<u8> = addresses.iter().flat_map(|address| encode(address)).collect();
        encode(&[encode(text), addresses].concat())
    }

    #[test]
    fn a_message_for_anybody_is_queued_behind_a_received_field() {
        let home = Home::new();
        let input = message(b"Subject: x\n\nbody\r\n", &[b"s@x", b"a@there", b"b@else"]);
        let (code, reply) = home.serve(&[input, b"more".to_vec()].concat());
        let (length, text) = reply.split_once(':').unwrap();
        assert_eq!(length.parse(), Ok(text.len() - 1));
        assert!(code == 0 && text.starts_with("Kok ") && text.ends_with(','), "{reply}");
        let expected = ("Subject: x\n\nbody\r\n".into(), "Fs@x\0Ta@there\0Tb@else\0\0".into());
        assert_eq!(home.queued(), expected);
    }

    #[test]
    fn nobody_at_all_is_a_list_of_recipients_too() {
        let home = Home::new();
        let (_, reply) = home.serve(&message(b"", &[b""]));
        assert!(reply.contains(":Kok "));
        assert_eq!(home.queued(), (String::new(), "F\0\0".into()));
    }

    #[test]
    fn one_unfit_address_refuses_the_message() {
        let home = Home::new();
        let reply = "51:Dsorry, I can't accept addresses like that (#5.1.3),";
        for unfit in [b"a\0b".as_slice(), b"a\nb", &[b'x'; 1000]] {
            let input = message(b"x\n", &[b"s@x", b"a@b", unfit]);
            assert_eq!(home.serve(&input), (0, reply.into()));
        }
        assert!(!home.has_queued());
    }

    #[test]
    fn the_queue_is_asked_for_its_words() {
        let home = Home::new();
        let input = message(b"x\n", &[b"s@x", b"a@b"]);
        home.queue("exit 53");
        let reply = "44:Zqq write error or disk full (#4.3.0),";
        let (code, said) = home.serve(&input);
        assert_eq!((code, said.split_once(':').unwrap().1), (0, reply.split_once(':').unwrap().1));
        home.queue("printf 'Dno such list' >&6; exit 82");
        assert_eq!(home.serve(&input), (0, "13:Dno such list,".into()));
    }

    #[test]
    fn nonsense_ends_the_connection_and_queues_nothing() {
        let home = Home::new();
        let malformed: [&[u8]; 7] = [
            b"x",
            b"0:,",
            b"4:9:xx,",
            b"6:1:x,-1,",
            b"8:1:x,1:s;,",
            b"8:1:x,1:s,;",
            b"9:1:x,1:s,1,",
        ];
        for input in malformed {
            let shown = String::from_utf8_lossy(input);
            assert_eq!(home.serve(input), (100, String::new()), "{shown}");
        }
        assert_eq!(home.serve(b"9999999999999:"), (111, String::new()));
        for cut in [b"".as_slice(), b"9", b"8:1:x,1:s"] {
            assert_eq!(home.serve(cut), (0, String::new()));
        }
        assert!(!home.has_queued());
    }
}
