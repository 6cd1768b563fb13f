//! A name and a secret, as long as they are needed.

use std::hint::black_box;

/// Who wants to log in, and how he proves it. Overwritten when it is dropped.
#[derive(PartialEq, Eq)]
pub struct Credentials {
    name: Vec<u8>,
    secret: Vec<u8>,
}

impl Credentials {
    /// The `secret` is a password, or a digest of one and of the challenge.
    pub fn new(name: &[u8], secret: &[u8]) -> Self {
        Self { name: name.to_vec(), secret: secret.to_vec() }
    }

    /// As the subprogram reads it: three strings, each with its NUL.
    pub fn with_challenge(&self, challenge: &[u8]) -> Secret {
        Secret([&self.name, b"\0".as_slice(), &self.secret, b"\0", challenge, b"\0"].concat())
    }
}

/// Not to be printed by accident.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        wipe(&mut self.secret);
    }
}

/// Bytes that are overwritten when they are dropped.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes care of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Otherwise the compiler sees that nobody reads the zeros, and leaves them out.
    black_box(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subprogram_gets_three_strings() {
        let bytes = Credentials::new(b"joe", b"a b").with_challenge(b"<1.2@here>");
        assert_eq!(bytes.as_ref(), b"joe\0a b\0<1.2@here>\0");
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Credentials::new(b"joe", b"secret")), "Credentials { .. }");
    }
}
