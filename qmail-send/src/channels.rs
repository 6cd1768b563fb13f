//! One of a thing for each channel.

use qmail_core::queue::Channel;

/// A value for each channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerChannel<T> {
    pub local: T,
    pub remote: T,
}

impl<T> PerChannel<T> {
    /// What `make` gives for each channel.
    pub(crate) fn new(mut make: impl FnMut(Channel) -> T) -> Self {
        Self { local: make(Channel::Local), remote: make(Channel::Remote) }
    }

    pub(crate) fn of(&self, channel: Channel) -> &T {
        match channel {
            Channel::Local => &self.local,
            Channel::Remote => &self.remote,
        }
    }

    pub(crate) fn of_mut(&mut self, channel: Channel) -> &mut T {
        match channel {
            Channel::Local => &mut self.local,
            Channel::Remote => &mut self.remote,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.local, &self.remote].into_iter()
    }
}
