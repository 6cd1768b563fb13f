//! qmail-newlist: makes the index of a long list in control/.
//!
//! Runs as:     root
//! Descriptors: 2 what went wrong; on a terminal, how far it has come
//! Exit codes:  0 made; 100 wrong usage; 111 not made, and the old one stays
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;

use admin_tools::database::replace_as_of;
use admin_tools::fatal::{PERMANENT, TEMPORARY, because, give_up};
use admin_tools::list_databases::{fill_sender_rules, fill_starts};
use qmail_core::file_types::{LOADER_TYPE, MIME_TYPE};
use qmail_core::long_list::{fill_index, index_of};
use qmail_core::progress::Watched;

fn main() -> ExitCode {
    let names: Vec<String> =
        std::env::args_os().skip(1).map(|name| name.to_string_lossy().into_owned()).collect();
    if names.is_empty() || names.iter().any(|name| name.contains('/') || name.starts_with('-')) {
        return give_up("qmail-newlist: usage: qmail-newlist list ...", PERMANENT);
    }
    qmail_sys::change_mask(0o033);
    let control = qmail_core::home::home().join("control");
    for name in names {
        if let Err(error) = make(&control, &name) {
            let what = format!("unable to make control/{name}.cdb");
            let text = match error.get_ref() {
                // A line that is none.
                Some(reason) => format!("{what}: {reason}"),
                None => because(&what, &error),
            };
            return give_up(&format!("qmail-newlist: fatal: {text}"), TEMPORARY);
        }
    }
    ExitCode::SUCCESS
}

fn make(control: &Path, name: &str) -> io::Result<()> {
    let list = control.join(name);
    let file = File::open(&list)?;
    let written = file.metadata()?.modified()?;
    let source = BufReader::new(Watched::new("bytes of the list", file));
    let temporary = control.join(format!("{name}.tmp"));
    replace_as_of(Some(written), &temporary, &index_of(&list), |writer| match name {
        "badmimetypes" => fill_starts(source, MIME_TYPE, writer),
        "badloadertypes" => fill_starts(source, LOADER_TYPE, writer),
        "mailfromrules" => fill_sender_rules(source, writer),
        _ => fill_index(source, writer),
    })
}
