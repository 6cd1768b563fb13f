//! What goes over wires and pipes: SMTP, POP3, netstrings, the daemons' own protocols.
#![forbid(unsafe_code)]

pub mod base64;
pub mod broken;
pub mod clean;
pub mod command;
pub mod fork_server;
mod line;
pub mod lookup;
pub mod netstring;
pub mod pop3;
pub mod queue_server;
pub mod sasl;
pub mod smtp_client;
pub mod smtp_server;
pub mod spawn;
pub mod stay;
pub mod tlsrelay;
pub mod todo;
