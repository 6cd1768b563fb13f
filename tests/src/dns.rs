//! A name server that says what it was told to say, over UDP and TCP.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::Tree;
use crate::listener::next_connection;
use crate::process::background;

/// The largest answer over UDP.
const UDP_LIMIT: usize = 512;

/// What a name has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger.
    Mx(u16, String),
    /// Another name.
    Cname(String),
    /// The name of an address.
    Ptr(String),
    /// Text.
    Txt(Vec<u8>),
}

/// All that a server knows.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: BTreeMap<String, Vec<Record>>,
    failures: BTreeMap<String, Failure>,
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    Code(u8),
    Silence,
    Rubbish,
}

/// The server, until it is dropped.
pub struct Server {
    questions: Arc<Mutex<Vec<(String, u16)>>>,
    stopping: Arc<AtomicBool>,
}

impl Record {
    fn kind(&self) -> u16 {
        match self {
            Self::A(_) => 1,
            Self::Cname(_) => 5,
            Self::Ptr(_) => 12,
            Self::Mx(..) => 15,
            Self::Txt(_) => 16,
            Self::Aaaa(_) => 28,
        }
    }

    fn data(&self) -> Vec<u8> {
        match self {
            Self::A(address) => address.octets().to_vec(),
            Self::Aaaa(address) => address.octets().to_vec(),
            Self::Mx(preference, name) => [&preference.to_be_bytes()[..], &encoded(name)].concat(),
            Self::Cname(name) | Self::Ptr(name) => encoded(name),
            Self::Txt(text) => text
                .chunks(255)
                .flat_map(|part| [&[u8::try_from(part.len()).unwrap_or(0)], part].concat())
                .collect(),
        }
    }
}

impl Zone {
    /// One that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    #[must_use]
    pub fn with(mut self, name: &str, record: Record) -> Self {
        self.records.entry(name.to_ascii_lowercase()).or_default().push(record);
        self
    }

    /// Adds an IPv4 address.
    #[must_use]
    pub fn a(self, name: &str, address: [u8; 4]) -> Self {
        self.with(name, Record::A(address.into()))
    }

    /// Adds a mail exchanger.
    #[must_use]
    pub fn mx(self, name: &str, preference: u16, exchanger: &str) -> Self {
        self.with(name, Record::Mx(preference, exchanger.to_owned()))
    }

    /// Has a name that is there, but has nothing.
    #[must_use]
    pub fn empty(mut self, name: &str) -> Self {
        self.records.entry(name.to_ascii_lowercase()).or_default();
        self
    }

    /// Answers every question for a name with this code: 2 server failure, 5 refused.
    #[must_use]
    pub fn fails(self, name: &str, code: u8) -> Self {
        self.failing(name, Failure::Code(code))
    }

    /// Says nothing about a name.
    #[must_use]
    pub fn silent(self, name: &str) -> Self {
        self.failing(name, Failure::Silence)
    }

    /// Answers nonsense.
    #[must_use]
    pub fn rubbish(self, name: &str) -> Self {
        self.failing(name, Failure::Rubbish)
    }

    fn failing(mut self, name: &str, failure: Failure) -> Self {
        self.failures.insert(name.to_ascii_lowercase(), failure);
        self
    }

    /// The code and the records for a question, aliases followed.
    fn find(&self, name: &str, kind: u16) -> (u8, Vec<(String, Record)>) {
        let mut name = name.to_ascii_lowercase();
        let mut answers = Vec::new();
        loop {
            let Some(records) = self.records.get(&name) else {
                return (3, answers);
            };
            let matching = records.iter().filter(|record| record.kind() == kind).cloned();
            let before = answers.len();
            answers.extend(matching.map(|record| (name.clone(), record)));
            let alias = records.iter().find_map(|record| match record {
                Record::Cname(target) if kind != 5 => Some((record.clone(), target.clone())),
                _ => None,
            });
            match alias {
                Some((record, target)) if answers.len() == before && answers.len() < 20 => {
                    answers.push((name, record));
                    name = target.to_ascii_lowercase();
                }
                _ => return (0, answers),
            }
        }
    }

