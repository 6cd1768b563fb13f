//! Extensions of SMTP: a file each, and what they share.
//!
//! Those that change a transaction implement [`Extension`] and stand in [`ALL`]; pipelining,
//! STARTTLS and AUTH change the dialogue itself, which asks them what to do.

pub(crate) mod auth;
mod eight_bit;
pub(crate) mod pipelining;
mod size;
pub(crate) mod starttls;

use qmail_wire::smtp_client::Offer;

use crate::message::Facts;

/// An extension that has a word in each transaction.
pub(crate) trait Extension {
    /// What it adds to MAIL; nothing if the server does not know it.
    fn parameter(&self, offer: &Offer, message: &Facts) -> Option<String>;

    /// Why the message will never be taken, in the words of a report.
    fn objection(&self, _offer: &Offer, _message: &Facts) -> Option<String> {
        None
    }
}

/// In the order of their parameters.
const ALL: &[&dyn Extension] = &[&size::Size, &eight_bit::EightBit];

/// What all of them add to MAIL, each with a blank before it.
pub(crate) fn parameters(offer: &Offer, message: &Facts) -> String {
    let parameters = ALL.iter().filter_map(|extension| extension.parameter(offer, message));
    parameters.map(|parameter| format!(" {parameter}")).collect()
}

/// The first objection that one of them has.
pub(crate) fn objection(offer: &Offer, message: &Facts) -> Option<String> {
    ALL.iter().find_map(|extension| extension.objection(offer, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_used() {
        let message = Facts { length: Some(100), eight_bit: true };
        assert_eq!(parameters(&Offer::default(), &message), "");
        let offer = Offer { eight_bit: true, size: Some(None), ..Offer::default() };
        assert_eq!(parameters(&offer, &message), " SIZE=100 BODY=8BITMIME");
        let plain = Facts { length: None, eight_bit: false };
        assert_eq!(parameters(&offer, &plain), "");
    }

    #[test]
    fn only_a_message_over_the_limit_is_objected_to() {
        let message = Facts { length: Some(100), eight_bit: false };
        let limited = |limit| Offer { size: Some(limit), ..Offer::default() };
        assert_eq!(objection(&limited(Some(100)), &message), None);
        assert_eq!(objection(&limited(None), &message), None);
        assert_eq!(objection(&Offer::default(), &message), None);
        let objection = objection(&limited(Some(99)), &message).unwrap();
        assert_eq!(objection, "it takes no message over 99 bytes, and this one has 100. (#5.3.4)");
    }
}
