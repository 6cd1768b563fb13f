//! What qmail-tlsrelay tells the session that it carries: one report before the handshake, one
//! after it.
//!
//! A report is a netstring of netstrings. Each of these is a letter with what belongs to it, and
//! they come in this order:
//!
//! | before the handshake | |
//! | --- | --- |
//! | `N` text | for the log; any number of them |
//! | `R`, or `U` text | ready; unable to speak TLS, and why, in words that a client may hear |
//!
//! | after the handshake | |
//! | --- | --- |
//! | `N` text | for the log; any number of them |
//! | `G`, or `F` text, or `V` text | the client has gone; it failed, and why; TLS of this version |
//! | `C` text | behind `V`: the cipher, as OpenSSL calls it |
//! | `S` name | the host name whose own certificate the client was shown, if there is one |
//! | `P` text, or `T` | the client's certificate does not count, and why; somebody vouches for it. Neither: it showed none |
//! | `M` address | behind `T`: the mail addresses in it |
//!
//! Between the two, the session says [`BEGIN`] when the client waits for the handshake.

use std::io::{self, ErrorKind, Read};
use std::iter::Peekable;
use std::vec::IntoIter;

use crate::netstring::{Netstrings, encode};

/// What the session says when the handshake is to begin.
pub const BEGIN: [u8; 1] = *b"+";

/// The longest report, in bytes. All addresses of the largest certificate fit into it.
const LONGEST: usize = 262_144;
/// The longest text in it, in characters.
const LONGEST_TEXT: usize = 1000;
/// The longest host name, in bytes.
const LONGEST_NAME: usize = 255;
/// More lines for the log than anybody reads.
const MOST_NOTES: usize = 20;

/// What has come of something, and what the log should have of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<T, E> {
    /// Lines for the log.
    pub notes: Vec<String>,
    /// What has come of it.
    pub outcome: Result<T, E>,
}

/// The report before the handshake: whether there is TLS, or why not.
pub type Preparation = Report<(), String>;

/// The report after it.
pub type Handshake = Report<Secured, Failure>;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client has gone.
    Gone,
    /// Another reason.
    Reason(String),
}

/// What was agreed upon, and what is known of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// The cipher, as OpenSSL calls it.
    pub cipher: String,
    /// The host name that the client asked for, if there is a certificate of its own for that.
    pub server_name: Option<String>,
    /// The certificate that the client showed.
    pub client: Option<ClientCertificate>,
}

/// A certificate that a client showed, and whose key it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Somebody whom we trust vouches for it. These are the mail addresses in it.
    Trusted(Vec<Vec<u8>>),
    /// Nobody does, or not now; with the reason.
    Doubtful(String),
}

impl Preparation {
    /// As it is written.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_notes(&self.notes);
        match &self.outcome {
            Ok(()) => writer.field(b'R', b""),
            Err(reason) => writer.text(b'U', reason),
        }
        writer.end()
    }

    /// Reads it, and nothing behind it.
    ///
    /// # Errors
    /// Those of `input`, its end among them; `InvalidData` if this is no such report.
    pub fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut fields = Fields::read(input)?;
        let notes = fields.notes()?;
        let outcome = match fields.any()? {
            (b'R', text) if text.is_empty() => Ok(()),
            (b'U', reason) => Err(text(reason)?),
            _ => return Err(malformed()),
        };
        fields.end()?;
        Ok(Self { notes, outcome })
    }
}

