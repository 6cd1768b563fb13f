//! What waits in the queue. Numbers are used again, as those of inodes are.

/// A message with one recipient.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Message {
    /// Seconds since the beginning.
    pub birth: u32,
    /// When it is to be tried again, by the rule in the manual.
    pub due: u32,
    pub destination: u32,
    pub attempts: u32,
    /// Of the last attempt.
    pub is_delivered: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    all: Vec<Message>,
    free: Vec<u32>,
}

impl Messages {
    /// Its number.
    pub(crate) fn add(&mut self, message: Message) -> u64 {
        if let Some(number) = self.free.pop() {
            if let Some(place) = usize::try_from(number).ok().and_then(|at| self.all.get_mut(at)) {
                *place = message;
            }
            return number.into();
        }
        self.all.push(message);
        self.all.len() as u64 - 1
    }

    pub(crate) fn get(&mut self, number: u64) -> Option<&mut Message> {
        self.all.get_mut(usize::try_from(number).ok()?)
    }

    pub(crate) fn remove(&mut self, number: u64) {
        self.free.extend(u32::try_from(number));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all.len() - self.free.len()
    }
}
