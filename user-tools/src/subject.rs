//! The header that mailsubj writes.

use qmail_address::breaks_lines;

use crate::failure::Failure;

/// `Subject`, `To` and the empty line behind them. Nothing is quoted; an argument with a line end
/// could write a header of its own, and is refused.
pub fn header(subject: &[u8], recipients: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    if breaks_lines(subject) || recipients.iter().any(|recipient| breaks_lines(recipient)) {
        return Err(Failure::Permanent(b"line break in argument".to_vec()));
    }
    Ok([b"Subject: ", subject, b"\nTo: ", &recipients.join(&b' '), b"\n\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_separated_by_spaces() {
        let header = header(b"hi \\n there", &[b"a@b", b"c"]).unwrap();
        assert_eq!(header, b"Subject: hi \\n there\nTo: a@b c\n\n");
    }

    #[test]
    fn an_argument_cannot_add_a_field() {
        assert!(header(b"hi\nBcc: all", &[b"a"]).is_err());
        assert!(header(b"hi", &[b"a\rBcc: all"]).is_err());
    }
}
