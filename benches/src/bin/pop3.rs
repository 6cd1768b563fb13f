//! pop3: how long a session with 10,000 messages of 4 KiB takes, in turn with Dovecot.
//!
//! Usage: `pop3`, as root; `QMAIL_BUILD` is the directory with the programs. tcpserver and Dovecot
//! are where `.ci/peers` puts them. In a cold session a server finds nothing that a session before
//! has left in the maildir, in a warm one all of it. Times are medians.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ExitCode};
use std::time::{Duration, Instant};

use qmail_benches::Sample;
use qmail_conformance::secure::Secure;
use qmail_conformance::user::User;
use qmail_conformance::{Tree, wait};

const ROUNDS: usize = 7;
const MESSAGES: usize = 10_000;
const SIZE: usize = 4096;
/// For what only memory is measured with.
const MANY: usize = 100_000;
/// What is left by sessions, by the beginnings of its names.
const LEFT: [&str; 2] = ["qmail-pop3d.index", "dovecot"];

/// A server of POP3.
struct Server {
    name: &'static str,
    port: u16,
    /// The directory of joe that it reads.
    maildir: &'static str,
    /// The process that serves a session.
    process: &'static str,
}

const SERVERS: [Server; 2] = [
    Server {
        name: "qmail-popup, qmail-pop3d",
        port: 110,
        maildir: "Maildir",
        process: "qmail-pop3d",
    },
    Server { name: "Dovecot", port: 1110, maildir: "theirs", process: "pop3" },
];

