//! What the client is told about each recipient.

use qmail_core::submit::Refusal;

/// The address is too long, or has a byte that no address may have.
pub(crate) const UNFIT: &[u8] = b"Dsorry, I can't handle that recipient (#5.1.3)";
/// Its domain is not ours, and the client may not send to others.
pub(crate) const NOT_LISTED: &[u8] =
    b"Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)";
/// The sender's address is too long, or has a byte that no address may have.
pub(crate) const UNFIT_SENDER: &[u8] = b"Dunacceptable sender (#5.1.7)";
/// The message is too large.
pub(crate) const TOO_LARGE: &[u8] =
    b"Dsorry, that message size exceeds my databytes limit (#5.3.4)";

/// The message is in the queue, by the queue program `id`.
pub(crate) fn accepted(unix_seconds: u64, id: u32) -> Vec<u8> {
    format!("Kok {unix_seconds} qp {id}").into_bytes()
}

/// The queue program's own words.
pub(crate) fn refused(refusal: &Refusal) -> Vec<u8> {
    let letter = if refusal.permanent { b"D" } else { b"Z" };
    [letter.as_slice(), &refusal.text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_replies_have_the_lengths_that_clients_know() {
        assert_eq!((UNFIT.len(), NOT_LISTED.len()), (46, 66));
    }

    #[test]
    fn the_first_letter_tells_how_final_it_is() {
        let refusal = |permanent| Refusal { permanent, text: b"text (#1)".to_vec() };
        assert_eq!(refused(&refusal(true)), b"Dtext (#1)");
        assert_eq!(refused(&refusal(false)), b"Ztext (#1)");
        assert_eq!(accepted(12, 34), b"Kok 12 qp 34");
    }
}
