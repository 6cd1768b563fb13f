//! qmail-remote: the dialogue with another host.

use qmail_conformance::Tree;
use qmail_conformance::remote::Report;
use qmail_conformance::sink::{Answer, Script, Sink};

/// A tree all of whose mail goes to one scripted server.
struct Scene {
    tree: Tree,
    sink: Sink,
}

impl Scene {
    fn new(script: Script) -> Self {
        let tree = Tree::under_test();
        let sink = Sink::scripted(tree.listen("127.0.0.1:0"), script).unwrap();
        tree.control("smtproutes", format!(":127.0.0.1:{}\n", sink.address().port()));
        tree.control("timeoutremote", "20\n");
        Self { tree, sink }
    }

    fn send(&self, recipients: &[&str]) -> Vec<String> {
        self.tree.remote("far.example", "joe@here.example", recipients).records
    }
}

/// The address without what the server has offered, and the client may make use of.
fn without_parameters(argument: &str) -> &str {
    argument.rsplit_once('>').map_or(argument, |(address, _)| &argument[..=address.len()])
}

/// The records of one message to one recipient of a server with this script.
fn records(script: Script) -> Vec<String> {
    Scene::new(script).send(&["jane@far.example"])
}

fn line(text: &str) -> Answer {
    Answer::line(text)
}

/// What arrives when this message is sent; none if it is refused.
fn wire(message: &[u8]) -> Option<Vec<u8>> {
    let scene = Scene::new(Script::default());
    let program = scene.tree.remote_program("far.example", "joe@here", &["jane@far.example"]);
    let report = Report::of(&program.stdin(message).run());
    let last = report.records.last().unwrap();
    if last.starts_with('K') {
        return Some(scene.sink.messages().remove(0).data);
    }
    let partial = "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n";
    assert_eq!(last, partial, "{message:?}");
    assert!(scene.sink.messages().is_empty());
    None
}

#[test]
fn an_accepted_message_is_reported() {
    let scene = Scene::new(Script { dot: line("250 ok queued"), ..Script::default() });
    let records = scene.send(&["jane@far.example"]);
    let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok queued\n";
    assert_eq!(records, ["r", accepted]);
    let message = scene.sink.messages().remove(0);
    assert_eq!(message.helo, "test.example");
    assert_eq!(without_parameters(&message.mail), "FROM:<joe@here.example>");
    assert_eq!(message.rcpt, ["TO:<jane@far.example>"]);
    assert_eq!(message.data, b"Subject: hello\r\n\r\nHi.\r\n");
    scene.sink.wait_for_command("QUIT");
}

#[test]
fn helohost_is_what_we_call_ourselves() {
    let scene = Scene::new(Script::default());
    scene.tree.control("helohost", "mail.test.example \n");
    assert_eq!(scene.send(&["jane@far.example"]).len(), 2);
    assert_eq!(scene.sink.messages()[0].helo, "mail.test.example");
}

#[test]
fn each_step_has_its_refusals() {
    let name = |text: &str| Script { ehlo: line(text), helo: line(text), ..Script::default() };
    let at = "127.0.0.1";
    let table = [
        (
            Script { greeting: line("421 busy"), ..Script::default() },
            format!("ZConnected to {at} but greeting failed.\nRemote host said: 421 busy\n"),
        ),
        (
            Script { greeting: line("554 no"), ..Script::default() },
            format!("ZConnected to {at} but greeting failed.\nRemote host said: 554 no\n"),
        ),
        (
            name("451 later"),
            format!("ZConnected to {at} but my name was rejected.\nRemote host said: 451 later\n"),
        ),
        (
            name("550 never"),
            format!("ZConnected to {at} but my name was rejected.\nRemote host said: 550 never\n"),
        ),
        (
            Script { mail: line("451 later"), ..Script::default() },
            format!("ZConnected to {at} but sender was rejected.\nRemote host said: 451 later\n"),
        ),
        (
            Script { mail: line("550 never"), ..Script::default() },
            format!("DConnected to {at} but sender was rejected.\nRemote host said: 550 never\n"),
        ),
    ];
    for (script, expected) in table {
        assert_eq!(records(script.clone()), [expected], "{script:?}");
    }
}

