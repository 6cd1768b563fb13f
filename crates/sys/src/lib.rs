//! The kernel, as qmail's programs use it.
//!
//! Every unsafe operation of the workspace is in this crate. What it offers is safe to call in any
//! order: descriptors are owned, memory is allocated before a fork, and a child that runs Rust
//! leaves only by `_exit`.
#![expect(unsafe_code, reason = "this is the crate that holds all of it")]

mod borrow;
mod conceal;
mod connect;
#[cfg(feature = "crypt")]
mod crypt;
mod environment;
pub mod errno;
mod exec;
mod fd;
mod file;
mod fork;
mod handover;
mod hangup;
mod identity;
mod journal;
mod kill;
mod listen;
mod local_time;
mod lock;
mod logins;
mod mount;
mod net;
mod new_names;
#[cfg(feature = "nss")]
mod nss;
#[cfg(feature = "nss")]
mod nss_group;
mod open;
mod poll;
mod process;
mod resources;
mod set_id;
mod sibling;
pub mod signal;
#[cfg(target_feature = "crt-static")]
mod start_up;
mod sync_group;
mod title;

pub use conceal::Readable;
pub use connect::connect;
#[cfg(feature = "crypt")]
pub use crypt::{Shadow, crypt};
pub use environment::secure_execution;
pub use exec::{Change, FailureCodes, Parts, Spawn, Started};
pub use fd::{Pipe, inherit, pipe, set_nonblocking};
pub use file::{OPEN_NO_LINK, OPEN_NONBLOCKING, change_mask, make_fifo, sync_directory};
pub use fork::fork;
pub use handover::{message_sockets, receive_message, refuse_messages, send_message};
pub use hangup::wait_for_hangup;
pub use identity::{
    Dropped, Gid, Identity, Uid, become_group, become_user, effective_uid, real_gid, real_uid,
};
pub use journal::{Journal, begin_writing, write_out};
pub use kill::send_signal;
pub use listen::{
    Listen, ListenFailure, forget_source_route, interface_name, release_input_and_output,
    send_at_once,
};
pub use local_time::local_offset;
pub use lock::{LockKind, lock_within};
pub use logins::{Login, logins};
pub use mount::MountOptions;
pub use net::{host_name, interface_addresses, interface_index};
pub use new_names::NewNames;
#[cfg(feature = "nss")]
pub use nss::User;
#[cfg(feature = "nss")]
pub use nss_group::group_id;
pub use open::OPEN_NOFOLLOW;
pub use poll::{Interest, poll};
pub use process::{Child, Exit, new_process_group, reap, reap_status};
pub use resources::{allow_open_files, lacks_resources};
pub use set_id::give_up_set_id;
pub use sibling::Siblings;
pub use sync_group::SyncGroup;
pub use title::Title;