impl Handshake {
    /// As it is written.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_notes(&self.notes);
        match &self.outcome {
            Err(Failure::Gone) => writer.field(b'G', b""),
            Err(Failure::Reason(reason)) => writer.text(b'F', reason),
            Ok(secured) => writer.secured(secured),
        }
        writer.end()
    }

    /// Reads it, and nothing behind it: the client may have said something already.
    ///
    /// # Errors
    /// Those of `input`, its end among them; `InvalidData` if this is no such report.
    pub fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut fields = Fields::read(input)?;
        let notes = fields.notes()?;
        let outcome = match fields.any()? {
            (b'G', text) if text.is_empty() => Err(Failure::Gone),
            (b'F', reason) => Err(Failure::Reason(text(reason)?)),
            (b'V', version) => Ok(fields.secured(text(version)?)?),
            _ => return Err(malformed()),
        };
        fields.end()?;
        Ok(Self { notes, outcome })
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn with_notes(notes: &[String]) -> Self {
        let mut writer = Self(Vec::new());
        notes.iter().take(MOST_NOTES).for_each(|note| writer.text(b'N', note));
        writer
    }

    fn field(&mut self, letter: u8, contents: &[u8]) {
        self.0.extend(encode(&[&[letter], contents].concat()));
    }

    /// On one line, and not too long.
    fn text(&mut self, letter: u8, text: &str) {
        let printable = |letter: char| if letter.is_control() { '?' } else { letter };
        let text: String = text.chars().take(LONGEST_TEXT).map(printable).collect();
        self.field(letter, text.as_bytes());
    }

    fn secured(&mut self, secured: &Secured) {
        self.text(b'V', &secured.version);
        self.text(b'C', &secured.cipher);
        if let Some(name) = &secured.server_name {
            self.field(b'S', name.as_bytes());
        }
        match &secured.client {
            None => {}
            Some(ClientCertificate::Doubtful(problem)) => self.text(b'P', problem),
            Some(ClientCertificate::Trusted(mailboxes)) => {
                self.field(b'T', b"");
                mailboxes.iter().for_each(|mailbox| self.field(b'M', mailbox));
            }
        }
    }

    fn end(self) -> Vec<u8> {
        encode(&self.0)
    }
}

/// The parts of a report, each with its letter.
struct Fields(Peekable<IntoIter<(u8, Vec<u8>)>>);

impl Fields {
    fn read(input: &mut impl Read) -> io::Result<Self> {
        let block = block(input)?;
        let mut strings = Netstrings::new(block.as_slice());
        let mut left = block.len();
        let mut fields = Vec::new();
        while left > 0 {
            let string = strings.read(u64::MAX).ok().flatten().ok_or_else(malformed)?;
            let written = encode(&string).len();
            let (letter, contents) = string.split_first().ok_or_else(malformed)?;
            fields.push((*letter, contents.to_vec()));
            // There is one way only to write a length.
            left = left.checked_sub(written).ok_or_else(malformed)?;
        }
        Ok(Self(fields.into_iter().peekable()))
    }

    fn any(&mut self) -> io::Result<(u8, Vec<u8>)> {
        self.0.next().ok_or_else(malformed)
    }

    fn optional(&mut self, letter: u8) -> Option<Vec<u8>> {
        self.0.next_if(|field| field.0 == letter).map(|field| field.1)
    }

    fn notes(&mut self) -> io::Result<Vec<String>> {
        let mut notes = Vec::new();
        while let Some(note) = self.optional(b'N') {
            notes.push(text(note)?);
        }
        if notes.len() > MOST_NOTES { Err(malformed()) } else { Ok(notes) }
    }

    fn secured(&mut self, version: String) -> io::Result<Secured> {
        let cipher = text(self.optional(b'C').ok_or_else(malformed)?)?;
        let server_name = self.optional(b'S').map(name).transpose()?;
        let client = if let Some(problem) = self.optional(b'P') {
            Some(ClientCertificate::Doubtful(text(problem)?))
        } else if let Some(nothing) = self.optional(b'T') {
            if !nothing.is_empty() {
                return Err(malformed());
            }
            let mailboxes = std::iter::from_fn(|| self.optional(b'M'));
            Some(ClientCertificate::Trusted(mailboxes.collect()))
        } else {
            None
        };
        Ok(Secured { version, cipher, server_name, client })
    }

    fn end(mut self) -> io::Result<()> {
        if self.0.next().is_some() { Err(malformed()) } else { Ok(()) }
    }
}

/// The contents of a netstring, behind which nothing is read.
fn block(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = 0;
    let mut byte = [0; 1];
    loop {
        input.read_exact(&mut byte)?;
        match byte {
            [digit @ b'0'..=b'9'] => length = length * 10 + usize::from(digit - b'0'),
            [b':'] => break,
            _ => return Err(malformed()),
        }
        // No report is empty, so none begins with 0.
        if !(1..=LONGEST).contains(&length) {
            return Err(malformed());
        }
    }
    let mut block = vec![0; length + 1];
    input.read_exact(&mut block)?;
    match block.pop() {
        Some(b',') if length > 0 => Ok(block),
        _ => Err(malformed()),
    }
}

/// A line of text that breaks none.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let fits = text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(malformed()) }
}

/// A host name: clients are greeted by it.
fn name(bytes: Vec<u8>) -> io::Result<String> {
    if bytes.len() > LONGEST_NAME || !qmail_address::is_plain_name(&bytes) {
        return Err(malformed());
    }
    text(bytes)
}

