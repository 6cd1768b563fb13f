//! tcp-name: asks name servers about an end of a connection, for qmail-tcpserver.
//!
//! Runs as:     whoever serves the connection; qmaild if that is root
//! Descriptors: 1 the name, or the address
//! Exit codes:  0 found; 100 there is none, or wrong usage; 111 nobody could tell
#![forbid(unsafe_code)]

use std::process::ExitCode;

use admin_tools::domains::SearchList;
use admin_tools::fatal::{print, printed};
use admin_tools::names::Trouble;
use admin_tools::peer_names::Question;
use qmail_dns::Resolver;

fn main() -> ExitCode {
    let Some(question) = Question::parse(std::env::args_os()) else {
        return ExitCode::from(Trouble::Hard.code());
    };
    let candidates = |host: &[u8]| {
        let own_name = qmail_sys::host_name().unwrap_or_default();
        SearchList::from_system(&own_name).candidates(host)
    };
    match question.answer(&Resolver::from_system(), candidates) {
        Ok(answer) => printed(print(&[answer.as_slice(), b"\n"].concat())),
        // Nobody reads a reason: many addresses have no name.
        Err(trouble) => ExitCode::from(trouble.code()),
    }
}
