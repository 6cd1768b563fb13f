//! All services under daemontools, runit and s6: mail in and out, signals, and the end.

use std::io::{Read, Write};
use std::time::Duration;

use qmail_conformance::conversation::Conversation;
use qmail_conformance::dns::{Server, Zone};
use qmail_conformance::host::RUNIT;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::sink::Sink;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Tree, files, wait};

const SERVICES: [&str; 8] = [
    "qmail-send",
    "qmail-smtpd",
    "qmail-smtpsd",
    "qmail-submission",
    "qmail-pop3d",
    "qmail-pop3sd",
    "qmail-qmtpd",
    "qmail-qmqpd",
];
const PORTS: [u16; 7] = [25, 465, 587, 110, 995, 209, 628];

/// A supervisor, and how it is told things.
struct Supervisor {
    /// Starts it, for /etc/service.
    start: &'static str,
    /// What is done before the signal's letter or word, and the service.
    control: &'static str,
    /// Words for down, up, ALRM, HUP, TERM, STOP, CONT.
    words: [&'static str; 7],
    /// The processes that stay when every service is down.
    stay: &'static [&'static str],
}

const DOWN: usize = 0;
const UP: usize = 1;
const ALRM: usize = 2;
const HUP: usize = 3;
const TERM: usize = 4;
const STOP: usize = 5;
const CONT: usize = 6;

const LETTERS: [&str; 7] = ["-d", "-u", "-a", "-h", "-t", "-p", "-c"];
const DAEMONTOOLS: Supervisor = Supervisor {
    start: "svscan /etc/service",
    control: "svc",
    words: LETTERS,
    stay: &["supervise", "svscan"],
};
const S6: Supervisor = Supervisor {
    start: "s6-svscan /etc/service",
    control: "s6-svc",
    words: LETTERS,
    stay: &["s6-supervise", "s6-svscan"],
};
const RUNIT_ITSELF: Supervisor = Supervisor {
    start: "runsvdir /etc/service",
    control: "sv -w 0",
    words: ["down", "up", "alarm", "hup", "term", "pause", "cont"],
    stay: &["runsv", "runsvdir"],
};

/// A host where such a supervisor runs all services.
struct Host {
    tree: Tree,
    by: &'static Supervisor,
    /// Without one, tcpserver waits long for the names of clients.
    _names: Server,
}

impl Host {
    fn new(by: &'static Supervisor, tools: &[&'static str]) -> Option<Self> {
        let tree = Tree::on_a_host(&["tcpserver", "tcprules", "curl"])?;
        if tools.iter().any(|tool| tree.lacks(qmail_conformance::Need::Tool(tool))) {
            return None;
        }
        if by.control.starts_with("sv ") && tree.lacks_runit() {
            return None;
        }
        tree.control("rcpthosts", "test.example\n");
        tree.control("defaultdelivery", "./Maildir/\n");
        let names = tree.name_server(Zone::new());
        let host = Self { tree, by, _names: names };
        host.shell(&format!(
            r#"
            {install} protect > /dev/null
            qmail-newcert test.example
            printf '%s\n' '127.:allow,RELAYCLIENT=""' '192.0.2.7:deny' > /etc/tcp.smtp
            printf '%s\n' '127.:allow' ':deny' > /etc/tcp.qmqp
            {home}/boot/qmailctl cdb
            mkdir -p {home}/supervise
            for service in {services}; do
                cp -a {home}/services/$service {home}/supervise
                ln -s {home}/supervise/$service /etc/service
            done
            {start} > /run/supervisor.log 2>&1 &
            "#,
            install = qmail_conformance::host::install().display(),
            home = host.tree.home().display(),
            services = SERVICES.join(" "),
            start = by.start,
        ));
        host.listens(&PORTS);
        host.wait_for_log("status: local 0/10 remote 0/20");
        Some(host)
    }

    fn shell(&self, script: &str) -> String {
        let home = self.tree.home().display();
        let path = format!("{home}/bin:{home}/boot:{RUNIT}:/usr/bin:/bin:/usr/sbin:/sbin");
        let finished = self.tree.command("/bin/sh").args(["-ec", script]).env("PATH", path).run();
        assert_eq!(finished.code, Some(0), "{script}: {}", finished.said());
        finished.said()
    }

    fn listens(&self, ports: &[u16]) {
        for port in ports {
            wait::until(&format!("port {port}"), || self.is_open(*port).then_some(()));
        }
    }

    fn is_open(&self, port: u16) -> bool {
        let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        self.tree.within_network(connect)
    }

    fn log(&self) -> String {
        let path = self.tree.in_its_world("/var/log/qmail/current");
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    }

    fn wait_for_log(&self, text: &str) {
        self.wait_for_log_times(text, 1);
    }

    fn wait_for_log_times(&self, text: &str, count: usize) {
        wait::until(&format!("{text:?} in {}", self.log()), || {
            (self.log().matches(text).count() >= count).then_some(())
        });
    }

    fn tell(&self, word: usize, service: &str) {
        let (control, word) = (self.by.control, self.by.words[word]);
        self.shell(&format!("{control} {word} /etc/service/{service}"));
    }

    fn pid(&self) -> i32 {
        let found = self.tree.processes_named("qmail-send");
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].as_raw()
    }
}

