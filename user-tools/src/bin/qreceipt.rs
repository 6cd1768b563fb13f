//! qreceipt: answers a message that asks for a receipt.
//!
//! Runs as:     the user whose .qmail file calls it
//! Descriptors: 0 message, read; 2 what went wrong
//! Exit codes:  0 answered, or there was nothing to answer; 100 refused for good, or wrong usage;
//!              111 try again later
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use qmail_core::home::home;
use qmail_core::submit::Submission;
use user_tools::failure::{Failure, finish};
use user_tools::receipt::{Request, may_have_receipt, receipt};
use user_tools::surroundings::{variable, words};

const USAGE: Failure = Failure::Usage("qreceipt deliveryaddress");

fn main() -> ExitCode {
    finish("qreceipt", run())
}

fn run() -> Result<u8, Failure> {
    let words = words();
    let address = words.first().ok_or(USAGE)?.as_bytes();
    let sender = variable("SENDER").ok_or(USAGE)?;
    let message = qmail_sys::inherit(0).map_err(|_| temporary("read error"))?;
    let request = Request::read(&mut BufReader::new(File::from(message)), address)?;
    if request.wanted && may_have_receipt(&sender) {
        send(&sender, &receipt(&sender, address, request.message_id.as_deref()))?;
    }
    Ok(0)
}

fn send(sender: &[u8], receipt: &[u8]) -> Result<(), Failure> {
    let mut submission = Submission::start(&home()).map_err(|_| temporary("unable to fork"))?;
    submission.write(receipt);
    submission.finish(b"", [sender]).map_err(|refusal| match refusal.permanent {
        true => Failure::Permanent(b"permanent qmail-queue error".to_vec()),
        false => temporary("temporary qmail-queue error"),
    })
}

fn temporary(text: &str) -> Failure {
    Failure::Temporary(text.into())
}
