//! The envelope of one message.

/// Sender and recipients, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Where bounces go.
    pub sender: Vec<u8>,
    /// What the client says that the message will have, in bytes.
    pub declared_size: Option<u64>,
    /// A plug-in has said that the sender is good, whatever our own lists say.
    pub is_vouched_for: bool,
    /// The sender is one who may send to anybody.
    pub may_relay: bool,
    /// The client may relay, and the sender is one whom he may name.
    pub is_own_sender: bool,
    /// Who gets the message.
    pub recipients: Vec<Vec<u8>>,
}

/// A recipient who has been named, and is not accepted yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The address as the client gave it.
    pub named: Vec<u8>,
    /// The address that the message will go to: a plug-in may have put it in place of the other.
    pub address: Vec<u8>,
    /// The domain of the address that was named is one of ours: see `rcpthosts`.
    pub is_ours: bool,
    /// A list or a look-up has found that there is such an address.
    pub is_known: bool,
}

impl Transaction {
    /// One from this sender.
    pub fn from(sender: impl Into<Vec<u8>>) -> Self {
        Self { sender: sender.into(), ..Self::default() }
    }
}

impl Recipient {
    /// One with this address.
    pub fn new(address: impl Into<Vec<u8>>) -> Self {
        let named = address.into();
        Self { address: named.clone(), named, ..Self::default() }
    }
}
