//! The server as a program, with a queue program that keeps what it is given in files.

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{Read, Write};
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use qmail_wire::netstring::encode;
    use tempfile::TempDir;

    const SERVER: &str = env!("CARGO_BIN_EXE_qmail-qmtpd");
    const QUEUE: &str = "cat >message; cat <&1 >envelope";
    const RECEIVED: &str =
        "Received: from client.example (joe@192.0.2.1)\n  by here.example with QMTP; ";

    struct Home(TempDir);

    impl Home {
        fn new() -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            fs::create_dir(home.path("bin")).unwrap();
            fs::create_dir(home.path("control")).unwrap();
            home.control("rcpthosts", "here.example\n");
            home.queue(QUEUE);
            home
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn control(&self, name: &str, contents: &str) {
            let mut file = File::create(self.path("control").join(name)).unwrap();
            file.write_all(contents.as_bytes()).unwrap();
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

    fn message(text: &[u8], sender: &[u8], recipients: &[&[u8]]) -> Vec<u8> {
        let list: Vec<u8> = recipients.iter().flat_map(|recipient| encode(recipient)).collect();
        [encode(text), encode(sender), encode(&list)].concat()
    }

    /// A reply without the time and the number of the queue program.
    fn accepted(reply: &str) -> bool {
        let words: Vec<&str> =
            reply.split_once(':').unwrap().1.trim_end_matches(',').split(' ').collect();
        let is_number = |word: &str| word.parse::<u64>().is_ok();
        matches!(words.as_slice(), ["Kok", time, "qp", id] if is_number(time) && is_number(id))
    }

    #[test]
    fn a_message_is_queued_behind_a_received_field() {
        let home = Home::new();
        let input = message(b"\nSubject: x\n\nbody\r\n", b"s@x", &[b"a@here.example"]);
        let (code, reply) = home.serve(&input);
        assert!(code == 0 && accepted(&reply), "{code} {reply}");
        let expected = ("Subject: x\n\nbody\r\n".into(), "Fs@x\0Ta@here.example\0\0".into());
        assert_eq!(home.queued(), expected);
    }

    #[test]
    fn several_messages_come_in_one_connection_and_lines_may_end_in_crlf() {
        let home = Home::new();
        let first = message(b"\rone\r\n", b"s@x", &[b"a@here.example"]);
        let second = message(b"\rtwo\r\r\n\r\n", b"", &[b"b@here.example"]);
        let (code, replies) = home.serve(&[first, second].concat());
        assert_eq!((code, replies.matches("Kok ").count()), (0, 2));
        assert_eq!(home.queued(), ("two\r\n\n".into(), "F\0Tb@here.example\0\0".into()));
    }

    #[test]
    fn each_recipient_has_a_reply_of_his_own() {
        let home = Home::new();
        let long = vec![b'x'; 1000];
        let recipients: [&[u8]; 5] = [b"a@here.example", b"b@there", &long, b"c\nd", b"e\0f"];
        let (code, replies) = home.serve(&message(b"\nx\n", b"s@x", &recipients));
        let not_listed = "66:Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1),";
        let unfit = "46:Dsorry, I can't handle that recipient (#5.1.3),".repeat(3);
        let first = replies.strip_suffix(&format!("{not_listed}{unfit}")).unwrap();
        assert!(code == 0 && accepted(first));
        assert_eq!(home.queued().1, "Fs@x\0Ta@here.example\0\0");
    }

    #[test]
    fn a_relay_client_may_send_to_anybody() {
        let home = Home::new();
        let input = message(b"\nx\n", b"s@x", &[b"b@there", &[b'x'; 998]]);
        let (code, replies) = talk(home.server().env("RELAYCLIENT", "@f"), &input);
        assert!(
            code == 0 && replies.ends_with("46:Dsorry, I can't handle that recipient (#5.1.3),")
        );
        assert_eq!(home.queued().1, "Fs@x\0Tb@there@f\0\0");
    }

    #[test]
    fn what_is_refused_is_not_queued() {
        let home = Home::new();
        let to: &[&[u8]] = &[b"a@here.example"];
        let sender = "29:Dunacceptable sender (#5.1.7),";
        for bad in [vec![b'x'; 1000], b"a\0b".to_vec(), b"a\nb".to_vec()] {
            assert_eq!(home.serve(&message(b"\nx\n", &bad, to)), (0, sender.into()));
        }
        let size = "61:Dsorry, that message size exceeds my databytes limit (#5.3.4),";
        for text in [b"\n12345\n".as_slice(), b"\r12345\r\n"] {
            let input = message(text, &[b'x'; 1000], to);
            let (code, reply) = talk(home.server().env("DATABYTES", "5"), &input);
            assert_eq!((code, reply.as_str()), (0, size));
            let (_, reply) = talk(home.server().env("DATABYTES", "6"), &message(text, b"", to));
            assert!(accepted(&reply));
            fs::remove_file(home.path("envelope")).unwrap();
        }
        let (_, reply) = home.serve(&message(b"\nx\n", b"s@x", &[b"b@there"]));
        assert!(reply.starts_with("66:D") && !home.has_queued());
    }

    #[test]
    fn the_queue_is_asked_for_its_words() {
        let home = Home::new();
        let input = message(b"\nx\n", b"s@x", &[b"a@here.example"]);
        home.queue("exit 31");
        let reply = "50:Dmail server permanently rejected message (#5.3.0),";
        assert_eq!(home.serve(&input), (0, reply.into()));
        home.queue("printf 'Zgreylisted\\r\\n' >&6; exit 82");
        assert_eq!(home.serve(&input), (0, "11:Zgreylisted,".into()));
    }

    #[test]
    fn nonsense_ends_the_session_and_queues_nothing() {
        let home = Home::new();
        let malformed: [&[u8]; 8] = [
            b"0:,",
            b"1:x,",
            b"x",
            b"2:\nx;",
            b"2:\nx,1:s,3:-1:,,",
            b"2:\nx,1:s,4:1/:a,,",
            b"2:\nx,1:s,3:9:a,,",
            b"2:\nx,1:s,4:1:a,;",
        ];
        for input in malformed {
            let shown = String::from_utf8_lossy(input);
            assert_eq!(home.serve(input), (100, String::new()), "{shown}");
        }
        assert_eq!(home.serve(b"9999999999999:"), (111, String::new()));
        assert_eq!(home.serve(b"2:\nx,1:s,1900000000:"), (111, String::new()));
        for cut in [b"".as_slice(), b"9:\nx", b"2:\nx,1:s,4:1:a,"] {
            assert_eq!(home.serve(cut), (0, String::new()));
        }
        assert!(!home.has_queued());
    }

    #[test]
    fn a_client_may_wait_for_the_reply_before_it_goes_on() {
        let home = Home::new();
        let mut child = home.server().spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        for _ in 0..2 {
            input.write_all(&message(b"\nx\n", b"s@x", &[b"b@there"])).unwrap();
            let mut reply = vec![0; 70];
            output.read_exact(&mut reply).unwrap();
            assert!(reply.starts_with(b"66:D"));
        }
        drop(input);
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn unreadable_controls_are_a_reason_to_go() {
        let home = Home::new();
        fs::remove_file(home.path("control/rcpthosts")).unwrap();
        fs::create_dir(home.path("control/rcpthosts")).unwrap();
        assert_eq!(home.serve(b""), (111, String::new()));
        let nowhere = home.path("nowhere");
        assert_eq!(talk(home.server().env("QMAILHOME", nowhere), b"").0, 111);
    }
}
