//! What others are asked for: names, users. And who serves.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::listener::{Listener, Service};
use qmail_conformance::process::wait_for;
use qmail_conformance::{Tree, wait};

use crate::rules;
use crate::server::{Server, heard_at_25, ours, plain, servers};

const SHOW: [&str; 3] = [
    "sh",
    "-c",
    "printf '%s\\n' \"${TCPLOCALHOST-none} ${TCPREMOTEHOST-none} ${TCPREMOTEINFO-none}\"",
];

fn name(address: &str, name: &str) -> (String, Record) {
    let mut parts: Vec<&str> = address.split('.').collect();
    parts.reverse();
    (format!("{}.in-addr.arpa", parts.join(".")), Record::Ptr(name.to_owned()))
}

fn zone() -> Zone {
    let (here, here_name) = name("127.0.0.1", "Here.Example");
    let (there, there_name) = name("127.0.0.2", "there.b.example");
    let (liar, liar_name) = name("127.0.0.3", "there.b.example");
    let (odd, odd_name) = name("127.0.0.5", "a$b c.EXAMPLE");
    Zone::new()
        .with(&here, here_name)
        .with(&there, there_name)
        .with(&liar, liar_name)
        .with(&odd, odd_name)
        .a("there.b.example", [127, 0, 0, 2])
        .a("here.example", [127, 0, 0, 1])
}

/// Says who is calling.
fn ident(tree: &Tree, answer: &str) -> Service {
    let script = format!("read question; echo \"${{question%?}} {answer}\"");
    tree.command("/bin/sh").args(["-c", &script]).into()
}

#[test]
fn names_and_users_are_asked_for() {
    let Some(tree) = Tree::of_root() else { return };
    let _names = tree.name_server(zone());
    let users = ident(&tree, ": USERID : UNIX : jo e");
    let _users = ["127.0.0.1:113", "127.0.0.2:113", "127.0.0.3:113", "127.0.0.5:113"]
        .map(|at| Listener::start(tree.listen(at), users.clone()).unwrap());
    for server in servers(&tree) {
        let server = Server::start(&tree, &server, &["-v"], &SHOW);
        assert_eq!(server.heard(), "here.example here.example joe\n");
        assert_eq!(server.heard_by("127.0.0.2"), "here.example there.b.example joe\n");
        assert_eq!(server.heard_by("127.0.0.5"), "here.example a\\044b\\040c.example joe\n");
        let port = server.port();
        let log = plain(&server.log_with(3, "tcpserver: end"), port);
        for line in [
            "tcpserver: pid N from 127.0.0.2",
            "tcpserver: ok N here.example:127.0.0.1:HERE there.b.example:127.0.0.2:joe:THERE",
        ] {
            assert!(log.contains(&line.to_owned()), "{log:?}");
        }
    }
    for server in servers(&tree) {
        for (options, expected) in [
            (["-p", "-R"], ["here.example there.b.example none", "here.example none none"]),
            (
                ["-h", "-R"],
                ["here.example there.b.example none", "here.example there.b.example none"],
            ),
            (["-H", "-R"], ["here.example none none", "here.example none none"]),
            (["-hl0", "-R"], ["0 there.b.example none", "0 there.b.example none"]),
            (["-H", "-r"], ["here.example none joe", "here.example none joe"]),
        ] {
            let server = Server::start(&tree, &server, &options, &SHOW);
            let heard = ["127.0.0.2", "127.0.0.3"].map(|client| server.heard_by(client));
            assert_eq!(heard, expected.map(|line| format!("{line}\n")), "{options:?}");
        }
    }
}

