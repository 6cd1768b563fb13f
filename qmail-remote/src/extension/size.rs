//! RFC 1870: the size of a message is known before it is sent.

use qmail_wire::smtp_client::Offer;

use super::Extension;
use crate::message::Facts;

/// The extension.
pub(crate) struct Size;

impl Extension for Size {
    // Line ends will grow, so this is a little less than the truth; §6.1 wants an estimate.
    fn parameter(&self, offer: &Offer, message: &Facts) -> Option<String> {
        offer.size?;
        message.length.map(|length| format!("SIZE={length}"))
    }

    /// A message is never smaller on the wire, so one that is too large here is so there.
    fn objection(&self, offer: &Offer, message: &Facts) -> Option<String> {
        let (limit, length) = (offer.size??, message.length?);
        (length > limit).then(|| {
            format!("it takes no message over {limit} bytes, and this one has {length}. (#5.3.4)")
        })
    }
}
