//! What a queue program's exit code means, in the words that clients and bounces show.

use std::fmt;
use std::io;

use qmail_sys::Exit;

/// Why a message was not queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether trying again is useless.
    pub permanent: bool,
    /// One line, without CR or LF; it ends with an enhanced status code as a rule.
    pub text: Vec<u8>,
}

impl Refusal {
    /// From the words of an administrator, in qmail's form: `D` for good or `Z` for now, then a text.
    /// What is neither is for now, and control bytes are blanks.
    pub fn from_words(words: &[u8]) -> Self {
        custom(words)
    }

    /// From qmail's form: `D` or `Z`, then the text.
    fn parse(words: &str) -> Self {
        Self {
            permanent: words.starts_with('D'),
            text: words.get(1..).unwrap_or_default().as_bytes().to_vec(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.text))
    }
}

impl std::error::Error for Refusal {}

/// The verdict on a message: how the queue program ended, whether it was `sent` all of it, and what
/// it said in its own words.
pub(super) fn verdict(exit: io::Result<Exit>, sent: bool, words: Vec<u8>) -> Result<(), Refusal> {
    let text = match exit {
        Err(_) => "Zqq waitpid surprise (#4.3.0)",
        Ok(Exit::Signal(_)) => "Zqq crashed (#4.3.0)",
        Ok(Exit::Code(0)) if sent => return Ok(()),
        Ok(Exit::Code(0)) => "Zqq read error (#4.3.0)",
        Ok(Exit::Code(82 | 88)) if words.len() > 2 => return Err(custom(&words)),
        Ok(Exit::Code(code)) => text(code),
    };
    Err(Refusal::parse(text))
}

fn text(code: u8) -> &'static str {
    match code {
        11 | 115 => "Denvelope address too long for qq (#5.1.3)",
        21 => "Dmessage rejected by spam filter (#5.7.1)",
        // Spam, viruses and attachments for some, broken signatures for others.
        31..=34 => "Dmail server permanently rejected message (#5.3.0)",
        51 => "Zqq out of memory (#4.3.0)",
        52 => "Zqq timeout (#4.3.0)",
        53 => "Zqq write error or disk full (#4.3.0)",
        54 => "Zqq read error (#4.3.0)",
        55 => "Zqq unable to read configuration (#4.3.0)",
        56 => "Zqq trouble making network connection (#4.3.0)",
        61 => "Zqq trouble in home directory (#4.3.0)",
        62..=66 => "Zqq trouble creating files in queue (#4.3.0)",
        71 => "Zmail server temporarily rejected message (#4.3.0)",
        72 => "Zconnection to mail server timed out (#4.4.1)",
        73 => "Zconnection to mail server rejected (#4.4.1)",
        74 => "Zcommunication with mail server failed (#4.4.2)",
        81 | 91 => "Zqq internal bug (#4.3.0)",
        120 => "Zunable to exec qq (#4.3.0)",
        11..=40 => "Dqq permanent problem (#5.3.0)",
        _ => "Zqq temporary problem (#4.3.0)",
    }
}

/// Its own words go into an SMTP reply: one line, and temporary unless it clearly says otherwise.
fn custom(words: &[u8]) -> Refusal {
    let permanent = words.starts_with(b"D");
    let text = if permanent || words.starts_with(b"Z") { words.get(1..) } else { Some(words) };
    let printable = |byte: &u8| match byte {
        _ if byte.is_ascii_control() => b' ',
        128.. => b'?',
        byte => *byte,
    };
    let line: Vec<u8> = text.unwrap_or_default().iter().map(printable).collect();
    Refusal { permanent, text: line.trim_ascii_end().to_vec() }
}
