//! The queue on disk: names, states, and the way in.
//!
//! A message is a number, the inode of its file in `mess/`. What else exists for that number says
//! what state it is in: see docs/ARCHITECTURE.md, The queue.

mod closed;
mod create;
mod layout;
mod lock;
mod records;
mod trigger;

pub use closed::{MUTEX, WAY_IN, closed_name, is_closed};
pub use create::{CreateError, Envelope, Incoming, Unique};
pub use layout::{Channel, Queue, QueueId, Todo};
pub use lock::TodoLock;
pub use records::{Record, Records, mark_done};
pub use trigger::Trigger;

use std::time::Duration;

/// Files that nobody refers to are litter at this age. It is longer than qmail-queue may live.
pub const OSSIFIED: Duration = Duration::from_secs(129_600);
