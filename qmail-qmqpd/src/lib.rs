//! The QMQP server: takes one message, for anybody, from hosts that we trust.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod session;
