//! What qmail's programs share: where the tree is, its accounts, control files and queue, and the
//! ways in and out of it.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod accounts;
pub mod blocks;
pub mod built_in;
pub mod cdb;
pub mod complaint;
pub mod control;
pub mod conversation;
pub mod duplex;
pub mod file_types;
pub mod heap;
pub mod home;
pub mod ident;
pub mod keeper;
pub mod log;
pub mod long_list;
pub mod maildir;
pub mod mbox;
pub mod options;
pub mod overquota;
pub mod own_addresses;
pub mod own_words;
pub mod program;
pub mod progress;
pub mod queue;
pub mod rcpthosts;
pub mod sender_rules;
pub mod submit;
pub mod tcp_rules;
pub mod tcpto;
pub mod timed;
pub mod tlsrelay;
pub mod unfinished;
pub mod users;
pub mod variable;
pub mod vpopmail;

mod missing;
mod read_ahead;

pub use missing::if_there;
pub use qmail_sys::errno;
