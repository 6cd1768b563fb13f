//! Units of systemd: what systemd thinks of them, and sockets through tcp-env.

use std::io::{BufRead, BufReader, Write};

use qmail_conformance::conversation::Conversation;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Tree, files};

/// What `systemd-analyze security` may find at most, in tenths: 100 is no protection at all.
/// qmail-queue is set-id and users' programs run below qmail-send, which rules out most of what
/// counts there; POP3 needs neither.
const EXPOSURE: [(&str, u32); 8] = [
    ("qmail-send.service", 73),
    ("qmail-smtpd@.service", 57),
    ("qmail-smtpsd@.service", 59),
    ("qmail-submission@.service", 59),
    ("qmail-qmtpd@.service", 57),
    ("qmail-qmqpd@.service", 57),
    ("qmail-pop3d@.service", 24),
    ("qmail-pop3sd@.service", 24),
];

fn host() -> Option<Tree> {
    Tree::on_a_host(&["systemd-analyze", "tcprules"])
}

fn units(tree: &Tree) -> Vec<String> {
    let names = files::names(&tree.in_its_world(&format!("{}/services/systemd", home(tree))));
    assert_eq!(names.len(), 15, "{names:?}");
    names
}

fn home(tree: &Tree) -> String {
    tree.home().display().to_string()
}

#[test]
fn systemd_understands_every_unit() {
    let Some(tree) = host() else { return };
    let names = units(&tree);
    tree.shell(&format!(
        "mkdir -p /run/units && cp {}/services/systemd/* /run/units; mkdir -p /bin/qmaild; \
         cp /bin/true /bin/qmaild/checkpassword",
        home(&tree)
    ));
    for name in names.iter().filter(|name| !name.contains('@')) {
        let script =
            format!("SYSTEMD_LOG_LEVEL=info systemd-analyze verify --man=no /run/units/{name}");
        let finished = tree.command("/bin/sh").args(["-c", &script]).run();
        // Units of the machine that it refers to may have flaws of their own.
        let said = finished.said();
        let ours = said.lines().find(|line| line.contains("qmail"));
        assert_eq!((finished.code, ours), (Some(0), None), "{name}: {said}");
    }
}

#[test]
fn every_service_is_kept_from_what_it_does_not_need() {
    let Some(tree) = host() else { return };
    let names = units(&tree);
    let services = names.iter().filter(|name| name.ends_with(".service"));
    assert_eq!(services.count(), EXPOSURE.len());
    for (name, threshold) in EXPOSURE {
        let script = format!(
            "systemd-analyze security --no-pager --offline=yes --threshold={threshold} \
             {}/services/systemd/{name}",
            home(&tree)
        );
        let finished = tree.command("/bin/sh").args(["-c", &script]).run();
        let overall = finished.text();
        let overall = overall.lines().last().unwrap_or_default();
        assert_eq!(finished.code, Some(0), "{name}: {overall} {}", finished.errors());
    }
}

#[test]
fn a_socket_of_systemds_has_the_rules_of_tcprules() {
    let Some(tree) = Tree::on_a_host(&["systemd-socket-activate", "tcprules"]) else { return };
    tree.control("rcpthosts", "test.example\n");
    tree.shell(
        "printf '%s\\n' '127.0.0.1:allow,RELAYCLIENT=\"@fixup\"' '127.0.0.2:deny' '127.:allow' | \
         tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp",
    );
    let unit = files::read(
        &tree.in_its_world(&format!("{}/services/systemd/qmail-smtpd@.service", home(&tree))),
    );
    let unit = String::from_utf8(unit).unwrap();
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words = ["--inetd", "--accept", "--listen=127.0.0.1:25"];
    let program = tree.command("/usr/bin/systemd-socket-activate").args(words);
    let (mut activator, output) = program.args(command.split(' ')).start();
    let mut lines = BufReader::new(output).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Listening on 127.0.0.1:25"));
    let mut session = Session::with(Conversation::over(tree.connect("127.0.0.1:25")));
    assert_eq!(session.reply().code, 220);
    let mut session = session.mail_from("a@b").rcpt_to("x@far.example");
    assert_eq!(session.data("hi\r\n").code, 250);
    assert_eq!(tree.only_todo().recipients(), ["x@far.example@fixup"]);
    // Neither may relay: one has no right to, and nobody talks to the other.
    let from = |address: &str| {
        let script = format!(
            "import socket; s=socket.create_connection(('127.0.0.1',25), \
             source_address=('{address}',0)); s.sendall(b'HELO x\\r\\nMAIL FROM:<>\\r\\n\
             RCPT TO:<x@far.example>\\r\\nQUIT\\r\\n'); s.settimeout(60)\n\
             while (d := s.recv(999)): print(d.decode())"
        );
        tree.command("/usr/bin/python3").args(["-c", &script]).run().text()
    };
    assert!(from("127.0.0.3").contains("553 sorry, that domain isn't in my list"));
    assert_eq!(from("127.0.0.2"), "");
    // Without its file, it serves all the same, and nobody relays.
    std::fs::remove_file(tree.in_its_world("/etc/tcp.smtp.cdb")).unwrap();
    assert!(from("127.0.0.1").contains("553 sorry, that domain isn't in my list"));
    let _ = activator.kill();
    let _ = activator.wait();
}

#[test]
fn tcp_env_refuses_all_without_rules_unless_told_otherwise() {
    let tree = Tree::under_test();
    if tree.is_original() || tree.lacks(qmail_conformance::Need::Tool("tcprules")) {
        return;
    }
    let directory = tree.scratch();
    let rules = directory.join("rules.cdb");
    let ran = |words: &[&str]| {
        let program = tree.program("tcp-env").args(words.iter().copied()).arg("-x").arg(&rules);
        let program = program.args(["sh", "-c", "echo \"$VARIABLE\""]);
        let known = [("PROTO", "TCP"), ("TCPREMOTEIP", "192.0.2.7"), ("TCPREMOTEINFO", "joe")];
        let finished = program.envs(&known).run();
        (finished.code, finished.said())
    };
    assert_eq!(ran(&[]), (Some(111), String::new()));
    assert_eq!(ran(&["-X"]), (Some(0), "\n".to_owned()));
    let write = |text: &str| {
        let mut tcprules = std::process::Command::new("tcprules")
            .arg(&rules)
            .arg(directory.join("tmp"))
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        tcprules.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(tcprules.wait().unwrap().success());
        files::set_mode(&rules, 0o644);
    };
    write("192.0.2.1-9:allow,VARIABLE=\"range\"\n:deny\n");
    assert_eq!(ran(&[]), (Some(0), "range\n".to_owned()));
    write("joe@192.0.2.7:allow,VARIABLE=\"user\"\n192.0.2.7:deny\n");
    assert_eq!(ran(&[]), (Some(0), "user\n".to_owned()));
    write("192.0.:deny\n:allow\n");
    assert_eq!(ran(&["-X"]), (Some(100), String::new()));
}
