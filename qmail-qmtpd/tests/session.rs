//! The server as a program, with a queue program that keeps what it is given in files.

#[cfg(test)]
mod support;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};

    use qmail_wire::netstring::encode;

    use crate::support::{Home, talk};

    fn home() -> Home {
        Home::of(env!("CARGO_BIN_EXE_qmail-qmtpd"), "QMTP")
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
        let home = home();
        let input = message(b"\nSubject: x\n\nbody\r\n", b"s@x", &[b"a@here.example"]);
        let (code, reply) = home.serve(&input);
        assert!(code == 0 && accepted(&reply), "{code} {reply}");
        let expected = ("Subject: x\n\nbody\r\n".into(), "Fs@x\0Ta@here.example\0\0".into());
        assert_eq!(home.queued(), expected);
    }

    #[test]
    fn several_messages_come_in_one_connection_and_lines_may_end_in_crlf() {
        let home = home();
        let first = message(b"\rone\r\n", b"s@x", &[b"a@here.example"]);
        let second = message(b"\rtwo\r\r\n\r\n", b"", &[b"b@here.example"]);
        let (code, replies) = home.serve(&[first, second].concat());
        assert_eq!((code, replies.matches("Kok ").count()), (0, 2));
        assert_eq!(home.queued(), ("two\r\n\n".into(), "F\0Tb@here.example\0\0".into()));
    }

    #[test]
    fn each_recipient_has_a_reply_of_his_own() {
        let home = home();
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
        let home = home();
        let input = message(b"\nx\n", b"s@x", &[b"b@there", &[b'x'; 998]]);
        let (code, replies) = talk(home.server().env("RELAYCLIENT", "@f"), &input);
        assert!(
            code == 0 && replies.ends_with("46:Dsorry, I can't handle that recipient (#5.1.3),")
        );
        assert_eq!(home.queued().1, "Fs@x\0Tb@there@f\0\0");
    }

    #[test]
    fn what_is_refused_is_not_queued() {
        let home = home();
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
        let home = home();
        let input = message(b"\nx\n", b"s@x", &[b"a@here.example"]);
        home.queue("exit 31");
        let reply = "50:Dmail server permanently rejected message (#5.3.0),";
        assert_eq!(home.serve(&input), (0, reply.into()));
        home.queue("printf 'Zgreylisted\\r\\n' >&6; exit 82");
        assert_eq!(home.serve(&input), (0, "11:Zgreylisted,".into()));
    }

    #[test]
    fn nonsense_ends_the_session_and_queues_nothing() {
        let home = home();
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
        let home = home();
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
        let home = home();
        fs::remove_file(home.path("control/rcpthosts")).unwrap();
        fs::create_dir(home.path("control/rcpthosts")).unwrap();
        assert_eq!(home.serve(b""), (111, String::new()));
        let nowhere = home.path("nowhere");
        assert_eq!(talk(home.server().env("QMAILHOME", nowhere), b"").0, 111);
    }
}
