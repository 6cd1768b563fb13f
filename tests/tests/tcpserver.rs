//! Servers for TCP: tcpserver as Debian has it, and qmail-tcpserver, which is to do the same.

#[path = "tcpserver/facts.rs"]
mod facts;
#[cfg(target_arch = "x86_64")]
#[path = "tcpserver/kernel.rs"]
mod kernel;
#[path = "tcpserver/queue.rs"]
mod queue;
#[path = "tcpserver/rules.rs"]
mod rules;
#[path = "tcpserver/server.rs"]
mod server;
#[path = "tcpserver/trouble.rs"]
mod trouble;

use std::io::{BufRead, BufReader, Read, Write};

use nix::sys::signal::Signal;
use qmail_conformance::conversation::Conversation;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, wait};
use server::{Server, heard, heard_at_25, ours, plain, servers};

const ENV: [&str; 3] = ["sh", "-c", "unset PWD OLDPWD SHLVL _; exec env"];

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("PATH=")).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_program_knows_its_connection_and_the_log_tells_of_it() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        let server = Server::start(&tree, &server, &["-vHRl", "my:host%"], &ENV);
        let (client, heard) = heard(server.connect());
        let expected = [
            "PROTO=TCP".to_owned(),
            "TCPLOCALHOST=my:host%".to_owned(),
            "TCPLOCALIP=127.0.0.1".to_owned(),
            format!("TCPLOCALPORT={}", server.port()),
            "TCPREMOTEIP=127.0.0.1".to_owned(),
            format!("TCPREMOTEPORT={client}"),
        ];
        let known = sorted(&heard);
        let known: Vec<&str> =
            known.into_iter().filter(|line| !line.starts_with("QMAILHOME=")).collect();
        assert_eq!(known, expected);
        let port = server.port();
        server.log_with(2, "tcpserver: status: 0/40");
        assert_eq!(
            plain(&server.log_at_end(), port),
            [
                "tcpserver: status: 0/40",
                "tcpserver: status: 1/40",
                "tcpserver: pid N from 127.0.0.1",
                "tcpserver: ok N my?host?:127.0.0.1:HERE :127.0.0.1::THERE",
                "tcpserver: end N status 0",
                "tcpserver: status: 0/40",
            ]
        );
    }
}

#[test]
fn variables_that_are_not_known_are_hidden() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        let stale = [("TCPREMOTEHOST", "old"), ("TCPREMOTEINFO", "old"), ("OTHER", "kept")];
        let command = tree.command(server).envs(&stale).arg("-HRl0");
        let heard = Server::run(&tree, command, "0", &ENV).heard();
        assert!(!heard.contains("old") && heard.contains("OTHER=kept\n"), "{heard}");
        assert!(heard.contains("TCPLOCALIP=127.0.0.1\n"), "{heard}");
    }
}

#[test]
fn wrong_usage_is_100_and_what_cannot_be_had_is_111() {
    let tree = Tree::under_test();
    let usage = "tcpserver: usage: tcpserver [ -";
    for server in servers(&tree) {
        let run = |words: &[&str]| {
            let finished = tree.command(&server).args(words.iter().copied()).run();
            (finished.code, finished.errors())
        };
        for words in
            [&[][..], &["0"], &["0", "0"], &["-v", "0", "0"], &["-c"], &["-Z", "0", "0", "cat"]]
        {
            let (code, errors) = run(words);
            assert_eq!(code, Some(100), "{server} {words:?}");
            let last = errors.lines().last().unwrap();
            assert!(last.starts_with(usage) && last.ends_with(" host port program"), "{errors}");
        }
        assert_eq!(run(&["-q", "0"]), (Some(100), String::new()));
        let (code, errors) = run(&["0", "no-such-port", "cat"]);
        assert_eq!(code, Some(111));
        assert_eq!(errors, "tcpserver: fatal: unable to figure out port number for no-such-port\n");
        let (code, errors) = run(&["192.0.2.1", "0", "cat"]);
        assert_eq!(code, Some(111));
        assert_eq!(errors, "tcpserver: fatal: unable to bind: address not available\n");
        let taken = tree.listen("127.0.0.1:0");
        let port = taken.local_addr().unwrap().port().to_string();
        let (code, errors) = run(&["127.0.0.1", &port, "cat"]);
        assert_eq!(code, Some(111));
        assert_eq!(errors, "tcpserver: fatal: unable to bind: address already used\n");
        assert_eq!(run(&["-q", "127.0.0.1", &port, "cat"]), (Some(111), String::new()));
    }
}

