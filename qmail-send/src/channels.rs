//! One of a thing for each channel.

use qmail_core::queue::Channel;

/// A value for each channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerChannel<T> {
    /// Deliveries here.
    pub local: T,
    /// Deliveries elsewhere.
    pub remote: T,
}

impl<T> PerChannel<T> {
    /// What `make` gives for each channel.
    pub fn new(mut make: impl FnMut(Channel) -> T) -> Self {
        Self { local: make(Channel::Local), remote: make(Channel::Remote) }
    }

    /// That of one channel.
    pub fn of(&self, channel: Channel) -> &T {
        match channel {
            Channel::Local => &self.local,
            Channel::Remote => &self.remote,
        }
    }

    /// That of one channel, to be changed.
    pub fn of_mut(&mut self, channel: Channel) -> &mut T {
        match channel {
            Channel::Local => &mut self.local,
            Channel::Remote => &mut self.remote,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.local, &self.remote].into_iter()
    }
}
