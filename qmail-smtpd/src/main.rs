//! qmail-smtpd: takes mail from the network by SMTP.
//!
//! Usage:       qmail-smtpd [[HOST] CHECKER [SUBPROGRAM [ARGUMENT...]]]
//! Runs as:     qmaild, a process for each connection
//! Descriptors: 0 and 1, the client
//! Exit codes:  0 after QUIT; 1 if the connection ended in any other way
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::complaint::complain;
use qmail_core::home::home;
use qmail_core::submit::QueueServer;
use qmail_forkserver::main_beside;
use qmail_smtpd::channel::Connection;
use qmail_smtpd::variables::Variables;
use qmail_smtpd::{DEFAULT_PATIENCE, Ended, Settings, World, refuse, secure};

fn main() -> ExitCode {
    main_beside(QueueServer::new(), QueueServer::look_after, |arguments, queue| {
        match session(arguments, queue) {
            Ended::Quit => 0,
            Ended::Otherwise => 1,
        }
    })
}

fn session(arguments: Vec<OsString>, queue: &QueueServer) -> Ended {
    let home = home();
    let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
    let settings = Settings::read(&home, Variables::new(Box::new(variable)));
    let (Ok(input), Ok(output)) = (qmail_sys::inherit(0), qmail_sys::inherit(1)) else {
        return Ended::Otherwise;
    };
    let patience = settings.as_ref().map_or(DEFAULT_PATIENCE, |settings| settings.patience);
    let mut connection = Connection::over(input, output, patience);
    match settings {
        Ok(settings) => {
            let world = World { home: &home, queue, now: unix_seconds, log: &log };
            secure::serve(connection, settings, arguments.into_iter().skip(1), &world)
        }
        Err(unreadable) => refuse(&mut connection, &unreadable.reply()),
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn log(line: &[u8]) {
    complain(&[line, b"\n"].concat());
}
