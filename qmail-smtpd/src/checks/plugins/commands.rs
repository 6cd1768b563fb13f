//! What plug-ins say: a command a line, by its first letter.

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `A`: no plug-in is asked any more in this session.
    Accept,
    /// `N`: the other plug-ins of this section are not asked.
    Next,
    /// `O`: the same, nor are our own lists.
    Ok,
    /// `E`: refuse with these words.
    Error(Vec<u8>),
    /// `R`: the same, and end.
    Reject(Vec<u8>),
    /// `D`: end without a word.
    Drop,
    /// `LM`, `LR`, `LD`: refuse the next MAIL, RCPT or DATA with these words.
    Later(usize, Vec<u8>),
    /// `P`: say this, and go on.
    Print(Vec<u8>),
    /// `H`: put this below our `Received` field.
    Header(Vec<u8>),
    /// `C`: put this in place of the address.
    Change(Vec<u8>),
    /// `S`: set a variable.
    Set(String, Vec<u8>),
    /// `U`: take a variable away.
    Unset(String),
}

/// The commands in what a plug-in said. The last line counts even if its end is missing; lines that
/// nobody knows do not.
pub fn commands(output: &[u8]) -> impl Iterator<Item = Command> + '_ {
    output.split(|byte| *byte == b'\n').filter_map(command)
}

fn command(line: &[u8]) -> Option<Command> {
    let (letter, rest) = line.split_first()?;
    Some(match letter {
        b'A' => Command::Accept,
        b'N' => Command::Next,
        b'O' => Command::Ok,
        b'D' => Command::Drop,
        b'E' => Command::Error(speakable(rest)),
        b'R' => Command::Reject(speakable(rest)),
        b'P' => Command::Print(speakable(rest)),
        b'L' => {
            let (letter, rest) = rest.split_first()?;
            let queue = b"MRD".iter().position(|known| known == letter)?;
            Command::Later(queue, speakable(rest))
        }
        b'H' => Command::Header(field(rest)?),
        b'C' => Command::Change(rest.to_vec()),
        b'S' => {
            let equals = rest.iter().position(|byte| *byte == b'=')?;
            let (name, value) = rest.split_at(equals);
            Command::Set(name_of(name)?, value.get(1..).unwrap_or_default().to_vec())
        }
        b'U' => Command::Unset(name_of(rest)?),
        _ => return None,
    })
}

fn name_of(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Without control bytes: a CR would end the line for the client.
fn speakable(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| *byte >= b' ' || *byte == b'\t').collect()
}

/// A header field, or a line that continues one. Anything else would end the header.
fn field(text: &[u8]) -> Option<Vec<u8>> {
    let colon = text.iter().position(|byte| *byte == b':');
    let name = colon.and_then(|colon| text.get(..colon)).unwrap_or_default();
    let is_field = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    let is_continued = matches!(text, [b' ' | b'\t', rest @ ..] if !rest.trim_ascii().is_empty());
    let has_control = text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    ((is_field || is_continued) && !has_control).then(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(output: &str) -> Vec<Command> {
        commands(output.as_bytes()).collect()
    }

    #[test]
    fn each_letter_is_a_command() {
        let output = "A\nN\nO\nE550 no\nR421 bye\nD\nLRone\nLMtwo\nLDthree\nP250-x\nHX-A: b\n\
                      Ca@b\nSA=b=c\nUA\n";
        let expected = [
            Command::Accept,
            Command::Next,
            Command::Ok,
            Command::Error(b"550 no".to_vec()),
            Command::Reject(b"421 bye".to_vec()),
            Command::Drop,
            Command::Later(1, b"one".to_vec()),
            Command::Later(0, b"two".to_vec()),
            Command::Later(2, b"three".to_vec()),
            Command::Print(b"250-x".to_vec()),
            Command::Header(b"X-A: b".to_vec()),
            Command::Change(b"a@b".to_vec()),
            Command::Set("A".to_owned(), b"b=c".to_vec()),
            Command::Unset("A".to_owned()),
        ];
        assert_eq!(all(output), expected);
    }

    #[test]
    fn a_last_line_counts_without_its_end_and_what_nobody_knows_does_not() {
        assert_eq!(all("\nXyz\nLHno\nL\nS\nSx\nHno field\nH\nH:x\nN"), [Command::Next]);
        assert_eq!(all("E550 a\rb\tc"), [Command::Error(b"550 ab\tc".to_vec())]);
        assert_eq!(all("HX: a\rY: b\nHX: a\0"), []);
        assert_eq!(all("H folded"), [Command::Header(b" folded".to_vec())]);
    }
}
