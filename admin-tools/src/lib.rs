//! Commands for the administrator: what the files in `src/bin` share with their tests.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod assign;
pub mod certificate;
pub mod control_report;
pub mod database;
pub mod domains;
pub mod fatal;
pub mod lines;
pub mod list_databases;
pub mod names;
pub mod peer_names;
pub mod pw2u;
pub mod queue_count;
pub mod queue_list;
pub mod server;
pub mod setup;
pub mod splogger;
pub mod tcp_env;
pub mod timeouts;
pub mod upgrade;
pub mod whole_file;