#[test]
fn data_and_the_final_dot_have_their_refusals() {
    let at = "127.0.0.1";
    let data = |text: &str| Script { data: line(text), ..Script::default() };
    let dot = |text: &str| Script { dot: line(text), ..Script::default() };
    let table = [
        (data("451 x"), format!("Z{at} failed on DATA command.\nRemote host said: 451 x\n")),
        (data("554 x"), format!("D{at} failed on DATA command.\nRemote host said: 554 x\n")),
        (
            dot("452 x"),
            format!("Z{at} failed after I sent the message.\nRemote host said: 452 x\n"),
        ),
        (
            dot("554 x"),
            format!("D{at} failed after I sent the message.\nRemote host said: 554 x\n"),
        ),
    ];
    for (script, expected) in table {
        assert_eq!(records(script.clone()), ["r".to_owned(), expected], "{script:?}");
    }
}

#[test]
fn each_recipient_has_its_own_verdict() {
    let rcpt = vec![line("250 ok"), line("550 nobody"), line("451 later"), line("250 ok")];
    let scene = Scene::new(Script { rcpt, ..Script::default() });
    let records = scene.send(&["a@far.example", "b@far.example", "c@far.example", "d@far.example"]);
    let expected = [
        "r",
        "h127.0.0.1 does not like recipient.\nRemote host said: 550 nobody\n",
        "s127.0.0.1 does not like recipient.\nRemote host said: 451 later\n",
        "r",
        "K127.0.0.1 accepted message.\nRemote host said: 250 taken\n",
    ];
    assert_eq!(records, expected);
}

#[test]
fn without_a_recipient_it_gives_up() {
    for (reply, letter) in [("550 nobody", "h"), ("451 later", "s")] {
        let ehlo = line("250 sink.example");
        let scene = Scene::new(Script { rcpt: vec![line(reply)], ehlo, ..Script::default() });
        let records = scene.send(&["jane@far.example"]);
        let dislike = "127.0.0.1 does not like recipient.\nRemote host said:";
        let expected =
            [format!("{letter}{dislike} {reply}\n"), "DGiving up on 127.0.0.1.\n".to_owned()];
        assert_eq!(records, expected);
        scene.sink.wait_for_command("QUIT");
        assert!(!scene.sink.commands().contains(&"DATA".to_owned()));
    }
}

#[test]
fn a_server_that_takes_commands_together_is_told_the_same() {
    let rcpt = vec![line("550 nobody"), line("451 later")];
    let scene = Scene::new(Script { rcpt, ..Script::default() });
    let records = scene.send(&["a@far.example", "b@far.example"]);
    let expected = [
        "h127.0.0.1 does not like recipient.\nRemote host said: 550 nobody\n",
        "s127.0.0.1 does not like recipient.\nRemote host said: 451 later\n",
        "DGiving up on 127.0.0.1.\n",
    ];
    assert_eq!(records, expected);
    scene.sink.wait_for_command("QUIT");
    assert!(scene.sink.messages().is_empty());
}

#[test]
fn replies_of_several_lines_are_kept_whole() {
    let dot = line("250-one\r\n250-two\n250 three");
    let expected = "K127.0.0.1 accepted message.\nRemote host said: 250-one\n250-two\n250 three\n";
    assert_eq!(records(Script { dot, ..Script::default() }), ["r", expected]);
}

