//! Blanks at the ends of a body's lines, which do not count in its relaxed form: RFC 6376 §3.4.4.
//!
//! The library leaves them out, too, but takes a last line of blanks for one that is not empty (until
//! its release 0.15.0), and so has a hash that nobody else has.

use std::borrow::Cow;

/// Takes blanks from the ends of lines, block by block.
#[derive(Debug, Default)]
pub(super) struct Blanks {
    /// Blanks have come of which nobody knows whether something follows on their line.
    are_held: bool,
}

impl Blanks {
    /// The next block, with LF or CR LF at the ends of its lines, without them. Of blanks that do
    /// count, one may stand for several.
    pub(super) fn strip<'b>(&mut self, block: &'b [u8]) -> Cow<'b, [u8]> {
        if !self.are_held && !has_any(block) {
            return Cow::Borrowed(block);
        }
        let mut stripped = Vec::with_capacity(block.len() + 1);
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let kept = without_last_blanks(text);
            if !kept.is_empty() {
                stripped.extend(self.are_held.then_some(b' '));
                stripped.extend_from_slice(kept);
                self.are_held = false;
            }
            self.are_held |= kept.len() < text.len();
            if text.len() < line.len() {
                stripped.push(b'\n');
                self.are_held = false;
            }
        }
        Cow::Owned(stripped)
    }
}

/// Whether a line of this block, or the block, ends with a blank.
fn has_any(block: &[u8]) -> bool {
    let is_before_end = |pair: &[u8]| matches!(pair, [b' ' | b'\t', b'\r' | b'\n']);
    block.windows(2).any(is_before_end) || block.last().is_some_and(is_blank)
}

fn without_last_blanks(text: &[u8]) -> &[u8] {
    let last = text.iter().rposition(|byte| !is_blank(byte));
    last.and_then(|last| text.get(..=last)).unwrap_or_default()
}

/// A CR is nowhere but at the end of a line, and there LF will do.
fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}
