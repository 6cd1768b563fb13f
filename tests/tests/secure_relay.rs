//! Between a session and its client stands qmail-tlsrelay: what becomes of both when one of the
//! three goes, and what passes through.

use std::fs;
use std::io::Write;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qmail_conformance::secure::Secure;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, files, wait};

/// A client whose TLS is apart from its connection, so that each can be handled on its own; greeted.
/// The network, which is the test's own, holds little.
const CLIENT: &str = "
import socket, ssl, threading
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
inside = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
for buffer in ('tcp_rmem', 'tcp_wmem'):
    with open(f'/proc/sys/net/ipv4/{buffer}', 'w') as limits:
        limits.write('4096 65536 131072')
client = socket.create_connection(('127.0.0.1', 465))
def until_done(step):
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            if outgoing.pending: client.sendall(outgoing.read())
            block = client.recv(65536)
            incoming.write(block) if block else incoming.write_eof()
until_done(inside.do_handshake)
told = until_done(lambda: inside.read(4096))
";

const NAMES: [&str; 2] = ["qmail-smtpd", "qmail-tlsrelay"];

fn lacks_tls() -> bool {
    let tree = Tree::under_test();
    tree.lacks(Need::Root)
        || tree.lacks(Need::Program("qmail-newcert"))
        || tree.lacks(Need::Tool("openssl"))
}

/// A session in TLS, by openssl.
fn inside(secure: &Secure) -> Session {
    let mut session = Session::with(secure.client(465, &["-ign_eof"]).converse());
    assert_eq!(session.reply().code, 220);
    session
}

/// The only process of this name.
fn the(secure: &Secure, name: &str) -> Pid {
    let found = secure.tree.processes_named(name);
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

fn await_nobody(secure: &Secure) {
    for name in NAMES {
        wait::until(name, || secure.tree.processes_named(name).is_empty().then_some(()));
    }
}

#[test]
fn a_session_ends_with_its_relay() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let mut session = inside(&secure);
    assert_eq!(session.command("MAIL FROM:<a@b>").code, 250);
    kill(the(&secure, "qmail-tlsrelay"), Signal::SIGKILL).expect("it runs");
    // Not a word in the clear.
    assert_eq!(session.rest(), "");
    await_nobody(&secure);
}

#[test]
fn a_message_whose_relay_goes_is_not_queued() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let mut session = inside(&secure).mail_from("a@b").rcpt_to("joe@test.example");
    assert_eq!(session.command("DATA").code, 354);
    session.send("Subject: half\r\n\r\nof it\r\n");
    kill(the(&secure, "qmail-tlsrelay"), Signal::SIGKILL).expect("it runs");
    assert_eq!(session.rest(), "");
    await_nobody(&secure);
    wait::until("an empty queue", || secure.tree.queue_is_empty().then_some(()));
}

#[test]
fn a_relay_ends_with_its_session_and_tells_the_client() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let mut session = inside(&secure);
    assert_eq!(session.command("NOOP").code, 250);
    kill(the(&secure, "qmail-smtpd"), Signal::SIGKILL).expect("it runs");
    assert_eq!(session.rest(), "");
    // What openssl says of an end that nobody announced.
    let errors = session.conversation().errors();
    assert!(!errors.contains("unexpected eof"), "{errors}");
    await_nobody(&secure);
}

#[test]
fn a_relay_in_the_middle_of_a_handshake_ends_with_its_session() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let mut stream = secure.tree.connect("127.0.0.1:465");
    stream.write_all(b"\x16\x03\x01\x02\x00\x01").expect("somebody listens");
    wait::until("a relay", || {
        (secure.tree.processes_named("qmail-tlsrelay").len() == 1).then_some(())
    });
    kill(the(&secure, "qmail-smtpd"), Signal::SIGKILL).expect("it runs");
    await_nobody(&secure);
}

#[test]
fn a_client_who_is_silent_is_told_by_the_session_and_leaves_nobody_behind() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    secure.tree.control("timeoutsmtpd", "2\n");
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let mut session = inside(&secure);
    assert_eq!(session.rest(), "451 timeout (#4.4.2)\r\n");
    let errors = session.conversation().errors();
    assert!(!errors.contains("unexpected eof"), "{errors}");
    // And one who never comes to an end of his hello.
    let mut stream = secure.tree.connect("127.0.0.1:465");
    stream.write_all(b"\x16\x03\x01\x02\x00\x01").expect("somebody listens");
    let mut told = String::new();
    let _ = std::io::Read::read_to_string(&mut stream, &mut told);
    assert_eq!(told, "454 TLS connection failed: timed out (#4.3.0)\r\n");
    await_nobody(&secure);
}

