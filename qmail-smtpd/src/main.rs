//! qmail-smtpd: takes mail from the network by SMTP.
//!
//! Usage:       qmail-smtpd [[HOST] CHECKER [SUBPROGRAM [ARGUMENT...]]]
//! Runs as:     qmaild, a process for each connection
//! Descriptors: 0 and 1, the client
//! Exit codes:  0 after QUIT; 1 if the connection ended in any other way
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::complaint::complain;
use qmail_core::home::home;
use qmail_smtpd::channel::Connection;
use qmail_smtpd::secure::equip;
use qmail_smtpd::variables::Variables;
use qmail_smtpd::{DEFAULT_PATIENCE, Ended, Settings, World, refuse, serve};

fn main() -> ExitCode {
    let home = home();
    let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
    let settings = Settings::read(&home, Variables::new(Box::new(variable)));
    let (Ok(input), Ok(output)) = (qmail_sys::inherit(0), qmail_sys::inherit(1)) else {
        return ExitCode::FAILURE;
    };
    let patience = settings.as_ref().map_or(DEFAULT_PATIENCE, |settings| settings.patience);
    let mut connection = Connection::over(input, output, patience);
    let ended = match settings {
        Ok(settings) => serve_securely(connection, settings, &home),
        Err(unreadable) => refuse(&mut connection, &unreadable.reply()),
    };
    match ended {
        Ended::Quit => ExitCode::SUCCESS,
        Ended::Otherwise => ExitCode::FAILURE,
    }
}

/// With TLS and AUTH, where they are wanted.
fn serve_securely(mut connection: Connection<'_>, mut settings: Settings, home: &Path) -> Ended {
    let first = match equip(&mut settings, std::env::args_os().skip(1)) {
        Ok(first) => first,
        Err(unusable) => {
            // What the client is told, whom it does not help.
            log(&[b"qmail-smtpd: ", unusable.reply().to_wire().trim_ascii_end()].concat());
            return refuse(&mut connection, &unusable.reply());
        }
    };
    if let Some(mut tls) = first {
        let ready = tls.prepare(&mut settings.visit);
        settings.visit.take_notes().iter().for_each(|line| log(line));
        if let Err(reply) = ready {
            return refuse(&mut connection, &reply);
        }
        let inside = tls.begin(connection, &mut settings);
        settings.visit.take_notes().iter().for_each(|line| log(line));
        match inside {
            Some(inside) => connection = inside,
            None => return Ended::Otherwise,
        }
    }
    serve(connection, settings, &World { home, now: unix_seconds, log: &log })
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn log(line: &[u8]) {
    complain(&[line, b"\n"].concat());
}