/// One message by each way in, and one out.
fn mail_flows(host: &Host, joe: &Maildir) {
    let tree = &host.tree;
    let sink = Sink::start(tree.listen("127.0.0.1:2525")).unwrap();
    tree.control("smtproutes", ":127.0.0.1:2525\n");
    let mut session = Session::with(Conversation::over(tree.connect("127.0.0.1:25")));
    assert_eq!(session.reply().code, 220);
    let mut session = session.mail_from("a@far.example").rcpt_to("joe@test.example");
    assert_eq!(session.data("Subject: smtp\r\n\r\nhi\r\n").code, 250);
    assert_eq!(session.command("QUIT").code, 221);
    host.shell(
        r#"
        printf 'Subject: sent\n\nhi\n' > /run/message
        for url in smtps://127.0.0.1:465 'smtp://127.0.0.1:587 --ssl-reqd'; do
            curl --silent --show-error --insecure --crlf --user joe:secret --mail-from joe@test.example \
                --mail-rcpt joe@test.example --mail-rcpt x@far.example -T /run/message $url
        done
        "#,
    );
    // Netstrings: message, sender, recipients.
    let qmtp = tree.connect("127.0.0.1:209");
    said_by(qmtp, b"16:\nSubject: q\n\nhi\n,5:a@b.c,20:16:joe@test.example,,", b"K");
    let qmqp = tree.connect("127.0.0.1:628");
    said_by(qmqp, b"47:15:Subject: q\n\nhi\n,5:a@b.c,16:joe@test.example,,", b"K");
    let _ = joe.wait_for(5);
    assert_eq!(sink.wait_for(2).len(), 2);
    for url in ["pop3s://127.0.0.1:995/5", "--ssl-reqd pop3://127.0.0.1:110/5"] {
        let read =
            host.shell(&format!("curl --silent --show-error --insecure --user joe:secret {url}"));
        assert!(read.contains("Delivered-To: joe@test.example"), "{read}");
    }
}

fn said_by(mut stream: std::net::TcpStream, request: &[u8], answer: &[u8]) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request).unwrap();
    let mut reply = vec![0; 64];
    let length = stream.read(&mut reply).unwrap();
    let text = reply[..length].splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
    assert!(text.starts_with(answer), "{:?}", String::from_utf8_lossy(&reply[..length]));
}

