//! Commands: qmail-send asks for a delivery.

use super::{DeliveryNumber, NumberParser, Width};

/// Bytes of a message name, its NUL included, that a spawner takes.
const MESSAGE_LIMIT: usize = 100;
/// Bytes of a sender or a recipient that are kept: more than any record of the queue can be, and
/// more than a VERP sender can grow to.
const ADDRESS_LIMIT: usize = 200_000;

/// One delivery to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its number; the report has the same.
    pub delivery: DeliveryNumber,
    /// The message, as a path below `mess/`: see [`Self::message_fault`].
    pub message: Vec<u8>,
    /// The sender as the recipient shall see it.
    pub sender: Vec<u8>,
    /// The recipient.
    pub recipient: Vec<u8>,
}

/// A sender or recipient too long to be kept in memory; what is left of it must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandOverflow {
    /// The delivery that cannot be made.
    pub delivery: DeliveryNumber,
}

/// Why a message name is not one, in the order in which spawners check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFault {
    /// It has a byte that is neither a digit nor a slash, or begins with a slash.
    NonNumeric,
    /// It is longer than a name can be.
    TooLong,
    /// It is empty.
    TooShort,
}

impl Command {
    /// The bytes for the spawner. The fields have no NUL: they come from records that end with one.
    pub fn encode(&self, width: Width) -> Vec<u8> {
        let mut bytes = width.encode(self.delivery);
        for field in [&self.message, &self.sender, &self.recipient] {
            bytes.extend(field.iter().filter(|byte| **byte != 0));
            bytes.push(0);
        }
        bytes
    }

    /// What is wrong with the message name, if anything is. A name without a fault is no path to
    /// anywhere but below the directory it is looked up in.
    pub fn message_fault(&self) -> Option<MessageFault> {
        let fits = |(at, byte): (usize, &u8)| byte.is_ascii_digit() || (*byte == b'/' && at > 0);
        if !self.message.iter().enumerate().all(fits) {
            return Some(MessageFault::NonNumeric);
        }
        match self.message.len() {
            0 => Some(MessageFault::TooShort),
            MESSAGE_LIMIT.. => Some(MessageFault::TooLong),
            _ => None,
        }
    }
}

/// Collects commands from what arrives, in bounded memory.
///
/// Of a message name one byte more than is allowed is kept, so that its fault shows.
#[derive(Debug, Default)]
pub struct CommandParser {
    number: NumberParser,
    fields: [Vec<u8>; 3],
    field: usize,
    overflow: bool,
}

impl CommandParser {
    /// A parser at the beginning of a command.
    pub fn new(width: Width) -> Self {
        Self { number: NumberParser::new(width), ..Self::default() }
    }

    /// Takes what has arrived, and gives the commands that are complete with it.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Command, CommandOverflow>> {
        bytes.iter().filter_map(|byte| self.push_byte(*byte)).collect()
    }

    fn push_byte(&mut self, byte: u8) -> Option<Result<Command, CommandOverflow>> {
        if self.number.take(byte) {
            return None;
        }
        if byte == 0 {
            self.field += 1;
            return (self.field == self.fields.len()).then(|| self.complete());
        }
        let (limit, is_address) =
            if self.field == 0 { (MESSAGE_LIMIT, false) } else { (ADDRESS_LIMIT, true) };
        match self.fields.get_mut(self.field) {
            Some(field) if field.len() < limit => field.push(byte),
            _ => self.overflow |= is_address,
        }
        None
    }

    fn complete(&mut self) -> Result<Command, CommandOverflow> {
        let next = Self::new(self.number.width);
        let Self { number, fields, overflow, .. } = std::mem::replace(self, next);
        let [message, sender, recipient] = fields;
        let delivery = number.number();
        if overflow {
            return Err(CommandOverflow { delivery });
        }
        Ok(Command { delivery, message, sender, recipient })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(message: &[u8]) -> Command {
        Command {
            delivery: 0,
            message: message.to_vec(),
            sender: b"a@b".to_vec(),
            recipient: b"c@d".to_vec(),
        }
    }

    #[test]
    fn commands_arrive_as_they_were_sent_however_they_are_cut() {
        let first = command(b"22/10117699");
        let second = Command { delivery: 255, sender: Vec::new(), ..command(b"0/1") };
        assert_eq!(first.encode(Width::One), b"\x0022/10117699\0a@b\0c@d\0");
        assert_eq!(first.encode(Width::Two), b"\0\x0022/10117699\0a@b\0c@d\0");
        for width in [Width::One, Width::Two] {
            let bytes = [first.encode(width), second.encode(width)].concat();
            for cut in 0..bytes.len() {
                let mut parser = CommandParser::new(width);
                let mut all = parser.push(&bytes[..cut]);
                all.extend(parser.push(&bytes[cut..]));
                assert_eq!(all, [Ok(first.clone()), Ok(second.clone())]);
            }
        }
    }

    #[test]
    fn faults_of_message_names_are_told_apart() {
        let fault = |message: &[u8]| command(message).message_fault();
        assert_eq!(fault(b"22/1"), None);
        assert_eq!(fault(b""), Some(MessageFault::TooShort));
        assert_eq!(fault(b"/1"), Some(MessageFault::NonNumeric));
        assert_eq!(fault(b"../1"), Some(MessageFault::NonNumeric));
        assert_eq!(fault(b"1/2a"), Some(MessageFault::NonNumeric));
        assert_eq!(fault(&[b'1'; 99]), None);
        assert_eq!(fault(&[b'1'; 100]), Some(MessageFault::TooLong));
    }

    #[test]
    fn a_message_name_of_any_length_takes_bounded_memory_and_stays_too_long() {
        let mut parser = CommandParser::new(Width::One);
        let all = parser.push(&command(&[b'1'; 70_000]).encode(Width::One));
        let [Ok(command)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(command.message.len(), 100);
        assert_eq!(command.message_fault(), Some(MessageFault::TooLong));
    }

    #[test]
    fn an_address_that_had_to_be_cut_is_never_delivered_to() {
        let mut parser = CommandParser::new(Width::One);
        let long = Command { recipient: vec![b'a'; ADDRESS_LIMIT + 1], ..command(b"1/2") };
        assert_eq!(parser.push(&long.encode(Width::One)), [Err(CommandOverflow { delivery: 0 })]);
        let next = command(b"1/3");
        assert_eq!(parser.push(&next.encode(Width::One)), [Ok(next)]);
    }
}
