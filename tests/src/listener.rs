//! A small server: accepts connections and runs a program for each, as tcpserver does.

use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crate::process::Program;

/// What runs for each connection, with the connection as descriptors 0 and 1.
#[derive(Clone, Debug)]
pub struct Service {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// A server, until it is dropped.
pub struct Listener {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// A program without arguments and with an empty environment.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { words: vec![program.into()], environment: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it for one connection, with the variables of tcp-environ(5).
    fn start(&self, stream: TcpStream) -> io::Result<Child> {
        let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
        let output = OwnedFd::from(stream.try_clone()?);
        let (program, arguments) = self.words.split_first().ok_or(io::ErrorKind::NotFound)?;
        Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PROTO", "TCP")
            .env("TCPLOCALIP", local.ip().to_string())
            .env("TCPLOCALPORT", local.port().to_string())
            .env("TCPLOCALHOST", "localhost")
            .env("TCPREMOTEIP", remote.ip().to_string())
            .env("TCPREMOTEPORT", remote.port().to_string())
            .env("TCPREMOTEHOST", "localhost")
            .envs(self.environment.iter().cloned())
            .stdin(OwnedFd::from(stream))
            .stdout(output)
            .spawn()
    }
}

impl From<Program<'_>> for Service {
    fn from(program: Program<'_>) -> Self {
        let (words, environment) = program.into_words();
        Self { words, environment }
    }
}

impl Listener {
    /// Serves every connection to this socket.
    ///
    /// # Errors
    ///
    /// When the socket has no address or no thread can be started.
    pub fn start(socket: TcpListener, service: Service) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = Builder::new().spawn(move || accept(&socket, &service, &stop))?;
        Ok(Self { address, stopping, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Accept looks at the flag only every tenth of a second: see below.
            let _ = thread.join();
        }
    }
}

fn accept(socket: &TcpListener, service: &Service, stop: &AtomicBool) {
    let mut running: Vec<Child> = Vec::new();
    while let Some(stream) = next_connection(socket, stop) {
        running.retain_mut(|child| child.try_wait().is_ok_and(|status| status.is_none()));
        match service.start(stream) {
            Ok(child) => running.push(child),
            Err(error) => eprintln!("listener: {error}"),
        }
    }
    for mut child in running {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The next connection to a socket; none once it is time to stop.
///
/// The socket may live in another network, where we could not wake it by connecting to it.
pub(crate) fn next_connection(socket: &TcpListener, stop: &AtomicBool) -> Option<TcpStream> {
    socket.set_nonblocking(true).ok()?;
    loop {
        match socket.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).ok()?;
                return Some(stream);
            }
            Err(_) if stop.load(Ordering::Relaxed) => return None,
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}