#[test]
fn a_port_may_have_a_name() {
    let Some(tree) = Tree::of_root() else { return };
    for server in servers(&tree) {
        let words = ["-HRl0", "0", "smtp", "echo", "served"];
        assert_eq!(heard_at_25(&tree, &server, &words), "served\n");
    }
}

#[test]
fn a_program_has_the_connection_and_no_other_descriptor() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Tool("python3")) {
        return;
    }
    // Whoever runs the test may have left us others.
    let starter = "import os, sys; os.closerange(3, 4096); os.execvp(sys.argv[1], sys.argv[1:])";
    let rules = rules::file(&tree, &[]);
    for server in servers(&tree) {
        let script = "ls -l /proc/self/fd; grep Sig /proc/self/status";
        let command = tree.command("python3").args(["-c", starter, &server]);
        let command = command.args(["-HRl0", "-x", &rules]);
        let heard = Server::run(&tree, command, "127.0.0.1", &["sh", "-c", script]).heard();
        let descriptors: Vec<&str> =
            heard.lines().filter_map(|line| line.split_once(" -> ")).map(|(_, to)| to).collect();
        let [input, output, log, directory] = descriptors[..] else { panic!("{heard}") };
        assert!(input.starts_with("socket:") && input == output, "{heard}");
        assert!(log.starts_with("pipe:") && directory.ends_with("/fd"), "{heard}");
        let set = |name: &str| {
            let line = heard.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        let bit = |signal: Signal| 1_u64 << (signal as u64 - 1);
        let ours = bit(Signal::SIGTERM) | bit(Signal::SIGCHLD) | bit(Signal::SIGPIPE);
        assert_eq!((set("SigBlk:"), set("SigIgn:") & ours), (0, 0), "{heard}");
    }
}

#[test]
fn a_banner_is_sent_before_anything_else() {
    let tree = Tree::under_test();
    let long = "x".repeat(5000);
    for server in servers(&tree) {
        for banner in ["hello\n", &long] {
            let server = Server::start(&tree, &server, &["-HRl0", "-B", banner], &["cat"]);
            let mut stream = server.connect();
            let mut heard = vec![0; banner.len()];
            stream.read_exact(&mut heard).unwrap();
            assert_eq!(heard, banner.as_bytes());
            stream.write_all(b"and back").unwrap();
            assert_eq!(server::heard(stream).1, "and back");
        }
    }
}

#[test]
fn programs_write_with_or_without_delay() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Tool("python3")) {
        return;
    }
    let script = "import socket; print(socket.socket(fileno=0).getsockopt(6, 1))";
    for server in servers(&tree) {
        for (option, expected) in [("-D", "1\n"), ("-d", "0\n"), ("-Dd", "0\n")] {
            let server =
                Server::start(&tree, &server, &["-HRl0", option], &["python3", "-c", script]);
            assert_eq!(server.heard(), expected, "{option}");
        }
    }
}

/// A client that asks routers to write down who they are, which answers would do, too.
const RECORD_ROUTE: &str = "
import socket, sys
client = socket.socket()
client.setsockopt(0, 4, bytes([7, 7, 4, 0, 0, 0, 0, 0]))
client.connect(('127.0.0.1', int(sys.argv[1])))
print(client.makefile().read(), end='')
";

#[test]
fn options_of_a_packet_are_forgotten_unless_they_are_to_be_kept() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Tool("python3")) {
        return;
    }
    let script = "import socket; print(len(socket.socket(fileno=0).getsockopt(0, 4, 40)) > 0)";
    for server in servers(&tree) {
        // Debian's takes the number that the option has on BSD, which is another one on Linux.
        let forgets = if server == "tcpserver" { "True\n" } else { "False\n" };
        for (option, kept) in [("-o", "True\n"), ("-O", forgets), ("-Q", forgets)] {
            for more in ["-HRl0", "-HR"] {
                let options = [more, option];
                let server = Server::start(&tree, &server, &options, &["python3", "-c", script]);
                let client = tree.command("python3").args(["-c", RECORD_ROUTE]);
                let client = client.arg(server.port().to_string()).run();
                assert_eq!(client.said(), kept, "{option} {more}");
            }
        }
    }
}