/// The parts of a session, in its order.
const PARTS: [&str; 7] = ["log in", "STAT", "UIDL+LIST", "so far", "RETR", "QUIT", "whole"];

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pop3: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn measure() -> io::Result<()> {
    let secure = Secure::new();
    let tree = &secure.tree;
    if !tree.lay_dovecot() {
        return Err(io::Error::other("Dovecot is not there: see .ci/peers"));
    }
    let joe = tree.user("joe");
    for server in &SERVERS {
        fill(&joe, server.maildir, MESSAGES)?;
    }
    let mut running = start(&secure, &joe)?;
    // What has just changed is not yet believed to stay.
    std::thread::sleep(Duration::from_secs(3));
    println!("{:<32} {}", "seconds", PARTS.map(|part| format!("{part:>9}")).join(" "));
    for kind in ["cold", "warm"] {
        let mut samples = [(); 2].map(|()| [(); 7].map(|()| Sample::default()));
        for _ in 0..ROUNDS {
            for (server, samples) in SERVERS.iter().zip(&mut samples) {
                if kind == "cold" {
                    forget(&joe.home().join(server.maildir))?;
                }
                for (sample, time) in samples.iter_mut().zip(session(tree, server)?) {
                    sample.push(time);
                }
            }
        }
        print(kind, &samples);
    }
    for server in &SERVERS {
        fs::remove_dir_all(joe.home().join(server.maildir))?;
        fill(&joe, server.maildir, MANY)?;
        println!("{}: {} KiB with {MANY} messages", server.name, memory(tree, server)?);
    }
    for child in &mut running {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

fn print(kind: &str, samples: &[[Sample; 7]; 2]) {
    for (server, samples) in SERVERS.iter().zip(samples) {
        let times = samples.each_ref().map(|sample| sample.median().as_secs_f64());
        let times = times.map(|time| format!("{time:>9.4}")).join(" ");
        println!("{:<32} {times}", format!("{kind}: {}", server.name));
    }
    let [ours, theirs] = samples.each_ref().map(|samples| samples.each_ref().map(Sample::median));
    let ratio = |(ours, theirs): (&Duration, &Duration)| {
        format!("{:>9.2}", theirs.as_secs_f64() / ours.as_secs_f64())
    };
    let ratios: Vec<String> = ours.iter().zip(&theirs).map(ratio).collect();
    println!("{:<32} {}", format!("{kind}: Dovecot takes times"), ratios.join(" "));
}

/// Makes a maildir of messages that have been seen. Names say nothing of sizes. Files are one and
/// the same beyond [`MESSAGES`], which makes no difference to memory.
fn fill(joe: &User, name: &str, count: usize) -> io::Result<()> {
    let maildir = joe.make_maildir(name);
    let line = [&[b'x'; 71][..], b"\n"].concat();
    let mut text = b"From: ann@far.example\nSubject: hello\n\n".to_vec();
    text.extend(line.repeat(SIZE / line.len()));
    text.truncate(SIZE - 1);
    text.push(b'\n');
    let mut source = maildir.path().to_owned();
    for number in 0..count {
        let name = format!("cur/{}.M{number:06}P4711.mail.example.org:2,S", 1_700_000_000 + number);
        let path = maildir.path().join(name);
        if count == MESSAGES || number % 10_000 == 0 {
            File::create(&path)?.write_all(&text)?;
            let owner = joe.identity();
            std::os::unix::fs::chown(&path, Some(owner.uid), Some(owner.gid))?;
            source = path;
        } else {
            fs::hard_link(&source, path)?;
        }
    }
    Ok(())
}

fn start(secure: &Secure, joe: &User) -> io::Result<Vec<Child>> {
    let tree = &secure.tree;
    let words = secure.popup(&[]).words().to_vec();
    let front = tree.command("tcpserver").args(["-H", "-R", "-l", "bench", "127.0.0.1", "110"]);
    let [_, theirs] = &SERVERS;
    let programs = [front.args(words), tree.dovecot_server(theirs.port, joe, theirs.maildir)];
    let children = programs.map(|program| {
        let (child, output) = program.start();
        // It ends with its server.
        std::mem::forget(output);
        child
    });
    for server in &SERVERS {
        let address = format!("127.0.0.1:{}", server.port);
        wait::until(server.name, || tree.within_network(|| TcpStream::connect(&address)).ok());
    }
    Ok(children.into())
}

/// Removes what sessions have left in a maildir.
fn forget(maildir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(maildir)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT.iter().any(|left| name.to_string_lossy().starts_with(left)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The client.
struct Client {
    stream: TcpStream,
    said: Vec<u8>,
}

impl Client {
    fn connect(tree: &Tree, server: &Server) -> io::Result<Self> {
        let stream = tree.connect(&format!("127.0.0.1:{}", server.port));
        stream.set_nodelay(true)?;
        let mut client = Self { stream, said: Vec::with_capacity(1 << 20) };
        client.until(b"\r\n")?;
        Ok(client)
    }

    fn command(&mut self, line: &str, end: &[u8]) -> io::Result<()> {
        self.said.clear();
        self.stream.write_all(format!("{line}\r\n").as_bytes())?;
        self.until(end)?;
        if self.said.starts_with(b"+OK") {
            return Ok(());
        }
        Err(io::Error::other(format!("{line}: {}", String::from_utf8_lossy(&self.said))))
    }

    fn until(&mut self, end: &[u8]) -> io::Result<()> {
        let mut block = [0; 65_536];
        while !self.said.ends_with(end) {
            match self.stream.read(&mut block)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => self.said.extend_from_slice(block.get(..length).unwrap_or_default()),
            }
        }
        Ok(())
    }

    fn log_in(&mut self) -> io::Result<()> {
        self.command("USER joe", b"\r\n")?;
        self.command("PASS secret", b"\r\n")
    }

    fn lists(&mut self) -> io::Result<()> {
        self.command("UIDL", b"\r\n.\r\n")?;
        self.command("LIST", b"\r\n.\r\n")
    }
}

/// One session; the times of its [`PARTS`].
fn session(tree: &Tree, server: &Server) -> io::Result<[Duration; 7]> {
    let start = Instant::now();
    let mut client = Client::connect(tree, server)?;
    client.log_in()?;
    let logged_in = start.elapsed();
    client.command("STAT", b"\r\n")?;
    let counted = start.elapsed();
    client.lists()?;
    let listed = start.elapsed();
    for number in 1..=MESSAGES {
        client.command(&format!("RETR {number}"), b"\r\n.\r\n")?;
    }
    let fetched = start.elapsed();
    client.command("QUIT", b"\r\n")?;
    let whole = start.elapsed();
    let parts = [logged_in, counted - logged_in, listed - counted, listed];
    let [first, second, third, fourth] = parts;
    Ok([first, second, third, fourth, fetched - listed, whole - fetched, whole])
}

/// The most memory, in KiB, that a session needs for [`MANY`] messages.
fn memory(tree: &Tree, server: &Server) -> io::Result<u64> {
    let mut client = Client::connect(tree, server)?;
    client.log_in()?;
    client.command("STAT", b"\r\n")?;
    client.lists()?;
    let most = tree.processes_named(server.process).into_iter().filter_map(|process| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim();
        line.strip_suffix(" kB")?.parse().ok()
    });
    let most = most.max().ok_or(io::ErrorKind::NotFound)?;
    client.command("QUIT", b"\r\n")?;
    Ok(most)
}
