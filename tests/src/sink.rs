//! An SMTP server that takes everything, or says what it was told to say.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::listener::next_connection;
use crate::wait;

/// What the server answers to one command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// These bytes.
    Say(Vec<u8>),
    /// Nothing: it closes the connection.
    Close,
    /// Nothing, and keeps the connection open.
    Hang,
}

/// What the server says at each step. Of a list, the last answer is for all that follow.
#[derive(Clone, Debug)]
pub struct Script {
    /// On connection.
    pub greeting: Answer,
    /// To `EHLO`.
    pub ehlo: Answer,
    /// To `HELO`.
    pub helo: Answer,
    /// To `MAIL`.
    pub mail: Answer,
    /// To each `RCPT`.
    pub rcpt: Vec<Answer>,
    /// To `DATA`.
    pub data: Answer,
    /// To the final dot.
    pub dot: Answer,
}

/// A message that a sink took.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delivered {
    /// The argument of `HELO` or `EHLO`.
    pub helo: String,
    /// The argument of `MAIL`, as sent.
    pub mail: String,
    /// The arguments of each `RCPT`, as sent.
    pub rcpt: Vec<String>,
    /// The message exactly as it came, line ends and doubled dots included, without the last dot.
    pub data: Vec<u8>,
}

/// The server, until it is dropped.
pub struct Sink {
    address: SocketAddr,
    seen: Arc<Seen>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    messages: Mutex<Vec<Delivered>>,
    commands: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

impl Answer {
    /// A line, CRLF added.
    #[must_use]
    pub fn line(text: &str) -> Self {
        Self::Say(format!("{text}\r\n").into_bytes())
    }
}

impl Default for Script {
    /// Everything is welcome.
    fn default() -> Self {
        Self {
            greeting: Answer::line("220 sink.example ESMTP"),
            ehlo: Answer::line("250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME"),
            helo: Answer::line("250 sink.example"),
            mail: Answer::line("250 sender ok"),
            rcpt: vec![Answer::line("250 recipient ok")],
            data: Answer::line("354 go ahead"),
            dot: Answer::line("250 taken"),
        }
    }
}

impl Sink {
    /// Takes every message that comes to this socket.
    ///
    /// # Errors
    ///
    /// When the socket has no address or no thread can be started.
    pub fn start(socket: TcpListener) -> io::Result<Self> {
        Self::scripted(socket, Script::default())
    }

    /// Answers as the script says.
    ///
    /// # Errors
    ///
    /// When the socket has no address or no thread can be started.
    pub fn scripted(socket: TcpListener, script: Script) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let seen = Arc::new(Seen::default());
        let stopping = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&seen), Arc::clone(&stopping));
        let thread = Builder::new().spawn(move || {
            while let Some(stream) = next_connection(&socket, &stop) {
                let (script, shared, stop) =
                    (script.clone(), Arc::clone(&shared), Arc::clone(&stop));
                // A client that goes away is the client's affair.
                let _ = Builder::new().spawn(move || drop(serve(&stream, script, &shared, &stop)));
            }
        })?;
        Ok(Self { address, seen, stopping, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages up to now.
    #[must_use]
    pub fn messages(&self) -> Vec<Delivered> {
        self.seen.messages.lock().expect("nobody panics with it").clone()
    }

    /// Waits until there are this many messages.
    #[must_use]
    pub fn wait_for(&self, count: usize) -> Vec<Delivered> {
        wait::until(&format!("{count} messages at the sink"), || {
            Some(self.messages()).filter(|messages| messages.len() >= count)
        })
    }

    /// All command lines up to now, without line ends.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.seen.commands.lock().expect("nobody panics with it").clone()
    }

    /// Waits until this command line has come.
    pub fn wait_for_command(&self, line: &str) {
        wait::until(&format!("the command {line:?}"), || {
            self.commands().iter().any(|command| command == line).then_some(())
        });
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.seen.connections.lock().expect("nobody panics with it")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One connection.
struct Dialogue<'a> {
    reader: BufReader<&'a TcpStream>,
    writer: &'a TcpStream,
    stop: &'a AtomicBool,
}

fn serve(stream: &TcpStream, script: Script, seen: &Seen, stop: &AtomicBool) -> io::Result<()> {
    *seen.connections.lock().expect("nobody panics with it") += 1;
    let mut dialogue = Dialogue { reader: BufReader::new(stream), writer: stream, stop };
    let mut rcpt: VecDeque<_> = script.rcpt.into();
    let mut message = Delivered::default();
    let mut accepted = false;
    dialogue.answer(&script.greeting)?;
    loop {
        let line = dialogue.line()?;
        seen.commands.lock().expect("nobody panics with it").push(line.clone());
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            greeting @ ("HELO" | "EHLO") => {
                argument.clone_into(&mut message.helo);
                let answer = if greeting == "HELO" { &script.helo } else { &script.ehlo };
                dialogue.answer(answer)?;
            }
            "MAIL" => {
                argument.clone_into(&mut message.mail);
                message.rcpt.clear();
                accepted = false;
                dialogue.answer(&script.mail)?;
            }
            "RCPT" => {
                message.rcpt.push(argument.to_owned());
                let answer = if rcpt.len() > 1 { rcpt.pop_front() } else { rcpt.front().cloned() };
                let answer = answer.unwrap_or(Answer::Close);
                accepted |= matches!(&answer, Answer::Say(bytes) if bytes.starts_with(b"2"));
                dialogue.answer(&answer)?;
            }
            // A client that does not wait for replies may ask all the same.
            "DATA" if !accepted => dialogue.answer(&Answer::line("503 no recipients"))?,
            "DATA" => {
                dialogue.answer(&script.data)?;
                if matches!(&script.data, Answer::Say(bytes) if bytes.starts_with(b"3")) {
                    message.data = dialogue.data()?;
                    let mut messages = seen.messages.lock().expect("nobody panics with it");
                    messages.push(message.clone());
                    drop(messages);
                    dialogue.answer(&script.dot)?;
                }
            }
            "QUIT" => return dialogue.answer(&Answer::line("221 sink.example")),
            "RSET" | "NOOP" => dialogue.answer(&Answer::line("250 ok"))?,
            _ => dialogue.answer(&Answer::line("502 what?"))?,
        }
    }
}

impl Dialogue<'_> {
    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        match answer {
            Answer::Say(bytes) => self.writer.write_all(bytes),
            Answer::Close => Err(io::ErrorKind::ConnectionAborted.into()),
            Answer::Hang => {
                while !self.stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        if self.reader.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        Ok(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned())
    }

    /// Up to the first line that a strict server takes for the end: CR LF dot CR LF.
    fn data(&mut self) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        loop {
            if self.reader.read_until(b'\n', &mut data)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if data == b".\r\n" || data.ends_with(b"\r\n.\r\n") {
                data.truncate(data.len() - 3);
                return Ok(data);
            }
        }
    }
}
