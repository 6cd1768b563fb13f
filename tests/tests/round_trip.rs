//! The whole way of a message between programs that we did not write: swaks hands it over through
//! tcpserver, and mpop fetches it through tcpserver.

use std::fs;
use std::io::PipeReader;
use std::net::TcpStream;
use std::process::Child;

use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::Finished;
use qmail_conformance::{Need, Tree, files, wait};

/// A server, until it is dropped, and where it complains.
struct Server {
    child: Child,
    _complaints: PipeReader,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts tcpserver on a port, in front of these words.
fn serve(tree: &Tree, port: &str, options: &[&str], words: &[&str]) -> Server {
    let listener = tree.command("tcpserver").args(["-H", "-R", "-l", "test.example"]);
    let listener = listener.args(options.iter().copied()).args(["127.0.0.1", port]);
    let (child, complaints) = listener.args(words.iter().copied()).start();
    let address = format!("127.0.0.1:{port}");
    wait::until("a server", || tree.within_network(|| TcpStream::connect(&address).ok()));
    Server { child, _complaints: complaints }
}

fn swaks(tree: &Tree, recipient: &str) -> Finished {
    let program = tree.command("swaks").args(["--server", "127.0.0.1", "--port", "2525"]);
    let program = program.args(["--helo", "client.example", "--from", "sender@far.example"]);
    let program = program.args(["--to", recipient, "--header", "Subject: on its way"]);
    program.args(["--body", "first line\n.dotted line\nlast line\n"]).run()
}

/// Fetches all mail of joe, and has it deleted.
fn mpop(tree: &Tree, inbox: &Maildir) -> Finished {
    let settings = tree.scratch().join("mpoprc");
    let known = tree.scratch().join("uidls");
    let text = format!(
        "account default\nhost 127.0.0.1\nport 1100\ntls off\nauth user\nuser joe\npassword secret\n\
         keep off\nuidls_file {}\ndelivery maildir {}\nreceived_header off\n",
        known.display(),
        inbox.path().display()
    );
    files::write(&settings, text);
    files::set_mode(&settings, 0o600);
    tree.command("mpop").arg("-C").arg(&settings).env("HOME", tree.scratch()).run()
}

#[test]
fn mail_goes_from_swaks_to_mpop() {
    let tree = Tree::under_test();
    let needs = ["tcpserver", "swaks", "mpop"].map(Need::Tool);
    let mut needs = needs.into_iter().chain([Need::Root, Need::Program("checkpassword")]);
    if needs.any(|need| tree.lacks(need)) {
        return;
    }
    tree.control("rcpthosts", "test.example\n");
    let mailbox = tree.user("joe").make_maildir("Maildir");
    let daemon = tree.accounts().qmaild;
    let (user, group) = (daemon.uid.to_string(), daemon.gid.to_string());
    let bin = tree.home().join("bin");
    let [smtpd, popup] = ["qmail-smtpd", "qmail-popup"].map(|name| bin.join(name));
    let smtp = serve(&tree, "2525", &["-u", &user, "-g", &group], &[smtpd.to_str().unwrap()]);
    let words = [popup.to_str().unwrap(), "pop.test.example", "checkpassword", "qmail-pop3d"];
    let pop3 = serve(&tree, "1100", &[], &[&words[..], &["Maildir"]].concat());
    let running = tree.start();

    let refused = swaks(&tree, "joe@other.example");
    assert!(refused.text().contains(" 553 sorry, that domain"), "{}", refused.said());
    assert_ne!(refused.code, Some(0));
    let sent = swaks(&tree, "joe@test.example");
    assert_eq!(sent.code, Some(0), "{}", sent.said());
    running.wait_for("end msg ");
    let [message] = &mailbox.wait_for(1)[..] else { panic!("more than one message") };
    let message = String::from_utf8_lossy(message).into_owned();
    assert!(
        message.starts_with("Return-Path: <sender@far.example>\nDelivered-To: joe@test.example\n")
    );
    assert!(message.contains("\nSubject: on its way\n"), "{message}");

    let inbox = Maildir::at(tree.scratch().join("inbox"));
    for part in ["", "tmp", "new", "cur"] {
        fs::create_dir(inbox.path().join(part)).unwrap();
    }
    let fetched = mpop(&tree, &inbox);
    assert_eq!(fetched.code, Some(0), "{}", fetched.said());
    assert_eq!(inbox.only().trim_end(), message.trim_end());
    assert!(inbox.only().contains("\nfirst line\n.dotted line\nlast line\n"));
    assert!(mailbox.names("new").is_empty() && mailbox.names("cur").is_empty());
    drop((smtp, pop3, running));
}

/// As docs/tls.md has them, but for the names of host and file.
const SEND: &str = r"printf 'Subject: hello\n\nhello\n' | msmtp --host=127.0.0.1 --port=587 \
    --auth=plain --user=joe --passwordeval='cat ~/.password' --tls=on --tls-certcheck=off \
    --from=joe@test.example joe@test.example";
const READ: &str = "maildirmake mail; mpop --host=127.0.0.1 --port=995 --tls=on \
    --tls-starttls=off --tls-certcheck=off --user=joe --passwordeval='cat ~/.password' \
    --delivery=maildir,mail >&2; cat mail/new/*";

#[test]
fn the_services_let_a_user_send_and_read_by_tls() {
    let tree = Tree::under_test();
    let needs = ["tcpserver", "msmtp", "mpop"].map(Need::Tool);
    let mut needs = needs.into_iter().chain([Need::Root, Need::Program("qmail-newcert")]);
    if needs.any(|need| tree.lacks(need)) {
        return;
    }
    // `install protect` writes to /bin.
    let place = tree.scratch().join("usr");
    tree.shell(&format!(
        "mkdir {place}; mount -t tmpfs tmpfs {place}; mkdir {place}/upper {place}/work
        mount -t overlay -o lowerdir=/usr,upperdir={place}/upper,workdir={place}/work overlay /usr",
        place = place.display()
    ));
    tree.control("rcpthosts", "test.example\n");
    let joe = tree.user("joe");
    let mailbox = joe.make_maildir("Maildir");
    joe.write(".password", "secret\n");
    let made = tree.program("qmail-newcert").run();
    assert_eq!(made.code, Some(0), "{}", made.said());
    let bin = tree.home().join("bin");
    let protected = tree.install(&["--from", bin.to_str().unwrap(), "protect"]);
    assert_eq!(protected.code, Some(0), "{}", protected.said());
    let _services: Vec<Server> = [("qmail-submission", 587), ("qmail-pop3sd", 995)]
        .map(|(name, port)| {
            let (child, complaints) =
                tree.command(tree.path("services").join(name).join("run")).start();
            let address = format!("127.0.0.1:{port}");
            wait::until(name, || tree.within_network(|| TcpStream::connect(&address).ok()));
            Server { child, _complaints: complaints }
        })
        .into();
    let running = tree.start();
    let as_joe = |script| {
        let program = tree.command("sh").args(["-ec", script]).run_as(joe.identity());
        program.in_directory(joe.home()).env("HOME", joe.home()).run()
    };
    let sent = as_joe(SEND);
    assert_eq!(sent.code, Some(0), "{}", sent.said());
    running.wait_for("end msg ");
    let arrived = mailbox.wait_for(1);
    let arrived = String::from_utf8_lossy(&arrived[0]).into_owned();
    assert!(arrived.contains("with ESMTPSA (TLS"), "{arrived}");
    let read = as_joe(READ);
    assert_eq!(read.code, Some(0), "{}", read.said());
    assert!(read.text().contains("Subject: hello") && read.text().contains("hello\n"));
}
