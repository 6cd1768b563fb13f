//! Descriptors for what is under way.

use qmail_wire::spawn::DeliveryNumber;

use crate::channels::PerChannel;

/// Descriptors that are open whatever is delivered: pipes, directories, and what it takes to send a
/// bounce.
const FOR_ALL: u64 = 64;

/// How many messages can be worked on at once, each of which has a descriptor: as many as deliveries,
/// if so many files may be open, which this sees to.
pub(crate) fn for_messages(concurrency: &PerChannel<DeliveryNumber>) -> usize {
    let wanted: u64 = concurrency.iter().map(|deliveries| u64::from(*deliveries)).sum();
    let files = qmail_sys::allow_open_files(wanted + FOR_ALL);
    usize::try_from(files.saturating_sub(FOR_ALL).max(1)).unwrap_or(usize::MAX)
}
