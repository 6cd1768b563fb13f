//! Between a program that stays and the one that has started it for that.
//!
//! A program that can stay has a mark in its file. It is started with an argument that nobody would give
//! it by chance, and a socket that keeps messages apart. The first message on that is its [greeting]:
//! the mark, and which file it is of.
//!
//! [greeting]: greeting

/// The descriptor by which it is spoken to.
pub const SOCKET: u8 = 3;

/// What a program that can stay does for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// What its file has in it, and what it says first. Whoever speaks differently has another number.
    pub mark: &'static [u8],
    /// The first argument of a program that is to stay.
    pub argument: &'static str,
    /// The bytes of a second one, which gives way to what ps(1) is to show of its copies.
    pub room: usize,
}

/// The number of bytes of what tells one file from another.
pub const IDENTITY: usize = 32;

/// What a program says first, whose file has this identity.
pub fn greeting(service: &Service, identity: [u8; IDENTITY]) -> Vec<u8> {
    [service.mark, &identity].concat()
}
