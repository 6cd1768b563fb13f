//! A server for TCP that runs in a tree's network, and its clients.

use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};
use nix::unistd::Pid;
use qmail_conformance::process::{Program, wait_for};
use qmail_conformance::{Need, Tree, wait};

/// The servers that have to do the same: Debian's, and ours where the tree has one.
pub(crate) fn servers(tree: &Tree) -> Vec<String> {
    let mut servers = Vec::new();
    if !tree.lacks(Need::Tool("tcpserver")) {
        servers.push("tcpserver".to_owned());
    }
    servers.extend(ours(tree));
    servers
}

/// Ours.
pub(crate) fn ours(tree: &Tree) -> Option<String> {
    let there = tree.bin().join("qmail-tcpserver").exists();
    there.then(|| tree.home().join("bin/qmail-tcpserver").display().to_string())
}

/// A server that listens, until it is dropped.
pub(crate) struct Server<'tree> {
    tree: &'tree Tree,
    child: Child,
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl<'tree> Server<'tree> {
    /// Starts one with these options at a free port of 127.0.0.1.
    pub(crate) fn start(
        tree: &'tree Tree,
        server: &str,
        options: &[&str],
        program: &[&str],
    ) -> Self {
        Self::run(tree, tree.command(server).args(options.iter().copied()), "127.0.0.1", program)
    }

    /// The same at another address, of a command line that ends with its options.
    pub(crate) fn run(
        tree: &'tree Tree,
        command: Program<'tree>,
        host: &str,
        program: &[&str],
    ) -> Self {
        let (child, reader) = command.args(["-1", host, "0"]).args(program.iter().copied()).start();
        let mut reader = BufReader::new(reader);
        let mut port = String::new();
        reader.read_line(&mut port).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let Ok(port) = port.trim_end().parse() else { panic!("it does not listen: {port}") };
        let log = Arc::clone(&lines);
        let follow = move || {
            for line in reader.lines().map_while(Result::ok) {
                log.lock().unwrap().push(line);
            }
        };
        let reader = Builder::new().spawn(follow).unwrap();
        Self { tree, child, port, lines, reader: Some(reader) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection from this address to the same one or to 127.0.0.1.
    pub(crate) fn connect_from(&self, client: &str) -> TcpStream {
        let client: IpAddr = client.parse().unwrap();
        let server: IpAddr = if client.is_ipv4() { "127.0.0.1".parse().unwrap() } else { client };
        let server = SocketAddr::new(server, self.port);
        self.tree.within_network(|| {
            let family = if client.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
            let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
            bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(client, 0))).unwrap();
            connect(socket.as_raw_fd(), &SockaddrStorage::from(server)).unwrap();
            let stream = TcpStream::from(socket);
            stream.set_read_timeout(Some(wait::LIMIT)).unwrap();
            stream
        })
    }

    pub(crate) fn connect(&self) -> TcpStream {
        self.connect_from("127.0.0.1")
    }

    /// What a client hears who says nothing.
    pub(crate) fn heard_by(&self, client: &str) -> String {
        heard(self.connect_from(client)).1
    }

    pub(crate) fn heard(&self) -> String {
        self.heard_by("127.0.0.1")
    }

    /// The whole log up to now.
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The log, once so many of its lines begin like this.
    pub(crate) fn log_with(&self, count: usize, start: &str) -> Vec<String> {
        wait::until(&format!("{count} times {start:?}"), || {
            let log = self.log();
            (log.iter().filter(|line| line.starts_with(start)).count() >= count).then_some(log)
        })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends it with SIGTERM.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        wait_for(&mut self.child)
    }

    /// The log of a server that has ended, and whose programs have.
    pub(crate) fn log_at_end(mut self) -> Vec<String> {
        self.signal(Signal::SIGTERM);
        wait_for(&mut self.child);
        self.reader.take().unwrap().join().unwrap();
        self.log()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a client of port 25 hears from a server that has this command line.
pub(crate) fn heard_at_25(tree: &Tree, server: &str, words: &[&str]) -> String {
    let (mut child, _log) = tree.command(server).args(words.iter().copied()).start();
    let stream = wait::until("the server", || {
        tree.within_network(|| TcpStream::connect("127.0.0.1:25").ok())
    });
    let (_, heard) = heard(stream);
    child.kill().unwrap();
    child.wait().unwrap();
    heard
}

/// The port of a client, and all that it hears.
pub(crate) fn heard(mut stream: TcpStream) -> (u16, String) {
    let port = stream.local_addr().unwrap().port();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut heard = Vec::new();
    if let Err(error) = stream.read_to_end(&mut heard) {
        // It was dropped with something unread.
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    (port, String::from_utf8_lossy(&heard).into_owned())
}

/// Lines of a log without the numbers that are never the same: processes, and ports of clients.
pub(crate) fn plain(log: &[String], port: u16) -> Vec<String> {
    let process = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        if words.len() > 2 && ["pid", "ok", "deny", "end"].contains(&words[1]) {
            words[2] = "N";
        }
        words.join(" ")
    };
    let server = format!(":{port} ");
    log.iter()
        .map(|line| {
            let line = process(line).replace(&server, ":HERE ");
            match line.rsplit_once(':') {
                Some((start, end)) if line.contains(":HERE ") && end.parse::<u16>().is_ok() => {
                    format!("{start}:THERE")
                }
                _ => line,
            }
        })
        .collect()
}