#[test]
fn one_more_than_the_limit_waits_until_somebody_has_gone() {
    let tree = Tree::under_test();
    let script = "echo in; read line; echo out";
    for server in servers(&tree) {
        let server = Server::start(&tree, &server, &["-vHRl0", "-c1"], &["sh", "-c", script]);
        let said = |stream: &std::net::TcpStream| {
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).unwrap();
            line
        };
        let (mut first, mut second) = (server.connect(), server.connect());
        assert_eq!(said(&first), "in\n");
        first.write_all(b"\n").unwrap();
        assert_eq!(heard(first).1, "out\n");
        assert_eq!(said(&second), "in\n");
        second.write_all(b"\n").unwrap();
        assert_eq!(heard(second).1, "out\n");
        let log = server.log_with(3, "tcpserver: status: 0/1");
        assert!(!log.iter().any(|line| line.ends_with(": 2/1")), "{log:?}");
        assert!(log.contains(&"tcpserver: status: 1/1".to_owned()), "{log:?}");
    }
}

#[test]
fn one_address_may_have_a_limit_of_its_own() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    for asking in [false, true] {
        let options: &[&str] = if asking { &["-HR", "-C2"] } else { &["-HRl0", "-C2"] };
        let server = Server::start(&tree, &server, options, &["cat"]);
        let mut inside: Vec<_> = (0..2).map(|_| server.connect()).collect();
        for stream in &mut inside {
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0]).unwrap();
        }
        assert_eq!(server.heard(), "");
        let log = server.log_with(1, "tcpserver: end");
        assert_eq!(log.last().unwrap(), "tcpserver: end 127.0.0.1 perIPlimit 2");
        let mut other = server.connect_from("127.0.0.2");
        other.write_all(b"hello").unwrap();
        assert_eq!(heard(other).1, "hello");
        // Who has gone makes room.
        heard(inside.pop().unwrap());
        wait::until("room", || {
            let mut stream = server.connect();
            let _ = stream.write_all(b"again");
            (heard(stream).1 == "again").then_some(())
        });
    }
}

#[test]
fn sigterm_ends_the_server_and_no_session() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        // However its starter treats these signals.
        let starter = "trap '' TERM CHLD; exec \"$@\"";
        let command = tree.command("sh").args(["-c", starter, "sh"]).arg(&server).arg("-vHRl0");
        let server = Server::run(&tree, command, "127.0.0.1", &["cat"]);
        heard(server.connect());
        server.log_with(2, "tcpserver: status: 0/40");
        let mut session = server.connect();
        session.write_all(b"a").unwrap();
        session.read_exact(&mut [0]).unwrap();
        assert_eq!(server.end().code(), Some(0));
        session.write_all(b"still there").unwrap();
        assert_eq!(heard(session).1, "still there");
    }
}

#[test]
fn the_log_has_every_session_that_has_ended_before_the_server() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    let server = Server::start(&tree, &server, &["-vHRl0"], &["cat"]);
    let mut session = server.connect();
    session.write_all(b"a").unwrap();
    session.read_exact(&mut [0]).unwrap();
    // So that it hears of both at once.
    server.signal(Signal::SIGSTOP);
    heard(session);
    wait::until("the end of the session", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap();
        let pending = u64::from_str_radix(pending.trim(), 16).unwrap();
        (pending & 1 << (Signal::SIGCHLD as u64 - 1) != 0).then_some(())
    });
    server.signal(Signal::SIGTERM);
    server.signal(Signal::SIGCONT);
    let log = plain(&server.log_at_end(), 0);
    assert_eq!(log[log.len() - 2..], ["tcpserver: end N status 0", "tcpserver: status: 0/40"]);
}

#[test]
fn the_log_says_how_programs_end() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        for (script, status) in [("exit 3", "768"), ("kill -9 $$", "9"), ("exit 0", "0")] {
            let server = Server::start(&tree, &server, &["-vHRl0"], &["sh", "-c", script]);
            server.heard();
            let log = server.log_with(1, "tcpserver: end ");
            let end = log.iter().find(|line| line.starts_with("tcpserver: end ")).unwrap();
            assert!(end.ends_with(&format!(" status {status}")), "{end}");
        }
    }
}

