//! One question as it goes to a server.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};

/// What we can take in one datagram: as much as goes through every network in one piece.
const DATAGRAM: u16 = 1232;

/// Whether a question tells the server how much we can take (EDNS0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// It does.
    Announced,
    /// It does not, for servers that stumble over it: answers over 512 bytes then come over TCP.
    Omitted,
}

/// A question, with the number that its answer must repeat.
#[derive(Clone, Debug)]
pub struct Question {
    /// The number.
    pub id: u16,
    /// What is asked about.
    pub name: Name,
    /// What is asked for.
    pub kind: RecordType,
    /// Whether large answers are welcome.
    pub extension: Extension,
}

impl Question {
    /// The bytes of the question; `None` if the codec refuses the name after all.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut message = Message::new(self.id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.kind));
        if self.extension == Extension::Announced {
            let mut edns = Edns::new();
            edns.set_max_payload(DATAGRAM);
            message.set_edns(edns);
        }
        message.to_vec().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_wants_recursion_and_says_what_we_can_take() {
        let name = Name::from_ascii("a.example.").unwrap();
        let mut question =
            Question { id: 0x1234, name, kind: RecordType::MX, extension: Extension::Omitted };
        let plain = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x0f\0\x01";
        assert_eq!(question.encode().unwrap(), plain);
        question.extension = Extension::Announced;
        let extended = question.encode().unwrap();
        assert_eq!(extended.strip_prefix(&plain[..11]).unwrap()[0], 1);
        assert!(extended.ends_with(b"\0\0\x29\x04\xd0\0\0\0\0\0\0"));
    }
}
