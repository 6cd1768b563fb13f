//! The server as a program, with a queue program that keeps what it is given in files.

#[cfg(test)]
#[path = "../../qmail-qmtpd/tests/support/mod.rs"]
mod support;

#[cfg(test)]
mod tests {
    use qmail_wire::netstring::encode;

    use crate::support::Home;

    fn home() -> Home {
        Home::of(env!("CARGO_BIN_EXE_qmail-qmqpd"), "QMQP")
    }

    fn message(text: &[u8], addresses: &[&[u8]]) -> Vec<u8> {
        let addresses: Vec<u8> = addresses.iter().flat_map(|address| encode(address)).collect();
        encode(&[encode(text), addresses].concat())
    }

    #[test]
    fn a_message_for_anybody_is_queued_behind_a_received_field() {
        let home = home();
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
        let home = home();
        let (_, reply) = home.serve(&message(b"", &[b""]));
        assert!(reply.contains(":Kok "));
        assert_eq!(home.queued(), (String::new(), "F\0\0".into()));
    }

    #[test]
    fn one_unfit_address_refuses_the_message() {
        let home = home();
        let reply = "51:Dsorry, I can't accept addresses like that (#5.1.3),";
        for unfit in [b"a\0b".as_slice(), b"a\nb", &[b'x'; 1000]] {
            let input = message(b"x\n", &[b"s@x", b"a@b", unfit]);
            assert_eq!(home.serve(&input), (0, reply.into()));
        }
        assert!(!home.has_queued());
    }

    #[test]
    fn the_queue_is_asked_for_its_words() {
        let home = home();
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
        let home = home();
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
