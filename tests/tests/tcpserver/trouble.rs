//! What is missing or fails while a server runs.

use std::io::{Read, Write};

use qmail_conformance::process::Program;
use qmail_conformance::{Identity, Tree};

use crate::server::{Server, heard, ours, plain, servers};

#[test]
fn a_program_that_is_not_there_is_told_of_each_time() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        for options in ["-vHRl0", "-vHR"] {
            let server = Server::start(&tree, &server, &[options], &["/nonexistent/program", "x"]);
            assert_eq!(server.heard(), "");
            let log = plain(&server.log_with(1, "tcpserver: end"), server.port());
            let end: Vec<&str> = log.iter().skip(4).map(String::as_str).collect();
            let dropped = "tcpserver: warning: dropping connection, unable to run \
                /nonexistent/program: file does not exist";
            assert_eq!(end[..2], [dropped, "tcpserver: end N status 28416"]);
        }
        let quiet = Server::start(&tree, &server, &["-qHRl0"], &["/nonexistent/program"]);
        assert_eq!(quiet.heard(), "");
        assert_eq!(quiet.log_at_end(), Vec::<String>::new());
    }
}

#[test]
fn only_trouble_is_told_without_v() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        let quiet = Server::start(&tree, &server, &["-vQHRl0"], &["echo", "served"]);
        assert_eq!(quiet.heard(), "served\n");
        assert_eq!(quiet.log_at_end(), Vec::<String>::new());
        let loud = Server::start(&tree, &server, &["-HRl0"], &["/nonexistent/program"]);
        assert_eq!(loud.heard(), "");
        assert_eq!(loud.log_at_end().len(), 1);
    }
}

/// Sets a limit of a process that runs.
fn limit(tree: &Tree, server: &Server<'_>, what: &str, user: Option<Identity>) {
    let command = tree.command("prlimit").args([&format!("--pid={}", server.pid()), what]);
    let done = user.into_iter().fold(command, Program::run_as).run();
    assert_eq!(done.code, Some(0), "{}", done.said());
}

#[test]
fn a_lack_of_descriptors_is_waited_out() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    for options in ["-HRl0", "-HR"] {
        let server = Server::start(&tree, &server, &[options], &["cat"]);
        limit(&tree, &server, "--nofile=5:64", None);
        let mut stream = server.connect();
        let log = server.log_with(2, "tcpserver: warning: ");
        let expected = "tcpserver: warning: unable to accept: process cannot open more files";
        assert_eq!(log[0], expected);
        // A server that does not rest between its attempts would have written thousands of them.
        server.log_with(4, expected);
        assert!(server.log().len() < 100);
        limit(&tree, &server, "--nofile=64:64", None);
        stream.write_all(b"at last").unwrap();
        assert_eq!(heard(stream).1, "at last");
        assert_eq!(server.end().code(), Some(0));
    }
}

#[test]
fn a_lack_of_processes_drops_connections_and_not_the_server() {
    let Some(tree) = Tree::of_root() else { return };
    for (at, server) in servers(&tree).into_iter().enumerate() {
        // Processes are counted by user.
        let number = 7851 + u32::try_from(at).unwrap();
        let user = Identity { uid: number, gid: number };
        let (uid, gid) = (format!("-u{number}"), format!("-g{number}"));
        for options in ["-vHRl0", "-vHR"] {
            let options = [options, &uid, &gid];
            let server = Server::start(&tree, &server, &options, &["cat"]);
            limit(&tree, &server, "--nproc=0:100", Some(user));
            assert_eq!(server.heard(), "");
            let dropped =
                "tcpserver: warning: dropping connection, unable to fork: temporary failure";
            let log = server.log_with(1, dropped);
            let at = log.iter().position(|line| line == dropped).unwrap();
            assert_eq!(log[at - 1], "tcpserver: status: 1/40");
            server.log_with(2, "tcpserver: status: 0/40");
            limit(&tree, &server, "--nproc=100:100", Some(user));
            let mut stream = server.connect();
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0]).unwrap();
            assert_eq!(server.end().code(), Some(0));
        }
    }
}
