//! What senders are told of recipients who could not be delivered to: texts only, no I/O. The form is
//! QSBMF, which mailing list managers read.

mod notice;
mod record;

pub(crate) use notice::{BounceSettings, Notice, Plan, Words, plan};
pub(crate) use record::{original_recipient, record};
