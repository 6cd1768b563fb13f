//! The lines of a `.qmail` file.

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction<'text> {
    /// Nothing: the line is empty or blank.
    Blank,
    /// A comment, or a word that nobody knows yet.
    Ignored,
    /// From here on, only forwarding is allowed.
    ForwardOnly,
    /// Deliver to this maildir.
    Maildir(&'text [u8]),
    /// Deliver to this mbox.
    Mbox(&'text [u8]),
    /// Give the message to this command.
    Program(&'text [u8]),
    /// Forward to this address, which may be empty.
    Forward(&'text [u8]),
}

/// The instructions of a file, in order. An empty file is one blank line.
pub fn instructions(file: &[u8]) -> impl Iterator<Item = Instruction<'_>> {
    let lines = file.strip_suffix(b"\n").unwrap_or(file);
    lines.split(|byte| *byte == b'\n').map(parse)
}

fn parse(line: &[u8]) -> Instruction<'_> {
    let line = without_trailing_blanks(line);
    match line {
        [] => Instruction::Blank,
        [b'#', ..] => Instruction::Ignored,
        [b'.' | b'/', .., b'/'] | b"/" => Instruction::Maildir(line),
        [b'.' | b'/', ..] => Instruction::Mbox(line),
        [b'|', command @ ..] => Instruction::Program(command),
        b"+list" => Instruction::ForwardOnly,
        [b'+', ..] => Instruction::Ignored,
        [b'&', address @ ..] => Instruction::Forward(address),
        address => Instruction::Forward(address),
    }
}

fn without_trailing_blanks(line: &[u8]) -> &[u8] {
    let last = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    last.and_then(|last| line.get(..=last)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Instruction::{Blank, Forward, ForwardOnly, Ignored, Maildir, Mbox, Program};

    #[test]
    fn the_first_byte_decides() {
        for (line, expected) in [
            (b"# ./x".as_slice(), Ignored),
            (b"./Maildir/", Maildir(b"./Maildir/")),
            (b"/x/", Maildir(b"/x/")),
            (b"/", Maildir(b"/")),
            (b".", Mbox(b".")),
            (b"./Mailbox", Mbox(b"./Mailbox")),
            (b"| a | b", Program(b" a | b")),
            (b"|", Program(b"")),
            (b"+list", ForwardOnly),
            (b"+lists", Ignored),
            (b"+", Ignored),
            (b"&a@b", Forward(b"a@b")),
            (b"& a@b", Forward(b" a@b")),
            (b"&", Forward(b"")),
            (b"a@b", Forward(b"a@b")),
            (b" # x", Forward(b" # x")),
            (b"\ta@b", Forward(b"\ta@b")),
            (b"\xff", Forward(b"\xff")),
        ] {
            assert_eq!(parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn blanks_at_the_end_of_a_line_are_no_part_of_it() {
        assert_eq!(parse(b"./Maildir/ \t "), Maildir(b"./Maildir/"));
        assert_eq!(parse(b"& \t"), Forward(b""));
        assert_eq!(parse(b"\t\t\t"), Blank);
        assert_eq!(parse(b"a@b\r"), Forward(b"a@b\r"));
    }

    #[test]
    fn a_last_line_needs_no_end_and_an_empty_file_is_a_blank_line() {
        let all = |file| instructions(file).collect::<Vec<_>>();
        assert_eq!(all(b"a\nb"), [Forward(b"a"), Forward(b"b")]);
        assert_eq!(all(b"a\nb\n"), [Forward(b"a"), Forward(b"b")]);
        assert_eq!(all(b"a\n\n"), [Forward(b"a"), Blank]);
        assert_eq!(all(b"\n"), [Blank]);
        assert_eq!(all(b""), [Blank]);
    }
}