#[test]
fn a_flood_is_served_one_after_the_other() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        let server = Server::start(&tree, &server, &["-HRl0", "-c7", "-b3"], &["echo", "served"]);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        assert_eq!(server.heard(), "served\n");
                    }
                });
            }
        });
    }
}

#[test]
fn both_families_are_served_as_the_host_says() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    let start = |option: &str, host: &str| {
        Server::run(&tree, tree.command(&server).arg(option), host, &ENV)
    };
    let serves = |server: &Server<'_>, host: &str| {
        let address = format!("{host}:{}", server.port());
        tree.within_network(|| std::net::TcpStream::connect(address).is_ok())
    };
    for (option, host, expected) in [
        ("-HRl0", "0", (true, false)),
        ("-HRl0", ":0", (true, true)),
        ("-HRl0", "::", (false, true)),
        ("-HRl0", "::1", (false, true)),
        ("-HRl04", ":0", (true, false)),
        ("-6HRl0", "0", (false, true)),
    ] {
        let server = start(option, host);
        let found = (serves(&server, "127.0.0.1"), serves(&server, "[::1]"));
        let expected = if option == "-HRl04" { (true, true) } else { expected };
        assert_eq!(found, expected, "{option} {host}");
    }
    let server = start("-vHRl0", ":0");
    let (client, text) = heard(server.connect_from("::1"));
    let remote = format!("TCP6REMOTEPORT={client}");
    for line in ["PROTO=TCP6", "TCPLOCALIP=::1", "TCPREMOTEIP=::1", "TCP6LOCALIP=::1", &remote] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
    let text = server.heard();
    assert!(text.contains("PROTO=TCP\n") && !text.contains("TCP6"), "{text}");
    assert!(text.contains("TCPREMOTEIP=127.0.0.1\n"), "{text}");
    let log = plain(&server.log_with(2, "tcpserver: ok"), server.port());
    for line in [
        "tcpserver: ok N 0:::1:HERE :::1::THERE",
        "tcpserver: ok N 0:127.0.0.1:HERE :127.0.0.1::THERE",
    ] {
        assert!(log.contains(&line.to_owned()), "{log:?}");
    }
    for words in [["-4HRl0", "::1"], ["-6HRl0", "127.0.0.1"]] {
        let finished = tree.command(tree.home().join("bin/qmail-tcpserver")).args(words);
        let finished = finished.args(["0", "cat"]).run();
        let expected = format!("tcpserver: fatal: no IP address for {}\n", words[1]);
        assert_eq!((finished.code, finished.errors()), (Some(111), expected));
    }
}

#[test]
fn swaks_and_python_send_mail_through_it() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root)
        || tree.lacks(Need::Tool("swaks"))
        || tree.lacks(Need::Tool("python3"))
    {
        return;
    }
    tree.control("rcpthosts", "test.example\n");
    let qmaild = tree.accounts().qmaild;
    let (uid, gid) = (qmaild.uid.to_string(), qmaild.gid.to_string());
    let smtpd = tree.home().join("bin/qmail-smtpd").display().to_string();
    let rules = rules::file(&tree, &[("127.0.0.1", "+RELAYCLIENT=\0"), ("", "D\0")]);
    for server in servers(&tree) {
        let before = tree.todo().len();
        let options = ["-HRl0", "-x", &rules, "-u", &uid, "-g", &gid];
        let server = Server::start(&tree, &server, &options, &[&smtpd]);
        let port = server.port().to_string();
        let swaks = tree.command("swaks").args(["--server", "127.0.0.1", "--port", &port]);
        let sent = swaks.args(["--from", "ann@far.example", "--to", "bob@else.example"]).run();
        assert_eq!(sent.code, Some(0), "{}", sent.said());
        let script = format!(
            "import smtplib\nwith smtplib.SMTP('127.0.0.1', {port}) as server:\n \
             server.sendmail('ann@far.example', ['joe@test.example'], b'Subject: x\\r\\n\\r\\nhi')"
        );
        let sent = tree.command("python3").args(["-c", &script]).run();
        assert_eq!(sent.code, Some(0), "{}", sent.said());
        assert_eq!(tree.todo().len(), before + 2);
        let refused = Session::with(Conversation::over(server.connect_from("127.0.0.2"))).rest();
        assert_eq!(refused, "");
    }
}
