//! RFC 6152: a message with bytes beyond ASCII is declared as one.
//!
//! To a server that does not know the extension it goes as it is, as it always went.

use qmail_wire::smtp_client::Offer;

use super::Extension;
use crate::message::Facts;

/// The extension.
pub(crate) struct EightBit;

impl Extension for EightBit {
    fn parameter(&self, offer: &Offer, message: &Facts) -> Option<String> {
        (offer.eight_bit && message.eight_bit).then(|| "BODY=8BITMIME".to_owned())
    }
}