fn malformed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "malformed report")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secured() -> Secured {
        Secured {
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            server_name: Some("mail.example".into()),
            client: Some(ClientCertificate::Trusted(vec![b"joe@client.example".to_vec()])),
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_behind_it() {
        let notes = vec!["first".to_owned(), "second".to_owned()];
        for outcome in [Ok(()), Err("no private key found".to_owned())] {
            let report = Preparation { notes: notes.clone(), outcome };
            let bytes = [report.encode().as_slice(), b"+"].concat();
            let mut input = bytes.as_slice();
            assert_eq!(Preparation::read(&mut input).unwrap(), report);
            assert_eq!(input, b"+");
        }
        let plain = Secured { server_name: None, client: None, ..secured() };
        let doubtful = ClientCertificate::Doubtful("expired".into());
        let doubtful = Secured { client: Some(doubtful), ..secured() };
        let failed = Failure::Reason("unknown CA".into());
        for outcome in [Ok(secured()), Ok(plain), Ok(doubtful), Err(Failure::Gone), Err(failed)] {
            let report = Handshake { notes: notes.clone(), outcome };
            let bytes = [report.encode().as_slice(), b"EHLO"].concat();
            let mut input = bytes.as_slice();
            assert_eq!(Handshake::read(&mut input).unwrap(), report);
            assert_eq!(input, b"EHLO");
        }
    }

    #[test]
    fn it_looks_like_this() {
        let ready = Preparation { notes: vec!["odd".into()], outcome: Ok(()) };
        assert_eq!(ready.encode(), b"11:4:Nodd,1:R,,");
        let secured = Secured { cipher: "X".into(), ..secured() };
        let report = Handshake { notes: Vec::new(), outcome: Ok(secured) };
        let expected = "60:8:VTLSv1.3,2:CX,13:Smail.example,1:T,19:Mjoe@client.example,,";
        assert_eq!(String::from_utf8(report.encode()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for bad in [
            "0:,",
            "00:,",
            ":,",
            "4:1:R,.",
            "4:1:X,,",
            "x",
            "-4:1:R,,",
            "5:2:Rx,,",
            "8:1:R,1:R,,",
            "9:1:R,3:Nxx,,",
            "4:1:U.,",
            "5:01:R,,",
            "3:0:,,",
            "4:9:R,,",
            "6:3:U\x07x,,",
            "6:3:N\nx,,",
            "262145:",
            "999999999999999999999999:",
        ] {
            let error = Preparation::read(&mut bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{bad}");
        }
        for bad in [
            "4:1:R,,",
            "5:2:Vx,,",
            "5:2:Cx,,",
            "15:2:Vx,2:Cy,2:S/,,",
            "14:2:Vx,2:Cy,1:S,,",
            "15:2:Vx,2:Cy,2:Ma,,",
            "19:2:Vx,2:Cy,2:Pa,1:T,,",
            "14:2:Vx,2:Cy,1:G,,",
            "15:2:Vx,2:Cy,2:Tx,,",
            "15:2:Vx,2:Cy,2:Na,,",
            "5:2:Gx,,",
        ] {
            let error = Handshake::read(&mut bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{bad}");
        }
    }

    #[test]
    fn one_that_is_cut_off_is_the_end_of_input() {
        let whole = Handshake { notes: Vec::new(), outcome: Ok(secured()) }.encode();
        for length in 0..whole.len() {
            let error = Handshake::read(&mut &whole[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{length}");
        }
    }

    #[test]
    fn no_text_breaks_a_line_or_fills_a_log() {
        let notes = vec!["x\n".repeat(5000); 500];
        let report = Preparation { notes, outcome: Err("a\r\nb".into()) };
        let read = Preparation::read(&mut report.encode().as_slice()).unwrap();
        assert_eq!(read.outcome, Err("a??b".into()));
        assert_eq!((read.notes.len(), read.notes[0].len()), (MOST_NOTES, LONGEST_TEXT));
    }

    #[test]
    fn the_addresses_of_the_largest_certificate_fit() {
        // A message of a handshake has 65,535 bytes, and each of them two for tag and length.
        let mailboxes = vec![Vec::new(); 32_767];
        let client = Some(ClientCertificate::Trusted(mailboxes));
        let report = Handshake { notes: Vec::new(), outcome: Ok(Secured { client, ..secured() }) };
        assert_eq!(Handshake::read(&mut report.encode().as_slice()).unwrap(), report);
    }
}
