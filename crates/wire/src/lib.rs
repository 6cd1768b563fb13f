//! What goes over wires and pipes: SMTP, POP3, netstrings, the daemons' own protocols.
#![forbid(unsafe_code)]

pub mod clean;
pub mod smtp_client;
pub mod spawn;
pub mod todo;
