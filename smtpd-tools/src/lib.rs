//! What the filters and plug-ins of qmail-smtpd share. They run as who runs qmail-smtpd.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod block_list;
pub mod chain;
pub mod command;
pub mod envelope;
pub mod scan;
pub mod session;
pub mod spam_report;
pub mod spool;
