//! maildirwatch: shows the new mail in a maildir, again every 30 seconds.
//!
//! Runs as:     the user whose maildir it is
//! Descriptors: 1 the terminal; 2 what went wrong
//! Exit codes:  111 the maildir or the terminal is out of reach
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_core::unfinished::remove_unfinished;
use user_tools::failure::{Failure, finish};
use user_tools::fields::Trouble;
use user_tools::maildir::{enter, scan};
use user_tools::watch::{CLEAR, show};

fn main() -> ExitCode {
    finish("maildirwatch", run())
}

fn run() -> Result<u8, Failure> {
    enter()?;
    loop {
        let now = SystemTime::now();
        remove_unfinished(Path::new("."), now);
        let page = page(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())?;
        let mut terminal = io::stdout();
        terminal
            .write_all(&page)
            .and_then(|()| terminal.flush())
            .map_err(|error| Failure::system("unable to write", &error))?;
        std::thread::sleep(Duration::from_secs(30));
    }
}

fn page(now: u64) -> Result<Vec<u8>, Failure> {
    let mut page = CLEAR.to_vec();
    for message in scan(&["new"], now)? {
        // Somebody may have read it since.
        let Ok(file) = File::open(&message.path) else { continue };
        match show(&mut BufReader::new(file)) {
            Ok(lines) => page.extend(lines),
            Err(Trouble::TooLong) => {}
            Err(Trouble::Read(_)) => {
                return Err(Failure::Temporary(b"trouble reading new message".to_vec()));
            }
        }
    }
    Ok(page)
}
