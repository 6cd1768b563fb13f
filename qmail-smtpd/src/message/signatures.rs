//! `signatures`: what the first line of an executable looks like in base64.
//!
//! A quick filter, no more: only base64 that begins at the start of a line is seen.

use std::io;

use qmail_core::long_list::LongList;
use qmail_message::parts::Line;

/// Whether a line begins as one of the signatures does.
pub(super) fn hits(list: &LongList, line: Line<'_>) -> io::Result<bool> {
    if !line.is_first {
        return Ok(false);
    }
    let hit = list.find(|signature| begins(line.text, signature).then_some(()))?;
    Ok(hit.is_some())
}

fn begins(line: &[u8], signature: &[u8]) -> bool {
    let same = |(byte, wanted): (&u8, &u8)| byte == wanted || *wanted == b'*';
    line.len() >= signature.len() && line.iter().zip(signature).all(same)
}