#[test]
fn a_large_message_passes_whole() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let script = "
import smtplib, ssl
server = smtplib.SMTP_SSL('127.0.0.1', 465, context=ssl._create_unverified_context(), timeout=300)
body = b''.join(b'%063d\\r\\n' % number for number in range(160000))
print(server.sendmail('a@b', ['joe@test.example'], b'Subject: x\\r\\n\\r\\n' + body))
print(server.quit()[0])
";
    let said = secure.tree.command("/usr/bin/python3").args(["-c", script]).run().said();
    assert_eq!(said, "{}\n221\n");
    let names = secure.tree.queue_files("mess");
    assert_eq!(names.len(), 1);
    let text = files::read(&secure.tree.path("queue/mess").join(&names[0]));
    let lines = text.split(|byte| *byte == b'\n').filter(|line| line.len() == 63);
    assert!(lines.enumerate().all(|(number, line)| line == format!("{number:063}").as_bytes()));
    assert!(text.len() > 160_000 * 64);
    await_nobody(&secure);
}

#[test]
fn neither_queue_program_nor_relay_has_what_is_not_theirs() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let place = secure.tree.scratch();
    files::set_mode(&place, 0o777);
    let script = place.join("queue");
    let list = place.join("descriptors");
    let list_them = format!("ls -l /proc/$$/fd > {}", list.display());
    let body = format!("{list_them}\ncat >/dev/null; cat <&1 >/dev/null; exit 0");
    files::write_script(&script, &body);
    let queue = script.to_str().expect("a name").to_owned();
    let program = secure.smtpd(&[("SMTPS", "1"), ("QMAILQUEUE", &queue)]);
    let _server = secure.serve(465, program);
    let mut session = inside(&secure).mail_from("a@b").rcpt_to("joe@test.example");
    assert_eq!(session.data("\r\n").code, 250);
    let of_queue = String::from_utf8(files::read(&list)).expect("it is text");
    assert!(of_queue.contains(" -> ") && !of_queue.contains("socket:"), "{of_queue}");
    let relay = the(&secure, "qmail-tlsrelay");
    let of_relay = format!("/proc/{relay}/fd");
    let is_socket = |number: &String| {
        let target = fs::read_link(format!("{of_relay}/{number}")).expect("it is open");
        target.to_string_lossy().starts_with("socket:")
    };
    let mut sockets = files::names(Path::new(&of_relay));
    sockets.retain(is_socket);
    assert_eq!(sockets, ["0", "1", "3"]);
    assert_eq!(session.command("QUIT").code, 221);
    await_nobody(&secure);
}

#[test]
fn a_client_who_stops_speaking_is_still_answered() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    // The end of what he says, without a word in TLS; then he goes on reading.
    let script = "
inside.write(b'NOOP\\r\\nVRFY x\\r\\nQUIT\\r\\n')
client.sendall(outgoing.read())
client.shutdown(socket.SHUT_WR)
while block := until_done(lambda: inside.read(4096)):
    told += block
print(told.count(b'\\r\\n'))
";
    let script = [CLIENT, script].concat();
    let said = secure.tree.command("/usr/bin/python3").args(["-c", &script]).run().said();
    assert_eq!(said, "4\n");
    await_nobody(&secure);
}

#[test]
fn nobody_waits_for_ever_for_a_client_who_speaks_and_does_not_listen() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    // More than what is between us holds, in both directions.
    let script = "
count = 400000
inside.write(b'NOOP\\r\\n' * count)
flood = threading.Thread(target=client.sendall, args=(outgoing.read(),))
flood.start()
flood.join(3)
print(flood.is_alive())
answers = bytearray()
while len(answers) < count * 8:
    answers += until_done(lambda: inside.read(65536)) or b'end'
flood.join()
print(answers == b'250 ok\\r\\n' * count)
";
    let script = [CLIENT, script].concat();
    let said = secure.tree.command("/usr/bin/python3").args(["-c", &script]).run().said();
    assert_eq!(said, "True\nTrue\n");
    await_nobody(&secure);
}
