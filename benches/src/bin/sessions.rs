//! sessions: the memory of sessions that wait, and how many new ones there are in a second, of
//! qmail-smtpd, qmail-popup, and smtpd of Postfix.
//!
//! Usage: `sessions`, as root; `QMAIL_BUILD` is the directory with the programs. tcpserver and
//! Postfix are where `.ci/peers` puts them. Memory is the proportional share (PSS) of the processes
//! that serve a session, and of no others. Sessions come one by one: greeting, QUIT, end.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ExitCode};
use std::time::{Duration, Instant};

use qmail_conformance::peer::postfix;
use qmail_conformance::process::Program;
use qmail_conformance::secure::Secure;
use qmail_conformance::{Tree, wait};
use qmail_tls::{Selection, Stream, Trust};

/// Sessions that wait at the same time.
const WAITING: usize = 20;
const ROUNDS: usize = 5;
/// How long new sessions are counted in each round.
const WHILE: Duration = Duration::from_secs(2);

/// What is measured.
struct Server {
    name: &'static str,
    port: u16,
    tls: bool,
    /// The processes that serve a session.
    processes: &'static [&'static str],
}

const SERVERS: [Server; 6] = [
    Server { name: "SMTP: qmail-smtpd", port: 2525, tls: false, processes: &["qmail-smtpd"] },
    Server { name: "SMTP: Postfix", port: 25, tls: false, processes: &["smtpd"] },
    Server {
        name: "SMTPS: qmail-smtpd",
        port: 4650,
        tls: true,
        processes: &["qmail-smtpd", "qmail-tlsrelay"],
    },
    Server { name: "SMTPS: Postfix", port: 465, tls: true, processes: &["smtpd"] },
    Server { name: "POP3: qmail-popup", port: 110, tls: false, processes: &["qmail-popup"] },
    Server {
        name: "POP3S: qmail-popup",
        port: 995,
        tls: true,
        processes: &["qmail-popup", "qmail-tlsrelay"],
    },
];

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sessions: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn measure() -> io::Result<()> {
    let secure = Secure::new();
    let tree = &secure.tree;
    let _postfix = postfix::start(tree)
        .ok_or_else(|| io::Error::other("Postfix is not there: see .ci/peers"))?;
    let mut running = start(&secure);
    // The servers are of this host.
    let tls = qmail_tls::Client::new(Trust::Anybody, None, &Selection::default());
    let tls = tls.map_err(io::Error::other)?;
    let mut rates = [(); 6].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        for (server, rates) in SERVERS.iter().zip(&mut rates) {
            rates.push(new_sessions(tree, server, &tls)?);
        }
    }
    println!("{:<24} {:>12} {:>14}", "", "KiB, waiting", "new a second");
    for (server, rates) in SERVERS.iter().zip(&mut rates) {
        rates.sort_unstable();
        let median = rates.get(ROUNDS / 2).copied().unwrap_or_default();
        println!("{:<24} {:>12} {median:>14}", server.name, waiting(tree, server, &tls)?);
    }
    for child in &mut running {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

/// Our servers, each behind tcpserver.
fn start(secure: &Secure) -> Vec<Child> {
    let tree = &secure.tree;
    let daemon = tree.accounts().qmaild;
    let (user, group) = (daemon.uid.to_string(), daemon.gid.to_string());
    let front = |port: &str, program: Program<'_>, words: &[&str], variable: &str| {
        let listener = tree.command("tcpserver").args(["-H", "-R", "-l", "bench"]);
        let listener = listener.args(words.iter().copied()).args(["127.0.0.1", port]);
        let listener = if variable.is_empty() { listener } else { listener.env(variable, "1") };
        // Its log is of no use here, and must not fill a pipe.
        let (child, mut log) = listener.args(program.words().to_vec()).start();
        let _ = std::thread::Builder::new().spawn(move || io::copy(&mut log, &mut io::sink()));
        wait::until("a server", || {
            tree.within_network(|| TcpStream::connect(format!("127.0.0.1:{port}"))).ok()
        });
        child
    };
    let as_daemon = ["-u", &user, "-g", &group];
    vec![
        front("2525", secure.smtpd(&[]), &as_daemon, ""),
        front("4650", secure.smtpd(&[]), &as_daemon, "SMTPS"),
        front("110", secure.popup(&[]), &[], ""),
        front("995", secure.popup(&[]), &[], "POP3S"),
    ]
}

/// A client who has been greeted.
enum Client {
    Plain(TcpStream),
    Tls(Box<Stream<TcpStream>>),
}

impl Client {
    fn connect(tree: &Tree, server: &Server, tls: &qmail_tls::Client) -> io::Result<Self> {
        let stream = tree.connect(&format!("127.0.0.1:{}", server.port));
        stream.set_nodelay(true)?;
        let mut client = if server.tls {
            let stream = tls.connect(None, stream);
            Self::Tls(Box::new(stream.map_err(io::Error::other)?))
        } else {
            Self::Plain(stream)
        };
        client.line()?;
        Ok(client)
    }

    fn line(&mut self) -> io::Result<()> {
        let mut block = [0; 1024];
        loop {
            let length = match self {
                Self::Plain(stream) => stream.read(&mut block)?,
                Self::Tls(stream) => stream.read(&mut block)?,
            };
            match block.get(..length) {
                Some([]) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(said) if said.ends_with(b"\n") => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn quit(mut self) -> io::Result<()> {
        match &mut self {
            Self::Plain(stream) => stream.write_all(b"QUIT\r\n")?,
            Self::Tls(stream) => stream.write_all(b"QUIT\r\n")?,
        }
        self.line()
    }
}

/// How many sessions there are in a second, one after the other.
fn new_sessions(tree: &Tree, server: &Server, tls: &qmail_tls::Client) -> io::Result<u64> {
    let start = Instant::now();
    let mut count = 0_u64;
    while start.elapsed() < WHILE {
        Client::connect(tree, server, tls)?.quit()?;
        count += 1;
    }
    Ok(count * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1))
}

/// The memory of a session that waits for its client, in KiB.
fn waiting(tree: &Tree, server: &Server, tls: &qmail_tls::Client) -> io::Result<u64> {
    let connect = |_| Client::connect(tree, server, tls);
    let clients = (0..WAITING).map(connect).collect::<io::Result<Vec<_>>>()?;
    let mut sum = 0;
    for process in server.processes.iter().flat_map(|name| tree.processes_named(name)) {
        sum += share(process)?;
    }
    clients.into_iter().try_for_each(Client::quit)?;
    Ok(sum / WAITING as u64)
}

/// The proportional share of a process, in KiB.
fn share(process: nix::unistd::Pid) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
