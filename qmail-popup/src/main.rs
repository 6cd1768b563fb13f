//! qmail-popup: reads a POP3 user name and password.
//!
//! Usage:       qmail-popup HOSTNAME SUBPROGRAM [ARGUMENT...]
//! Runs as:     whoever may start the subprogram: root, as a rule
//! Descriptors: 0 and 1, the client; the subprogram gets both, and the password on 3
//! Exit codes:  1, whatever happened
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::complaint::complain;
use qmail_core::home::home;
use qmail_popup::{Connection, Login, Policy, Service, Tls, challenge, refuse_usage, serve};
use qmail_sys::signal::{self, Signal};

fn main() -> ExitCode {
    qmail_forkserver::main(|arguments| {
        // Whoever talks to us cannot see an error, except that there is no greeting.
        let _ = run(arguments);
        1
    })
}

fn run(arguments: Vec<OsString>) -> std::io::Result<()> {
    // Who started us may have ignored it, and then nobody could tell how the subprogram ended.
    signal::restore(&[Signal::SIGCHLD])?;
    let connection = Connection::new(qmail_sys::inherit(0)?, qmail_sys::inherit(1)?);
    let mut words = arguments.into_iter().skip(1);
    let (Some(host), Some(program)) = (words.next(), words.next()) else {
        refuse_usage(&connection);
        return Ok(());
    };
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let challenge = challenge(std::process::id(), seconds, &host);
    let (tls, tls_first) = (find_tls(), variable("POP3S").is_some());
    if tls_first && tls.is_none() {
        complain(b"qmail-popup: POP3S without control/servercert.pem\n");
    }
    let service = Service {
        login: Login { program, arguments: words.collect(), challenge },
        policy: Policy::from_environment(&variable),
        tls,
        tls_first,
        tls_outside: variable("TLS").as_deref() == Some(b"external"),
    };
    serve(connection, &service);
    Ok(())
}

/// Without it, the client is served all the same, unless it has to be there.
fn find_tls() -> Option<Tls> {
    Tls::find(&home(), &variable).unwrap_or_else(|error| {
        complain(format!("qmail-popup: there is no TLS: {error}\n").as_bytes());
        None
    })
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}
