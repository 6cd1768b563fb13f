//! Makes a DKIM key and prints its DNS record.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod failure;
mod generate;
mod place;
mod request;

use std::path::Path;

use generate::generate;

pub use failure::Failure;
pub use generate::Kind;
pub use request::{Request, Target};

/// Makes the key, and returns the record as a line of a zone file.
///
/// # Errors
/// See [`Failure`]. No key is left behind then.
pub fn run(request: &Request, home: &Path) -> Result<String, Failure> {
    let place = place::Place::prepare(&request.target, home)?;
    let generated = generate(request.kind)?;
    let line = match &request.target {
        Target::Domain { domain, selector } => {
            format!("{selector}._domainkey.{domain}. IN TXT {}\n", generated.strings())
        }
        Target::File { selector, .. } => {
            format!("{selector}._domainkey IN TXT {}\n", generated.strings())
        }
    };
    place.store(&generated.pem, &line, request.use_now)?;
    Ok(line)
}

#[cfg(test)]
mod tests;
