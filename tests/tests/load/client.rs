//! A client that knows what was taken: it sends mail, some of it at the same time, over
//! connections that may break.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::site::{SERVER, Site};

/// How many connections there are at a time.
const CONNECTIONS: usize = 10;

/// Longer than a server needs, shorter than a test may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What became of the messages, by their Message-Id.
#[derive(Default)]
pub(crate) struct Fates {
    /// The server said that it has them.
    pub(crate) taken: Vec<String>,
    /// The server said no, or nothing.
    pub(crate) refused: Vec<String>,
}

/// Sends messages until so many have been taken and `beside`, which runs meanwhile, is done; it is
/// told how many.
pub(crate) fn send(site: &Site, messages: usize, beside: impl FnOnce(&dyn Fn() -> usize)) -> Fates {
    let fates = Mutex::new(Fates::default());
    let next = AtomicUsize::new(0);
    let is_done = AtomicBool::new(false);
    let taken = || fates.lock().expect("nobody panics with it").taken.len();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                while taken() < messages || !is_done.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let id = format!("Message-Id: <{number}@client.example>");
                    let stream = site.tree.connect(SERVER);
                    let is_taken = deliver(&stream, &id).unwrap_or(false);
                    let mut fates = fates.lock().expect("nobody panics with it");
                    if is_taken { fates.taken.push(id) } else { fates.refused.push(id) }
                }
            });
        }
        beside(&taken);
        is_done.store(true, Ordering::Relaxed);
    });
    fates.into_inner().expect("nobody panics with it")
}

/// Whether the server took it.
fn deliver(stream: &TcpStream, id: &str) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let message = format!("From: <sender@elsewhere.example>\r\n{id}\r\n\r\nhello\r\n.");
    let steps = [
        ("", "220"),
        ("HELO client.example", "250"),
        ("MAIL FROM:<sender@elsewhere.example>", "250"),
        ("RCPT TO:<box@mix.example>", "250"),
        ("RCPT TO:<2box@mix.example>", "250"),
        ("DATA", "354"),
        (&message, "250"),
    ];
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    for (words, code) in steps {
        if !words.is_empty() {
            writer.write_all(format!("{words}\r\n").as_bytes())?;
        }
        let mut reply = String::new();
        reader.read_line(&mut reply)?;
        if !reply.starts_with(code) {
            return Ok(false);
        }
    }
    // What is said from here on changes nothing.
    let _ = writer.write_all(b"QUIT\r\n");
    Ok(true)
}
