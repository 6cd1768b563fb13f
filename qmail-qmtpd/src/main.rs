//! qmail-qmtpd: takes mail from the network by QMTP.
//!
//! Runs as:     qmaild, for one connection
//! Descriptors: 0 from the client, read; 1 to it, written
//! Exit codes:  0 the client has gone; 100 it does not speak QMTP; 111 something is missing here,
//!              or an hour is over
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::BufReader;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use qmail_core::submit::QueueServer;
use qmail_forkserver::main_beside;
use qmail_qmtpd::session::Session;
use qmail_qmtpd::settings::Settings;
use qmail_wire::broken::Broken;

/// Seconds that a connection may last.
const LONGEST_SESSION: u32 = 3600;

fn main() -> ExitCode {
    main_beside(QueueServer::new(), QueueServer::look_after, |_, queue| {
        let (Ok(broken) | Err(broken)) = gather_and_serve(queue);
        broken.code()
    })
}

fn gather_and_serve(queue: &QueueServer) -> Result<Broken, Broken> {
    let resources = |_| Broken::Resources;
    qmail_sys::signal::exit_after(LONGEST_SESSION, Broken::Resources.code()).map_err(resources)?;
    let input = File::from(qmail_sys::inherit(0).map_err(resources)?);
    let output = File::from(qmail_sys::inherit(1).map_err(resources)?);
    let home = qmail_core::home::home();
    std::env::set_current_dir(&home).map_err(resources)?;
    let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
    let settings = Settings::read(&home, &variable).map_err(|_| Broken::Resources)?;
    let session = Session { settings: &settings, home: &home, queue, now };
    Ok(session.serve(BufReader::with_capacity(65_536, input), output))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
