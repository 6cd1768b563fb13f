//! DomainKeys Identified Mail: RFC 6376, with RFC 8301 (no SHA-1, no short keys) and RFC 8463
//! (Ed25519).
//!
//! The reading of signatures and records, the canonical forms and the verdict on a signature are
//! those of the `mail-auth` library. What is ours: which keys sign what, where records come from,
//! and how much of a message's demands is met.

mod blanks;
mod evaluation;
mod key;
mod lookup;
mod outcome;
mod refusal;
mod sign;
mod store;
mod verify;

pub use key::{Key, KeyError};
pub use lookup::{Limits, Records};
pub use outcome::{Outcome, Verdict};
pub use refusal::{Policy, Refusal};
pub use sign::{SignError, Signer};
pub use store::{Keys, StoreError, keys_for};
pub use verify::{HEADER_LIMIT, Verifier};