#[test]
fn an_endless_reply_is_cut() {
    let mut text = String::new();
    for _ in 0..500 {
        text += "550-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    }
    let dot = Answer::Say(format!("{text}550 end\r\n").into_bytes());
    let records = records(Script { dot, ..Script::default() });
    let last = &records[1];
    let start = "D127.0.0.1 failed after I sent the message.\nRemote host said: 550-aaa";
    assert!(last.starts_with(start), "{last}");
    assert!(last.len() < 5200, "{}", last.len());
}

#[test]
fn a_nul_in_a_reply_does_not_end_the_report() {
    let dot = Answer::Say(b"250 a\0b\r\n".to_vec());
    let expected = "K127.0.0.1 accepted message.\nRemote host said: 250 a?b\n";
    assert_eq!(records(Script { dot, ..Script::default() }), ["r", expected]);
}

#[test]
fn a_reply_that_is_none_is_no_reason_to_bounce() {
    for reply in ["abc def", "5x0 hi", "99", ""] {
        let records = records(Script { mail: line(reply), ..Script::default() });
        let last = records.last().unwrap();
        if Tree::under_test().is_original() {
            // Letters count as large digits there, so most of these are refusals for good.
            continue;
        }
        assert!(last.starts_with('Z'), "{reply:?}: {last}");
    }
}

#[test]
fn a_lost_connection_is_tried_again() {
    let died = "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n";
    let hello = Script { ehlo: Answer::Close, helo: Answer::Close, ..Script::default() };
    let table = [
        (Script { greeting: Answer::Close, ..Script::default() }, 0),
        (hello, 0),
        (Script { mail: Answer::Close, ..Script::default() }, 0),
        (Script { rcpt: vec![Answer::Close], ..Script::default() }, 0),
        (Script { data: Answer::Close, ..Script::default() }, 1),
    ];
    for (script, accepted) in table {
        let records = records(script.clone());
        assert_eq!(records.len(), accepted + 1, "{script:?}");
        assert_eq!(records[accepted], died, "{script:?}");
    }
    let records = records(Script { dot: Answer::Close, ..Script::default() });
    let possible = "ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n";
    assert_eq!(records, ["r", possible]);
}

#[test]
fn a_half_reply_is_no_reply() {
    let dot = Answer::Say(b"250-ok\r\n250-still".to_vec());
    let scene = Scene::new(Script { dot, ..Script::default() });
    scene.tree.control("timeoutremote", "1\n");
    let possible = "ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n";
    assert_eq!(scene.send(&["jane@far.example"]), ["r", possible]);
}

#[test]
fn a_silent_server_is_left() {
    for script in [
        Script { greeting: Answer::Hang, ..Script::default() },
        Script { mail: Answer::Hang, ..Script::default() },
    ] {
        let scene = Scene::new(script);
        scene.tree.control("timeoutremote", "1\n");
        let died = "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n";
        assert_eq!(scene.send(&["jane@far.example"]), [died]);
    }
}

#[test]
fn a_closed_port_is_no_connection() {
    let tree = Tree::under_test();
    let port = tree.listen("127.0.0.1:0").local_addr().unwrap().port();
    tree.control("smtproutes", format!(":127.0.0.1:{port}\n"));
    let report = tree.remote("far.example", "joe@here", &["jane@far.example"]);
    let text = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
    assert_eq!(report.only(), text);
}

#[test]
fn lines_and_dots_are_encoded() {
    let table: [(&[u8], &[u8]); 9] = [
        (b"", b""),
        (b"\n", b"\r\n"),
        (b"a\n", b"a\r\n"),
        (b"a\n\nb\n", b"a\r\n\r\nb\r\n"),
        (b".\n", b"..\r\n"),
        (b"..a\n.\n", b"...a\r\n..\r\n"),
        (b"a.\n", b"a.\r\n"),
        (b"Subject: x\n\n.\nb\n", b"Subject: x\r\n\r\n..\r\nb\r\n"),
        (b"\xe9\0\x7f\n", b"\xe9\0\x7f\r\n"),
    ];
    for (message, expected) in table {
        let shown = String::from_utf8_lossy(message);
        assert_eq!(wire(message).as_deref(), Some(expected), "{shown:?}");
    }
}

#[test]
fn long_lines_and_long_messages_pass() {
    let long = [vec![b'x'; 100_000], b"\n".to_vec()].concat();
    assert_eq!(wire(&long).unwrap().len(), 100_002);
    let many = b".abc\n".repeat(100_000);
    assert_eq!(wire(&many).unwrap(), b"..abc\r\n".repeat(100_000));
}

#[test]
fn a_partial_last_line_cannot_be_sent() {
    for message in [&b"a"[..], b"a\nb", b"a\n."] {
        assert_eq!(wire(message), None);
    }
}

#[test]
fn no_carriage_return_goes_out_alone_and_none_ends_the_message() {
    // Netqmail passes them on, notqmail makes line ends of them and forgets the dot after it.
    if Tree::under_test().is_original() {
        return;
    }
    let table: [(&[u8], &[u8]); 9] = [
        (b"a\r\n", b"a\r\n"),
        (b"a\rb\n", b"a\r\nb\r\n"),
        (b"a\r.\n", b"a\r\n..\r\n"),
        (b"a\r\r\nb\n", b"a\r\n\r\nb\r\n"),
        (b"a\r", b"a\r\n"),
        (b"\r.\r\n", b"\r\n..\r\n"),
        (b"a\n.\rb\n", b"a\r\n..\r\nb\r\n"),
        (b"S: x\r.\r\n\r\nMAIL FROM:<x>\n", b"S: x\r\n..\r\n\r\nMAIL FROM:<x>\r\n"),
        (b"a\r\n.\r\nb\n", b"a\r\n..\r\nb\r\n"),
    ];
    for (message, expected) in table {
        let shown = String::from_utf8_lossy(message);
        assert_eq!(wire(message).as_deref(), Some(expected), "{shown:?}");
    }
}

#[test]
fn no_message_smuggles_a_second_one() {
    let message = b"Subject: x\n\r.\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<y@z>\r\n";
    let scene = Scene::new(Script::default());
    let program = scene.tree.remote_program("far.example", "joe@here", &["jane@far.example"]);
    let _ = program.stdin(&message[..]).run();
    if scene.tree.is_original() {
        // This is the defect of notqmail 1.09.
        return;
    }
    assert!(!scene.sink.commands().contains(&"MAIL FROM:<evil@x>".to_owned()));
}

#[test]
fn addresses_are_quoted_where_they_need_it() {
    let table = [
        ("", "FROM:<>"),
        ("joe", "FROM:<joe>"),
        ("a b@c", "FROM:<\"a b\"@c>"),
        ("a.b@c", "FROM:<a.b@c>"),
        (".a@c", "FROM:<\".a\"@c>"),
        ("a..b@c", "FROM:<\"a..b\"@c>"),
        ("a\"\\@c", "FROM:<\"a\\\"\\\\\"@c>"),
        ("a@b@c", "FROM:<\"a@b\"@c>"),
        ("list-a=b+c@d", "FROM:<list-a=b+c@d>"),
    ];
    let scene = Scene::new(Script::default());
    for (address, expected) in table {
        let report = scene.tree.remote("far.example", address, &[address]);
        assert_eq!(report.records.len(), 2, "{address}: {:?}", report.records);
        let message = scene.sink.messages().pop().unwrap();
        assert_eq!(without_parameters(&message.mail), expected);
        assert_eq!(message.rcpt, [expected.replace("FROM", "TO")]);
    }
}

#[test]
fn an_address_with_a_line_end_injects_nothing() {
    for address in ["a\r\nDATA\r\n@c", "a@c>\r\nRSET\r\n", "a\nb@c"] {
        let scene = Scene::new(Script::default());
        if scene.tree.is_original() {
            // It is sent as it is.
            continue;
        }
        let report = scene.tree.remote("far.example", "joe@here", &[address]);
        assert!(!report.records.concat().contains('K'), "{:?}", report.records);
        let commands = scene.sink.commands();
        assert!(!commands.iter().any(|command| command == "RSET"), "{commands:?}");
        assert!(scene.sink.messages().is_empty());
    }
}

#[test]
fn smtproutes_are_searched_in_order() {
    let tree = Tree::under_test();
    let names = ["exact", "domain", "default", "longer"];
    let sinks: Vec<Sink> =
        (0..4).map(|_| Sink::start(tree.listen("127.0.0.1:0")).unwrap()).collect();
    let port = |name: &str| {
        let index = names.iter().position(|known| *known == name).unwrap();
        sinks[index].address().port()
    };
    let routes = format!(
        "# comment\nHost.example:127.0.0.1:{}\n.example:127.0.0.1:1\n.example:[127.0.0.1]:{}  \n\
         .sub.example:127.0.0.1:{}\n:127.0.0.1:{}\n[192.0.2.1]:127.0.0.1:{}\n",
        port("exact"),
        port("domain"),
        port("longer"),
        port("default"),
        port("exact"),
    );
    tree.control("smtproutes", routes);
    let table = [
        ("host.example", "exact"),
        ("HOST.Example", "exact"),
        ("other.example", "domain"),
        ("a.sub.example", "longer"),
        ("a.b.sub.example", "longer"),
        ("sub.example", "domain"),
        ("example", "default"),
        ("elsewhere.invalid", "default"),
        ("[192.0.2.1]", "exact"),
    ];
    for (host, name) in table {
        let index = names.iter().position(|known| *known == name).unwrap();
        let before = sinks[index].messages().len();
        let report = tree.remote(host, "joe@here", &["jane@far.example"]);
        assert_eq!(report.records.len(), 2, "{host}: {:?}", report.records);
        assert_eq!(sinks[index].messages().len(), before + 1, "{host}");
    }
}

#[test]
fn a_host_may_have_any_name() {
    let scene = Scene::new(Script::default());
    for host in ["--fork-server", "-", "--", "-x"] {
        let records = scene.tree.remote(host, "joe@here.example", &["jane@far.example"]).records;
        assert_eq!(records.len(), 2, "{host}: {records:?}");
    }
    assert_eq!(scene.sink.messages().len(), 4);
}

#[test]
fn a_route_with_a_broken_port_is_tried_later() {
    let tree = Tree::under_test();
    tree.control("smtproutes", ":127.0.0.1:x\n");
    let report = tree.remote("far.example", "joe@here", &["jane@far.example"]);
    assert!(report.only().starts_with('Z'), "{}", report.only());
}

#[test]
fn wrong_use_is_reported_and_still_exits_0() {
    let tree = Tree::under_test();
    for words in [&[][..], &["host"], &["host", "sender"]] {
        let finished = tree.program("qmail-remote").args(words.iter().copied()).run();
        let text = "DI (qmail-remote) was invoked improperly. (#5.3.5)\n";
        assert_eq!(Report::of(&finished).only(), text);
    }
}

#[test]
fn unreadable_or_missing_controls_are_tried_later() {
    let text = "ZUnable to read control files. (#4.3.0)\n";
    for control in ["me", "helohost", "smtproutes", "timeoutremote", "timeoutconnect"] {
        let tree = Tree::under_test();
        tree.remove_control(control);
        std::fs::create_dir(tree.path("control").join(control)).unwrap();
        let report = tree.remote("far.example", "joe@here", &["jane@far.example"]);
        assert_eq!(report.only(), text, "{control}");
    }
    let tree = Tree::under_test();
    tree.remove_control("me");
    assert_eq!(tree.remote("far.example", "joe@here", &["jane@far.example"]).only(), text);
}

#[test]
fn an_unreadable_message_is_tried_later() {
    let scene = Scene::new(Script::default());
    let program = scene.tree.remote_program("far.example", "joe@here", &["jane@far.example"]);
    let directory = std::fs::File::open(scene.tree.scratch()).unwrap();
    let report = Report::of(&program.stdin_from(directory).run());
    let text = "ZUnable to read message. (#4.3.0)\n";
    assert_eq!(report.records, ["r", text]);
    assert!(scene.sink.messages().is_empty());
}