    fn answer(&self, query: &[u8], limit: usize) -> Option<Vec<u8>> {
        let (name, end) = decoded(query, 12)?;
        let kind = u16::from_be_bytes([*query.get(end)?, *query.get(end + 1)?]);
        let (code, answers) = match self.failures.get(&name.to_ascii_lowercase()) {
            Some(Failure::Silence) => return None,
            Some(Failure::Rubbish) => return Some([&query[..2], &[0x81, 0x80, 0, 9]].concat()),
            Some(Failure::Code(code)) => (*code, Vec::new()),
            None => self.find(&name, kind),
        };
        let question = query.get(12..end + 4)?;
        let whole = reply(query, code, question, &answers, false);
        let fits = whole.len() <= limit;
        Some(if fits { whole } else { reply(query, code, question, &[], true) })
    }
}

impl Tree {
    /// Serves a zone at 127.0.0.1, port 53 of the tree's network, which is its resolver.
    #[must_use]
    pub fn name_server(&self, zone: Zone) -> Server {
        let socket = self.bind("127.0.0.1:53");
        let listener = self.listen("127.0.0.1:53");
        Server::start(socket, listener, zone)
    }
}

impl Server {
    /// Serves a zone on two sockets.
    ///
    /// # Panics
    ///
    /// When a socket cannot have a time limit.
    #[must_use]
    pub fn start(socket: UdpSocket, listener: TcpListener, zone: Zone) -> Self {
        let questions = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let zone = Arc::new(zone);
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket has a limit");
        let (asked, stop, known) =
            (Arc::clone(&questions), Arc::clone(&stopping), Arc::clone(&zone));
        background(move || {
            let mut buffer = [0; 4096];
            while !stop.load(Ordering::Relaxed) {
                let Ok((count, client)) = socket.recv_from(&mut buffer) else { continue };
                note(&asked, &buffer[..count]);
                if let Some(answer) = known.answer(&buffer[..count], UDP_LIMIT) {
                    let _ = socket.send_to(&answer, client);
                }
            }
        });
        let (asked, stop) = (Arc::clone(&questions), Arc::clone(&stopping));
        background(move || {
            while let Some(stream) = next_connection(&listener, &stop) {
                let _ = serve(&stream, &zone, &asked);
            }
        });
        Self { questions, stopping }
    }

    /// The names and types asked for, up to now.
    #[must_use]
    pub fn questions(&self) -> Vec<(String, u16)> {
        self.questions.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

fn serve(mut stream: &TcpStream, zone: &Zone, asked: &Mutex<Vec<(String, u16)>>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut query = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut query).ok()?;
    note(asked, &query);
    let answer = zone.answer(&query, usize::from(u16::MAX))?;
    let length = u16::try_from(answer.len()).ok()?.to_be_bytes();
    stream.write_all(&[&length[..], &answer].concat()).ok()
}

fn note(asked: &Mutex<Vec<(String, u16)>>, query: &[u8]) {
    if let Some((name, end)) = decoded(query, 12) {
        let kind = query.get(end..end + 2).map_or(0, |kind| u16::from_be_bytes([kind[0], kind[1]]));
        asked.lock().expect("nobody panics with it").push((name, kind));
    }
}

fn reply(
    query: &[u8],
    code: u8,
    question: &[u8],
    answers: &[(String, Record)],
    truncated: bool,
) -> Vec<u8> {
    let mut reply = query[..2].to_vec();
    reply.push(0x81 | if truncated { 2 } else { 0 });
    reply.push(0x80 | code);
    reply.extend([0, 1]);
    reply.extend(u16::try_from(answers.len()).unwrap_or(0).to_be_bytes());
    reply.extend([0; 4]);
    reply.extend(question);
    for (name, record) in answers {
        let data = record.data();
        reply.extend(encoded(name));
        reply.extend(record.kind().to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        reply.extend(data);
    }
    reply
}

fn encoded(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> = labels
        .flat_map(|label| [&[u8::try_from(label.len()).unwrap_or(0)], label.as_bytes()].concat())
        .collect();
    bytes.push(0);
    bytes
}

/// The name at a place, and where it ends.
fn decoded(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        if length == 0 {
            return Some((labels.join("."), at + 1));
        }
        let label = message.get(at + 1..at + 1 + length)?;
        labels.push(String::from_utf8_lossy(label).into_owned());
        at += 1 + length;
    }
}
