//! A server that fails where and how it is told to.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Longer than any sender should wait here.
const FOREVER: Duration = Duration::from_secs(30);

/// Where a server may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Connect,
    Greeting,
    Ehlo,
    StartTls,
    Handshake,
    Auth,
    Mail,
    Rcpt,
    Data,
    Body,
    Dot,
    Quit,
    /// Where nothing goes wrong.
    Nowhere,
}

/// How it may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Temporary,
    Permanent,
    Garbage,
    Close,
    Silence,
    Drip,
    Flood,
}

/// A server, until it is dropped.
pub(crate) struct Server {
    seen: Arc<Seen>,
    over: Arc<AtomicBool>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    taken: AtomicUsize,
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

/// What a server does.
#[derive(Clone, Copy)]
pub(crate) struct Conduct {
    pub(crate) fault: Option<(Point, Fault)>,
    /// Whether it takes nothing outside TLS.
    pub(crate) demands_tls: bool,
}

struct Session<'s> {
    stream: Box<dyn Both>,
    raw: TcpStream,
    conduct: Conduct,
    seen: &'s Seen,
}

/// The end of a connection.
struct End;

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self
    }
}

pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates").join(name)
}

fn tls() -> Arc<ServerConfig> {
    let path = certificate("relay.pem");
    let chain = CertificateDer::pem_file_iter(&path).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(&path).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

impl Server {
    pub(crate) fn start(listener: TcpListener, conduct: Conduct) -> Self {
        let (seen, over) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
        let (counts, stop) = (Arc::clone(&seen), Arc::clone(&over));
        listener.set_nonblocking(true).unwrap();
        let _ = Builder::new().spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let Ok((raw, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(5));
                    continue;
                };
                counts.connections.fetch_add(1, Ordering::SeqCst);
                let counts = Arc::clone(&counts);
                let _ = Builder::new().spawn(move || converse(raw, conduct, &counts));
            }
        });
        Self { seen, over }
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn taken(&self) -> usize {
        self.seen.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

fn converse(raw: TcpStream, conduct: Conduct, seen: &Seen) {
    raw.set_nonblocking(false).unwrap();
    raw.set_read_timeout(Some(FOREVER)).unwrap();
    raw.set_nodelay(true).unwrap();
    let stream = Box::new(raw.try_clone().unwrap());
    let mut session = Session { stream, raw, conduct, seen };
    let _ = session.serve();
    // What was sent should arrive, even if not all that came was read.
    let _ = session.raw.shutdown(Shutdown::Write);
    if !conduct.fault.is_some_and(|(_, fault)| fault == Fault::Close) {
        let _ = io::copy(&mut session.raw, &mut io::sink());
    }
}

impl Session<'_> {
    fn line(&mut self) -> Result<String, End> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            match self.stream.read(&mut byte)? {
                0 => return Err(End),
                _ => line.push(byte[0]),
            }
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Says `usual`, or does what is wrong here; whether it was usual.
    fn say(&mut self, point: Point, usual: &str) -> Result<bool, End> {
        let fault = self.conduct.fault.filter(|(at, _)| *at == point).map(|(_, fault)| fault);
        let text = match fault {
            None => usual,
            Some(Fault::Temporary) => "451 not now\r\n",
            Some(Fault::Permanent) => "550 never\r\n",
            Some(Fault::Garbage) => "\x01\u{e9} what\r\n",
            Some(Fault::Close) => return Err(End),
            Some(Fault::Silence) => return self.go_on_with(b""),
            Some(Fault::Drip) => {
                if point == Point::Handshake {
                    // The beginning of a ServerHello that is to be long.
                    self.stream.write_all(&[22, 3, 3, 0x10, 0, 2, 0, 0x0f, 0xfc, 3, 3])?;
                }
                return self.go_on_with(b"2");
            }
            Some(Fault::Flood) => return self.go_on_with(&b"250-more\r\n".repeat(1000)),
        };
        self.stream.write_all(text.as_bytes())?;
        self.stream.flush()?;
        Ok(fault.is_none())
    }

    /// Says this again and again until the client hangs up, which shows without reading.
    fn go_on_with(&mut self, words: &[u8]) -> Result<bool, End> {
        let started = Instant::now();
        self.raw.set_write_timeout(Some(FOREVER))?;
        while started.elapsed() < FOREVER {
            self.stream.write_all(words)?;
            self.stream.flush()?;
            thread::sleep(Duration::from_millis(50));
            self.raw.set_nonblocking(true)?;
            let ahead = self.raw.peek(&mut [0; 1]);
            self.raw.set_nonblocking(false)?;
            if matches!(ahead, Ok(0)) {
                break;
            }
        }
        Err(End)
    }

    fn serve(&mut self) -> Result<(), End> {
        let mut secure = false;
        self.say(Point::Greeting, "220 x\r\n")?;
        loop {
            let line = self.line()?;
            match line.split(' ').next().unwrap_or_default() {
                "EHLO" if secure => {
                    self.say(Point::Nowhere, "250-x\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n")?;
                }
                "EHLO" => {
                    self.say(Point::Ehlo, "250-x\r\n250-PIPELINING\r\n250 STARTTLS\r\n")?;
                }
                "STARTTLS" => {
                    if self.say(Point::StartTls, "220 go\r\n")? {
                        // What comes earlier would not be taken for an answer to the client.
                        self.raw.peek(&mut [0; 1])?;
                        self.say(Point::Handshake, "")?;
                        let connection = ServerConnection::new(tls()).unwrap();
                        let stream = StreamOwned::new(connection, self.raw.try_clone()?);
                        self.stream = Box::new(stream);
                        secure = true;
                    }
                }
                "AUTH" => {
                    if self.say(Point::Auth, "334 \r\n")? {
                        self.line()?;
                        self.say(Point::Nowhere, "235 ok\r\n")?;
                    }
                }
                "MAIL" if self.conduct.demands_tls && !secure => {
                    self.say(Point::Nowhere, "530 Must issue a STARTTLS command first\r\n")?;
                }
                "MAIL" => drop(self.say(Point::Mail, "250 ok\r\n")?),
                "RCPT" => drop(self.say(Point::Rcpt, "250 ok\r\n")?),
                "DATA" => {
                    if self.say(Point::Data, "354 go\r\n")? {
                        self.take_message()?;
                    }
                }
                "QUIT" => {
                    self.say(Point::Quit, "221 bye\r\n")?;
                    return Err(End);
                }
                _ => drop(self.say(Point::Nowhere, "250 ok\r\n")?),
            }
        }
    }

    fn take_message(&mut self) -> Result<(), End> {
        self.line()?;
        let answered = match self.conduct.fault {
            Some((Point::Body, _)) => !self.say(Point::Body, "")?,
            _ => false,
        };
        self.read_to_dot()?;
        if answered {
            return Ok(());
        }
        if self.conduct.fault.is_none_or(|(point, _)| point != Point::Dot) {
            self.seen.taken.fetch_add(1, Ordering::SeqCst);
        }
        self.say(Point::Dot, "250 taken\r\n").map(drop)
    }

    /// Nothing follows the dot before it is answered, so this may read in blocks.
    fn read_to_dot(&mut self) -> Result<(), End> {
        let mut end = b"\r\n".to_vec();
        let mut block = vec![0; 65536];
        while !end.ends_with(b"\r\n.\r\n") {
            let length = self.stream.read(&mut block)?;
            if length == 0 {
                return Err(End);
            }
            end.extend_from_slice(&block[..length]);
            end.drain(..end.len().saturating_sub(5));
        }
        Ok(())
    }
}