#[test]
fn who_cannot_be_asked_is_served_without_a_name() {
    let Some(tree) = Tree::of_root() else { return };
    let _names = tree.name_server(Zone::new().fails("1.0.0.127.in-addr.arpa", 2));
    // Nobody listens at port 113.
    for server in servers(&tree) {
        let server = Server::start(&tree, &server, &["-p"], &SHOW);
        assert_eq!(server.heard(), "none none none\n");
        assert_eq!(server.log(), Vec::<String>::new());
    }
    let users = ident(&tree, ": ERROR : NO-USER");
    let _users = Listener::start(tree.listen("127.0.0.1:113"), users).unwrap();
    for server in servers(&tree) {
        assert_eq!(Server::start(&tree, &server, &[], &SHOW).heard(), "none none \n");
    }
}

#[test]
fn root_asks_no_name_server_itself() {
    let Some(tree) = Tree::of_root() else { return };
    let Some(server) = ours(&tree) else { return };
    tree.replace_program("tcp-name", "#!/bin/sh\nid -u\n");
    let qmaild = tree.accounts().qmaild.uid;
    let as_root = Server::start(&tree, &server, &["-R"], &SHOW);
    assert_eq!(as_root.heard(), format!("{qmaild} {qmaild} none\n"));
    let as_joe = Server::start(&tree, &server, &["-R", "-u7801", "-g7801"], &SHOW);
    assert_eq!(as_joe.heard(), "7801 7801 none\n");
}

#[test]
fn a_silent_host_is_given_up_and_holds_nobody_up() {
    let Some(tree) = Tree::of_root() else { return };
    let _names = tree.name_server(Zone::new());
    let silent = tree.command("/bin/sleep").arg("1000").into();
    let _silent = Listener::start(tree.listen("127.0.0.2:113"), silent).unwrap();
    for server in servers(&tree) {
        let patient = Server::start(&tree, &server, &["-vl0", "-t1000"], &["echo", "served"]);
        let waiting = patient.connect_from("127.0.0.2");
        patient.log_with(1, "tcpserver: pid");
        assert_eq!(patient.heard(), "served\n");
        assert!(patient.log().iter().all(|line| !line.contains(":127.0.0.2:")));
        drop(waiting);
        let short = Server::start(&tree, &server, &["-Hl0", "-t1"], &SHOW);
        assert_eq!(short.heard_by("127.0.0.2"), "0 none none\n");
    }
}

