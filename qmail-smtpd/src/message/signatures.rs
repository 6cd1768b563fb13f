//! `signatures`: what the first line of an executable looks like in base64.
//!
//! A quick filter, no more: only base64 that begins at the start of a line is seen.

use qmail_core::long_list::LongList;

/// As much of a line as a signature may be long.
const LONGEST: usize = 200;

/// Looks for parts of a message that begin with a signature.
#[derive(Debug)]
pub(crate) struct Signatures {
    list: Option<LongList>,
    place: Place,
    line: Vec<u8>,
    /// Whether one was found; `Err` if the list could not be read.
    found: Result<bool, ()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the header of the message or of a part.
    Header,
    /// Behind the empty line after that, where the contents begin.
    Start,
    Contents,
}

impl Signatures {
    pub(crate) fn new(list: Option<LongList>) -> Self {
        Self { list, place: Place::Header, line: Vec::new(), found: Ok(false) }
    }

    /// Looks at the next block of the message, which has LF line ends.
    pub(crate) fn look(&mut self, block: &[u8]) {
        if self.list.is_none() || self.found != Ok(false) {
            return;
        }
        let mut parts = block.split(|byte| *byte == b'\n');
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            self.extend(part);
            self.end_line();
        }
        self.extend(last);
    }

    /// Whether a signature was found.
    pub(crate) fn found(&self) -> Result<bool, ()> {
        self.found
    }

    fn extend(&mut self, part: &[u8]) {
        let missing = LONGEST.saturating_sub(self.line.len()).min(part.len());
        self.line.extend_from_slice(part.get(..missing).unwrap_or_default());
    }

    fn end_line(&mut self) {
        self.place = match self.place {
            _ if self.line.starts_with(b"--") => Place::Header,
            Place::Header if self.line.is_empty() => Place::Start,
            Place::Start if self.line.is_empty() => Place::Start,
            // A message inside the message.
            Place::Start if is_field(&self.line) => Place::Header,
            Place::Start => {
                self.compare();
                Place::Contents
            }
            place => place,
        };
        self.line.clear();
    }

    fn compare(&mut self) {
        let Some(list) = &self.list else { return };
        let hit = list.find(|signature| begins(&self.line, signature).then_some(()));
        self.found = hit.map(|hit| hit.is_some()).map_err(|_| ());
    }
}

fn begins(line: &[u8], signature: &[u8]) -> bool {
    let same = |(byte, wanted): (&u8, &u8)| byte == wanted || *wanted == b'*';
    line.len() >= signature.len() && line.iter().zip(signature).all(same)
}

fn is_field(line: &[u8]) -> bool {
    let name =
        line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    name > 0 && line.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::long_list::Index;
    use std::fs::File;
    use std::io::Write;

    const LIST: &str = "TVqQAAMAA\nTVpQAAIAA\n# zip\n#UEsDBBQAA\nTV**AkkA\n";

    fn found(message: &str) -> bool {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("signatures");
        File::create(&path).unwrap().write_all(LIST.as_bytes()).unwrap();
        let found: Vec<bool> = [1, 7, 4096]
            .into_iter()
            .map(|size| {
                let list = LongList::open(&path, Index::Ignored).unwrap();
                let mut signatures = Signatures::new(list);
                message.as_bytes().chunks(size).for_each(|block| signatures.look(block));
                signatures.found().unwrap()
            })
            .collect();
        assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
        found[0]
    }

    #[test]
    fn a_part_that_begins_with_a_signature_is_found() {
        let part = "Subject: x\n\ntext\n--b\nContent-Type: a/b\n\nTVqQAAMAAAAEAAAA\n--b--\n";
        assert!(found(part));
        assert!(found("Subject: x\n\nTVqQAAMAAx\n"));
        assert!(found("Subject: x\n\n\nTVxyAkkAzz\n"));
        assert!(found("A: x\n\n--b\nContent-Type: message/rfc822\n\nFrom: y\n\nTVpQAAIAA\n"));
    }

    #[test]
    fn elsewhere_and_otherwise_it_is_text() {
        assert!(!found("Subject: TVqQAAMAA\nTVqQAAMAA\n\ntext\nTVqQAAMAA\n\nTVqQAAMAA\n"));
        assert!(!found("Subject: x\n\ntvqqaamaa\n"));
        assert!(!found("Subject: x\n\nUEsDBBQAA\n"));
        assert!(!found("Subject: x\n\n TVqQAAMAA\n"));
        assert!(!found("Subject: x\n\nTVqQAA\n"));
    }
}
