//! The recipe for a container without root: its start script, as any user.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use qmail_conformance::conversation::Conversation;
use qmail_conformance::host::install;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, files, wait};

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

#[test]
fn it_takes_mail_and_stops_when_it_is_told() {
    let tree = Tree::under_test();
    if tree.is_original()
        || tree.lacks(Need::Tool("tcpserver"))
        || tree.lacks(Need::Tool("setpriv"))
    {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    files::set_mode(place.path(), 0o755);
    let home = place.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let start = place.path().join("start");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/container/start");
    std::fs::copy(script, &start).unwrap();
    files::set_mode(&start, 0o755);
    let is_root = nix::unistd::geteuid().is_root();
    let mut command = if is_root {
        std::os::unix::fs::chown(&home, Some(7811), Some(7811)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=7811", "--regid=7811", "--clear-groups"]).arg(&start);
        command
    } else {
        Command::new(&start)
    };
    let port = free_port();
    let mut running = command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("QMAILHOME", home.join("qmail"))
        .env("PROGRAMS", install().parent().unwrap())
        .env("NAME", "mail.new.example")
        .env("PORT", port.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(running.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line == "status: local 0/10 remote 0/20"));
    let stream = wait::until("port 25 of the container", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut session = Session::with(Conversation::over(stream));
    assert_eq!(session.reply().code, 220);
    assert_eq!(session.command("MAIL FROM:<a@far.example>").code, 250);
    assert_eq!(session.command("RCPT TO:<x@far.example>").code, 553);
    let mut session = session.rcpt_to("anybody@mail.new.example");
    assert_eq!(session.data("Subject: x\r\n\r\nhi\r\n").code, 250);
    assert_eq!(session.command("QUIT").code, 221);
    let maildir = Maildir::at(home.join("qmail/alias/Maildir"));
    let _ = maildir.wait_for(1);
    kill(Pid::from_raw(running.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(log.any(|line| line == "status: exiting"));
    assert_eq!(qmail_conformance::process::wait_for(&mut running).code(), Some(0));
    // Nobody is left who has its output.
    assert_eq!(log.last(), None);
}
