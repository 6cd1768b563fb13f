//! Whether a message asks for a receipt, and the receipt.

use std::io::BufRead;

use qmail_address::{EnvelopeSender, breaks_lines, quote};
use qmail_message::field::Known;
use qmail_message::rewrite::addresses;

use crate::failure::Failure;
use crate::fields::{Trouble, read_header};

/// What the header of a message says about receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Whether one is asked for on delivery to our address.
    pub wanted: bool,
    /// The last field `Message-ID`, with its LF.
    pub message_id: Option<Vec<u8>>,
}

impl Request {
    /// Reads the header of `message`, which was delivered to `address`.
    pub fn read(message: &mut impl BufRead, address: &[u8]) -> Result<Self, Failure> {
        let mut request = Self::default();
        let mut unparsable = None;
        let read = read_header(message, |field| match Known::of(field) {
            Some(Known::MessageId) => request.message_id = Some(field.to_vec()),
            Some(Known::NoticeRequestedUponDeliveryTo) => match addresses(field) {
                Ok(all) => request.wanted |= all.iter().any(|one| one == address),
                Err(_) if unparsable.is_none() => unparsable = Some(field.to_vec()),
                Err(_) => {}
            },
            _ => {}
        });
        if let Some(field) = unparsable {
            let field = field.strip_suffix(b"\n").unwrap_or(&field);
            return Err(Failure::Permanent([b"unable to parse this: ", field].concat()));
        }
        match read {
            Ok(_) => Ok(request),
            // A receipt is a courtesy: nobody is owed one over a header like that.
            Err(Trouble::TooLong) => Ok(Self::default()),
            Err(Trouble::Read(_)) => Err(Failure::Temporary(b"read error".to_vec())),
        }
    }
}

/// Whether `sender` can be sent a receipt. A bounce cannot, and one whose address would break the
/// header of the receipt will not.
pub fn may_have_receipt(sender: &[u8]) -> bool {
    let is_bounce = matches!(
        EnvelopeSender::parse(sender),
        EnvelopeSender::Bounce | EnvelopeSender::DoubleBounce
    );
    !is_bounce && !breaks_lines(sender)
}

/// The receipt for `sender`, whose message was delivered to `address`.
pub fn receipt(sender: &[u8], address: &[u8], message_id: Option<&[u8]>) -> Vec<u8> {
    let sender = quote(sender);
    let header = [
        b"From: DELIVERY NOTICE SYSTEM <".as_slice(),
        &sender,
        b">\nTo: <",
        &sender,
        b">\nSubject: success notice\n\n",
    ]
    .concat();
    let body = [
        b"Hi! This is the qreceipt program. Your message was delivered to the\n\
          following address: "
            .as_slice(),
        address,
        b". Thanks for asking.\n",
    ]
    .concat();
    let your = message_id.map(|field| [b"Your ", field].concat()).unwrap_or_default();
    [header, body, your].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(message: &str) -> Result<Request, Failure> {
        Request::read(&mut message.as_bytes(), b"a b@c")
    }

    #[test]
    fn an_address_asks_for_itself_only_and_unquoted() {
        let asks = "Notice-Requested-Upon-Delivery-To: x@y, \"a b\"@c\n\n";
        assert!(request(asks).unwrap().wanted);
        assert!(!request("Notice-Requested-Upon-Delivery-To: a@c\n").unwrap().wanted);
        assert!(!request("\nNotice-Requested-Upon-Delivery-To: \"a b\"@c\n").unwrap().wanted);
    }

    #[test]
    fn a_field_that_makes_no_sense_is_shown() {
        let failure = request("Notice-Requested-Upon-Delivery-To: a>\n\n").unwrap_err();
        assert_eq!(
            failure.line("qreceipt"),
            b"qreceipt: fatal: unable to parse this: Notice-Requested-Upon-Delivery-To: a>\n"
        );
        assert_eq!(failure.code(), 100);
    }

    #[test]
    fn bounces_and_line_breakers_get_no_receipt() {
        assert!(may_have_receipt(b"a@b"));
        for sender in [b"".as_slice(), b"#@[]", b"a\nBcc: x@b"] {
            assert!(!may_have_receipt(sender));
        }
    }

    #[test]
    fn a_receipt_names_the_message() {
        let id = request("Message-ID: <1@x>\n\n").unwrap().message_id.unwrap();
        let text = String::from_utf8(receipt(b"a b@c", b"me@here", Some(&id))).unwrap();
        assert_eq!(
            text,
            "From: DELIVERY NOTICE SYSTEM <\"a b\"@c>\nTo: <\"a b\"@c>\n\
             Subject: success notice\n\n\
             Hi! This is the qreceipt program. Your message was delivered to the\n\
             following address: me@here. Thanks for asking.\n\
             Your Message-ID: <1@x>\n"
        );
    }
}
