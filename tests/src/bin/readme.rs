//! `readme`: puts the tables of the README in order: those of docs/performance.md and
//! docs/COMPATIBILITY.md, in short. `make readme` runs it.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use qmail_conformance::document::read;
use qmail_conformance::readme::filled;
use qmail_conformance::sources::workspace;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "readme: {error}");
            ExitCode::from(111)
        }
    }
}

fn run() -> Result<(), String> {
    let (performance, compatibility) = (read("docs/performance.md"), read("docs/COMPATIBILITY.md"));
    let text = filled(&read("README.md"), &performance, &compatibility)?;
    let (path, new) = (workspace().join("README.md"), workspace().join("README.new"));
    let written = fs::File::create(&new).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| fs::rename(&new, &path)).map_err(|error| error.to_string())
}
