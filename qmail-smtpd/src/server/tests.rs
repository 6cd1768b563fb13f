use super::*;
use crate::client::Client;
use crate::session::Manners;
use crate::testing::write_script;
use crate::variables::Variables;
use crate::visit::Visit;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::time::Duration;

/// A client who sends all of `input` at once to a server with this queue program. What he is told,
/// how it ends, and what the queue program was given: message, then envelope.
fn serve_with(queue: &str, input: &[u8], largest: Option<u64>) -> (String, Ended, String) {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("bin/qmail-queue");
    fs::create_dir(home.path().join("bin")).unwrap();
    write_script(&program, queue);
    let settings = Settings {
        manners: Manners {
            greeting: b"here".to_vec(),
            literal_host: None,
            largest_message: largest,
            help: replies::HELP,
            unknown: replies::UNIMPLEMENTED,
        },
        patience: Duration::from_secs(1),
        visit: Visit::new(Client::from_environment(&|_| None), Variables::none()),
        checks: Vec::new(),
        extensions: Vec::new(),
        journals: Vec::new(),
        greet_delay: None,
        signatures: None,
        texts: Map::default(),
        controls: qmail_core::control::Controls::open(home.path()).unwrap(),
    };
    let mut said = tempfile::tempfile().unwrap();
    said.write_all(input).and_then(|()| said.rewind()).unwrap();
    let told = home.path().join("told");
    let output = File::create(&told).unwrap();
    let connection = Connection::over(said.into(), output.into(), Duration::from_secs(60));
    let world = World { home: home.path(), queue: &QueueServer::new(), now: || 0, log: &|_| {} };
    let ended = serve(connection, settings, &world);
    let given = fs::read(home.path().join("given")).unwrap_or_default();
    (fs::read_to_string(told).unwrap(), ended, String::from_utf8(given).unwrap())
}

const KEEP: &str = "cat > given; cat <&1 >> given";
const ENVELOPE: &str = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n";
const GO: &str = "220 here ESMTP\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go ahead\r\n";

/// What is said to a message, after the replies to [`ENVELOPE`].
fn said_to(queue: &str, message: &str, largest: Option<u64>) -> String {
    let (said, _, _) = serve_with(queue, format!("{ENVELOPE}{message}").as_bytes(), largest);
    said.strip_prefix(GO).unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[test]
fn a_message_reaches_the_queue_with_its_envelope() {
    let input = format!("{ENVELOPE}Subject: x\r\n\r\n..hi\r\n.\r\nQUIT\r\n");
    let (said, ended, given) = serve_with(KEEP, input.as_bytes(), None);
    assert_eq!(
        given,
        "Received: from unknown (unknown)\n  by unknown with SMTP; 1 Jan 1970 00:00:00 -0000\n\
         Subject: x\n\n.hi\nFa@b\0Tc@d\0Te@f\0\0"
    );
    let rest = said.strip_prefix(GO).unwrap();
    let (accepted, bye) = rest.split_once("\r\n").unwrap();
    assert!(accepted.strip_prefix("250 ok 0 qp ").unwrap().parse::<u32>().is_ok(), "{accepted}");
    assert_eq!((bye, ended), ("221 here\r\n", Ended::Quit));
}

#[test]
fn the_name_of_the_client_is_in_the_received_field() {
    let input = format!("EHLO (x)\r\n{ENVELOPE}.\r\nQUIT\r\n");
    let (_, _, given) = serve_with(KEEP, input.as_bytes(), None);
    assert!(given.starts_with("Received: from unknown (HELO ?x?) (unknown)\n"), "{given}");
}

#[test]
fn a_large_message_is_read_to_its_end_and_refused() {
    let message = format!("{}\r\n.\r\nNOOP\r\n", "x".repeat(300_000));
    let expected = "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n250 ok\r\n";
    assert_eq!(said_to(KEEP, &message, Some(300_000)), expected);
    assert!(said_to(KEEP, &message, Some(300_001)).starts_with("250 ok"));
}

#[test]
fn a_looping_message_is_refused() {
    let message = format!("{}\r\n.\r\n", "Received: x\r\n".repeat(100));
    let expected = "554 too many hops, this message is looping (#5.4.6)\r\n";
    assert_eq!(said_to(KEEP, &message, Some(10)), expected);
}

#[test]
fn what_the_queue_says_is_passed_on() {
    assert_eq!(
        said_to("exit 31", ".\r\n", None),
        "554 mail server permanently rejected message (#5.3.0)\r\n"
    );
    assert_eq!(said_to("exit 53", ".\r\n", None), "451 qq write error or disk full (#4.3.0)\r\n");
}

#[test]
fn after_a_bare_line_end_nothing_is_obeyed_and_nothing_queued() {
    for message in ["a\n", "a\rb", "a\r\n.\n", "\r\r\n"] {
        let message = format!("{message}\r\n.\r\nMAIL FROM:<smuggled@evil>\r\nQUIT\r\n");
        let input = format!("{ENVELOPE}{message}");
        let (said, ended, _) = serve_with("cat >/dev/null; cat <&1 >given", input.as_bytes(), None);
        let expected = format!("{GO}451 See https://cr.yp.to/docs/smtplf.html.\r\n");
        assert_eq!((said, ended), (expected, Ended::Otherwise), "{message:?}");
    }
}

#[test]
fn a_client_who_goes_in_the_middle_is_told_nothing() {
    for input in ["", "NOOP", "NOOP\r\n", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhalf"] {
        let (said, ended, _) = serve_with(KEEP, input.as_bytes(), None);
        assert_eq!(ended, Ended::Otherwise, "{input:?}");
        assert!(!said.contains("451"), "{said}");
    }
}

#[test]
fn a_long_line_is_dropped_and_the_next_command_obeyed() {
    let input = format!("{}\r\nNOOP {}\r\nQUIT\r\n", "x".repeat(100_000), "x".repeat(4000));
    let (said, ended, _) = serve_with(KEEP, input.as_bytes(), None);
    let expected = "220 here ESMTP\r\n500 line too long (#5.5.2)\r\n250 ok\r\n221 here\r\n";
    assert_eq!((said.as_str(), ended), (expected, Ended::Quit));
}