#[test]
fn who_is_still_being_asked_about_keeps_nobody_else_waiting_for_a_server_that_has_gone() {
    let Some(tree) = Tree::of_root() else { return };
    let silent = tree.command("/bin/sleep").arg("1000").into();
    let _silent = Listener::start(tree.listen("127.0.0.2:113"), silent).unwrap();
    for server in servers(&tree) {
        let server = Server::start(&tree, &server, &["-vHl0", "-t1000"], &["cat"]);
        let _asked_about = server.connect_from("127.0.0.2");
        server.log_with(1, "tcpserver: pid");
        let address = format!("127.0.0.1:{}", server.port());
        assert_eq!(server.end().code(), Some(0));
        // Nobody listens there, and another server can.
        let next = tree.within_network(|| std::net::TcpStream::connect(&address));
        assert_eq!(next.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        drop(tree.listen(&address));
    }
}

#[test]
fn rules_know_names_and_users_from_the_most_special_on() {
    let Some(tree) = Tree::of_root() else { return };
    let _names = tree.name_server(zone());
    let users = ident(&tree, ": USERID : UNIX : joe");
    let _users = Listener::start(tree.listen("127.0.0.2:113"), users).unwrap();
    let keys = [
        "joe@127.0.0.2",
        "joe@=there.b.example",
        "127.0.0.2",
        "=there.b.example",
        "127.0.0.",
        "127.0.",
        "127.",
        "=.b.example",
        "=.example",
        "=",
        "",
    ];
    let values: Vec<String> = (0..keys.len()).map(|at| format!("+RULE={at}\0")).collect();
    let all: Vec<(&str, &str)> = keys.into_iter().zip(values.iter().map(String::as_str)).collect();
    for server in servers(&tree) {
        let path = rules::file(&tree, &all);
        let options = ["-l0", "-x", &path];
        let server = Server::start(&tree, &server, &options, &["sh", "-c", "echo $RULE"]);
        for at in 0..all.len() {
            rules::file(&tree, &all[at..]);
            assert_eq!(server.heard_by("127.0.0.2"), format!("{at}\n"), "{}", all[at].0);
        }
        rules::file(&tree, &[("=", "+RULE=named\0"), ("127.0.0.4", "D\0")]);
        assert_eq!(server.heard_by("127.0.0.1"), "named\n");
        assert_eq!(server.heard_by("127.0.0.4"), "");
        assert_eq!(server.heard_by("127.0.0.6"), "\n");
    }
}

#[test]
fn a_server_listens_at_the_address_of_a_host() {
    let Some(tree) = Tree::of_root() else { return };
    let zone = Zone::new().a("mail.example", [127, 0, 0, 3]).fails("soft.example", 2);
    let _names = tree.name_server(zone);
    for server in servers(&tree) {
        let command = tree.command(&server).arg("-HRl0");
        let script = ["sh", "-c", "echo $TCPLOCALIP"];
        let running = Server::run(&tree, command, "mail.example", &script);
        let stream = tree.connect(&format!("127.0.0.3:{}", running.port()));
        assert_eq!(crate::server::heard(stream).1, "127.0.0.3\n");
        for (host, start) in [
            ("none.example", "tcpserver: fatal: no IP address for none.example"),
            (
                "soft.example",
                "tcpserver: fatal: temporarily unable to figure out IP address for soft.example: ",
            ),
        ] {
            let finished = tree.command(&server).args([host, "0", "cat"]).run();
            assert_eq!(finished.code, Some(111));
            assert!(finished.errors().starts_with(start), "{}", finished.errors());
        }
    }
}

#[test]
fn a_server_that_still_asks_for_its_address_can_be_stopped() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    tree.replace_program("tcp-name", "exec sleep 1000");
    // Whatever its starter thinks of the signal.
    let starter = "trap '' TERM; exec \"$@\"";
    let words = ["-c", starter, "sh", &server, "-HRl0", "slow.example", "0", "cat"];
    let (mut child, _log) = tree.command("sh").args(words).start();
    let asked = wait::until("a question", || tree.processes_named("sleep").pop());
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    wait_for(&mut child);
    kill(asked, Signal::SIGKILL).unwrap();
}

#[test]
fn a_server_becomes_the_user_it_is_told_to_be() {
    let Some(tree) = Tree::of_root() else { return };
    let show = ["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"];
    for server in servers(&tree) {
        for (options, expected) in [
            (&["-u7801", "-g7802"][..], "7801 7802 7802\n"),
            (&["-g7802"], "0 7802 7802\n"),
            (&["-U"], "7803 7804 7804\n"),
            (&["-U", "-u7801"], "7801 7804 7804\n"),
        ] {
            let command = tree.command(&server).envs(&[("UID", "7803"), ("GID", "7804")]);
            let command = command.arg("-HRl0").args(options.iter().copied());
            assert_eq!(Server::run(&tree, command, "127.0.0.1", &show).heard(), expected);
        }
        let only_user = Server::start(&tree, &server, &["-HRl0", "-u7801"], &show).heard();
        assert!(only_user.starts_with("7801 0 "), "{only_user}");
        // Somebody who is not root can only stay who he is.
        let joe = tree.user("joe").identity();
        for (option, reason) in [("-u7802", "uid"), ("-g7802", "gid")] {
            let words = [option, "127.0.0.1", "0", "cat"];
            let finished = tree.command(&server).args(words).run_as(joe).run();
            let expected = format!("tcpserver: fatal: unable to set {reason}: permission denied\n");
            assert_eq!((finished.code, finished.errors()), (Some(111), expected));
        }
        // The port is bound by root.
        let words = ["-HRl0", "-u7801", "-g7801", "127.0.0.1", "25", "id", "-u"];
        assert_eq!(heard_at_25(&tree, &server, &words), "7801\n");
    }
}
