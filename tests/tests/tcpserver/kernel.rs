//! On a kernel that lacks something.

use std::thread::Builder;

use nix::sys::signal::{Signal, kill};
use qmail_conformance::Tree;
use qmail_conformance::crash::recorder::{Recorder, Verdict};
use qmail_conformance::crash::stopped::follow;

use crate::server::{Server, ours};

/// It has no IPv6, as far as a server can tell by its first socket.
#[test]
fn where_there_is_no_ipv6_both_families_are_one() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    let mut sockets = 0;
    let recorder = Recorder::deciding(Box::new(move |moment| {
        let is_socket = moment.number == libc::SYS_socket;
        sockets += usize::from(is_socket);
        let is_first = is_socket && sockets == 1;
        if is_first { Verdict::Fail(libc::EAFNOSUPPORT) } else { Verdict::Go }
    }));
    let (command, note) = tree.stopped(tree.command(&server).arg("-HRl0"));
    let follower = Builder::new().spawn(move || follow(&note, &recorder)).unwrap();
    let server = Server::run(&tree, command, ":0", &["echo", "served"]);
    assert_eq!(server.heard(), "served\n");
    // What was started is the shell before it.
    kill(follower.join().unwrap(), Signal::SIGTERM).unwrap();
}
