//! Between the clients of qmail-queue and one that stays.
//!
//! A client sends [`MESSAGE`] with three descriptors: a pipe that the message comes from, one for the
//! envelope, as those of a qmail-queue that is started, and a socket that keeps messages apart. On this
//! it is told at once the number of the message, four bytes with the highest first, and at the end the
//! exit code, one byte. Who hears no code has to think of a program that was killed.

use crate::stay::Service;

/// What a qmail-queue that stays is to others.
pub const QUEUE_SERVER: Service =
    Service { mark: b"qmail-rs queue server 1\0", argument: "--queue-server", room: 0 };

/// What a client sends.
pub const MESSAGE: &[u8] = b"m";

/// The bytes of a number.
pub const NUMBER: usize = 4;

/// One more than the largest process id of Linux (`PID_MAX_LIMIT`). A process that queues one message
/// after the other adds so much to its id for each, so that every message has a number of its own.
pub const STRIDE: u32 = 1 << 22;
