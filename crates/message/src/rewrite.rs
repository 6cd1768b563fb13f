//! Fields that hold addresses, read and printed anew with each address in full.

use crate::complete::Completion;
use crate::field::unfold;
use crate::list::{self, Item};
use crate::token::{Token, Unparsable, print, scan, unquote};

/// A field that was read, and the addresses in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The field as it is to be sent.
    pub field: Vec<u8>,
    /// Its addresses as they stand in an envelope, from left to right. An empty one (`<>`) is
    /// among them.
    pub addresses: Vec<Vec<u8>>,
}

/// Reads a field, its name included.
pub fn field(field: &[u8], completion: &Completion) -> Result<Rewritten, Unparsable> {
    tokens(scan(&unfold(field))?, completion)
}

/// Takes a field that is already in tokens, those of its name and colon first.
pub fn tokens(mut tokens: Vec<Token>, completion: &Completion) -> Result<Rewritten, Unparsable> {
    if !matches!(tokens.get(..2), Some([_, Token::Colon])) {
        return Err(Unparsable);
    }
    let contents = tokens.split_off(2);
    let mut rewritten = tokens;
    let mut addresses = Vec::new();
    for item in list::parse(contents)? {
        match item {
            Item::Other(token) => rewritten.push(token),
            Item::Address(address) => {
                let address = completion.complete(address)?;
                addresses.push(unquote(&address));
                rewritten.extend(address);
            }
        }
    }
    Ok(Rewritten { field: print(&rewritten), addresses })
}

/// Completes a single address, given unquoted. Whatever it has before its last `@` is local part.
pub fn address(address: &[u8], completion: &Completion) -> Result<Vec<u8>, Unparsable> {
    if qmail_address::breaks_lines(address) {
        return Err(Unparsable);
    }
    let tokens = scan(&qmail_address::quote(address))?;
    Ok(unquote(&completion.complete(tokens)?))
}

/// The addresses of a field, as they stand, from left to right.
pub fn addresses(field: &[u8]) -> Result<Vec<Vec<u8>>, Unparsable> {
    let mut tokens = scan(&unfold(field))?;
    if tokens.len() < 2 {
        return Err(Unparsable);
    }
    let items = list::parse(tokens.split_off(2))?;
    Ok(items
        .into_iter()
        .filter_map(|item| match item {
            Item::Address(tokens) => Some(unquote(&tokens)),
            Item::Other(_) => None,
        })
        .collect())
}

#[cfg(test)]
mod tests;
