//! splogger and tcp-env.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use qmail_conformance::conversation::Conversation;
use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::listener::Listener;
use qmail_conformance::{Need, Tree, files};

/// What splogger writes to the system's log for this input.
fn logged(arguments: &[&str], input: &str, count: usize) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    files::set_mode(directory.path(), 0o755);
    let path = directory.path().join("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    files::set_mode(&path, 0o777);
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let tree = Tree::with_files_of_the_machine(&[("/dev/log", Path::new(&path))]);
    let program = tree.program("splogger").run_as(tree.accounts().qmaill);
    let finished = program.args(arguments.iter().copied()).stdin(input).run();
    assert_eq!((finished.code, finished.said()), (Some(0), String::new()));
    let mut buffer = [0; 4096];
    let lines = (0..count).map(|_| {
        let size = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..size]).trim_end_matches(['\0', '\n']).to_owned()
    });
    let lines = lines.collect();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(socket.recv(&mut buffer).is_err());
    lines
}

/// Skips without root: /dev/log is the machine's.
fn cannot_have_a_log() -> bool {
    Tree::under_test().lacks(Need::Root)
}

#[test]
fn splogger_chooses_the_priority_by_the_line() {
    if cannot_have_a_log() {
        return;
    }
    let lines = logged(&["qmail"], "status: x\n\nalert: y\nwarning: z\u{e9}\n", 3);
    let expected = [("<22>", " status: x"), ("<17>", " alert: y"), ("<20>", " warning: z??")];
    for (line, (priority, text)) in lines.iter().zip(expected) {
        assert!(line.starts_with(priority), "{line}");
        assert!(line.contains("qmail: ") && line.ends_with(text), "{line}");
        let stamp = line.split("qmail: ").nth(1).unwrap().split(' ').next().unwrap();
        let (seconds, fraction) = stamp.split_once('.').unwrap();
        assert!(seconds.parse::<u64>().is_ok() && fraction.len() == 6, "{line}");
    }
}

#[test]
fn splogger_has_a_default_tag_and_takes_a_facility() {
    if cannot_have_a_log() {
        return;
    }
    assert!(logged(&[], "x\n", 1)[0].contains("splogger: "));
    let line = &logged(&["tag", "16"], "x\n", 1)[0];
    assert!(line.starts_with("<134>") && line.contains("tag: "), "{line}");
}

#[test]
fn splogger_breaks_long_lines() {
    if cannot_have_a_log() {
        return;
    }
    let text = "x".repeat(1000);
    let lines = logged(&["tag"], &format!("{text}\n"), 2);
    let part = |line: &str| line.split("tag: ").nth(1).unwrap().to_owned();
    let (first, second) = (part(&lines[0]), part(&lines[1]));
    let stamp = first.split(' ').next().unwrap();
    assert!(second.starts_with(&format!("{stamp}+x")), "{second}");
    let count = |line: &str| line.matches('x').count();
    assert_eq!(count(&first) + count(&second), 1000);
}

/// What `env` prints behind tcp-env for a connection from 127.0.0.1.
fn environment(tree: &Tree, arguments: &[&str]) -> String {
    // The listener sets PROTO itself, which would mean that nothing is left to do.
    let program = tree.command("/usr/bin/env").args(["-u", "PROTO", "-u", "TCPREMOTEHOST"]);
    let program = program
        .arg(tree.home().join("bin/tcp-env"))
        .args(arguments.iter().copied())
        .arg("/usr/bin/env");
    let listener = Listener::start(tree.listen("127.0.0.1:0"), program.into()).unwrap();
    let mut conversation = Conversation::over(tree.connect(&listener.address().to_string()));
    String::from_utf8(conversation.rest()).unwrap()
}

#[test]
fn tcp_env_describes_the_connection() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let name = Record::Ptr("Local.Example".to_owned());
    let _server = tree.name_server(Zone::new().with("1.0.0.127.in-addr.arpa", name));
    let text = environment(&tree, &["-R"]);
    for line in ["PROTO=TCP\n", "TCPLOCALIP=127.0.0.1\n", "TCPREMOTEIP=127.0.0.1\n"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    for line in ["TCPREMOTEHOST=local.example\n", "TCPLOCALHOST=local.example\n", "TCPREMOTEPORT="]
    {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("TCPREMOTEINFO"), "{text}");
}

#[test]
fn tcp_env_tells_a_missing_name_from_a_name_server_in_trouble() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let server = tree.name_server(Zone::new());
    assert!(!environment(&tree, &["-R"]).contains("TCPREMOTEHOST"));
    drop(server);
    let tree = Tree::under_test();
    let _server = tree.name_server(Zone::new().fails("1.0.0.127.in-addr.arpa", 2));
    let text = environment(&tree, &["-R"]);
    assert!(text.contains("TCPREMOTEHOST=softdnserror\n"), "{text}");
}

#[test]
fn tcp_env_asks_who_is_calling() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let _server = tree.name_server(Zone::new());
    let answer = "read q; echo \"${q%?} : USERID : UNIX : jo e\"";
    let program = tree.command("/bin/sh").args(["-c", answer]);
    let _ident = Listener::start(tree.listen("127.0.0.1:113"), program.into()).unwrap();
    let text = environment(&tree, &[]);
    assert!(text.contains("TCPREMOTEINFO=joe\n"), "{text}");
}

#[test]
fn tcp_env_leaves_alone_what_is_there() {
    let tree = Tree::under_test();
    let program = tree.program("tcp-env").env("PROTO", "TCP").env("TCPREMOTEIP", "x");
    let finished = program.args(["sh", "-c", "echo $TCPREMOTEIP $TCPLOCALIP"]).run();
    assert_eq!((finished.code, finished.text().as_str()), (Some(0), "x\n"));
    for words in [&[][..], &["cat"]] {
        let finished = tree.program("tcp-env").args(words.iter().copied()).run();
        assert_eq!((finished.code, finished.said()), (Some(111), String::new()), "{words:?}");
    }
}
