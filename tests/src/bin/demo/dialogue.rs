//! A client that shows what it says and hears.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::{Failure, Outcome};
use crate::say::say;

const LIMIT: Duration = Duration::from_secs(60);

/// One connection to a server.
pub(crate) struct Dialogue {
    reader: BufReader<TcpStream>,
}

impl Dialogue {
    /// Connects, and hears the greeting.
    pub(crate) fn open(server: SocketAddr, expected: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(server)
            .and_then(|stream| stream.set_read_timeout(Some(LIMIT)).map(|()| stream))
            .map_err(Failure::because(format!("cannot connect to {server}")))?;
        let mut dialogue = Self { reader: BufReader::new(stream) };
        dialogue.hear(expected)?;
        Ok(dialogue)
    }

    /// Says a line, and hears a reply that begins as expected; its last line.
    pub(crate) fn say(&mut self, line: &str, expected: &str) -> Outcome<String> {
        say(format!("  >    {line}"));
        self.send(&format!("{line}\r\n"))?;
        self.hear(expected)
    }

    /// Sends lines, a dot behind them, and hears the reply.
    pub(crate) fn say_text(&mut self, lines: &[&str], expected: &str) -> Outcome<String> {
        for line in lines {
            say(format!("  >    {line}"));
            self.send(&format!("{line}\r\n"))?;
        }
        self.say(".", expected)
    }

    /// Hears lines up to a dot.
    pub(crate) fn hear_text(&mut self) -> Outcome<Vec<u8>> {
        let mut text = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                return Ok(text.into_bytes());
            }
            // A dot in front was doubled for the way.
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
        }
    }

    fn send(&mut self, text: &str) -> Outcome<()> {
        let sent = self.reader.get_mut().write_all(text.as_bytes());
        sent.map_err(Failure::because("the server hung up"))
    }

    fn hear(&mut self, expected: &str) -> Outcome<String> {
        loop {
            let line = self.line()?;
            say(format!("  <    {line}"));
            if !line.starts_with(expected) {
                return Err(Failure::new(format!("the server should have said {expected}")));
            }
            // A dash after the code of SMTP announces a further line.
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line);
            }
        }
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line) {
            Ok(0) => Err(Failure::new("the server hung up")),
            Ok(_) => Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => Err(Failure::new(format!("the server said nothing: {error}"))),
        }
    }
}
