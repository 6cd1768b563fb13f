//! ifauthskip: a plug-in that spares users who have shown who they are the rest of its section.
//!
//! Runs as:     who runs qmail-smtpd
//! Descriptors: 1 the answer
//! Exit codes:  0
#![forbid(unsafe_code)]

use smtpd_tools::session::{answer, variable};

fn main() {
    if variable("SMTPAUTHUSER").is_some() {
        answer(b"N");
    }
}
