//! rblspp: rblsmtpd as a plug-in: refuses recipients of clients that are on DNS lists.
//!
//! Runs as:     who runs qmail-smtpd
//! Descriptors: 1 the answer; 2 the log
//! Exit codes:  0; 100 wrong usage
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::parent_id;
use std::process::ExitCode;

use smtpd_tools::block_list::{Options, SystemDns, refusal};
use smtpd_tools::session::{answer, log, variable, word};

fn main() -> ExitCode {
    let arguments: Vec<Vec<u8>> = std::env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    let Some(options) = Options::parse(&arguments) else {
        log(b"rblspp: usage: rblspp [ -b | -B ] [ -c | -C ] [ -r base ] [ -a base ]");
        return ExitCode::from(100);
    };
    let count = variable("SMTPRCPTCOUNT").unwrap_or_default();
    if !matches!(count.as_slice(), b"" | b"0") {
        return ExitCode::SUCCESS;
    }
    let address = variable("TCPREMOTEIP").unwrap_or_default();
    let decided = std::env::var_os("RBLSPP").map(OsStringExt::into_vec);
    if let Some((code, text)) = refusal(&options, &address, decided.as_deref(), &SystemDns) {
        let said = [code.to_string().as_bytes(), b" ", &text].concat();
        let pid = format!(" pid {}: ", parent_id());
        log(&[b"rblspp: ", &*word(&address), pid.as_bytes(), &said].concat());
        answer(&[b"E", said.as_slice()].concat());
    }
    ExitCode::SUCCESS
}
