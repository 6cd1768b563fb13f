//! What is known of a connection beside its addresses.

/// Names, as far as anybody could tell or wanted to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The name of this end.
    pub local_name: Option<Vec<u8>>,
    /// The name of the other end.
    pub remote_name: Option<Vec<u8>>,
    /// What the other host says about its user.
    pub remote_user: Option<Vec<u8>>,
}