/// What qmail-send(8) says of its signals.
fn signals_work(host: &Host) {
    let tree = &host.tree;
    // HUP: a virtual domain that it did not know.
    tree.user("joe").instruct("-virtual-default", "# nobody reads it\n");
    tree.control("virtualdomains", "new.example:joe-virtual\n");
    host.tell(HUP, "qmail-send");
    tree.control("rcpthosts", "test.example\nnew.example\n");
    // It may be busy: until it has read, mail to the domain goes out.
    wait::until("the new domain", || {
        tree.queue("a@b", &["x@new.example"], "hi\n");
        std::thread::sleep(Duration::from_millis(100));
        host.log().contains("to local joe-virtual-x@new.example").then_some(())
    });
    // ALRM: what has failed for now.
    tree.control("smtproutes", ":127.0.0.1:2526\n");
    tree.queue("a@b", &["late@far.example"], "hi\n");
    host.wait_for_log("deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection");
    let sink = Sink::start(tree.listen("127.0.0.1:2526")).unwrap();
    // The host that did not answer is not asked again so soon, unless that is forgotten.
    host.shell("qmail-tcpok");
    host.tell(ALRM, "qmail-send");
    wait::until("what had failed", || {
        let is_it = |recipient: &String| recipient == "TO:<late@far.example>";
        sink.messages().iter().any(|message| message.rcpt.iter().any(is_it)).then_some(())
    });
    // STOP and CONT.
    let state = || {
        let status = format!("/proc/{}/status", host.pid());
        let text = std::fs::read_to_string(status).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("State:\t")).unwrap_or_default().to_owned()
    };
    host.tell(STOP, "qmail-send");
    wait::until("a stopped process", || state().starts_with('T').then_some(()));
    host.tell(CONT, "qmail-send");
    wait::until("a process that goes on", || (!state().starts_with('T')).then_some(()));
    // TERM: it ends, and the supervisor starts another one.
    let before = host.pid();
    host.tell(TERM, "qmail-send");
    host.wait_for_log("status: exiting");
    wait::until("another qmail-send", || {
        let found = tree.processes_named("qmail-send");
        (found.len() == 1 && found[0].as_raw() != before).then_some(())
    });
}

fn stopping_leaves_nobody(host: &Host) {
    for service in SERVICES.iter().rev() {
        host.tell(DOWN, service);
    }
    // Loggers end with what they read; daemontools and s6 keep them until they are told.
    let is_left = |name: &String| {
        let stays = ["multilog", "svlogd", "s6-log"].iter().chain(host.by.stay);
        !stays.into_iter().any(|known| name == known)
    };
    wait::until("the end of everybody", || {
        let left = host.tree.names_of_processes().into_iter().filter(is_left).count();
        (left == 0).then_some(())
    });
    for port in PORTS {
        assert!(!host.is_open(port), "{port}");
    }
    // And up again.
    host.tell(UP, "qmail-send");
    host.tell(UP, "qmail-smtpd");
    host.listens(&[25]);
    wait::until("qmail-send", || {
        (!host.tree.processes_named("qmail-send").is_empty()).then_some(())
    });
}

fn everything(by: &'static Supervisor, tools: &[&'static str]) -> Option<Host> {
    let host = Host::new(by, tools)?;
    let joe = host.tree.user("joe").make_maildir("Maildir");
    mail_flows(&host, &joe);
    signals_work(&host);
    stopping_leaves_nobody(&host);
    Some(host)
}

#[test]
fn daemontools_runs_all_services() {
    let Some(host) = everything(&DAEMONTOOLS, &["svscan", "svc", "multilog"]) else { return };
    let run = host.tree.in_its_world("/var/log/qmail/smtpd/current");
    assert!(String::from_utf8_lossy(&files::read(&run)).contains("tcpserver: status: 0/20"));
}

#[test]
fn runit_runs_all_services() {
    let _ = everything(&RUNIT_ITSELF, &[]);
}

#[test]
fn s6_runs_all_services() {
    let _ = everything(&S6, &["s6-svscan", "s6-svc"]);
}
