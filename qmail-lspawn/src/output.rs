//! What qmail-local says, and what its end means.

use qmail_spawn::Output;
use qmail_sys::Exit;
use qmail_wire::spawn::Verdict;

use crate::trouble::Trouble;

/// Bytes of a report that are passed on.
const LIMIT: usize = 3_000;
/// How many of them are left where there were more.
const CUT: usize = 2_966;
const TOO_LONG: &[u8] = b"\nError report too long, sorry.\n";

/// What one qmail-local, and whatever it ran, has said.
#[derive(Debug, Default)]
pub struct LocalOutput {
    /// At most one byte more than the limit: it shows that there was more.
    said: Vec<u8>,
}

impl Output for LocalOutput {
    fn push(&mut self, bytes: &[u8]) {
        let room = (LIMIT + 1).saturating_sub(self.said.len()).min(bytes.len());
        self.said.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn judge(self, exit: Exit) -> (Verdict, Vec<u8>) {
        let code = match exit {
            Exit::Signal(_) => return (Verdict::Temporary, b"qmail-local crashed.\n".to_vec()),
            Exit::Code(code) => code,
        };
        if let Some(trouble) = Trouble::from_code(code) {
            let (verdict, text) = trouble.report();
            return (verdict, text.into());
        }
        let verdict = match code {
            0 => Verdict::Success,
            71 | 74 | 75 | 111 => Verdict::Temporary,
            _ => Verdict::Permanent,
        };
        (verdict, self.text())
    }
}

impl LocalOutput {
    /// It ends at its first NUL.
    fn text(mut self) -> Vec<u8> {
        if self.said.len() > LIMIT {
            self.said.truncate(CUT);
            self.said.extend_from_slice(TOO_LONG);
        }
        let end = self.said.iter().position(|byte| *byte == 0).unwrap_or(self.said.len());
        self.said.truncate(end);
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(pieces: &[&[u8]], exit: Exit) -> String {
        let mut output = LocalOutput::default();
        pieces.iter().for_each(|piece| output.push(piece));
        let (verdict, text) = output.judge(exit);
        format!("{}{}", char::from(verdict.letter()), String::from_utf8(text).unwrap())
    }

    #[test]
    fn the_exit_code_decides_and_the_output_is_passed_on() {
        for code in 0..=u8::MAX {
            let expected = match code {
                0 => "Ksaid\n",
                71 | 74 | 75 | 111 => "Zsaid\n",
                112 => "ZInternal qmail-lspawn bug.\n",
                113 => "ZNot allowed to perform deliveries as root.\n",
                115 => "ZNFS failure in qmail-local.\n",
                116 => "ZUnable to find alias user!\n",
                117 => "ZTrouble reading users/cdb in qmail-lspawn.\n",
                118 => "ZTemporary failure in qmail-lspawn.\n",
                119 => "ZOut of memory in qmail-lspawn.\n",
                120 => "ZUnable to run qmail-local.\n",
                121 => "ZUnable to run qmail-getpw.\n",
                126 => "DUnable to run qmail-local.\n",
                _ => "Dsaid\n",
            };
            assert_eq!(report(&[b"sa", b"id\n"], Exit::Code(code)), expected, "exit {code}");
        }
        assert_eq!(report(&[b"said\n"], Exit::Signal(9)), "Zqmail-local crashed.\n");
    }

    #[test]
    fn too_much_is_cut_wherever_it_is_torn() {
        let all = report(&[&[b'x'; 3000]], Exit::Code(0));
        assert_eq!(all.len(), 3001);
        let cut = report(&[&[b'x'; 3001]], Exit::Code(0));
        assert_eq!(cut.len(), 1 + 2997);
        assert!(cut.ends_with("x\nError report too long, sorry.\n"));
        let pieces: Vec<&[u8]> = std::iter::repeat_n(b"xx".as_slice(), 100_000).collect();
        assert_eq!(report(&pieces, Exit::Code(0)), cut);
    }

    #[test]
    fn a_text_ends_at_its_first_nul() {
        assert_eq!(report(&[b"a\0b"], Exit::Code(100)), "Da");
        let long = [b"a\0".as_slice(), &[b'x'; 5000]].concat();
        assert_eq!(report(&[&long], Exit::Code(111)), "Za");
    }
}
